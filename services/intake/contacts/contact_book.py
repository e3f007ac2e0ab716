"""Stores the address list of each survey: one change at a time, rewritten at regular intervals."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from services.intake.contacts import contacts
from services.intake.contacts.contacts import Contact
from services.intake.streams.cas_store import CasStore, Overtaken, StreamOutOfReach
from services.runtime.outages import Outages
from services.runtime.token_bucket import Bucket

log = logging.getLogger(__name__)

TRIES = 20
"""How often a change may lose against a change of another process."""
BURST, RATE = 200.0, 5.0
"""Addresses that one survey accepts at once, and per second."""

Change = Callable[[list[Contact]], list[Contact] | None]
"""Returns the list after a change; None where nothing changes."""


class ContactsBusy(Exception):
    """Too many requests, too many addresses, or the stream is out of reach."""


class ContactBook:
    """`subject` returns the NATS subject of a survey's list; `clock` returns seconds."""

    def __init__(self, store: CasStore, subject: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._store, self._subject, self._clock = store, subject, clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._buckets: dict[str, Bucket] = {}
        self._outages = Outages(log, "rewriting addresses for the results")

    async def add(self, survey: str, contact: Contact) -> None:
        """Adds an address; it is on disk once this returns. Raises ContactsBusy."""
        self._take(survey)

        def change(known: list[Contact]) -> list[Contact] | None:
            if contact in known:
                return None
            after = contacts.added(known, contact)
            if len(after) > contacts.MOST:
                raise ContactsBusy
            return after

        await self._change(survey, change)

    async def remove(self, survey: str, address: str) -> None:
        """Removes an address, or does nothing where it is not on the list. Raises ContactsBusy."""
        self._take(survey)

        def change(known: list[Contact]) -> list[Contact] | None:
            after = contacts.removed(known, address)
            return after if len(after) < len(known) else None

        await self._change(survey, change)

    async def read(self, survey: str) -> bytes:
        """The list as JSON. Raises ContactsBusy."""
        try:
            return (await self._store.read(self._subject(survey))).data or b"[]"
        except StreamOutOfReach as error:
            raise ContactsBusy from error

    async def delete(self, survey: str, wanted: Callable[[str], bool]) -> bool:
        """Empties the list. False where its version is not `wanted`. Raises ContactsBusy."""
        deleted = True

        def change(known: list[Contact]) -> list[Contact] | None:
            nonlocal deleted
            deleted = wanted(contacts.version(contacts.write(known)))
            return [] if deleted and known else None

        await self._change(survey, change)
        return deleted

    async def rewrite(self, surveys: Iterable[str]) -> None:
        """Rewrites every list unchanged, so that times and bytes of previous records are erased."""
        for survey in surveys:
            try:
                await self._change(survey, lambda known: known or None)
                self._outages.works(survey)
            except ContactsBusy as error:  # the next call does it
                self._outages.failed(error, survey)

    async def _change(self, survey: str, change: Change) -> None:
        subject = self._subject(survey)
        async with self._turns.setdefault(survey, asyncio.Lock()):
            for _ in range(TRIES):
                try:
                    record = await self._store.read(subject)
                    after = change(contacts.read(record.data))
                    if after is None:
                        return
                    await self._store.write(subject, contacts.write(after), record.seq)
                    return
                except Overtaken:
                    continue
                except StreamOutOfReach as error:
                    raise ContactsBusy from error
        raise ContactsBusy from TimeoutError("other processes wrote first, each time")

    def _take(self, survey: str) -> None:
        if not self._buckets.setdefault(survey, Bucket(BURST, RATE)).take(self._clock()):
            raise ContactsBusy
