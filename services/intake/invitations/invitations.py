"""Invitations: adds codes, exchanges a code for a signed ticket, checks tickets.

The exchange stores nothing. For each code it signs one blinded number, whose mark came with the invitation, as often as it is asked for.
So nothing on disk or in memory shows who has looked at the questions, when, or in which order. The exchange sees the name of a code and a
blinded number; a submission sees a ticket. Spent tickets are in `services.intake.invitations.spent_tickets`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from proto import blind, invitation
from proto.blind import PublicKey, SecretKey
from proto.invitation import NAME, Ticket
from proto.problem import Problem
from services.intake.invitations.invitation_store import PARTS, InvitationStore
from services.intake.invitations.sorted_names import SortedNames
from services.intake.invitations.spent_tickets import SpentTickets
from services.intake.streams.cas_store import Overtaken, StreamOutOfReach
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

MOST = 100_000
"""Codes of one survey; their marks fit into one message."""
TRIES = 50
"""How often a write may lose against a write of another process."""
_PSS = padding.PSS(padding.MGF1(hashes.SHA384()), blind.SALT)


class _Key(msgspec.Struct, frozen=True):
    p: bytes
    q: bytes


@dataclass
class _InvitationState:
    """One survey's data as this process knows it. Another process may have newer marks; they are read again before a refusal."""

    secret: SecretKey
    library: rsa.RSAPublicKey
    marks: SortedNames
    former: SortedNames
    used: SortedNames
    """From release 0.1.0: its codes, and those that were exchanged then, for tickets drawn by the browser."""


