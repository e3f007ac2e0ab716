"""The states of one partition: the sums of its recorded responses by survey, at one position of the journal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from proto.codebook import same_columns
from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.records import BEGINNING, Changes, Position, StoredResponse
from services.analysis.state.fold import Answered, Folder
from services.analysis.state.state import State
from services.analysis.state.state_codec import UnreadableState
from services.analysis.store import ReadSnapshot, Store

log = logging.getLogger(__name__)

PAGE = 1024
"""Responses folded at once while a state is rebuilt."""

CERTAIN = 3.0
"""Seconds for which the lock of a partition counts as held after the database last answered. The worker asks every second."""

_counting = ThreadPoolExecutor(1, "counting")
"""One thread folds for all partitions: in parallel they would only slow each other down."""


@dataclass
class Count:
    """A survey's state in one partition."""

    folder: Folder
    state: State
    saved: Position = BEGINNING
    """The position of its checkpoint."""
    retracted: bool = False
    """Whether the checkpoint still counts a response that was withdrawn or replaced."""

    @property
    def digest(self) -> str:
        return self.folder.codebook.digest


@dataclass(frozen=True)
class Base:
    """A count that is being built: its position, and that of the checkpoint when the store was read."""

    count: Count
    position: Position
    checkpoint: Position


class Partition:
    """All counts are at `position`.

    The lock `recording` is held from the transaction to the fold: while it is free, store and counts agree. The lock `folding` is held only
    while counts change, so that reading them never waits for the database.
    """

    def __init__(self, number: int, compiled: CompiledSurveys, store: Store) -> None:
        self.number = number
        self.position = Position(-1)
        """-1 until this worker has held the partition."""
        self.held = False
        """Whether this worker holds the partition, as far as it knows."""
        self.elsewhere = False
        """Whether another worker holds the partition. Its checkpoints then say what is in it."""
        self.confirmed = -1e9
        """When the database last confirmed that; seconds of the monotonic clock."""
        self.recording = asyncio.Lock()
        self.folding = asyncio.Lock()
        self.counts: dict[str, Count] = {}
        self.moves: Counter[str] = Counter()
        """A number for each survey that grows whenever its count changes. It never goes back, also where a count is built again."""
        self._compiled, self._store = compiled, store
        self._building: set[str] = set()
        self._lost: set[str] = set()
        """Surveys whose answers are deleted and whose checkpoint this version cannot read. Published figures stay; nothing is counted."""

    def ready(self, survey: str) -> bool:
        """Returns whether there is a count in the columns of the current version."""
        folder, count = self._compiled.folder(survey), self.counts.get(survey)
        return folder is not None and count is not None and count.digest == folder.codebook.digest

    def missing(self) -> list[str]:
        """Returns the surveys whose count has to be built."""
        return [
            survey
            for survey in self._compiled.surveys()
            if self.held and not self.ready(survey) and survey not in self._building | self._lost
        ]

    def settled(self, survey: str) -> bool:
        """Returns whether a checkpoint may be written: not while a count is being built, which still needs the retractions."""
        return self.ready(survey) and survey not in self._building

    def begin(self, position: Position) -> None:
        """This worker holds the partition from now on. Counts at another position are dropped, and built again."""
        if position != self.position:
            self.counts.clear()
            self.position = position
        self.held, self.elsewhere = True, False
        self.confirm()

    def leave(self) -> None:
        """Another worker holds the partition."""
        self.held, self.elsewhere = False, True

    def confirm(self) -> None:
        """Notes that the database just answered on the connection that holds the lock."""
        self.confirmed = time.monotonic()

    @property
    def certain(self) -> bool:
        """Whether no other worker can hold the partition. Without a database connection another worker may hold it."""
        return self.held and time.monotonic() - self.confirmed < CERTAIN

    async def apply(self, changes: Changes, answers: Mapping[int, Answered], end: Position) -> None:
        """Brings the counts to `end`, after these changes were recorded. `answers`: by the sequence of their event."""
        joined: dict[str, list[Answered]] = {}
        left: dict[str, list[Answered]] = {}
        for _, row in changes.counted:
            joined.setdefault(row.survey, []).append(answers[row.seq])
        for id, row in changes.retracted.items():
            assert row.version is not None
            assert row.answers is not None
            left.setdefault(row.survey, []).append(self._compiled.answered(row.survey, StoredResponse(id, row.version, row.answers)))
        async with self.folding:
            self.position = end
            for survey in joined.keys() | left.keys():
                if count := self.counts.get(survey):
                    await self._move(survey, count, joined.get(survey, []), left.get(survey, []))

    async def build(self, survey: str) -> None:
        """Builds the count in the columns of the current version, from the checkpoint or from all stored responses.

        The slow part reads a snapshot of the store while batches are still recorded. Responses that came since are added between two
        batches. Until then an older count, if there is one, stays in use.
        """
        folder = self._compiled.folder(survey)
        if folder is None:
            return
        self._building.add(survey)
        try:
            base = await self._from_checkpoint(survey, folder) or await self._from_responses(survey, folder)
            if base is None:
                return
            async with self.recording, self._store.snapshot() as snapshot:
                unchanged = await snapshot.checkpointed(survey, self.number) == base.checkpoint
                if unchanged and await snapshot.position(self.number) == self.position:
                    await self._forward(survey, base, snapshot)
                    async with self.folding:
                        self.counts[survey] = base.count
                        self.moves[survey] += 1
        finally:
            self._building.discard(survey)

    async def add_to(self, total: State, survey: str, digest: str) -> bool:
        """Adds the count to a total. Returns False, and adds nothing, where there is no count in the columns of that code book."""
        async with self.folding:
            count = self.counts.get(survey)
            if count is None or count.digest != digest:
                return False
            await asyncio.to_thread(total.merge, count.state)
            return True

    async def counted(self, survey: str, digest: str, columns: list[int]) -> list[int] | None:
        """How many are in each of these columns of that code book; None where there is no count in them."""
        async with self.folding:
            count = self.counts.get(survey)
            if count is None or count.digest != digest:
                return None
            return [int(count.state.burt[column, column]) for column in columns]

    async def _move(self, survey: str, count: Count, joined: list[Answered], left: list[Answered]) -> None:
        current = self._compiled.folder(survey)
        if current is not None and current.codebook.digest == count.digest:
            count.folder = current  # a version that differs in texts only
        try:
            await _in_turn(count.folder.fold, count.state, joined)
            if left:
                await _in_turn(count.folder.fold, count.state, left, -1)
        except BaseException:  # a count that is only half updated is built again
            self.counts.pop(survey, None)
            raise
        count.retracted |= bool(left)
        self.moves[survey] += len(joined) + len(left)

    async def _from_checkpoint(self, survey: str, folder: Folder) -> Base | None:
        checkpoint = await self._store.checkpoint(survey, self.number)
        if checkpoint is None or not await self._counts_the_same(survey, folder, checkpoint.codebook):
            return None
        try:
            state = await asyncio.to_thread(State.load, checkpoint.state, checkpoint.codebook)
        except UnreadableState:
            log.warning("a checkpoint is unreadable; counting again", extra={"survey": survey, "partition": self.number})
            return None
        return Base(Count(folder, state, saved=checkpoint.at), checkpoint.at, checkpoint.at)

    async def _counts_the_same(self, survey: str, folder: Folder, digest: str) -> bool:
        """Returns whether the checkpoint holds what the folder would count.

        Where the answers are deleted, the checkpoint cannot be replaced, and only has to have the same columns.
        """
        if digest == folder.codebook.digest:
            return True
        async with self._store.snapshot() as snapshot:
            deleted = await snapshot.deleted(survey, self.number) is not None
        return deleted and same_columns(digest, folder.codebook.digest)

    async def _from_responses(self, survey: str, folder: Folder) -> Base | None:
        """Returns None where the answers are deleted: a count of what is left would publish wrong figures."""
        async with self._store.snapshot() as snapshot:
            if await snapshot.deleted(survey, self.number) is not None:
                self._lost.add(survey)
                fields = {"survey": survey, "partition": self.number}
                log.error("answers are deleted, and this version cannot read their checkpoint", extra=fields)
                return None
            position, checkpoint = await snapshot.position(self.number), await snapshot.checkpointed(survey, self.number)
            base = Base(Count(folder, folder.empty()), position, checkpoint)
            await self._fold(survey, base.count, snapshot.responses(survey, self.number), 1)
        return base

    async def _forward(self, survey: str, base: Base, snapshot: ReadSnapshot) -> None:
        """Brings the base to the position of the snapshot."""
        base.count.retracted = await self._fold(survey, base.count, snapshot.retractions(survey, self.number, base.position), -1) > 0
        await self._fold(survey, base.count, snapshot.responses(survey, self.number, base.position), 1)

    async def _fold(self, survey: str, count: Count, stored: AsyncIterator[StoredResponse], sign: int) -> int:
        def fold(page: list[StoredResponse]) -> None:
            count.folder.fold(count.state, [self._compiled.answered(survey, one) for one in page], sign)

        page: list[StoredResponse] = []
        done = 0
        async for one in stored:
            page.append(one)
            if len(page) == PAGE:
                await _in_turn(fold, page)
                done, page = done + len(page), []
        await _in_turn(fold, page)
        return done + len(page)


async def _in_turn(fold: Callable[..., None], *what: Any) -> None:
    await asyncio.get_running_loop().run_in_executor(_counting, fold, *what)
