"""The tickets that are spent: one table for each survey, written whole, so that nothing kept says when a ticket was spent or before which.

While a response is on its way, its ticket is listed with the response's id, so that whoever comes with the same ticket can tell a
repetition from a second response. Once the journal has the response, the id is taken out.

Claim: two tables of names and ids that nobody can put in order join no ticket to a response. Argument: each is sorted by bits of hashes
that have nothing to do with one another, and former writings are overwritten (`services.intake.streams.cas_store`). Assumes that the
thief came once: whoever copies the table twice, and has the codes from which tickets come, sees which of them were spent in between. Does
not
protect a response that was on its way when the copy was made from whoever has its ticket or its code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.intake.invitations.invitation_store import InvitationStore
from services.intake.invitations.sorted_names import NAME, SortedNames
from services.intake.streams.cas_store import OutOfReach, Overtaken
from services.runtime.supervision import stack_of

log = logging.getLogger(__name__)

SPENT = bytes(NAME)
"""What stands beside a ticket whose response is in the journal."""
TRIES = 50
"""How often a writing may lose against one of another intake."""


@dataclass
class _Change:
    """From what stands beside a name (None: it is not listed) to what shall. `done` becomes what stands there afterwards."""

    name: bytes
    before: bytes | None
    after: bytes
    done: asyncio.Future[bytes | None]


@dataclass
class _Book:
    """One survey's table as this process knows it. Behind another intake's writing it is corrected when it matters."""

    table: SortedNames = field(default_factory=lambda: SortedNames(NAME))
    seq: int = 0
    waiting: list[_Change] = field(default_factory=list[_Change])
    writer: asyncio.Task[None] | None = None


class SpentTickets:
    def __init__(self, store: InvitationStore) -> None:
        self._store = store
        self._books: dict[str, _Book] = {}

    async def read(self, survey: str) -> SortedNames:
        """As it is now. Raises OutOfReach."""
        book = self._book(survey)
        await self._look(survey, book)
        return book.table

    def change(self, survey: str, name: bytes, before: bytes | None, after: bytes) -> asyncio.Future[bytes | None]:
        """Puts `after` beside this name where `before` stands. What stands there afterwards is on disk. It may raise OutOfReach."""
        book = self._book(survey)
        done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        book.waiting.append(_Change(name, before, after, done))
        if book.writer is None or book.writer.done():
            book.writer = asyncio.create_task(self._write(survey, book))
        return done

    def forget(self, survey: str) -> None:
        self._books.pop(survey, None)

    def _book(self, survey: str) -> _Book:
        return self._books.setdefault(survey, _Book())

    async def _look(self, survey: str, book: _Book) -> None:
        kept = await self._store.read(survey, "spent")
        if kept.seq > book.seq:
            book.table, book.seq = SortedNames(NAME, kept.data), kept.seq

    async def _write(self, survey: str, book: _Book) -> None:
        """Changes that come in together are written together: one flush for all, and less to tell them apart by."""
        while book.waiting:
            batch, book.waiting = book.waiting, []
            try:
                standing = await self._record(survey, book, batch)
            except Exception as error:  # whatever it was, nobody waits for ever
                if not isinstance(error, OutOfReach):
                    log.error("spent tickets were not written: %s", stack_of(error))
                for change in batch:
                    if not change.done.done():
                        change.done.set_exception(OutOfReach())
                        change.done.exception()
                continue
            for change, value in zip(batch, standing, strict=True):
                if not change.done.done():
                    change.done.set_result(value)

    async def _record(self, survey: str, book: _Book, batch: Sequence[_Change]) -> list[bytes | None]:
        """What was written without an answer is found again. Raises OutOfReach."""
        for attempt in range(TRIES):
            entries, standing = _applied(book.table, batch)
            if not entries:
                known = book.seq
                await self._look(survey, book)
                if book.seq == known:
                    return standing
                continue  # another intake has written since
            table = book.table.changed(entries)
            try:
                seq = await self._store.write(survey, "spent", table.data, book.seq)
            except (Overtaken, OutOfReach):
                await asyncio.sleep(0.002 * attempt)  # several intakes do not get in each other's way again
                await self._look(survey, book)
                continue
            book.table, book.seq = table, seq
            return standing
        raise OutOfReach


def _applied(table: SortedNames, batch: Sequence[_Change]) -> tuple[dict[bytes, bytes], list[bytes | None]]:
    """The entries that become others, and what stands beside the name of each change afterwards."""
    entries: dict[bytes, bytes] = {}
    standing: list[bytes | None] = []
    for change in batch:
        now = entries.get(change.name) or table.get(change.name)
        if now == change.before:
            now = entries[change.name] = change.after
        standing.append(now)
    return entries, standing
