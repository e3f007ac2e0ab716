"""The statistics of a survey, computed from its state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any, assert_never

import numpy as np
from msgspec import structs
from msgspec.structs import replace
from numpy.typing import NDArray

from proto import intervals
from proto.codebook import CodeBook
from proto.instrument import ConstantSum, Date, Integer, LongText, Matrix, Multiple, Numeric, Ranking, ShortText, Single
from proto.scores import scored
from proto.snapshot import Cell, Figures, Group, PublishedPolicy, PublishedRow, Scale, Snapshot, Weighting
from services.analysis.state.layout import Layout, Part, arrange
from services.analysis.state.state import State
from services.analysis.statistics import headline_stats
from services.analysis.statistics.headline_stats import NoiseVariance
from services.analysis.statistics.marginals import Estimates, Marginals, SumVariance, estimates, read_marginals
from services.analysis.statistics.nonresponse import nonresponse, sections
from services.analysis.statistics.weighting import fit


def exact(book: CodeBook, state: State, policy: PublishedPolicy, *, revision: int, as_of: str) -> Snapshot:
    """Returns every statistic of the survey: no cell is withheld, shares are not rounded, and are weighted where there are margins.

    `policy`: the rules of the survey, copied into the snapshot.
    """
    layout = arrange(book)
    groups = [column for stratum in layout.strata for _, column in stratum.groups]
    everybody, *marginals_by_group = read_marginals(layout, np.vstack([np.diagonal(state.burt), state.burt[groups]]))
    weights = fit(book, state.burt[0])
    everybody.weighted = estimates(layout, weights, state.burt[weights.columns])
    snapshot = whole(book, everybody, state, weights.published, policy, revision=revision, as_of=as_of)
    current = {(stratum.name, code): everybody.n[column] for stratum in layout.strata for code, column in stratum.groups}
    of_groups = breakdowns(book, dict(zip(groups, marginals_by_group, strict=True)), state)
    with_current = {
        name: {code: replace(group, current=current[name, code]) for code, group in by_code.items()} for name, by_code in of_groups.items()
    }
    return replace(snapshot, breakdowns=with_current)


def breakdowns(book: CodeBook, groups: Mapping[int, Marginals], state: State | None) -> dict[str, dict[str, Group]]:
    """Returns the figures of each group, by stratum and code.

    `groups`: the marginals of groups, by their column. `state`: for sums of numbers; None where they are not shown.
    """
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
    everybody: Marginals,
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
    responses, noise_variance = everybody.n[0], noise_variance_of(layout, everybody)
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
        headlines=headline_stats.at_a_glance(instrument, questions, shares, noise_variance=noise_variance),
    )


def noise_variance_of(layout: Layout, marginals: Marginals) -> NoiseVariance | None:
    """Returns a function for the variance that noise adds to sums of answers to one question; None where there is no noise."""
    accuracy = marginals.accuracy
    if accuracy is None:
        return None

    def noise_variance(question: str, row: str | None, worth: Mapping[str, tuple[float, ...]], base: float) -> float:
        part = layout.part(question, row)
        assert part is not None
        start, step = (part.cells.start, 1) if part.first is None else (part.first.start, len(part.codes))
        columns = [start + part.codes.index(code) + step * place for code, weights in worth.items() for place in range(len(weights))]
        return accuracy.of(np.array(columns), np.array(list(chain.from_iterable(worth.values()))), base)

    return noise_variance


def _figures(parts: list[Part], marginals: Marginals, book: CodeBook, state: State | None, group: int) -> dict[str, Figures]:
    """Returns figures by question. `group`: the column of the group; 0 for everybody."""
    return {
        id: _question(list(of_question), marginals, book, state, group) for id, of_question in groupby(parts, lambda part: part.question.id)
    }


def _question(parts: list[Part], marginals: Marginals, book: CodeBook, state: State | None, group: int) -> Figures:
    part = parts[0]
    question, kind = part.question, type(part.question).__struct_config__.tag
    assert isinstance(kind, str)
    skipped, missing = marginals.n[part.skipped], marginals.n[part.missing]
    if isinstance(question, Matrix):
        rows = {p.row: _row(question, p, marginals, group) for p in parts if p.row is not None}
        return Figures(type=kind, skipped=skipped, rows=rows)
    answered = marginals.n[part.answered]
    cells = marginals.cells(part.codes, part.cells)
    figures = Figures(
        type=kind,
        answered=answered,
        skipped=skipped,
        missing=missing,
        nonresponse=None if group else nonresponse(answered, missing, cells, marginals.n[0]),
        n_eff=_n_eff(part, marginals),
    )
    match question:
        case Ranking():
            assert part.first is not None
            first = marginals.cells(part.codes, part.first)
            placed = places(question, part, marginals)
            return replace(figures, cells=cells, first=first, places=placed, rank_score=rank_score(placed, answered))
        case ConstantSum():
            rows = {p.row: _share_of_total(question, p, marginals) for p in parts if p.row is not None}
            return replace(figures, n_eff=None, rows=rows)
        case Integer() | Numeric() | Date():
            special = {option.code: cells[option.code] for option in question.special}
            bands = {code: cell for code, cell in cells.items() if code not in special}
            figures = replace(figures, cells=special, bands=bands, median_band=median_band(bands))
            if state is None or isinstance(question, Date):
                return figures
            total, mean, variance = moments(book, state, question.id, group, answered - sum(cell.n or 0 for cell in special.values()))
            return replace(figures, sum=total, mean=mean, variance=variance)
        case Single() if {"mean", "net_agreement"} & set(question.stats):
            return replace(figures, cells=cells, **_scaled(question, part, marginals, cells))
        case Single() | Multiple() | ShortText() | LongText():
            return replace(figures, cells=cells)
        case _:
            assert_never(question)


def _row(question: Matrix, part: Part, marginals: Marginals, group: int) -> PublishedRow:
    cells = marginals.cells(part.codes, part.cells)
    answered, missing = marginals.n[part.answered], marginals.n[part.missing]
    return PublishedRow(
        answered=answered,
        cells=cells,
        nonresponse=None if group else nonresponse(answered, missing, cells, marginals.n[0]),
        n_eff=_n_eff(part, marginals),
        **(_scaled(question, part, marginals, cells) if question.ordered else {}),
    )


def _share_of_total(question: ConstantSum, part: Part, marginals: Marginals) -> PublishedRow:
    """Returns what a row got on average, worked out from how many numbers have each binary digit, and its bands.

    The interval is that of a share, Wilson's: as wide as if each respondent had given a row all of the total or nothing, the widest
    that is possible.
    """
    answered = marginals.n[part.answered]
    row = PublishedRow(answered=answered, cells=marginals.cells(part.codes, part.cells), n_eff=_n_eff(part, marginals))
    if not answered:
        return row
    digits = tuple(marginals.n[part.digits])
    mean = min(sum(n << place for place, n in enumerate(digits)) / answered, float(question.total))
    noise = _noise_of_digits(part, marginals.accuracy, mean)
    low, high = intervals.of_share(mean / question.total, answered, noise / question.total**2)
    found = replace(row, mean=mean, mean_ci95=(low * question.total, high * question.total), digits=digits)
    return replace(found, weighted=_weighted_share(question, part, marginals.weighted)) if row.n_eff else found


def _weighted_share(question: ConstantSum, part: Part, weighted: Estimates | None) -> Scale | None:
    """Returns what a row got on average of those who answered, by their weights; None where noise outweighs the sampling error."""
    first = int(part.digits.start)
    if weighted is None or not weighted.n_eff[first]:
        return None
    total, n_eff = question.total, weighted.n_eff[first]
    mean = min(sum(share * (1 << place) for place, share in enumerate(weighted.share[part.digits])), float(total))
    scale = n_eff / float(weighted.answered[first])
    noise = _noise_of_digits(part, weighted.accuracy, mean) * scale**2 / total**2
    low, high = intervals.of_share(mean / total, n_eff, noise)
    if noise and 2 * noise * (2 * intervals.Z / n_eff) ** 2 > (high - low) ** 2:
        return None
    return Scale(mean, mean_ci95=(low * total, high * total))


def _noise_of_digits(part: Part, accuracy: SumVariance | None, mean: float) -> float:
    """Returns the variance that noise adds to the sum of a row's numbers less `mean` times who answered; 0 for exact figures."""
    if accuracy is None:
        return 0.0
    columns = enumerate(range(part.digits.start, part.digits.stop))
    # who answered is counted once
    noise = (accuracy.of(np.array([column]), np.array([float(1 << at)]), 0.0 if at else mean) for at, column in columns)
    return sum(noise, 0.0)


