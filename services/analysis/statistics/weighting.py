"""Weights that match the respondents to margins of the population: post-stratification for one, raking for several; and weights that data
bring with them. Pure.

Weights by margins are the same for all respondents of one cell (one group of each margin), so a weighted count is a sum of
weighted rows of the Burt matrix: the cell's rows are the columns of the one margin, or the combined columns of the code book.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from proto.case_weights import weights_of
from proto.codebook import CodeBook
from proto.instrument import CaseWeight
from proto.snapshot import Weighting
from services.analysis.state.layout import Counts

Places = NDArray[np.intp]

ROUNDS = 500
MOST = 1e6
"""Where a weight comes near it, empty cells keep the margins out of reach: it would grow for ever."""
CLOSE = 1e-12
"""Relative distance from every margin at which raking is done."""


@dataclass(frozen=True)
class Weights:
    """`columns[i]` counts a cell whose respondents weigh `of[i]`; on average one. Empty where figures are not weighted."""

    columns: list[int]
    of: Counts
    published: Weighting
    squared: Counts | None = None
    """Where somebody is counted in several columns, whose `of` add up to the weight: what adds up to its square."""

    def __bool__(self) -> bool:
        return bool(self.columns)

    def sums(self, rows: Counts) -> Counts:
        """For each column of the Burt matrix the sum of weights, and of their squares. Shape (2, columns). `rows`: those of `columns`."""
        return np.vstack([self.of, self.of**2 if self.squared is None else self.squared]) @ rows


def fit(book: CodeBook, counts: Counts) -> Weights:
    """The weights of everybody who is in a group of each margin. `counts`: how many are in each column, the first is everybody.

    Groups with fewer respondents than the policy's minimum are joined with a neighbour (see `join`); a margin of which one
    group is left says nothing any more. Raked weights are not trimmed: `n_eff` tells what they cost.
    """
    margins, least = book.instrument.margins, max(book.instrument.policy.minimum, 1)
    if (question := book.instrument.case_weight) is not None:
        columns = book.of(question.id)
        return _of_cases(columns, np.array(weights_of(question)), counts[columns], least)
    if not margins:
        return _unweighted("no-margin")
    first, *others = margins
    columns = book.combined if others else book.margin(first)
    shape = [len(margin.portions) for margin in margins]
    sizes: Counts = np.reshape(counts[columns], shape)
    places: list[Places] = []
    targets: list[Counts] = []
    joined = sizes
    for axis, margin in enumerate(margins):
        place = join(_along(sizes, axis), least)
        joined = np.stack([joined.take(np.flatnonzero(place == group), axis).sum(axis) for group in range(place.max() + 1)], axis)
        places.append(place)
        targets.append(np.bincount(place, [portion.share for portion in margin.portions]) * sizes.sum())
    if joined.size < 2:
        return _unweighted("too-few")
    factors = rake(joined, targets)
    if factors is None:
        return _unweighted("no-fit")
    of = factors[np.ix_(*places)].ravel()
    responses, n_eff = float(min(sizes.sum(), counts[0])), kish(float(of @ sizes.ravel()), float(of**2 @ sizes.ravel()))
    if n_eff < least:
        return _unweighted("too-few")
    groups = {
        margin.of: tuple(
            tuple(portion.code for portion, at in zip(margin.portions, place, strict=True) if at == group)
            for group in range(place.max() + 1)
        )
        for margin, place in zip(margins, places, strict=True)
    }
    return Weights(columns, of, Weighting(None, groups, int(responses), n_eff, responses / n_eff))


def steps(book: CodeBook, question: CaseWeight, counts: Counts) -> Weights:
    """The weights that data bring, as steps: whoever weighs as much as a class counts in its column and those below.

    For counts with noise. A sum over classes would have the noise of each times the square of its weight, a sum over steps has it times the
    square of the step. Classes that fewer than the minimum reach are joined with those below, and weigh what they do on average.
    """
    least = max(book.instrument.policy.minimum, 1)
    reached = np.minimum.accumulate(counts[book.weights])
    kept = int((reached >= least).sum())
    if not kept:
        return _unweighted("too-few")
    weights = np.array(weights_of(question))
    beyond = np.diff(weights[kept - 1 :]) @ reached[kept:] / reached[kept - 1]
    weights = np.append(weights[: kept - 1], weights[kept - 1] + beyond)
    here = -np.diff(reached[:kept], append=0.0)
    found = _of_cases(book.weights[:kept], weights, here, least)
    return replace(found, of=np.diff(found.of, prepend=0.0), squared=np.diff(found.of**2, prepend=0.0)) if found else found


def _of_cases(columns: list[int], weights: Counts, sizes: Counts, least: int) -> Weights:
    """Weights in proportion to those given, on average one. `sizes`: how many have each."""
    responses = float(sizes.sum())
    if not responses:
        return _unweighted("too-few")
    of = weights * responses / float(weights @ sizes)
    n_eff = kish(float(of @ sizes), float(of**2 @ sizes))
    if n_eff < least:
        return _unweighted("too-few")
    return Weights(columns, of, Weighting(cases=True, responses=int(responses), n_eff=n_eff, deff=responses / n_eff))


def _unweighted(reason: str) -> Weights:
    return Weights([], np.zeros(0), Weighting(reason))


def kish(total: float, squares: float) -> float:
    """To how many respondents of equal weight those with this sum of weights and of their squares are worth; 0 for nobody.

    L. Kish, Survey Sampling (1965), 11.7. It takes weights to be unrelated to answers: where a margin explains the answers,
    intervals at this size are rather too wide.
    """
    return total * total / squares if squares > 0 else 0.0


def join(counts: Counts, least: float) -> Places:
    """Joins neighbouring groups until each has `least` respondents: time and again the smallest with that one of its
    neighbours, in the author's order, that has fewer; the earlier if both have as many. The new place of each group.

    Cells of about this size keep the variance of weights in bounds: G. Kalton and I. Flores-Cervantes, Weighting methods,
    Journal of Official Statistics 19 (2003).
    """
    groups = [[at] for at in range(len(counts))]

    def size(at: int) -> float:
        return float(counts[groups[at]].sum())

    while len(groups) > 1:
        smallest = min(range(len(groups)), key=size)
        if size(smallest) >= least:
            break
        neighbours = [at for at in (smallest - 1, smallest + 1) if 0 <= at < len(groups)]
        first, second = sorted((smallest, min(neighbours, key=size)))
        groups[first] += groups.pop(second)
    place = np.zeros(len(counts), np.intp)
    for at, group in enumerate(groups):
        place[group] = at
    return place


def rake(counts: Counts, targets: list[Counts]) -> Counts | None:
    """The factor of each cell, a product of one number per group, with which every margin of the counts meets its target;
    None where no such factors are found. With one margin they are target / count.

    W. E. Deming and F. F. Stephan, On a least squares adjustment of a sampled frequency table when the expected marginal
    totals are known, Annals of Mathematical Statistics 11 (1940); unique where it exists (Csiszár 1975).
    """
    factors = np.ones(counts.shape)
    for _ in range(ROUNDS):
        for axis, target in enumerate(targets):
            sums = _along(factors * counts, axis)
            if (sums <= 0).any():
                return None
            if factors.max() > MOST:
                return None
            factors = factors * np.expand_dims(target / sums, [other for other in range(counts.ndim) if other != axis])
        off = max(float(np.abs(_along(factors * counts, axis) / target - 1).max()) for axis, target in enumerate(targets))
        if off < CLOSE:
            return factors
    return None


def _along(cells: Counts, axis: int) -> Counts:
    return cells.sum(tuple(other for other in range(cells.ndim) if other != axis))
