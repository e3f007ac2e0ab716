"""The released state of a survey: what every public figure is read from until the next one is released."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proto.codebook import strata
from proto.instrument import Instrument, Rule
from proto.snapshot import Snapshot
from services.analysis import disclose, stats
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.standing import Standing, advance, carried_over, nothing
from services.analysis.state import State
from services.analysis.weighted_public import PublicWeights, only_near, public_weights


@dataclass(frozen=True)
class ReleasedState:
    folder: Folder
    standing: Standing
    noisy: State
    """Counts with noise in the widened columns, and nothing else; the same computations read it as read an exact state."""
    shown: NDArray[np.bool_]
    """Which counts of two answers are shown."""
    weights: PublicWeights
    public: Snapshot

    @classmethod
    def of(cls, folder: Folder, standing: Standing, as_of: str, draws: Draws) -> ReleasedState:
        book, policy = folder.codebook, folder.codebook.instrument.policy
        layout = arrange(book)
        state = folder.empty()
        shown = standing.shown(policy.minimum)
        told = shown | np.eye(layout.width, dtype=np.bool_)
        state.burt = np.where(told, disclose.noisy(standing, layout, policy, draws), 0.0)  # nothing rests on what is not shown
        weights = public_weights(layout, state.burt, policy.variance)
        whole = stats.exact(book, state, revision=standing.revision, as_of=as_of, weights=weights.of)
        public = only_near(disclose.conceal(whole, layout, shown), layout, weights, state.burt)
        return cls(folder, standing, state, shown, weights, public)


def release(folder: Folder, state: State, before: ReleasedState | None, revision: int, as_of: str, draws: Draws) -> ReleasedState:
    """The next released state, after `before`, which may be of another version of the questionnaire."""
    layout, batch = arrange(folder.codebook), folder.codebook.instrument.policy.batch
    if before is None:
        standing = nothing(layout.width, batch, draws)
    elif before.folder.codebook.digest == folder.codebook.digest:
        standing = before.standing
    else:
        earlier = before.folder.codebook
        changed = changed_strata(earlier.instrument, folder.codebook.instrument)
        standing = carried_over(before.standing, arrange(earlier), layout, batch, draws, changed)
    return ReleasedState.of(folder, advance(standing, layout, state, revision, batch, draws), as_of, draws)


def changed_strata(before: Instrument, after: Instrument) -> frozenset[str]:
    """Strata of both versions whose groups mean something else in the later one: another rule, another map."""
    return frozenset(name for name in set(before.strata) & set(after.strata) if _definition(before, name) != _definition(after, name))


def _definition(instrument: Instrument, name: str) -> object:
    rules = {item.id: item.rule for item in instrument.derived}
    return _written_out(rules[name], rules) if name in rules else strata(instrument, name)


def _written_out(rule: Rule, rules: dict[str, Rule]) -> object:
    """The rule with the derived variables in it replaced by their rules."""
    if rule.op == "derived":
        return rule.value, _written_out(rules[rule.q or ""], rules)
    parts = [[_written_out(part, rules) for part in parts] for parts in (rule.all, rule.any, (rule.not_,) if rule.not_ else ())]
    return rule.q, rule.op, sorted(rule.value), sorted(rule.rows), parts
