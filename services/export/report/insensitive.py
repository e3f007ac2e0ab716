"""How far answers that count as insensitive single rows out: nothing hides them, so whoever wrote the questionnaire should know.

Up to four variables are looked for that leave most rows alone, one after the other, each the best beside those before (greedy). Roles are
a judgement about what outsiders know: where they may know these, one of them belongs among the quasi-identifiers.
"""

from __future__ import annotations

import msgspec
import numpy as np

from services.export.protect.combinations import numbered
from services.export.report.compared import ComparedVariable

KNOWN, LOOKED_AT = 4, 12
"""Variables that are known together; those with most different answers among which they are looked for."""


class Insensitive(msgspec.Struct, frozen=True):
    """`alone`: share of released rows whose values of all these variables no other row has."""

    variables: tuple[str, ...]
    alone: float


def insensitive(fields: list[ComparedVariable]) -> Insensitive | None:
    """None where there are none."""
    plain = sorted((field for field in fields if field.role == "insensitive"), key=lambda field: (-_spread(field), field.name))[:LOOKED_AT]
    chosen, group, best = list[str](), (np.zeros(len(fields[0].after), np.int64), 1), -1.0
    while plain and len(chosen) < KNOWN:
        tried = [numbered([group, (field.after, len(field.released))], len(field.after)) for field in plain]
        alone = [int((counts == 1).sum()) / len(of_row) for of_row, counts in tried]
        groups = [len(counts) for _, counts in tried]
        place = max(range(len(plain)), key=lambda at: (alone[at], groups[at], -at))
        if groups[place] == group[1]:
            break
        best, group = alone[place], (tried[place][0], groups[place])
        chosen.append(plain.pop(place).name)
    return Insensitive(tuple(chosen), best) if chosen else None


def _spread(field: ComparedVariable) -> float:
    """Entropy of what the rows show, in nats."""
    shares = field.counts[field.counts > 0] / max(len(field.after), 1)
    return float(-(shares * np.log(shares)).sum())
