"""The rules of each profile of releases. Both stand in one sequence: the first is wide, the second narrow. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.export.protect.request import Closeness, Diversity


@dataclass(frozen=True)
class Profile:
    """`k`: people who share every released combination of quasi-identifiers; `units`: of a public list, where there is one, 0 for any.

    `minimum`: fewest responses worth a release. `narrow`: tells the narrow classes, which lie within the wide ones of the others.
    `private`: only with a recorded purpose, for holders of a token.
    `texts`: free texts that somebody has accepted go with it, apart from the rows.
    """

    name: str
    k: int
    units: int
    diversity: Diversity
    closeness: Closeness
    minimum: int
    narrow: bool = False
    private: bool = False
    texts: bool = False


PROFILES = {
    "public": Profile("public", 10, 5, Diversity(2), Closeness(0.5), minimum=20),
    "scientific": Profile("scientific", 5, 0, Diversity(2), Closeness(0.7), minimum=10, narrow=True, private=True, texts=True),
}
WIDE, NARROW = PROFILES["public"], PROFILES["scientific"]
SPARE = 1
"""People per new class beyond k, who may withdraw before it is held back."""