def _n_eff(part: Part, marginals: Marginals) -> float | None:
    """Returns None where figures are not weighted, nobody with a weight answered, or the question has no closed answers."""
    if marginals.weighted is None or not part.codes:
        return None
    return max(marginals.weighted.n_eff[part.cells]) or None


def _scaled(question: Matrix | Single, part: Part, marginals: Marginals, cells: Mapping[str, Cell]) -> dict[str, Any]:
    """Returns the figures of an ordered scale, and the weighted ones, at their effective size, as `weighted`."""
    steps = scored(question)
    codes, scores = [code for code, _ in steps], [score for _, score in steps]
    columns = np.array([part.cells.start + part.codes.index(code) for code in codes])
    noise_variance = partial(marginals.accuracy.of, columns) if marginals.accuracy else None
    unweighted, n_eff = likert([cells[code].n or 0 for code in codes], scores, noise_variance), _n_eff(part, marginals)
    if unweighted is None:
        return {}
    scaled: dict[str, Any] = structs.asdict(unweighted)
    weighted = [cells[code].weighted for code in codes]
    if n_eff and marginals.weighted is not None and None not in weighted:
        shares = [share.share * n_eff for share in weighted if share is not None]
        scaled |= {"weighted": likert(shares, scores, marginals.weighted.noise_variance_of(columns))}
    return scaled


