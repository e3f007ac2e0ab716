"""The counts that stand released, and which of them may move. Pure.

Claim. Between two public values of a cell of a two-way table, or of a group of a breakdown, at least `batch` respondents
joined or left its row, and at least `batch` its column. Nothing stands of a row or column that never had as many.

Why. A cell key gives a cell new noise when a respondent joins it and leaves its noise alone otherwise. Whoever knows one
thing about somebody who answers now (the country, say) could otherwise watch which cells of that row move, and read all
the other answers. So the row waits until a batch has moved in it. How many exactly a row waits for is drawn afresh each
time, from `batch` to twice as many less one: who fills the row up with own answers cannot tell whether one more was in it.
A cell moves when its row and its column have both gone through a whole such wait since it last moved. Columns that hold the
same people (an answer, and the group that is derived from it) wait as one: otherwise one of them would show the cells of before
and the other those of after a single respondent.

Counts of single answers are as of the release, because they say nothing about what was answered together; their noise is
drawn anew at every release (see `disclose`). Only net numbers count: joining and leaving again moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import Column
from services.analysis.draws import Draws
from services.analysis.layout import Layout
from services.analysis.packing import UnreadableState, pack, symmetric, unpack, upper
from services.analysis.perturb import Keys, cell_keys, crossed
from services.analysis.state import State


class _Head(msgspec.Struct, frozen=True):
    codebook: str
    width: int
    revision: int


@dataclass(frozen=True)
class Standing:
    """Over the widened columns of a layout; `single` and `single_keys` as of this release."""

    revision: int
    single: NDArray[np.int32]
    """How many respondents each column has; the first is everybody."""
    single_keys: Keys
    counts: NDArray[np.int32]
    """Respondents in both columns, as of the release in `at`. The diagonal is not used."""
    keys: Keys
    at: NDArray[np.int32]
    """At which release each cell was last brought up to date; 0: it never was, and counts nobody."""
    sizes: NDArray[np.int32]
    """How many each column had when it was last due: when enough had moved in it."""
    due: NDArray[np.int32]
    """At which release that was; 0: never."""
    since: NDArray[np.int32]
    """At which release it was due before that, where the wait began; -1: it was never due."""
    steps: NDArray[np.int32]
    """How many have to move in each column until it is due again."""

    @property
    def responses(self) -> int:
        return int(self.single[0])

    def shown(self, minimum: int) -> NDArray[np.bool_]:
        """Which cells have a value to show: those of rows and columns that have at least `minimum` respondents."""
        enough = self.sizes >= minimum
        return (self.at > 0) & enough[:, None] & enough

    def dump(self, codebook: str) -> bytes:
        vectors = [self.single, self.single_keys, self.sizes, self.due, self.since, self.steps]
        matrices = [upper(matrix) for matrix in (self.counts, self.at, self.keys)]
        return pack(_Head(codebook, len(self.single), self.revision), vectors + matrices)

    @classmethod
    def load(cls, data: bytes, codebook: str) -> Standing:
        """Raises UnreadableState."""
        head, body = unpack(data, _Head)
        width = head.width
        half = width * (width + 1) // 2
        if head.codebook != codebook or len(body) != width * (5 * 4 + 2) + half * (4 + 4 + 2):
            raise UnreadableState("another code book or shape")
        single, single_keys = body.take(width, "<i4"), body.take(width, "<u2")
        sizes, due, since, steps = (body.take(width, "<i4") for _ in range(4))
        counts, at = (symmetric(body.take(half, "<i4"), width) for _ in range(2))
        return cls(head.revision, single, single_keys, counts, symmetric(body.take(half, "<u2"), width), at, sizes, due, since, steps)


def nothing(width: int, batch: int, draws: Draws) -> Standing:
    """Before the first release."""
    line, square = np.zeros(width, np.int32), np.zeros((width, width), np.int32)
    steps = _steps(width, 0, batch, draws)
    return Standing(0, line, line.astype(np.uint16), square, square.astype(np.uint16), square, line, line, line - 1, steps)


def advance(before: Standing, layout: Layout, state: State, revision: int, batch: int, draws: Draws) -> Standing:
    """What stands once this state is released."""
    counts = layout.widen(layout.widen(state.burt).T).astype(np.int32)
    sums = cell_keys(layout.widen(layout.widen(state.keys).T))
    single = counts.diagonal().copy()
    one = same_people(counts, batch)
    sizes, steps = before.sizes[one], before.steps[one]
    moved = np.abs(single - sizes) >= steps
    moved[one == 0] = True  # the release itself waited for a batch
    due = np.where(moved, revision, before.due[one]).astype(np.int32)
    since = np.where(moved, before.due[one], before.since[one]).astype(np.int32)
    fresh = (since[:, None] >= before.at) & (since >= before.at)
    keys = crossed(sums, draws.named("group", layout.marks)[one])
    return Standing(
        revision,
        single,
        sums.diagonal().copy(),
        np.where(fresh, counts, before.counts),
        np.where(fresh, keys, before.keys),
        np.where(fresh, np.int32(revision), before.at),
        np.where(moved, single, sizes),
        due,
        since,
        np.where(moved, _steps(len(single), revision, batch, draws)[one], steps),
    )


def same_people(counts: NDArray[np.int32], least: int) -> NDArray[np.intp]:
    """For each column the first one that holds the same people, which may be itself; of fewer than `least` people always itself."""
    size = counts.diagonal()
    first = ((counts == size) & (counts == size[:, None])).argmax(axis=1)
    return np.where(size >= least, first, np.arange(len(size)))


def carried_over(before: Standing, old: Layout, new: Layout, batch: int, draws: Draws, changed: frozenset[str] = frozenset()) -> Standing:
    """The same in the columns of another version of the questionnaire: what both have goes on waiting where it waited.

    `changed`: strata that mean something else now. Their groups, and combinations with them, begin anew: the former counts are
    those of other people.
    """
    place = {name: i for i, name in enumerate(old.names) if not (isinstance(name, Column) and _of_changed(name, changed))}
    pairs = [(i, place[name]) for i, name in enumerate(new.names) if name in place]
    here, there = (np.array(side, np.intp) for side in zip(*pairs, strict=True))
    found = nothing(new.width, batch, draws)
    single, single_keys, steps = found.single.copy(), found.single_keys, found.steps
    single[here], single_keys[here], steps[here] = before.single[there], before.single_keys[there], before.steps[there]
    sizes, due, since = found.sizes.copy(), found.due.copy(), found.since
    sizes[here], due[here], since[here] = before.sizes[there], before.due[there], before.since[there]
    counts, keys, at = found.counts.copy(), found.keys, found.at.copy()
    for mine, theirs in ((counts, before.counts), (keys, before.keys), (at, before.at)):
        mine[np.ix_(here, here)] = theirs[np.ix_(there, there)]
    return Standing(before.revision, single, single_keys, counts, keys, at, sizes, due, since, steps)


def _of_changed(column: Column, changed: frozenset[str]) -> bool:
    return column.question in changed if column.kind == "stratum" else column.kind == "combined" and bool(changed)


def _steps(width: int, revision: int, batch: int, draws: Draws) -> NDArray[np.int32]:
    return (batch + draws.numbers("step", revision, width) % np.uint64(batch)).astype(np.int32)
