"""The state of a survey over all partitions: this worker's counts plus the checkpoints of other workers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from proto.instrument import Instrument
from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.ingest.partition import Partition
from services.analysis.records import Position
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from services.analysis.state.state_codec import UnreadableState
from services.analysis.store import Store


class Totals:
    """`partitions`: those that this worker counts unless another worker holds them. `count`: how many partitions there are."""

    def __init__(self, partitions: Sequence[Partition], count: int, compiled: CompiledSurveys, store: Store) -> None:
        self.count = count
        self._partitions, self._compiled, self._store = partitions, compiled, store
        self._foreign: dict[tuple[str, int], tuple[Position, str, State]] = {}

    @property
    def partitions(self) -> list[Partition]:
        """The partitions that this worker counts, or is about to count."""
        return [partition for partition in self._partitions if not partition.elsewhere]

    @property
    def others(self) -> list[int]:
        """The partitions that other workers count."""
        own = {partition.number for partition in self.partitions}
        return [number for number in range(self.count) if number not in own]

    @property
    def speaks(self) -> bool:
        """Whether this worker publishes and answers for all workers. The one that holds partition 0 does."""
        return any(partition.number == 0 and partition.held for partition in self._partitions)

    @property
    def stands_by(self) -> bool:
        """Whether another worker holds partition 0, and so publishes and answers."""
        return any(partition.number == 0 and partition.elsewhere for partition in self._partitions)

    @property
    def certain(self) -> bool:
        """Whether no other worker can hold partition 0."""
        return any(partition.number == 0 and partition.certain for partition in self._partitions)

    @property
    def alone(self) -> bool:
        """Whether this worker counts every partition."""
        return not self.others

    def ready(self, survey: str) -> bool:
        return all(partition.held and partition.ready(survey) for partition in self.partitions)

    def own(self, survey: str) -> int:
        """Returns how many responses this worker counts."""
        counts = (partition.counts.get(survey) for partition in self.partitions)
        return sum(count.state.responses for count in counts if count)

    def instrument(self, survey: str, version: str) -> Instrument | None:
        return self._compiled.instrument(survey, version)

    async def state(self, survey: str, *, others: bool = True) -> tuple[Folder, State] | None:
        """Returns the sum in the columns of the current version; None while a part of it is still being counted.

        `others`: with the checkpoints of other workers.
        """
        folder = self._compiled.folder(survey)
        if folder is None or not self.ready(survey):
            return None
        total = folder.empty()
        for partition in self.partitions:
            if not await partition.add_to(total, survey, folder.codebook.digest):
                return None
        for state in await self._read_others(survey, folder.codebook.digest) if others else []:
            total.merge(state)
        return folder, total

    async def counted(self, survey: str, columns: list[int]) -> list[int] | None:
        """Returns how many are in each of these columns of the current version; None while a part is still being counted."""
        folder = self._compiled.folder(survey)
        if folder is None or not self.ready(survey):
            return None
        total, digest = [0] * len(columns), folder.codebook.digest
        for partition in self.partitions:
            if (own := await partition.counted(survey, digest, columns)) is None:
                return None
            total = [a + b for a, b in zip(total, own, strict=True)]
        for state in await self._read_others(survey, digest):
            total = [a + int(state.burt[column, column]) for a, column in zip(total, columns, strict=True)]
        return total

    def full_quotas(self, instrument: Instrument) -> frozenset[str]:
        """Returns the ids of the quotas of this version that were said to be full."""
        return self._compiled.registry.full_quotas(instrument)

    def moves(self, survey: str) -> int:
        """Returns a number that grows whenever a response joins, leaves or changes in what this worker counts."""
        return sum(partition.moves[survey] for partition in self._partitions)

    async def progress(self, survey: str) -> dict[int, Position]:
        """Returns how far other workers have counted, by partition. It reads no counts."""
        return await self._store.progress(survey, others) if (others := self.others) else {}

    async def _read_others(self, survey: str, digest: str) -> list[State]:
        others = self.others
        for number, position in (await self.progress(survey)).items():
            known = self._foreign.get((survey, number))
            if known is None or known[0] < position or known[1] != digest:
                checkpoint = await self._store.checkpoint(survey, number)
                if checkpoint is not None and checkpoint.codebook == digest:
                    try:
                        state = await asyncio.to_thread(State.load, checkpoint.state, digest)
                    except UnreadableState:
                        continue
                    self._foreign[survey, number] = checkpoint.at, digest, state
        return [state for (of, number), (_, book, state) in self._foreign.items() if of == survey and book == digest and number in others]
