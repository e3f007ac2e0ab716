"""Rare answers hide among at least k rows: neighbours on a scale are merged, other rare answers are withheld cell by cell.

Claim: take somebody who knows up to three rare answers of a person. At least k rows look the same as the person's in these variables,
where "withheld" is a look like any other. So at least k rows agree with what is known, a withheld cell agreeing with anything, and whoever
prefers rows that tell the answers to rows that withhold them still faces k. No answer is told in fewer than k rows. Rare is what at most
2 k people gave: such an answer is what an outsider may have heard of. This is k^m-anonymity (Terrovitis, Mamoulis and Kalnis, VLDB 2008)
for m up to 3, over rare answers alone, since common ones make every row of a long survey unique.

Method: on a scale, an answer of fewer than k is merged with its neighbour (`scales`); elsewhere it is withheld (`withholding`). Then row by
row, rows with most rare answers first: where fewer than k rows look the same (`look_alikes`), as many of the answers as possible stay. The
others are withheld, in this row and in those rows that look the same in what stays and cost least. That may leave other rows with fewer
than k look-alikes, so it is repeated until no row has. Where it would take much more from a step of a scale than from the whole scale, the
step is merged instead, and all begins again: so the mean of the values that stay is not biased.

Does not protect against who knows four rare answers or more, or common ones (the report says how far these reach). That an answer is
missing from what is told says that it is among the withheld ones. Refusals to answer are no answers and stay, unless they keep company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from services.export.gate import scales
from services.export.gate.look_alikes import RareAnswerTable, RowSet, exposing
from services.export.gate.rarity import Answers, Ints, RareColumn, is_rare
from services.export.gate.withholding import withhold

FEW, LOOKED_AT = 0.02, 500
"""Scales are merged until at most this share of the people have fewer than k look-alikes in their answers to scales; of so many people."""


def hide(columns: Sequence[Answers], k: int, rank: Ints, former: Sequence[RareColumn] = ()) -> list[RareColumn]:
    """How each variable is released; nothing that `former` merges or withholds is shown. `rank`: the rows from 0 in a secret order."""
    shown = [*former, *(RareColumn(np.arange(column.size), np.zeros(len(column.codes), dtype=bool)) for column in columns[len(former) :])]
    with_rare = [
        variable
        for variable, (column, how) in enumerate(zip(columns, shown, strict=True))
        if is_rare(column.counts(), k).any() or how.withheld.any()
    ]
    hidden = _hide([columns[variable] for variable in with_rare], k, rank, [shown[variable] for variable in with_rare])
    for variable, how in zip(with_rare, hidden, strict=True):
        shown[variable] = how
    return shown


def _hide(columns: list[Answers], k: int, rank: Ints, former: list[RareColumn]) -> list[RareColumn]:
    """The same, of variables that have rare answers, or had."""
    steps = [
        scales.large_enough(how.steps, column.counts(), k) if column.ordered else how.steps
        for column, how in zip(columns, former, strict=True)
    ]
    while True:
        table = RareAnswerTable(columns, steps, former, k, rank)
        merged = _most_exposing_scale(table)
        if not merged:
            withhold(table)
            merged = _biased_scales(table)
        if not merged:
            return [RareColumn(step, withheld) for step, withheld in zip(steps, table.withheld, strict=True)]
        steps = [merged.get(variable, step) for variable, step in enumerate(steps)]


def _most_exposing_scale(table: RareAnswerTable) -> dict[int, Ints]:
    """The scale that leaves most people fewer than k look-alikes in their rare answers to scales, with coarser steps.

    Empty where few people are left so. Of the scales that expose a person together, the one with fewest look-alikes counts.
    """
    ordered = [variable for variable, column in enumerate(table.columns) if column.ordered]
    caches, exposed_by, exposed = [dict[int, RowSet]() for _ in table.columns], Counter[int](), 0
    rows = np.flatnonzero(table.rare_answers(ordered) >= 2)
    rows = rows[np.argsort(table.rank[rows], kind="stable")][:LOOKED_AT]
    for row in rows.tolist():
        look_alikes = {variable: table.look_alikes(caches[variable], variable, row) for variable in ordered if table.known[variable][row]}
        if scales_together := exposing(look_alikes, table.k):
            exposed += 1
            exposed_by[min(sorted(scales_together), key=lambda variable: look_alikes[variable].bit_count())] += 1
    if exposed <= FEW * min(len(table.rank), LOOKED_AT):
        return {}
    for variable in sorted(exposed_by, key=lambda variable: (-exposed_by[variable], variable)):
        if (steps := _coarser(table, variable)) is not None:
            return {variable: steps}
    return {}


def _biased_scales(table: RareAnswerTable) -> dict[int, Ints]:
    """Scales of which one step lost more than the whole scale, with coarser steps."""
    coarser: dict[int, Ints] = {}
    for variable, (column, steps, withheld) in enumerate(zip(table.columns, table.steps, table.withheld, strict=True)):
        if not column.ordered or not withheld.any():
            continue
        step = scales.leaning(steps, column.counts(), column.counts(~withheld))
        if step is not None and (merged := _coarser(table, variable, step)) is not None:
            coarser[variable] = merged
    return coarser


def _coarser(table: RareAnswerTable, variable: int, step: int | None = None) -> Ints | None:
    column = table.columns[variable]
    counts = column.counts()
    return scales.coarser(table.steps[variable], counts, is_rare(counts, table.k), column.sides if step is None else None, step)
