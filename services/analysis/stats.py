"""The statistics of a survey: pure readings of (code book, state), exact to the last response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from proto.codebook import CodeBook
from proto.instrument import Date, Integer, Matrix, Numeric, Policy, Ranking
from proto.snapshot import Cell, Figures, Group, PublishedPolicy, Row, Snapshot
from services.analysis.layout import Counts, Layout, Part, arrange, scored
from services.analysis.state import State

Z = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: two-sided 95 %."""


def wilson(n: Counts, answered: Counts) -> tuple[Counts, Counts]:
    """95 % score interval of n out of `answered`; NaN where nobody answered. It never leaves [0, 1].

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = n / answered
        spread = Z * Z / answered
        centre = (share + spread / 2) / (1 + spread)
        half = Z * np.sqrt(share * (1 - share) / answered + spread / (4 * answered)) / (1 + spread)
    low = np.where(n == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(n == answered, 1.0, np.minimum(centre + half, 1.0))
    nobody = answered == 0
    return np.where(nobody, np.nan, low), np.where(nobody, np.nan, high)


@dataclass
class Reading:
    """Rows of the Burt matrix, read once: counts, shares and intervals of every column for everybody or for one group."""

    n: list[int]
    answered: list[int]
    share: list[float]
    low: list[float]
    high: list[float]

    def cells(self, codes: tuple[str, ...], at: slice) -> dict[str, Cell]:
        """Count, share of those who answered the question, and its interval; no share where nobody did."""
        if not codes:
            return {}
        if self.answered[at.start] == 0:
            return {code: Cell(n) for code, n in zip(codes, self.n[at], strict=True)}
        columns = zip(codes, self.n[at], self.share[at], zip(self.low[at], self.high[at], strict=True), strict=True)
        return {code: Cell(n, share, interval) for code, n, share, interval in columns}


def read(layout: Layout, rows: Counts) -> list[Reading]:
    """One pass over rows of the Burt matrix."""
    wide = layout.widen(rows)
    answered = layout.answered(wide)
    low, high = wilson(wide, answered)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = wide / answered
    whole = wide.astype(np.int64).tolist(), answered.astype(np.int64).tolist()
    columns = zip(*whole, share.tolist(), low.tolist(), high.tolist(), strict=True)
    return [Reading(*reading) for reading in columns]


def exact(book: CodeBook, state: State, *, revision: int, as_of: str) -> Snapshot:
    """Every statistic of the survey, nothing withheld, shares in full precision."""
    layout, instrument = arrange(book), book.instrument
    groups = [column for stratum in layout.strata for _, column in stratum.groups]
    everybody, *each = read(layout, np.vstack([np.diagonal(state.burt), state.burt[groups]]))
    crossed = [part for part in layout.parts if "crosstab" in part.question.stats]
    of_group = dict(zip(groups, each, strict=True))
    breakdowns = {
        stratum.name: {
            code: Group(responses=of_group[i].n[0], questions=_figures(crossed, of_group[i], book, state, i)) for code, i in stratum.groups
        }
        for stratum in layout.strata
    }
    return Snapshot(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        responses=state.responses,
        policy=published(instrument.policy),
        questions=_figures(layout.parts, everybody, book, state, 0),
        breakdowns=breakdowns,
    )


def published(policy: Policy) -> PublishedPolicy:
    return PublishedPolicy(policy.name, policy.minimum, policy.batch)


def _figures(parts: list[Part], reading: Reading, book: CodeBook, state: State, group: int) -> dict[str, Figures]:
    """Figures by question. `group`: the column of the group that is read; 0 for everybody."""
    return {
        id: _question(list(of_question), reading, book, state, group) for id, of_question in groupby(parts, lambda part: part.question.id)
    }


def _question(parts: list[Part], reading: Reading, book: CodeBook, state: State, group: int) -> Figures:
    part = parts[0]
    question, kind = part.question, type(part.question).__struct_config__.tag
    assert isinstance(kind, str)
    skipped, missing = reading.n[part.skipped], reading.n[part.missing]
    answered = reading.n[part.answered]
    if isinstance(question, Matrix):
        rows = {p.row: _row(question, p, reading) for p in parts if p.row is not None}
        return Figures(type=kind, skipped=skipped, rows=rows)
    cells = reading.cells(part.codes, part.cells)
    match question:
        case Ranking():
            assert part.first is not None
            first = reading.cells(part.codes, part.first)
            score = rank_score(question, part, reading, answered)
            return Figures(type=kind, answered=answered, skipped=skipped, missing=missing, cells=cells, first=first, rank_score=score)
        case Integer() | Numeric():
            total, mean, variance = moments(book, state, question.id, group, answered)
            return Figures(
                type=kind,
                answered=answered,
                skipped=skipped,
                missing=missing,
                bands=cells,
                median_band=median_band(cells),
                sum=total,
                mean=mean,
                variance=variance,
            )
        case Date():
            return Figures(type=kind, answered=answered, skipped=skipped, missing=missing, bands=cells, median_band=median_band(cells))
        case _:
            return Figures(type=kind, answered=answered, skipped=skipped, missing=missing, cells=cells)


def _row(question: Matrix, part: Part, reading: Reading) -> Row:
    cells = reading.cells(part.codes, part.cells)
    mean, net = likert(question, cells) if question.ordered else (None, None)
    return Row(answered=reading.n[part.answered], cells=cells, mean=mean, net_agreement=net)


def likert(question: Matrix, cells: Mapping[str, Cell]) -> tuple[float | None, float | None]:
    """Mean place on the scale (first option 1), and net agreement: the share above the middle of the scale minus the
    share below it (for five options: 4 and 5 minus 1 and 2). Both among those who gave a substantive answer; None where
    nobody did."""
    scale = [(place, cells[code].n or 0) for code, place in scored(question)]
    total = sum(n for _, n in scale)
    if total == 0:
        return None, None
    middle = len(scale) + 1
    above = sum(n for place, n in scale if 2 * place > middle)
    below = sum(n for place, n in scale if 2 * place < middle)
    return sum(place * n for place, n in scale) / total, (above - below) / total


def rank_score(question: Ranking, part: Part, reading: Reading, answered: int) -> dict[str, float]:
    """Mean rank points of each option among those who answered: the first of k gets k, the last 1, unranked 0 (Borda 1784)."""
    if answered == 0 or part.first is None:
        return {}
    step, k = len(part.codes), question.rank_count
    points = [0] * step
    for place in range(k):
        ranked = reading.n[part.first.start + place * step :][:step]
        points = [value + (k - place) * n for value, n in zip(points, ranked, strict=True)]
    return {code: value / answered for code, value in zip(part.codes, points, strict=True)}


def median_band(bands: Mapping[str, Cell]) -> str | None:
    """The band that holds the lower median: the first at which at least half of the banded answers are reached."""
    total = sum(cell.n or 0 for cell in bands.values())
    reached = 0
    for code, cell in bands.items():
        reached += cell.n or 0
        if total and 2 * reached >= total:
            return code
    return None


def moments(book: CodeBook, state: State, question: str, group: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Sum, mean, and variance with divisor n - 1, in the question's unit. Whole numbers until the one division at the end.

    Squares are kept for everybody only, so a group has no variance. None where too few answered.
    """
    at = book.numbers.index(question)
    scale, total = book.scales[at], int(state.products[at, group])
    if n == 0:
        return None, None, None
    if group or n < 2:
        return total / scale, total / (n * scale), None
    squares = state.squares[at][at]
    return total / scale, total / (n * scale), (n * squares - total * total) / (n * (n - 1) * scale * scale)
