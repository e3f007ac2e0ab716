"""The gate after protection: measures the released table, refuses one that breaks a rule of its profile.

Claim: what is written has been measured from its own released columns, by other code than that which protected it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.gate import answers, ledger, measuring, truth
from services.export.gate.advice import advise
from services.export.gate.before import Admitted
from services.export.gate.ledger import StoredLedger
from services.export.gate.quasi_identifiers import QuasiIdentifierTable, codes_of
from services.export.gate.rarity import RareColumn
from services.export.gate.refused import ReleaseRefused
from services.export.protect.anonymise import Result
from services.export.protect.measure import Measures
from services.export.protect.sequence import SequenceStep

Ints = NDArray[np.int64]

MOST_LOST = 0.95
"""Greatest loss of detail (NCP, 0 to 1) of the quasi-identifiers with which a release is still worth its name."""


@dataclass(frozen=True)
class Protected:
    """A table that the gate lets out.

    `rows[i]`: the response that row i of `table` came from. `quasi_identifiers`: hierarchies and public list, without rows. `generalised`:
    rows with a quasi-identifier coarser than given. `suppressed`: rows left out. `withheld`: cells withheld because of rare answers.
    `merged`: scales on which neighbouring answers are one value. `book`: the ledger to store with this release.
    """

    table: pd.DataFrame
    rows: Ints
    quasi_identifiers: QuasiIdentifierTable
    measures: Measures
    reasons: tuple[str, ...]
    generalised: int
    suppressed: int
    withheld: int
    merged: int
    book: StoredLedger


def check(admitted: Admitted, step: SequenceStep) -> Protected:
    """Returns the released table of a protected step. Raises ReleaseRefused where it breaks a rule, truth.Untrue where a cell is wrong."""
    profile, number, order = admitted.profile, admitted.number, admitted.order
    quasi_identifiers, result = admitted.table.seen_by(profile), step.result
    rows = np.flatnonzero(result.kept)
    rows = rows[admitted.keys.order(admitted.people[rows], number)]
    shown = answers.hidden(admitted.columns, admitted.answers, order[np.sort(rows)], profile)
    table = _released(admitted, result, rows, shown)
    measures = _measured(admitted, quasi_identifiers, table, rows)
    withheld = sum(int(how.withheld.sum()) for how in shown.values())
    merged = sum(len(np.unique(how.steps)) < len(how.steps) for how in shown.values())
    coarse = np.zeros(len(rows), dtype=bool)
    for v, hierarchy in enumerate(quasi_identifiers.hierarchies):
        coarse |= result.released[rows, v] >= len(hierarchy.values)
    return Protected(
        table=table,
        rows=order[rows],
        quasi_identifiers=replace(quasi_identifiers, codes=quasi_identifiers.codes[:0], sensitive=()),
        measures=measures,
        reasons=(*result.reasons, *_reasons(merged, withheld, profile.k)),
        generalised=int(coarse.sum()),
        suppressed=len(admitted.answers) - len(rows),
        withheld=withheld,
        merged=merged,
        book=ledger.after(admitted.book, number, step, quasi_identifiers.hierarchies, admitted.keys),
    )


def _reasons(merged: int, withheld: int, k: int) -> list[str]:
    sentences: list[str] = []
    if merged:
        scales = "1 scale" if merged == 1 else f"{merged:,} scales"
        sentences.append(f"On {scales} neighbouring answers are told as one, because few gave one of them.")
    if withheld:
        sentences.append(f"{withheld:,} answers are withheld: rare ones, and others beside them, so that at least {k} rows look the same.")
    return sentences


def _released(admitted: Admitted, result: Result, rows: Ints, shown: dict[str, RareColumn]) -> pd.DataFrame:
    """The released columns. `shown`: of the variables with rare answers, its rows being the sorted `rows`."""
    released: dict[str, pd.Categorical] = {}
    variable_of = {column.name: v for v, column in enumerate(admitted.table.identifiers)}
    row_of_answers, row_of_shown = admitted.order[rows], np.argsort(np.argsort(rows))
    for column in admitted.columns:
        if column.name in variable_of:
            v = variable_of[column.name]
            labels = [node.label for node in result.values[v]]
            codes, values = result.released[rows, v], list(dict.fromkeys(labels))
            codes = np.array([values.index(label) for label in labels], np.int16)[codes]
        else:
            codes, values = codes_of(admitted.answers, column)[row_of_answers], [*column.codes]
            if how := shown.get(column.name):
                codes, values = answers.released(column, codes, RareColumn(how.steps, how.withheld[row_of_shown]))
        released[column.name] = pd.Categorical.from_codes(codes, categories=pd.Index(values, dtype="object"))  # pyright: ignore[reportArgumentType]
    return pd.DataFrame(released, copy=False)


def _measured(admitted: Admitted, quasi_identifiers: QuasiIdentifierTable, table: pd.DataFrame, rows: Ints) -> Measures:
    """What the released columns hold, counted afresh. Raises as `check`."""
    columns, profile, row_of_answers = admitted.columns, admitted.profile, admitted.order[rows]
    others = [column for column in columns if column.role != "quasi_identifier"]
    if name := truth.unlike(others, lambda column: codes_of(admitted.answers, column)[row_of_answers], table):
        raise truth.Untrue(f"The column {name} would tell something else than was answered.")
    result = measuring.read_back(quasi_identifiers, table, rows, len(quasi_identifiers.codes))
    sensitive = measuring.sensitive_back(quasi_identifiers, table, rows, columns)
    broken_rules, measures = measuring.weighed(quasi_identifiers, result, sensitive, profile)
    broken = [str(rule) for rule in broken_rules]
    if single := answers.alone(columns, admitted.answers, row_of_answers, table, profile):
        broken.append(str(measuring.Broken("Rare answers must single nobody out", single)))
    if len(rows) < profile.minimum:
        broken.append(f"Only {len(rows)} rows would remain after protection; {profile.minimum} are needed.")
    if quasi_identifiers.identifiers and int(result.classes.max()) == 0:
        broken.append(f"All {len(rows)} rows would stand in one class, and their quasi-identifiers would tell nothing.")
    if measures.loss > MOST_LOST:
        broken.append(f"The quasi-identifiers would tell next to nothing: {measures.loss:.0%} of them would be lost.")
    if broken:
        raise ReleaseRefused(" ".join([*broken, advise(quasi_identifiers, profile) or "Wait for more responses."]))
    return measures
