"""Withholds cells until each row has k look-alikes in any three of its rare answers."""

from __future__ import annotations

import numpy as np

from services.export.gate.look_alikes import RareAnswerTable, RowSet, exposing, row_mask
from services.export.gate.rarity import UNTOLD, Ints

MANY, WORK = 20_000, 2_000_000_000
"""Rows with two rare answers, and such rows times all rows, up to which look-alikes are found for each. Above either, the variables with
most of these rows are withheld whole."""
UNASKED = 4.0
"""Cost of withholding a cell without an answer, against 1 for an answer: it shows that the question was not asked there."""


def withhold(table: RareAnswerTable) -> None:
    """Changes `table.withheld`. Ends because cells are only ever added."""
    _withhold_crowded_variables(table)
    while True:
        for variable in range(len(table.columns)):
            while _withhold_rare_values(table, variable) or _fill_up(table, variable):
                pass
        if not _hide_exposed_rows(table):
            return


def _withhold_rare_values(table: RareAnswerTable, variable: int) -> bool:
    """Withholds values that fewer than k rows show. Returns whether there were any."""
    values, withheld = table.values[variable], table.withheld[variable]
    counts = np.bincount(values[~withheld & (values != UNTOLD)], minlength=table.columns[variable].size)
    few = np.append((counts > 0) & (counts < table.k), False)[values] & ~withheld
    withheld |= few
    return bool(few.any())


def _fill_up(table: RareAnswerTable, variable: int) -> bool:
    """Withholds further cells where fewer than k cells are withheld. Returns whether there were any."""
    withheld = table.withheld[variable]
    missing = table.k - int(withheld.sum())
    if not 0 < missing < table.k:
        return False
    rows = np.flatnonzero(~withheld)
    order = np.lexsort((table.rank[rows], table.values[variable][rows] == UNTOLD))
    withheld[rows[order[:missing]]] = True
    return True


def _withhold_crowded_variables(table: RareAnswerTable) -> None:
    """Withholds whole variables until few rows have two rare answers: finding look-alikes for each row would take hours."""
    while int((several := _rare_answers(table) >= 2).sum()) > min(MANY, WORK // len(table.rank)):
        most = int(np.argmax([int((known & several).sum()) for known in table.known]))
        table.withheld[most][:], table.known[most][:] = True, False


def _hide_exposed_rows(table: RareAnswerTable) -> bool:
    """Gives k look-alikes to each row with two rare answers or more, those of most rare answers first. Returns whether a row had fewer."""
    many = _rare_answers(table)
    rows = np.flatnonzero(many >= 2)
    caches, changed = [dict[int, RowSet]() for _ in table.columns], False
    for row in rows[np.lexsort((table.rank[rows], -many[rows]))].tolist():
        rare = [variable for variable, known in enumerate(table.known) if known[row]]
        while True:
            look_alikes = {variable: table.look_alikes(caches[variable], variable, row) for variable in rare}
            exposed_by = exposing(look_alikes, table.k)
            if not exposed_by:
                break
            changed = True
            for variable in _hide(table, row, {variable: look_alikes[variable] for variable in exposed_by}):
                caches[variable].clear()
    return changed


def _rare_answers(table: RareAnswerTable) -> Ints:
    return table.rare_answers(range(len(table.columns)))


def _hide(table: RareAnswerTable, row: int, look_alikes: dict[int, RowSet]) -> list[int]:
    """Withholds some of these answers of a row, in k rows in all that agree with the row in the answers that stay.

    Returns the variables. Takes the rows that cost least.
    """
    agreeing, hidden = (1 << len(table.rank)) - 1, list[int]()

    def keep_first(variable: int) -> tuple[bool, bool, int, int]:
        return not table.columns[variable].ordered, table.coarse[variable], -look_alikes[variable].bit_count(), variable

    for variable in sorted(look_alikes, key=keep_first):
        if (fewer := agreeing & look_alikes[variable]).bit_count() >= table.k:
            agreeing = fewer
        else:
            hidden.append(variable)
    rows = np.flatnonzero(row_mask(agreeing, len(table.rank)))
    cost = np.zeros(len(rows))
    for variable in hidden:
        unasked = table.values[variable][rows] == UNTOLD
        price = np.where(unasked, UNASKED, np.where(table.known[variable][rows], 0.5, 1.0))
        cost += np.where(table.withheld[variable][rows], 0.0, price)
    cost[rows == row] = -1.0
    order = 2 * cost * len(table.rank) + table.rank[rows]  # costs are halves; ranks lie below the number of rows
    chosen = rows[np.argpartition(order, table.k - 1)[: table.k]]
    for variable in hidden:
        table.withheld[variable][chosen] = True
    return hidden
