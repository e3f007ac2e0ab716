"""What a release must hold, for everybody and for research."""

from __future__ import annotations

from dataclasses import dataclass

from services.export.protect.request import Closeness, Diversity


@dataclass(frozen=True)
class Profile:
    """`k`: people who share every released combination of quasi-identifiers; `units`: of a public list, where there is one, 0 for any.

    `minimum`: fewest responses worth a release. `spare`: people per new class beyond k, who may withdraw before it is held back.
    `rare`: an answer is rare that this share of the people gave, or fewer. `private`: only with a recorded purpose, for holders of a token.
    `texts`: free texts that somebody has accepted go with it, apart from the rows.
    """

    name: str
    k: int
    units: int
    diversity: Diversity
    closeness: Closeness
    minimum: int
    spare: int
    rare: float = 0.01
    private: bool = False
    texts: bool = False


PROFILES = {
    "public": Profile("public", 10, 5, Diversity(2), Closeness(0.5), minimum=20, spare=1),
    "scientific": Profile("scientific", 5, 0, Diversity(2), Closeness(0.7), minimum=10, spare=1, private=True, texts=True),
}
