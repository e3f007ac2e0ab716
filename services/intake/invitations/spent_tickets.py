"""Stores which tickets are spent: one table per survey, always written as a whole, so it shows neither time nor order.

While a response is being written, its ticket is listed with the response's id. So a repetition can be told from a second response with the
same ticket. Once the journal has the response, SPENT replaces the id.

*Claim.* The names and ids stored here link no spent ticket to its response. *Argument.* They are bits of unrelated hashes, the table is
sorted by them and always one message with one time, so no order in it matches that of the responses; previous records are overwritten
(`services.intake.streams.cas_store`). *Assumes* that the table is copied once: somebody who copies it twice, and has the codes that tickets
are made from, sees which tickets were spent in between. *Does not protect* a response that was being
written when the copy was made against somebody who has its ticket or its code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.intake.invitations.invitation_store import InvitationStore
from services.intake.invitations.sorted_names import NAME, SortedNames
from services.intake.streams.cas_store import Overtaken, StreamOutOfReach
from services.runtime.error_details import stack_of

log = logging.getLogger(__name__)

SPENT = bytes(NAME)
"""The value of a ticket whose response is in the journal."""
TRIES = 50
"""How often a write may lose against a write of another process."""


@dataclass
class _Change:
    """Sets the value of a name from `before` (None: not listed) to `after`. `done` gets the value that the name has afterwards."""

    name: bytes
    before: bytes | None
    after: bytes
    done: asyncio.Future[bytes | None]


@dataclass
class _TicketTable:
    """One survey's table as this process knows it. Another process may have a newer one; it is read again before a decision."""

    table: SortedNames = field(default_factory=lambda: SortedNames(NAME))
    seq: int = 0
    waiting: list[_Change] = field(default_factory=list[_Change])
    writer: asyncio.Task[None] | None = None


class SpentTickets:
    def __init__(self, store: InvitationStore) -> None:
        self._store = store
        self._books: dict[str, _TicketTable] = {}

    async def read(self, survey: str) -> SortedNames:
        """The current table. Raises StreamOutOfReach."""
        book = self._book(survey)
        await self._look(survey, book)
        return book.table

    def change(self, survey: str, name: bytes, before: bytes | None, after: bytes) -> asyncio.Future[bytes | None]:
        """Sets the value of a name to `after` if it is `before`. The future gets the value that is then on disk, or StreamOutOfReach."""
        book = self._book(survey)
        done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        book.waiting.append(_Change(name, before, after, done))
        if book.writer is None or book.writer.done():
            book.writer = asyncio.create_task(self._write(survey, book))
        return done

    def forget(self, survey: str) -> None:
        self._books.pop(survey, None)

    def _book(self, survey: str) -> _TicketTable:
        return self._books.setdefault(survey, _TicketTable())

    async def _look(self, survey: str, book: _TicketTable) -> None:
        record = await self._store.read(survey, "spent")
        if record.seq > book.seq:
            book.table, book.seq = SortedNames(NAME, record.data), record.seq

    async def _write(self, survey: str, book: _TicketTable) -> None:
        """Writes all waiting changes with one flush, so that single changes cannot be told apart."""
        while book.waiting:
            batch, book.waiting = book.waiting, []
            try:
                values = await self._record(survey, book, batch)
            except Exception as error:  # after any error every caller gets an answer
                if not isinstance(error, StreamOutOfReach):
                    log.error("spent tickets were not written", extra={"survey": survey, "stack": stack_of(error)})
                for change in batch:
                    if not change.done.done():
                        change.done.set_exception(StreamOutOfReach())
                        change.done.exception()
                continue
            for change, value in zip(batch, values, strict=True):
                if not change.done.done():
                    change.done.set_result(value)

    async def _record(self, survey: str, book: _TicketTable, batch: Sequence[_Change]) -> list[bytes | None]:
        """Writes the changes; retries where overtaken or unanswered. Returns the new value of each name. Raises StreamOutOfReach."""
        for attempt in range(TRIES):
            entries, values = _applied(book.table, batch)
            if not entries:
                seq = book.seq
                await self._look(survey, book)
                if book.seq == seq:
                    return values
                continue  # another process has written since
            table = book.table.changed(entries)
            try:
                seq = await self._store.write(survey, "spent", table.data, book.seq)
            except (Overtaken, StreamOutOfReach):
                await asyncio.sleep(0.002 * attempt)  # keeps several processes from colliding again
                await self._look(survey, book)
                continue
            book.table, book.seq = table, seq
            return values
        raise StreamOutOfReach


def _applied(table: SortedNames, batch: Sequence[_Change]) -> tuple[dict[bytes, bytes], list[bytes | None]]:
    """The entries that change, and the value of each change's name afterwards."""
    entries: dict[bytes, bytes] = {}
    values: list[bytes | None] = []
    for change in batch:
        value = entries.get(change.name) or table.get(change.name)
        if value == change.before:
            value = entries[change.name] = change.after
        values.append(value)
    return entries, values
