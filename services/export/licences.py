"""The licences under which a release can be published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """`name`: the identifier in the SPDX list."""

    name: str
    title: str
    url: str
    grants: str


LICENCES = {
    licence.name: licence
    for licence in (
        Licence(
            "CC-BY-4.0",
            "Creative Commons Attribution 4.0 International",
            "https://creativecommons.org/licenses/by/4.0/",
            "You may share and adapt the data for any purpose, also commercially, if you name the source, link to the licence and say "
            "what you changed.",
        ),
        Licence(
            "CC0-1.0",
            "Creative Commons Zero 1.0 Universal",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "The rights in the data are waived as far as the law allows: you may do with them what you like.",
        ),
    )
}


def text(name: str, title: str, citation: str) -> str:
    """The file LICENSE of a release."""
    licence = LICENCES[name]
    return (
        f"{title}\n\nThese data are published under {licence.title} ({licence.name}).\n{licence.url}\n\n{licence.grants}\n\n"
        f"Please cite: {citation}\n\n"
        "Do not try to find out who the respondents are. Laws that protect them hold under every licence.\n"
    )
