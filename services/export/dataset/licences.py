"""The terms under which a release goes out: a licence for everybody, or for the stated purpose alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.export.dataset.profiles import PROFILES


@dataclass(frozen=True)
class Licence:
    """`name`: the identifier in the SPDX list. `url`: an address, or the file of the release that has the terms."""

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


PURPOSE = Licence(
    "LicenseRef-stated-purpose",
    "For the stated purpose only",
    "LICENSE",
    "You may use the data for the purpose that manifest.json states, and for no other. Do not pass them on, and publish results of them, "
    "not rows. Delete them when the purpose is fulfilled.",
)
"""Of releases that are not for everybody: the survey's licence is for those that are."""


def terms(name: str, profile: str) -> Licence:
    """Of a release with this profile of a survey with this licence."""
    return PURPOSE if PROFILES[profile].private else LICENCES[name]


def text(licence: Licence, title: str, citation: str) -> str:
    """The file LICENSE of a release."""
    under = (
        "are for the stated purpose only."
        if licence is PURPOSE
        else f"are published under {licence.title} ({licence.name}).\n{licence.url}"
    )
    return (
        f"{title}\n\nThese data {under}\n\n{licence.grants}\n\n"
        f"Please cite: {citation}\n\n"
        "Do not try to find out who the respondents are. Laws that protect them hold under every licence.\n"
    )
