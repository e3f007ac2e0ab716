"""Weighted figures that may be published, computed from public counts. Pure.

Claim. A published weighted figure lies within its own interval of the exact one of the same moment as often as the interval says, at least.

Argument. Weighted figures are sums over the rows of the two-way tables of the margins, of one edition; those rows carry the noise of
tables, and a sum with weights w carries Σ w² times as much, which goes into the interval. Groups that have fewer than the minimum by their
published count are joined with a neighbour before they are weighted. Where the noise is wider than the sampling error, no weighted form is
published: combinations of several margins are often so small. `tests/analysis/disclosure/test_weighted_public.py` measures it over
generated surveys, `tests/analysis/statistics/test_case_weighting.py` with weights of single cases.

Weights of single cases are sums over steps (`weighting.steps`): blocks of who weighs as much as a class or more, crossed with all others
as any question is. Claim. Whoever knows everything but one answer of somebody guesses it from a weighted figure with Φ(√(K/V) / 2) at
most, for K classes and the variance V of tables: 0.69 for 8 classes, from a row of a table 0.57. Argument. The figure moves by the
person's weight, a sum of K steps at most; its noise has the variance V Σ step² and more, and (Σ step)² ≤ K Σ step². Several figures tell
more, as several tables do: in protection, each class is one more question, and the noise of tables grows where there are many. It does
not protect against whoever knows a weight and looks for its owner in a release; that is what its role there is for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.intervals import Z
from proto.snapshot import Weighting
from services.analysis.disclosure.accuracy import Accuracy, RowVariance
from services.analysis.disclosure.edition_tables import EditionTables
from services.analysis.state.layout import Counts
from services.analysis.statistics.marginals import Estimates, estimates
from services.analysis.statistics.weighting import Weights, fit, steps


@dataclass(frozen=True)
class PublicWeights:
    """`rows`: the published rows of the weights' columns, shape (weights, columns of the code book). `estimates`: None where nothing is
    weighted."""

    of: Weights
    rows: Counts
    estimates: Estimates | None = None


@lru_cache(maxsize=8)
def public_weights(book: CodeBook, tables: EditionTables | None) -> PublicWeights:
    """Returns the weights at the last edition of tables; none where that was in another version of the questionnaire."""
    case_weight = book.instrument.case_weight
    if case_weight is None and not book.instrument.margins:
        return _none("no-margin")
    if book.instrument.policy.guaranteed:
        return _none("guarantee")
    if tables is None or tables.book.digest != book.digest:
        return _none("too-few")
    singles = tables.cells.by_column(tables.singles, tables.responses)
    weights = fit(book, singles) if case_weight is None else steps(book, case_weight, singles)
    if not weights:
        return _none(weights.published.reason)
    every = range(len(tables.cells.blocks.sizes))
    rows = tables.rows(weights.columns, every)
    squares = float((weights.of**2).sum())
    accuracy = weighted_accuracy(tables, squares) if case_weight is None else _accuracy_of_steps(tables, squares)
    weighted = estimates(tables.layout, weights, rows, accuracy)
    assert weighted is not None
    shown = _shown(weighted, accuracy)
    if not any(shown[part.cells].any() for part in tables.layout.parts):
        return _none("small-cells")
    published = msgspec.structs.replace(weights.published, as_of=tables.as_of)
    return PublicWeights(replace(weights, published=published), rows, replace(weighted, shown=shown))


def weighted_accuracy(tables: EditionTables, squares: float) -> Accuracy:
    """Returns the accuracy of weighted sums over rows of tables. `squares`: the sum of the squared weights."""
    of_table = tables.publication.parameters.table_variance(tables.responses, len(tables.cells.blocks.sizes))
    return replace(tables.accuracy, row=RowVariance(0.0, 1, 0.0, of_table * squares))


def _accuracy_of_steps(tables: EditionTables, squares: float) -> Accuracy:
    """The same where weights are steps. Their rows together are everybody, so they have the noise of everybody's counts, too."""
    of_table = tables.publication.parameters.table_variance(tables.responses, len(tables.cells.blocks.sizes))
    return replace(tables.accuracy, row=RowVariance(1.0, 2, 0.0, of_table * squares))


def outweighed(noise: Counts, width: Counts) -> NDArray[np.bool_]:
    """Returns whether noise makes up more of an interval than sampling does; True where either is NaN.

    `noise`: standard deviations; `width`: of the intervals. Same shape.
    """
    with np.errstate(invalid="ignore"):
        half = width / 2
        return ~(2 * (Z * noise) ** 2 <= half**2)


def _shown(weighted: Estimates, accuracy: Accuracy) -> NDArray[np.bool_]:
    """Returns which weighted shares noise does not outweigh. Shape (widened columns,)."""
    share, low, high = (np.array(values) for values in (weighted.share, weighted.low, weighted.high))
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.sqrt(accuracy.shares(share)) / weighted.answered
    return ~outweighed(noise, high - low)


def _none(reason: str | None) -> PublicWeights:
    return PublicWeights(Weights([], np.zeros(0), Weighting(reason)), np.zeros((0, 0)))
