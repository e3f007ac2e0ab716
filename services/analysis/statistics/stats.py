"""The statistics of a survey: pure readings of (code book, state), exact to the last response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any

import numpy as np
from msgspec import structs
from msgspec.structs import replace
from numpy.typing import NDArray

from proto import intervals
from proto.codebook import CodeBook
from proto.instrument import Date, Integer, Matrix, Numeric, Ranking, Single
from proto.scores import scored
from proto.snapshot import Cell, Figures, Group, PublishedPolicy, Row, Scale, Snapshot, Weighting
from services.analysis.state.layout import Layout, Part, arrange
from services.analysis.state.state import State
from services.analysis.statistics import headline_stats
from services.analysis.statistics.headline_stats import Doubt
from services.analysis.statistics.marginals import Reading, estimates, read
from services.analysis.statistics.nonresponse import nonresponse, sections
from services.analysis.statistics.weighting import fit


def exact(book: CodeBook, state: State, policy: PublishedPolicy, *, revision: int, as_of: str) -> Snapshot:
    """Returns every statistic of the survey: no cell is withheld, shares are not rounded, and are weighted where there are margins.

    `policy`: the rules of the survey, copied into the snapshot.
    """
    layout = arrange(book)
    groups = [column for stratum in layout.strata for _, column in stratum.groups]
    everybody, *each = read(layout, np.vstack([np.diagonal(state.burt), state.burt[groups]]))
    weights = fit(book, state.burt[0])
    everybody.weighted = estimates(layout, weights, state.burt[weights.columns])
    found = whole(book, everybody, state, weights.published, policy, revision=revision, as_of=as_of)
    current = {(stratum.name, code): everybody.n[column] for stratum in layout.strata for code, column in stratum.groups}
    of_groups = breakdowns(book, dict(zip(groups, each, strict=True)), state)
    with_current = {
        name: {code: replace(group, current=current[name, code]) for code, group in each.items()} for name, each in of_groups.items()
    }
    return replace(found, breakdowns=with_current)


def breakdowns(book: CodeBook, groups: Mapping[int, Reading], state: State | None) -> dict[str, dict[str, Group]]:
    """What was read of groups, by their column. `state`: of numbers, None where they are not told."""
    layout = arrange(book)
    crossed = [part for part in layout.parts if "crosstab" in part.question.stats]
    return {
        stratum.name: {
            code: Group(groups[i].n[0], questions=_figures(crossed, groups[i], book, state, i)) for code, i in stratum.groups if i in groups
        }
        for stratum in layout.strata
    }


def whole(
    book: CodeBook,
    everybody: Reading,
    state: State | None,
    weighting: Weighting,
    policy: PublishedPolicy,
    *,
    revision: int,
    as_of: str,
) -> Snapshot:
    """Returns the snapshot of everybody, without breakdowns. `state`: for sums of numbers; None where they are not shown."""
    layout, instrument = arrange(book), book.instrument
    questions = _figures(layout.parts, everybody, book, state, 0)
    derived = {
        stratum.name: column for stratum in layout.strata for code, column in stratum.groups if stratum.source is None and code == "1"
    }
    responses, doubt = everybody.n[0], doubt_of(layout, everybody)
    shares = {
        name: headline_stats.share_of(
            everybody.n[column], responses, everybody.accuracy.of(np.array([column]), np.ones(1)) if everybody.accuracy else 0.0
        )
        for name, column in derived.items()
    }
    return Snapshot(
        survey=instrument.id,
        version=instrument.version,
        revision=revision,
        as_of=as_of,
        responses=responses,
        policy=policy,
        questions=questions,
        sections=sections(instrument, layout, everybody),
        weighting=weighting,
        headlines=headline_stats.at_a_glance(instrument, questions, shares, doubt=doubt),
    )


def doubt_of(layout: Layout, reading: Reading) -> Doubt | None:
    """The variance that noise gives to sums of answers to one question; None where there is no noise."""
    accuracy = reading.accuracy
    if accuracy is None:
        return None

    def doubt(question: str, row: str | None, worth: Mapping[str, tuple[float, ...]], base: float) -> float:
        part = layout.part(question, row)
        assert part is not None
        start, step = (part.cells.start, 1) if part.first is None else (part.first.start, len(part.codes))
        columns = [start + part.codes.index(code) + step * place for code, weights in worth.items() for place in range(len(weights))]
        return accuracy.of(np.array(columns), np.array(list(chain.from_iterable(worth.values()))), base)

    return doubt


def _figures(parts: list[Part], reading: Reading, book: CodeBook, state: State | None, group: int) -> dict[str, Figures]:
    """Figures by question. `group`: the column of the group that is read; 0 for everybody."""
    return {
        id: _question(list(of_question), reading, book, state, group) for id, of_question in groupby(parts, lambda part: part.question.id)
    }


def _question(parts: list[Part], reading: Reading, book: CodeBook, state: State | None, group: int) -> Figures:
    part = parts[0]
    question, kind = part.question, type(part.question).__struct_config__.tag
    assert isinstance(kind, str)
    skipped, missing = reading.n[part.skipped], reading.n[part.missing]
    if isinstance(question, Matrix):
        rows = {p.row: _row(question, p, reading, group) for p in parts if p.row is not None}
        return Figures(type=kind, skipped=skipped, rows=rows)
    answered = reading.n[part.answered]
    cells = reading.cells(part.codes, part.cells)
    figures = Figures(
        type=kind,
        answered=answered,
        skipped=skipped,
        missing=missing,
        nonresponse=None if group else nonresponse(answered, missing, cells, reading.n[0]),
        n_eff=_n_eff(part, reading),
    )
    match question:
        case Ranking():
            assert part.first is not None
            first = reading.cells(part.codes, part.first)
            placed = places(question, part, reading)
            return replace(figures, cells=cells, first=first, places=placed, rank_score=rank_score(placed, answered))
        case Integer() | Numeric():
            total, mean, variance = (None, None, None) if state is None else moments(book, state, question.id, group, answered)
            median = median_band(cells)
            return replace(figures, bands=cells, median_band=median, sum=total, mean=mean, variance=variance)
        case Date():
            return replace(figures, bands=cells, median_band=median_band(cells))
        case Single() if {"mean", "net_agreement"} & set(question.stats):
            return replace(figures, cells=cells, **_scaled(question, part, reading, cells))
        case _:
            return replace(figures, cells=cells)


def _row(question: Matrix, part: Part, reading: Reading, group: int) -> Row:
    cells = reading.cells(part.codes, part.cells)
    answered, missing = reading.n[part.answered], reading.n[part.missing]
    return Row(
        answered=answered,
        cells=cells,
        nonresponse=None if group else nonresponse(answered, missing, cells, reading.n[0]),
        n_eff=_n_eff(part, reading),
        **(_scaled(question, part, reading, cells) if question.ordered else {}),
    )


def _n_eff(part: Part, reading: Reading) -> float | None:
    """None where figures are not weighted, nobody weighted answered, or the question has no closed answers."""
    if reading.weighted is None or not part.codes:
        return None
    return max(reading.weighted.n_eff[part.cells]) or None


def _scaled(question: Matrix | Single, part: Part, reading: Reading, cells: Mapping[str, Cell]) -> dict[str, Any]:
    """The figures of an ordered scale: unweighted ones, and `weighted` at their effective size."""
    steps = scored(question)
    codes, scores = [code for code, _ in steps], [score for _, score in steps]
    columns = np.array([part.cells.start + part.codes.index(code) for code in codes])
    doubt = partial(reading.accuracy.of, columns) if reading.accuracy else None
    unweighted, n_eff = likert([cells[code].n or 0 for code in codes], scores, doubt), _n_eff(part, reading)
    if unweighted is None:
        return {}
    found: dict[str, Any] = structs.asdict(unweighted)
    weighted = [cells[code].weighted for code in codes]
    if n_eff and reading.weighted is not None and None not in weighted:
        shares = [each.share * n_eff for each in weighted if each is not None]
        found |= {"weighted": likert(shares, scores, reading.weighted.doubt_of(columns))}
    return found


def likert(counts: Sequence[float], scores: Sequence[int], doubt: Callable[[NDArray[np.float64]], float] | None = None) -> Scale | None:
    """Mean score (see `proto.scores`), and net agreement: the share above the middle option of the scale minus the share below
    it (for five options: the upper two minus the lower two). `counts`: of the substantive answers, by ascending score; None where
    nobody gave one. `doubt`: the variance that noise gives to a sum of counts with these weights."""
    total = sum(counts)
    if total <= 0:
        return None
    half = len(counts) // 2
    above, below = sum(counts[len(counts) - half :]), sum(counts[:half])
    mean = sum(score * n for score, n in zip(scores, counts, strict=True)) / total
    net = (above - below) / total
    if doubt is None:
        return Scale(mean, net, intervals.of_mean(counts, scores), intervals.of_net(above, below, total))
    sides = np.array([-1.0] * half + [0.0] * (len(counts) % 2) + [1.0] * half)
    noise_of_mean, noise_of_net = doubt(np.array(scores) - mean), doubt(sides - net)
    return Scale(mean, net, intervals.of_mean(counts, scores, noise_of_mean), intervals.of_net(above, below, total, noise_of_net))


def places(question: Ranking, part: Part, reading: Reading) -> dict[str, tuple[int, ...]]:
    """How often each option stood on each place."""
    if part.first is None:
        return {}
    step, start = len(part.codes), part.first.start
    return {code: tuple(reading.n[start + at : start + question.rank_count * step : step]) for at, code in enumerate(part.codes)}


def rank_score(places: Mapping[str, tuple[int, ...]], answered: int) -> dict[str, float]:
    """Mean rank points of each option among those who answered: the first of k gets k, the last 1, unranked 0 (Borda 1784). Where
    noise makes more of those who ranked an option than answered, they are the whole."""
    if answered == 0:
        return {}
    return {code: sum(n * points for points, n in enumerate(reversed(at), 1)) / max(answered, sum(at)) for code, at in places.items()}


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

    `group`: the column of the group; 0 for everybody. None where too few answered.
    """
    at = book.numbers.index(question)
    scale, total = book.scales[at], int(state.products[at, group])
    if n == 0:
        return None, None, None
    if n < 2:
        return total / scale, total / (n * scale), None
    squares = state.group_squares[at][book.groups.index(group)] if group else state.squares[at][at]
    return total / scale, total / (n * scale), (n * squares - total * total) / (n * (n - 1) * scale * scale)
