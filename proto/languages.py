"""Which language to speak to a reader."""

from __future__ import annotations

from collections.abc import Iterable


def choose(offered: Iterable[str], asked: str | None, accepted: str) -> str:
    """The language to use: the one asked for, else the reader's best in Accept-Language, else the first offered."""
    available = list(offered)
    if asked in available:
        return asked
    for tag in _preferred(accepted):
        for language in available:
            if tag == language.lower() or tag.split("-")[0] == language.lower():
                return language
    return available[0]


def _preferred(accepted: str) -> list[str]:
    """Language tags of an Accept-Language header (RFC 9110, 12.5.4), best first; what cannot be read is passed over."""
    weighted: list[tuple[float, str]] = []
    for part in accepted[:1000].split(","):
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        if tag and 0 < weight <= 1:
            weighted.append((-weight, tag.strip().lower()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]
