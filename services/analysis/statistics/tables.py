"""Exact two-way tables of a survey, read from its Burt matrix. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.instrument import Multiple, Ranking, WithRows
from proto.intervals import wilson
from proto.problem import Problem
from proto.snapshot import Association, Cell, PublishedPolicy, Table
from services.analysis.state.layout import Counts, arrange
from services.analysis.state.state import State
from services.analysis.statistics.association import associate


@dataclass(frozen=True)
class Side:
    """A question, a matrix row ("B02.cctv") or a stratum, as one side of a table."""

    name: str
    codes: tuple[str, ...]
    columns: NDArray[np.intp]
    """The widened column of each code."""
    answered: int
    """The widened column that counts those who answered; of a stratum 0, which counts everybody."""
    exclusive: bool = True
    """Whether a respondent gives one answer at most."""


def side(book: CodeBook, name: str) -> Side:
    """Returns the side with this name. Raises Problem `not-found` for an unknown name, and for a question without closed answers."""
    layout = arrange(book)
    for stratum in layout.strata:
        if stratum.name == name:
            columns = np.array([column for _, column in stratum.groups], np.intp)
            return Side(name, tuple(code for code, _ in stratum.groups), columns, 0)
    question, _, row = name.partition(".")
    part = layout.part(question, row or None)
    if part is None:
        matrix = next((q for q in book.instrument.questions if q.id == question and isinstance(q, WithRows)), None)
        advice = f" Name one of its rows, such as {question}.{matrix.rows[0].code}." if matrix else ""
        raise Problem("not-found", f"There is no question, matrix row or stratum named '{name[:80]}'.{advice}")
    if not part.codes:
        raise Problem("not-found", f"'{name[:80]}' has no closed answers, so there is no table of it.")
    columns = np.array(range(part.cells.start, part.cells.stop), np.intp)
    return Side(name, part.codes, columns, part.answered, not isinstance(part.question, Multiple | Ranking))


def sides(book: CodeBook, row: str, column: str) -> tuple[Side, Side]:
    """Returns both sides of a table. Raises Problem where they are the same, or as `side` does."""
    if row == column:
        raise Problem("request-refused", "Choose two different questions.")
    return side(book, row), side(book, column)


def exact(book: CodeBook, state: State, row: str, column: str, policy: PublishedPolicy, *, revision: int, as_of: str) -> Table:
    """Returns the count of each pair of answers, and its share of those in the row who answered the column's question.

    Raises Problem as `sides` does. `policy`: the rules of the survey, copied into the table.
    """
    one, other = sides(book, row, column)
    layout = arrange(book)
    ranks = layout.ranks(one.columns)
    wide = layout.widen(state.burt[one.columns] if ranks is None else state.burt[ranks].sum(axis=0))
    counts = wide[:, other.columns]
    table = table_of(book, one, other, wide, policy, responses=state.responses, revision=revision, as_of=as_of)
    single = layout.widen(state.burt.diagonal()[None])[0]
    association = association_of(one, other, counts, np.ones(counts.shape, np.bool_), 0.0)
    return msgspec.structs.replace(table, rows=side_alone(one, single), columns=side_alone(other, single), association=association)


def table_of(
    book: CodeBook,
    one: Side,
    other: Side,
    wide: Counts,
    policy: PublishedPolicy,
    *,
    responses: int,
    revision: int,
    as_of: str,
    noise: Counts | float = 0.0,
) -> Table:
    """Returns the table without its association and without the two sides alone.

    `wide`: widened rows of the side `one`, shape (codes of one, widened columns). `noise`: the variance that noise adds to each count,
    shape (codes of one, codes of other).
    """
    counts = wide[:, other.columns]
    # where noise put a part above its whole, the whole is as large as its largest part
    answered = np.maximum(wide[:, other.answered], counts.max(axis=1))[:, None]
    low, high = wilson(counts, np.broadcast_to(answered, counts.shape), noise)
    cells: dict[str, dict[str, Cell]] = {}
    for i, code in enumerate(one.codes):
        columns = zip(other.codes, counts[i].tolist(), low[i].tolist(), high[i].tolist(), strict=True)
        n_row = float(answered[i, 0])
        cells[code] = {to: Cell(int(n), n / n_row, (least, most)) if n_row else Cell(int(n)) for to, n, least, most in columns}
    instrument = book.instrument
    return Table(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        row=one.name,
        column=other.name,
        responses=responses,
        policy=policy,
        cells=cells,
        answered={code: int(n) for code, n in zip(one.codes, wide[:, other.answered].tolist(), strict=True)},
    )


def association_of(one: Side, other: Side, counts: Counts, shown: NDArray[np.bool_], noise: float) -> Association:
    """Returns the association of the rows and columns that are shown; only a reason where it is not defined.

    `counts`, `shown`: shape (codes of one, codes of other). `noise`: the variance that noise adds to each count.
    """
    if not one.exclusive or not other.exclusive:
        return Association(reason="overlapping")
    rows, columns = shown.any(axis=1), shown.any(axis=0)
    if not shown[rows][:, columns].all():
        return Association(reason="withheld")
    return associate(counts[rows][:, columns], noise)


def side_alone(one: Side, single: Counts, least: int = 0) -> dict[str, Cell]:
    """Returns counts and shares of a side by itself. A group of a stratum with fewer than `least` respondents is withheld.

    `single`: single counts, shape (widened columns,).
    """
    counts = single[one.columns]
    whole = max(float(single[one.answered]), float(counts.max(initial=0.0)))
    shares = counts / whole if whole else counts
    group = one.answered == 0
    columns = zip(one.codes, counts.tolist(), shares.tolist(), strict=True)
    return {code: Cell(withheld=True) if group and n < least else Cell(int(n), share) for code, n, share in columns}
