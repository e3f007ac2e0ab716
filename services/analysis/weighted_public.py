"""Weights for public counts, and which weighted figures are near enough to the exact ones to be published. Pure.

Claim. A published weighted figure lies within its own interval of the exact one as often as the interval says, at least.

Argument. What public counts lack has three causes, and each can be read off public counts. Cells of the margins that never had a
batch count nobody: `hidden` is what they would weigh by their noisy sizes. Noise: its variance is the policy's, times the squares of
the weights. Counts of two answers lag: summed over the cells without weights they should give the share that stands beside
them. Figures for which the three together are more than half of half the interval have no weighted form.

Assumes that what lags does so in heavy and light cells alike. `tests/analysis/test_weighted_public.py` measures it over generated
surveys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.instrument import Matrix, Single
from proto.intervals import Interval
from proto.scores import scored
from proto.snapshot import Cell, Figures, Row, Scale, Snapshot, Weighting
from services.analysis.layout import Counts, Layout, Part
from services.analysis.reading import weighted_shares
from services.analysis.weighting import Weights, fit

Mask = NDArray[np.bool_]
S = TypeVar("S", Figures, Row)

HIDDEN = 0.05
"""Of the weight; where cells that are not shown hold more of it, nothing is weighted."""
APART = 0.3
"""By how much an answer is commoner in the cells that are not shown than in the others, or rarer, on a scale from 0 to 1."""
NEAR = 0.5
"""Of half the interval: so near a published figure has to be."""


@dataclass(frozen=True)
class PublicWeights:
    of: Weights
    shares: Mask
    """Which widened columns have a weighted share that is near enough."""
    reach: Counts
    """How much of the weight lies in each cell, also in those that are not shown."""
    variance: float = 0.0

    @property
    def hidden(self) -> float:
        return self.hidden_of(np.ones(len(self.reach), np.bool_))

    def hidden_of(self, cells: Mask) -> float:
        """The share of the weight of these cells that lies in those which are not shown."""
        whole = float(self.reach[cells].sum())
        return float(self.reach[cells & (self.of.of == 0)].sum()) / whole if whole else 0.0


def public_weights(layout: Layout, burt: Counts, variance: float) -> PublicWeights:
    """`burt`: public counts in widened columns, of two answers only where they are shown; of single answers on the diagonal, all.

    With several margins each cell that is shown weighs what its current size says, spread over the respondents that its counts of
    two answers know of.
    """
    book, margins = layout.book, layout.book.instrument.margins
    if not margins:
        return _none(layout, fit(book, burt).published.reason)
    first, *others = margins
    columns = book.combined if others else book.margin(first)
    sizes, shown = burt[columns, columns], burt[0, columns]
    current = burt[:1].copy()
    current[0, columns] = sizes
    reference = fit(book, current)
    if not reference:
        # A cell of which 0 is told may hold somebody, so it is not known that there are no such weights.
        return _none(layout, "small-cells" if reference.published.reason == "no-fit" else reference.published.reason)
    reach = reference.of * sizes
    if reach[shown == 0].sum() > HIDDEN * reach.sum():
        return _none(layout, "small-cells")
    found = fit(book, burt)
    if others:
        of = np.divide(reach, shown, out=np.zeros(len(reach)), where=shown > 0)
        found = Weights(columns, of, reference.published)
    if not found:
        return _none(layout, "small-cells")
    weights = PublicWeights(found, np.zeros(layout.width, np.bool_), reach, variance)
    shares = _near_shares(layout, weights, burt)
    if not any(shares[part.cells].any() for part in layout.parts):
        return _none(layout, "too-few")
    return replace(weights, shares=shares)


def _none(layout: Layout, reason: str | None) -> PublicWeights:
    return PublicWeights(Weights([], np.zeros(0), Weighting(reason)), np.zeros(layout.width, np.bool_), np.zeros(0))


def near(noise: Any, behind: Any, hidden: Any, width: Any) -> Any:
    """Whether figures are near enough. `noise`: its standard deviation; `behind`: how far they lag; `hidden`: the weight that is not
    shown, times the reach of the scale; `width`: of the interval. Not where one of these is unknown."""
    off = np.sqrt(np.square(noise) + np.square(behind)) + APART * hidden
    return np.nan_to_num(off, nan=np.inf) <= NEAR * np.nan_to_num(width) / 2


def _near_shares(layout: Layout, weights: PublicWeights, burt: Counts) -> Mask:
    squares, rows = float((weights.of.of**2).sum()), _shown(weights, burt)
    wide = weights.of.rows(burt)
    answered = layout.answered(wide)
    _, share, low, high = weighted_shares(wide[0], answered[0], answered[1])
    single = np.diagonal(burt)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.sqrt(weights.variance * squares * (1 + share**2)) / answered[0]
        behind = rows / rows[layout.of] - single / single[layout.of]
    return near(noise, behind, weights.hidden, high - low)


def only_near(public: Snapshot, layout: Layout, weights: PublicWeights, burt: Counts) -> Snapshot:
    """The snapshot without the weighted figures that would be too far from the exact ones."""
    if not weights.of:
        return public
    questions = dict(public.questions)
    for part in layout.parts:
        figures = questions.get(part.question.id)
        if figures is not None and part.row is None:
            questions[part.question.id] = _only_near(figures, part, weights, burt)
        elif figures is not None and part.row in figures.rows:
            rows = figures.rows | {part.row: _only_near(figures.rows[part.row], part, weights, burt)}
            questions[part.question.id] = msgspec.structs.replace(figures, rows=rows)
    return msgspec.structs.replace(public, questions=questions)


def _only_near(of: S, part: Part, weights: PublicWeights, burt: Counts) -> S:
    changes: dict[str, Any] = {}
    for name, at in (("cells", part.cells), ("bands", part.cells), ("first", part.first)):
        cells: dict[str, Cell] = getattr(of, name, {})
        if cells and at is not None:
            pairs = zip(cells.items(), weights.shares[at].tolist(), strict=True)
            changes[name] = {code: cell if fine else msgspec.structs.replace(cell, weighted=None) for (code, cell), fine in pairs}
    if of.weighted is not None and not _near_scale(part, weights, burt, of.weighted):
        changes["weighted"] = None
    return msgspec.structs.replace(of, **changes)


def _near_scale(part: Part, weights: PublicWeights, burt: Counts, scale: Scale) -> bool:
    """Whether the weighted mean and the weighted net agreement of an ordered scale are both near enough."""
    if not isinstance(part.question, Single | Matrix) or scale.mean_ci95 is None or scale.net_agreement_ci95 is None:
        return False
    place = dict(zip(part.codes, range(part.cells.start, part.cells.stop), strict=True))
    scores = scored(part.question)
    columns, half = [place[code] for code, _ in scores], len(scores) // 2
    sides = np.array([-1.0] * half + [0.0] * (len(scores) % 2) + [1.0] * half)
    values = np.array([score for _, score in scores], np.float64)
    return all(
        _near_mean(columns, worth, weights, burt, interval)
        for worth, interval in ((values, scale.mean_ci95), (sides, scale.net_agreement_ci95))
    )


def _near_mean(columns: list[int], worth: Counts, weights: PublicWeights, burt: Counts, interval: Interval) -> bool:
    """Whether the weighted mean of what these answers are worth is near enough."""
    n = weights.of.rows(burt)[0, columns]
    rows, single = _shown(weights, burt)[columns], np.diagonal(burt)[columns]
    if not n.sum() or not rows.sum() or not single.sum():
        return False
    spread = float(np.square(worth - worth @ n / n.sum()).sum() * np.square(weights.of.of).sum())
    noise = np.sqrt(weights.variance * spread) / n.sum()
    behind = worth @ rows / rows.sum() - worth @ single / single.sum()
    return bool(near(noise, behind, weights.hidden * np.ptp(worth), interval[1] - interval[0]))


def _shown(weights: PublicWeights, burt: Counts) -> Counts:
    """The counts of all cells together that are shown, without weights."""
    return burt[np.array(weights.of.columns)[weights.of.of > 0]].sum(axis=0)
