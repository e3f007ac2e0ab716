"""Journal numbers at or below a consumer's floor that are not recorded. Pure.

Analysis acknowledges everything up to a number, also past events that it could not read. It writes the numbers of those into the metadata
of the same consumer *before* it acknowledges; intake reads floor and list in one answer. So "recorded" is never said of such an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEY = "platea-withheld"
MOST = 5000
"""Numbers that are listed one by one, 40 kB of the 128 that metadata may have. From the next one on, everything is withheld."""


@dataclass(frozen=True)
class Withheld:
    """`seqs`, and everything from `onward` on."""

    seqs: frozenset[int] = frozenset()
    onward: int | None = None

    def __contains__(self, seq: int) -> bool:
        return seq in self.seqs or (self.onward is not None and seq >= self.onward)


EVERYTHING = Withheld(onward=0)
"""What has to be assumed as long as no list was read."""


def written(seqs: Iterable[int]) -> str:
    """The list as metadata: numbers with commas between them, and `401+` at the end where everything from 401 on is withheld."""
    ordered = sorted(seqs)
    listed = [str(seq) for seq in ordered[:MOST]]
    return ",".join(listed + ([f"{ordered[MOST]}+"] if len(ordered) > MOST else []))


def read(metadata: Mapping[str, str] | None) -> Withheld:
    """The list of a consumer. Where there is none, analysis has not looked yet, and nothing is known to be recorded."""
    text = (metadata or {}).get(KEY)
    if text is None:
        return EVERYTHING
    try:
        parts = text.split(",") if text else []
        onward = [int(part[:-1]) for part in parts if part.endswith("+")]
        return Withheld(frozenset(int(part) for part in parts if not part.endswith("+")), min(onward, default=None))
    except ValueError:
        return EVERYTHING