class Invitations:
    def __init__(self, store: InvitationStore) -> None:
        self._store = store
        self._books: dict[str, _InvitationState] = {}
        self._outages = Outages(log, "rewriting invitations")
        self._signing = asyncio.Lock()
        self._reading: dict[str, asyncio.Task[SortedNames]] = {}
        self.spent = SpentTickets(store)

    async def invite(self, survey: str, marks: Mapping[bytes, bytes]) -> int | Problem:
        """Adds codes by name, each with the mark of its number. Returns how many the survey has; a known name keeps its mark.

        With no codes it only creates the survey's key.
        """
        try:
            book = await self._book(survey) or await self._begin(survey)
            for _ in range(TRIES):
                record = await self._store.read(survey, "marks")
                table = SortedNames(NAME, record.data)
                table = table.changed({name: mark for name, mark in marks.items() if table.get(name) is None})
                total = len(table) + len(book.former)
                if total > MOST:
                    return Problem("too-large", f"A survey has at most {MOST} invitation codes.")
                if len(table.data) > len(record.data):
                    try:
                        await self._store.write(survey, "marks", table.data, record.seq)
                    except Overtaken:
                        continue
                book.marks = table
                return total
        except StreamOutOfReach:
            pass
        return _busy()

    async def key(self, survey: str) -> PublicKey | Problem | None:
        """The public key that verifies tickets; None where nobody was invited yet."""
        try:
            book = await self._book(survey)
        except StreamOutOfReach:
            return _busy()
        return book.secret.public if book else None

    async def exchange(self, survey: str, name: bytes, blinded: bytes) -> bytes | Problem:
        """The blind signature for the code of this name. Always the same, since only one number is signed for each code."""
        try:
            book = await self._book(survey)
            mark = None if book is None else await self._mark(book, survey, name)
        except StreamOutOfReach:
            return _busy()
        if book is None or mark is None or not hmac.compare_digest(mark, invitation.mark(blinded)):
            return Problem("invitation-unknown")
        return await self._sign(book, blinded)

    async def exchange_plainly(self, survey: str, code: str) -> Ticket | Problem:
        """The ticket for a bare code, made here: for a browser without scripts, and for codes of release 0.1.0.

        It is the same that the browser would have made, and nothing of it is stored.
        """
        try:
            book = await self._book(survey)
            name = invitation.name(survey, code)
            if book is None or (await self._mark(book, survey, name) is None and book.former.get(name) is None):
                return Problem("invitation-unknown")
        except StreamOutOfReach:
            return _busy()
        if book.used.get(name) is not None:
            return Problem("invitation-used")
        asked = invitation.ticket_request(survey, code, book.secret.public)
        return asked.ticket(book.secret.public, await self._sign(book, asked.blinded))

    async def check(self, survey: str, text: str) -> Ticket | Problem:
        """The ticket in this text, if its signature is valid."""
        ticket = invitation.read_ticket(text)
        if ticket is None:
            return Problem("invitation-needed")
        try:
            book = await self._book(survey)
        except StreamOutOfReach:
            return _busy()
        return ticket if book and _signed(book.library, ticket) else Problem("invitation-needed")

    async def has_former(self, survey: str) -> bool:
        """Whether release 0.1.0 exchanged codes of this survey. Raises StreamOutOfReach."""
        book = await self._book(survey)
        return book is not None and len(book.used) > 0

    async def rewrite(self, surveys: Iterable[str]) -> None:
        """Rewrites every part unchanged, so that times and bytes of previous records are erased."""
        for survey in surveys:
            try:
                for part in PARTS:
                    whole = await self._store.read(survey, part)
                    if whole.seq:
                        with contextlib.suppress(Overtaken):  # then another process wrote it
                            await self._store.write(survey, part, whole.data, whole.seq)
                self._outages.works(survey)
            except StreamOutOfReach as error:  # the next call does it
                self._outages.failed(error, survey)

    async def forget(self, survey: str) -> None:
        """Erases the key, the names of the codes and the spent tickets. Raises StreamOutOfReach."""
        self._books.pop(survey, None)
        self.spent.forget(survey)
        await self._store.erase(survey)

    async def _book(self, survey: str) -> _InvitationState | None:
        """Raises StreamOutOfReach."""
        if (book := self._books.get(survey)) is not None:
            return book
        record = await self._store.read(survey, "key")
        if not record.seq:
            return None
        key = msgspec.json.decode(record.data, type=_Key)
        secret = SecretKey(int.from_bytes(key.p), int.from_bytes(key.q), 65537)
        library = rsa.RSAPublicNumbers(secret.e, secret.public.n).public_key()
        marks, former, used = [(await self._store.read(survey, part)).data for part in ("marks", "codes", "used")]
        return self._books.setdefault(
            survey, _InvitationState(secret, library, SortedNames(NAME, marks), SortedNames(0, former), SortedNames(NAME, used))
        )

    async def _begin(self, survey: str) -> _InvitationState:
        """Creates the survey's key, with the first invitation. Of two processes, the first one's counts. Raises StreamOutOfReach."""
        private_key = await asyncio.to_thread(rsa.generate_private_key, 65537, invitation.SIGNED_BITS)
        numbers = private_key.private_numbers()
        size = invitation.SIGNED_BITS // 16
        key = _Key(numbers.p.to_bytes(size), numbers.q.to_bytes(size))
        with contextlib.suppress(Overtaken):
            await self._store.write(survey, "key", msgspec.json.encode(key), 0)
        book = await self._book(survey)
        if book is None:
            raise StreamOutOfReach
        return book

    async def _mark(self, book: _InvitationState, survey: str, name: bytes) -> bytes | None:
        """The mark of the number that is signed for this code; None for an unknown code. Raises StreamOutOfReach."""
        if book.marks.get(name) is None:
            book.marks = await self._marks(survey)
        return book.marks.get(name)

    async def _marks(self, survey: str) -> SortedNames:
        """All marks of a survey, read after this was called. They are megabytes, so concurrent callers share the next reading."""
        if (before := self._reading.get(survey)) is not None:
            with contextlib.suppress(StreamOutOfReach):
                await asyncio.shield(before)
        reading = self._reading.get(survey)
        if reading is None:
            reading = self._reading[survey] = asyncio.create_task(self._read_marks(survey))
            reading.add_done_callback(lambda done: done.cancelled() or done.exception())  # marks it as retrieved: the callers may be gone
        return await asyncio.shield(reading)

    async def _read_marks(self, survey: str) -> SortedNames:
        try:
            return SortedNames(NAME, (await self._store.read(survey, "marks")).data)
        finally:
            self._reading.pop(survey, None)

    async def _sign(self, book: _InvitationState, blinded: bytes) -> bytes:
        """Signs in a thread, one number at a time: it takes milliseconds of CPU, and the event loop must stay free for the journal."""
        async with self._signing:
            return await asyncio.to_thread(blind.sign, book.secret, blinded)


def _signed(key: rsa.RSAPublicKey, ticket: Ticket) -> bool:
    try:
        key.verify(ticket.signature, ticket.token, _PSS, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def _busy() -> Problem:
    return Problem("busy", "Please send the same again.", retry_after=2)
