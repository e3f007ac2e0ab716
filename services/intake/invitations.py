"""Who may answer a survey by invitation: codes made known, each exchanged once for a signed ticket, tickets checked.

What is exchanged and what is answered meet nowhere: the exchange sees a code and a blinded number, the answer a ticket. The set of used
codes is rewritten as a whole, sorted; used tickets are not kept at all, for each leads to one receipt, which the journal takes once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from proto import blind, invitation
from proto.blind import PublicKey, SecretKey
from proto.invitation import NAME, Ticket
from proto.outage import Outages, refused
from proto.problem import Problem
from proto.supervision import stack_of
from services.intake.invitation_store import PARTS, InvitationStore
from services.intake.wholes import OutOfReach, Overtaken

log = logging.getLogger(__name__)

MOST = 100_000
"""Codes of one survey: what fits into one message."""
TRIES = 50
"""How often a writing may lose against one of another intake."""
_PSS = padding.PSS(padding.MGF1(hashes.SHA384()), blind.SALT)


class _Key(msgspec.Struct, frozen=True):
    p: bytes
    q: bytes


@dataclass
class _Used:
    """Used codes, each with its mark: what the exchange would look like if it were repeated."""

    marks: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    seq: int = 0


@dataclass
class _Book:
    """One survey's, as this process knows it. Behind another intake's writing it is corrected when it matters."""

    secret: SecretKey
    library: rsa.RSAPublicKey
    codes: frozenset[bytes] = frozenset()
    used: _Used = field(default_factory=_Used)
    waiting: list[tuple[bytes, bytes, asyncio.Future[bool]]] = field(default_factory=list[tuple[bytes, bytes, "asyncio.Future[bool]"]])
    writer: asyncio.Task[None] | None = None


class Invitations:
    def __init__(self, store: InvitationStore) -> None:
        self._store = store
        self._books: dict[str, _Book] = {}
        self._outages = Outages(log, "writing anew the invitations of")

    async def invite(self, survey: str, names: Collection[bytes]) -> int | Problem:
        """Makes codes known by their names. Returns how many the survey has; the same ones again change nothing.

        A collection, for whoever is overtaken adds them once more: what can be gone through only once would be lost then.
        """
        try:
            book = await self._book(survey) or await self._begin(survey)
            for _ in range(TRIES):
                kept = await self._store.read(survey, "codes")
                codes = frozenset(_parts(kept.data, NAME)).union(names)
                if len(codes) > MOST:
                    return Problem("too-large", f"A survey has at most {MOST} invitation codes.")
                try:
                    await self._store.write(survey, "codes", b"".join(sorted(codes)), kept.seq)
                except Overtaken:
                    continue
                book.codes = codes
                return len(codes)
        except OutOfReach:
            pass
        return _busy()

    async def key(self, survey: str) -> PublicKey | Problem | None:
        """The key with which tickets verify; None where nobody was invited yet."""
        try:
            book = await self._book(survey)
        except OutOfReach:
            return _busy()
        return book.secret.public if book else None

    async def exchange(self, survey: str, code: str, blinded: bytes) -> bytes | Problem:
        """The blind signature for a bare code. The same code with the same number gets the same again, so a lost answer harms nobody."""
        try:
            book = await self._book(survey)
            name = invitation.name(survey, code)
            if book is None or not await self._is_known(book, survey, name):
                return Problem("invitation-unknown")
            if not blind.fits(book.secret.public, blinded):
                return Problem("bad-request", "The blinded number does not fit the key.")
            mark = hashlib.sha256(b"platea-exchange-1\0" + blinded).digest()[:NAME]
            return blind.sign(book.secret, blinded) if await self._claim(book, survey, name, mark) else Problem("invitation-used")
        except OutOfReach:
            return _busy()

    async def exchange_plainly(self, survey: str, code: str) -> Ticket | Problem:
        """The ticket for a bare code, made here for a browser without scripts.

        It is derived from the code with a secret that only memory holds and that is gone within 48 hours. For half a day at least the same
        code gets the same ticket, so a lost page harms nobody; afterwards no record whatever joins the two. The mark is derived likewise,
        so the set of used codes does not tell who came without scripts.
        """
        try:
            book = await self._book(survey)
            name = invitation.name(survey, code)
            if book is None or not await self._is_known(book, survey, name):
                return Problem("invitation-unknown")
            for secret in await self._store.secrets(secrets.token_bytes(32)):
                if await self._claim(book, survey, name, _derived(secret, "mark", survey, code)[:NAME]):
                    token = _derived(secret, "token", survey, code)
                    request = blind.blind(book.secret.public, token)
                    signature = blind.finalize(book.secret.public, token, blind.sign(book.secret, request.blinded), request.inverse)
                    return Ticket(token, signature)
            return Problem("invitation-used")
        except OutOfReach:
            return _busy()

    async def receipt(self, survey: str, text: str) -> str | Problem:
        """The receipt of the response that comes with this ticket, which must be one of ours."""
        ticket = invitation.read_ticket(text)
        if ticket is None:
            return Problem("invitation-needed")
        try:
            book = await self._book(survey)
        except OutOfReach:
            return _busy()
        if book is None or not _signed(book.library, ticket):
            return Problem("invitation-needed")
        return invitation.receipt(ticket.token)

    async def rewrite(self, surveys: Iterable[str]) -> None:
        """Everything as it is, so that the times and the bytes of former writings go."""
        for survey in surveys:
            try:
                for part in PARTS:
                    whole = await self._store.read(survey, part)
                    if whole.seq:
                        with contextlib.suppress(Overtaken):  # then somebody else wrote
                            await self._store.write(survey, part, whole.data, whole.seq)
                self._outages.works(survey)
            except OutOfReach as error:  # the next round does it
                self._outages.failed(error, refused(error), survey)

    async def forget(self, survey: str) -> None:
        """Everything: the key, the names of the codes, and which were used. Raises OutOfReach."""
        self._books.pop(survey, None)
        await self._store.erase(survey)

    async def _book(self, survey: str) -> _Book | None:
        """Raises OutOfReach."""
        if (book := self._books.get(survey)) is not None:
            return book
        kept = await self._store.read(survey, "key")
        if not kept.seq:
            return None
        key = msgspec.json.decode(kept.data, type=_Key)
        secret = SecretKey(int.from_bytes(key.p), int.from_bytes(key.q), 65537)
        library = rsa.RSAPublicNumbers(secret.e, secret.public.n).public_key()
        return self._books.setdefault(survey, _Book(secret, library))

    async def _begin(self, survey: str) -> _Book:
        """The survey's key is made with the first invitation; where two intakes make one, the first counts."""
        made = await asyncio.to_thread(rsa.generate_private_key, 65537, invitation.SIGNED_BITS)
        numbers = made.private_numbers()
        size = invitation.SIGNED_BITS // 16
        key = _Key(numbers.p.to_bytes(size), numbers.q.to_bytes(size))
        with contextlib.suppress(Overtaken):
            await self._store.write(survey, "key", msgspec.json.encode(key), 0)
        book = await self._book(survey)
        if book is None:
            raise OutOfReach
        return book

    async def _is_known(self, book: _Book, survey: str, name: bytes) -> bool:
        if name not in book.codes:
            book.codes = frozenset(_parts((await self._store.read(survey, "codes")).data, NAME))
        return name in book.codes

    async def _claim(self, book: _Book, survey: str, name: bytes, mark: bytes) -> bool:
        """Whether this code is used with this mark: it was so before, or it is now, and on disk."""
        if (known := book.used.marks.get(name)) is not None:
            return hmac.compare_digest(known, mark)
        done = asyncio.get_running_loop().create_future()
        book.waiting.append((name, mark, done))
        if book.writer is None or book.writer.done():
            book.writer = asyncio.create_task(self._write(book, survey))
        return await asyncio.shield(done)

    async def _write(self, book: _Book, survey: str) -> None:
        """Codes that come in together are written together: one flush for all, and less to tell them apart by."""
        while book.waiting:
            batch, book.waiting = book.waiting, []
            try:
                await self._record(book, survey, {name: mark for name, mark, _ in reversed(batch)})
            except Exception as error:  # whatever it was, nobody waits for ever
                if not isinstance(error, OutOfReach):
                    log.error("used invitations were not written: %s", stack_of(error))
                for _, _, done in batch:
                    if not done.done():
                        done.set_exception(OutOfReach())
                        done.exception()
                continue
            for name, mark, done in batch:
                if not done.done():
                    done.set_result(hmac.compare_digest(book.used.marks[name], mark))

    async def _record(self, book: _Book, survey: str, claims: dict[bytes, bytes]) -> None:
        """Adds what is not there yet. Raises OutOfReach. What was written without an answer is found again by its mark."""
        for attempt in range(TRIES):
            merged = claims | book.used.marks
            if len(merged) == len(book.used.marks):
                return
            try:
                data = b"".join(name + merged[name] for name in sorted(merged))
                book.used = _Used(merged, await self._store.write(survey, "used", data, book.used.seq))
                return
            except (Overtaken, OutOfReach):
                await asyncio.sleep(0.002 * attempt)  # several intakes do not get in each other's way again
                kept = await self._store.read(survey, "used")
                if kept.seq > book.used.seq:
                    book.used = _Used({part[:NAME]: part[NAME:] for part in _parts(kept.data, 2 * NAME)}, kept.seq)
        raise OutOfReach


def _signed(key: rsa.RSAPublicKey, ticket: Ticket) -> bool:
    try:
        key.verify(ticket.signature, ticket.token, _PSS, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def _derived(secret: bytes, what: str, survey: str, code: str) -> bytes:
    return hmac.digest(secret, f"platea-{what}-1\0{survey}\0{code}".encode(), "sha256")


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def _busy() -> Problem:
    return Problem("busy", "Please send the same again.", retry_after=2)
