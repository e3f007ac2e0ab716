"""The lists of addresses where they are kept: changed one change at a time, and written anew on a clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from services.intake.contacts import contacts
from services.intake.contacts.contacts import Contact
from services.intake.streams.cas_store import CasStore, OutOfReach, Overtaken
from services.runtime.outage import Outages, refused
from services.runtime.token_bucket import Bucket

log = logging.getLogger(__name__)

TRIES = 20
"""How often a change may be overtaken by one of another intake."""
BURST, RATE = 200.0, 5.0
"""Addresses that one survey takes at once, and a second."""

Change = Callable[[list[Contact]], list[Contact] | None]
"""The list after a change; None where it stays as it is."""


class Busy(Exception):
    """Too many at once, too many in all, or the stream is out of reach."""


class ContactBook:
    """`subject` names the place of a survey's list."""

    def __init__(self, store: CasStore, subject: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._store, self._subject, self._clock = store, subject, clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._buckets: dict[str, Bucket] = {}
        self._outages = Outages(log, "writing anew the addresses for the results of")

    async def add(self, survey: str, contact: Contact) -> None:
        """On disk once this returns. Raises Busy."""
        self._take(survey)

        def change(known: list[Contact]) -> list[Contact] | None:
            if contact in known:
                return None
            after = contacts.added(known, contact)
            if len(after) > contacts.MOST:
                raise Busy
            return after

        await self._change(survey, change)

    async def remove(self, survey: str, address: str) -> None:
        """Gone once this returns, whether it was there or not. Raises Busy."""
        self._take(survey)

        def change(known: list[Contact]) -> list[Contact] | None:
            after = contacts.removed(known, address)
            return after if len(after) < len(known) else None

        await self._change(survey, change)

    async def read(self, survey: str) -> bytes:
        """The list as JSON. Raises Busy."""
        try:
            return (await self._store.read(self._subject(survey))).data or b"[]"
        except OutOfReach as error:
            raise Busy from error

    async def delete(self, survey: str, version: str | None) -> bool:
        """Empties the list; False where it is not (any more) the one with this `version`. Raises Busy."""
        gone = True

        def change(known: list[Contact]) -> list[Contact] | None:
            nonlocal gone
            gone = version is None or contacts.version(contacts.write(known)) == version
            return [] if gone and known else None

        await self._change(survey, change)
        return gone

    async def rewrite(self, surveys: Iterable[str]) -> None:
        """Every list as it is, so that the times and the bytes of former writings go."""
        for survey in surveys:
            try:
                await self._change(survey, lambda known: known or None)
                self._outages.works(survey)
            except Busy as error:  # the next round does it
                self._outages.failed(error, refused(error), survey)

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
                except OutOfReach as error:
                    raise Busy from error
        raise Busy

    def _take(self, survey: str) -> None:
        if not self._buckets.setdefault(survey, Bucket(BURST, RATE)).take(self._clock()):
            raise Busy