def likert(
    counts: Sequence[float], scores: Sequence[int], noise_variance: Callable[[NDArray[np.float64]], float] | None = None
) -> Scale | None:
    """Returns mean score (`proto.scores`) and net agreement, with 95 % intervals; None where nobody gave a substantive answer.

    Net agreement is the share above the middle option of the scale minus the share below it (for five options: the upper two minus the
    lower two). `counts`: of the substantive answers, by ascending score. `noise_variance`: returns the variance that noise adds to Σ w n.
    """
    total = sum(counts)
    if total <= 0:
        return None
    half = len(counts) // 2
    above, below = sum(counts[len(counts) - half :]), sum(counts[:half])
    mean = sum(score * n for score, n in zip(scores, counts, strict=True)) / total
    net = (above - below) / total
    if noise_variance is None:
        return Scale(mean, net, intervals.of_mean(counts, scores), intervals.of_net(above, below, total))
    sides = np.array([-1.0] * half + [0.0] * (len(counts) % 2) + [1.0] * half)
    noise_of_mean, noise_of_net = noise_variance(np.array(scores) - mean), noise_variance(sides - net)
    return Scale(mean, net, intervals.of_mean(counts, scores, noise_of_mean), intervals.of_net(above, below, total, noise_of_net))


def places(question: Ranking, part: Part, marginals: Marginals) -> dict[str, tuple[int, ...]]:
    """Returns how often each option was put on each rank, first rank first."""
    if part.first is None:
        return {}
    step, start = len(part.codes), part.first.start
    return {code: tuple(marginals.n[start + at : start + question.rank_count * step : step]) for at, code in enumerate(part.codes)}


def rank_score(places: Mapping[str, tuple[int, ...]], answered: int) -> dict[str, float]:
    """Returns mean rank points of each option among those who answered: the first of k gets k, the last 1, unranked 0 (Borda 1784).

    Where noise makes the number who ranked an option larger than the number who answered, it is the divisor.
    """
    if answered == 0:
        return {}
    return {code: sum(n * points for points, n in enumerate(reversed(at), 1)) / max(answered, sum(at)) for code, at in places.items()}


def median_band(bands: Mapping[str, Cell]) -> str | None:
    """Returns the band of the lower median: the first at which the cumulative count reaches half of all; None without answers."""
    total = sum(cell.n or 0 for cell in bands.values())
    reached = 0
    for code, cell in bands.items():
        reached += cell.n or 0
        if total and 2 * reached >= total:
            return code
    return None


def moments(book: CodeBook, state: State, question: str, group: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Returns sum, mean, and variance with divisor n - 1, in the question's unit; None where too few gave a number.

    Whole numbers until one division at the end. `group`: the column of the group; 0 for everybody. `n`: of how many it has numbers.
    """
    at = book.numbers.index(question)
    scale, total = book.scales[at], int(state.products[at, group])
    if n == 0:
        return None, None, None
    if n < 2:
        return total / scale, total / (n * scale), None
    squares = state.group_squares[at][book.groups.index(group)] if group else state.squares[at][at]
    return total / scale, total / (n * scale), (n * squares - total * total) / (n * (n - 1) * scale * scale)
