"""Records a batch in one transaction: load the known responses, apply the record rules, write the changes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.analysis import store
from services.analysis.ingest.batch import Batch
from services.analysis.ingest.record_rules import changes_of
from services.analysis.records import Changes
from services.analysis.store import PartitionLease
from services.runtime.error_details import error_name

log = logging.getLogger(__name__)

T = TypeVar("T")


async def record(lease: PartitionLease, batch: Batch) -> list[Changes]:
    """Records a batch and moves the position of the partition to its end. Each response counts once, however often it is delivered.

    Returns the changes of each transaction: one, or one for each event where the database refuses the batch.
    """
    return await _together_or_one_by_one(record_in_turn, lease, batch)


async def record_late(lease: PartitionLease, batch: Batch) -> list[tuple[Changes, int]]:
    """Records events that had waited. Returns changes as `record` does, each with the number of its late batch."""
    return await _together_or_one_by_one(record_out_of_turn, lease, batch)


async def record_in_turn(lease: PartitionLease, batch: Batch) -> Changes:
    """One transaction of `record`. Raises one of `store.Indigestible` where the database refuses an event."""
    async with lease.recording(batch.surveys.values()) as recording:
        changes = changes_of(await recording.known({event.id for _, event in batch.events}), batch.events)
        await recording.write(changes, batch.unread, batch.end)
    return changes


async def record_out_of_turn(lease: PartitionLease, batch: Batch) -> tuple[Changes, int]:
    """One transaction of `record_late`. Events still go by their sequence in the journal."""
    async with lease.recording(batch.surveys.values()) as recording:
        changes = changes_of(await recording.known({event.id for _, event in batch.events}), batch.events)
        late = await recording.write_late(changes, batch.unread, batch.seqs)
    return changes, late


async def _together_or_one_by_one(once: Callable[[PartitionLease, Batch], Awaitable[T]], lease: PartitionLease, batch: Batch) -> list[T]:
    try:
        return [await once(lease, batch)]
    except store.Indigestible as error:
        log.error("the database refused a batch; recording its events one by one", extra={"error": error_name(error)})
    results: list[T] = []
    for part in batch.one_by_one():
        try:
            results.append(await once(lease, part))
        except store.Indigestible as error:
            refused = part.refused(f"refused by the database: {type(error).__name__}")
            batch.unread.parked += refused
            part.unread.parked += refused
            results.append(await once(lease, Batch(unread=part.unread, seqs=part.seqs)))
    return results
