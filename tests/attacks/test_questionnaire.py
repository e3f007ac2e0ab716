"""What is published over HTTP is taken apart into the counts that it tells, and what is withheld into what follows from the rest."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.snapshot import Cell, PublishedPolicy, Table
from tests.attacks import questionnaire
from tests.attacks.population import Blocks, Floats

POLICY = PublishedPolicy("cell-key", 10, 10)
BLOCKS = Blocks(np.array([4, 3]), 0)


def table(counts: Floats, least: int) -> Table:
    """The table of two blocks, without cells of rows and columns of fewer than `least`, as it is published."""
    at, to = BLOCKS.columns(0), BLOCKS.columns(1)
    exact = counts[at, to].astype(int)
    rows, columns = exact.sum(axis=1), exact.sum(axis=0)
    one, other = (questionnaire.codes(BLOCKS, block) for block in (0, 1))

    def cell(row: int, column: int) -> Cell:
        return Cell(int(exact[row, column])) if min(rows[row], columns[column]) >= least else Cell(withheld=True)

    cells = {row: {column: cell(i, j) for j, column in enumerate(other)} for i, row in enumerate(one)}
    answered = {row: int(exact[i, :-1].sum()) for i, row in enumerate(one) if rows[i] >= least}
    sides = ({code: Cell(int(n)) for code, n in zip(side, numbers, strict=False)} for side, numbers in ((one, rows), (other, columns)))
    of_rows, of_columns = sides
    total = int(exact.sum())
    return Table("s", "1.0.0", 1, "", "Q0", "Q1", total, POLICY, cells, answered=answered, rows=of_rows, columns=of_columns)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=80), st.sampled_from([0, 10]))
@settings(max_examples=60)
def test_what_is_certain_is_right_and_everything_adds_up(people: list[tuple[int, int]], least: int) -> None:
    rows = BLOCKS.rows(np.array(people)).astype(np.float64)
    exact = rows.T @ rows
    found, known = questionnaire.tables(BLOCKS, {(0, 1): table(exact, least)})
    at, to = BLOCKS.columns(0), BLOCKS.columns(1)
    assert np.allclose(found[at, to][known[at, to]], exact[at, to][known[at, to]])
    assert np.allclose(found[at, to].sum(axis=0), exact[at, to].sum(axis=0))
    assert np.allclose(found[at, to], found[to, at].T)
    if not least:
        assert known[at, to].all()
        margins = questionnaire.margins(BLOCKS, {(0, 1): table(exact, least)})
        assert np.allclose(margins, exact.diagonal())
