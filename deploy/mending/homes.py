"""The two homes of each response, journal beside store, read side by side."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.js.api import StreamState

from deploy.database import Connection
from deploy.mending.journal_pages import Message, pages
from deploy.mending.reconcile import Held, JournaledResponse, Plan, after, reconcile
from deploy.provisioning.migrate import highest
from deploy.refusal import Refusal
from proto import events, subjects
from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, ResponseWithdrawn

FILLER = "_"
"""Stands where a survey does in the subjects of events that only take a number; see deploy/mending/appending.py."""
TRIES = 10
"""How often the journal is read before it is believed that it cannot be read whole."""


class Homes:
    def __init__(self, client: Client, connection: Connection) -> None:
        self._client, self._js, self._connection = client, client.jetstream(timeout=10), connection
        self.journal: dict[str, JournaledResponse] = {}
        self.last_of: dict[str, int] = {}
        """The number of the last event about each response, readable or not."""
        self.store: dict[str, Held] = {}
        self.positions: dict[int, int] = {}
        self.unreadable: list[int] = []
        """Numbers the store has seen of events that cannot be read here and that analysis has not set aside."""
        self.aside: dict[int, str | None] = {}
        """Numbers and responses of events that the store noted instead of recording them: they wait, or are parked."""
        self._aside_there: dict[str, int] = {}
        self.numbers: list[int] = []
        """Everything the journal holds, in order."""
        self.highest = 0
        self.end = 0
        """Up to where the journal was read."""

    async def read(self, whole: bool = True) -> None:
        """Reads journal and store. `whole`: nothing deletes from the journal meanwhile, so that its count must be right. Raises Refusal."""
        fetch = self._connection.fetch
        self.highest = await highest(self._connection)
        self.positions = {row["partition"]: row["seq"] for row in await fetch("-- positions\nselect partition, seq from positions")}
        aside = await fetch("-- aside\nselect seq, id from parked union all select seq, id from waiting")
        self.aside = {row["seq"]: row["id"].hex if row["id"] else None for row in aside}
        deleted = await fetch("-- deletions\nselect survey, partition from deletions")
        self._deleted = {(row["survey"], row["partition"]) for row in deleted}
        async with self._connection.transaction():
            async for row in self._connection.cursor("-- held\nselect id, seq, survey, partition, status from responses", prefetch=5000):
                over = (row["survey"], row["partition"]) in self._deleted
                self.store[row["id"].hex] = Held(row["seq"], row["status"] == "withdrawn", row["partition"], over)
        for _ in range(TRIES):
            state = await self.state()
            await self._read_journal(state.last_seq)
            if not whole or len(self.numbers) == state.messages:
                return
            self.journal, self.last_of, self.unreadable, self.numbers, self.end, self._aside_there = {}, {}, [], [], 0, {}
            await asyncio.sleep(1)
        raise Refusal("The journal could not be read whole.", "See that all NATS servers run and agree, then try again.")

    async def read_on(self) -> None:
        """What came to the journal since."""
        await self._read_journal((await self.state()).last_seq)

    def plan(self) -> Plan:
        """Plans how to bring both into agreement. Skips responses that have a later parked or waiting event."""
        store = {id: held for id, held in self.store.items() if held.withdrawn or held.seq > self._aside_there.get(id, 0)}
        journal = {id: response for id, response in self.journal.items() if id in store or id not in self.store}
        return reconcile(journal, store, self.highest, self.positions)

    def aside_nowhere(self) -> list[int]:
        """Events that the store noted and the journal no longer holds."""
        there = set(self._aside_there.values())
        return [seq for seq in self.aside if seq not in there]

    async def state(self) -> StreamState:
        return (await self._js.stream_info(subjects.RESPONSES)).state

    async def _read_journal(self, last: int) -> None:
        async for page in pages(self._client, self.end + 1, last):
            self.numbers += [message.seq for message in page]
            await self._take([message for message in page if message.subject.split(".")[3] != FILLER])
        self.end = last

    async def _take(self, page: Sequence[Message]) -> None:
        rows = await self._rows({message.id for message in page})
        for message in page:
            self.last_of[message.id] = message.seq
            if message.seq in self.aside and self.aside[message.seq] in (None, message.id):
                self._aside_there[message.id] = message.seq
                continue
            event = _read(message)
            if event is None:
                if message.seq <= self.highest:
                    self.unreadable.append(message.seq)
                continue
            partition = subjects.partition_of(message.subject)
            over = (event.survey, partition) in self._deleted
            response = JournaledResponse(message.seq, type(event), _same(event, rows.get(message.id)), partition, over)
            self.journal[message.id] = after(self.journal.get(message.id), response)

    async def _rows(self, ids: set[str]) -> dict[str, Any]:
        rows = await self._connection.fetch(
            "-- rows\nselect id, survey, version, status, language, answers, notice from responses where id = any($1::uuid[])",
            [id for id in ids if _is_id(id)],
        )
        return {row["id"].hex: row for row in rows}

    async def stored(self, ids: Sequence[str]) -> dict[str, ResponseEvent]:
        """The stored responses as events to append to the journal, by id."""
        changes: dict[str, ResponseEvent] = {}
        for id, row in (await self._rows(set(ids))).items():
            if row["status"] == "withdrawn":
                changes[id] = ResponseWithdrawn(id, row["survey"])
                continue
            answers = events.canonical(msgspec.json.decode(row["answers"]))
            digest = events.digest(row["survey"], row["version"], answers)
            language, notice = row["language"], row["notice"]
            changes[id] = ResponseReplaced(id, row["survey"], row["version"], msgspec.Raw(answers), digest, language, notice)
        return changes

    async def survey_of(self, id: str) -> str:
        """The survey that a response belongs to, in the words of the store where it knows it."""
        rows = await self._rows({id})
        if id in rows:
            return rows[id]["survey"]
        return (await self.written(self.journal[id].seq)).subject.split(".")[3]

    async def written(self, seq: int) -> Message:
        """The event with this number."""
        message = await self._js.get_msg(subjects.RESPONSES, seq)
        return Message(seq, message.subject or "", message.data or b"")


def _read(message: Message) -> ResponseEvent | None:
    """Decodes an event; None where it cannot be read or its id differs from its subject's."""
    try:
        event = events.read_response(message.data)
    except events.UnreadableEvent:
        return None
    return event if event.id == message.id else None


def _is_id(text: str) -> bool:
    try:
        return uuid.UUID(hex=text).hex == text
    except ValueError:
        return False


def _same(event: ResponseEvent, row: Any) -> bool:
    """Whether the store has just this."""
    if row is None or row["survey"] != event.survey:
        return False
    if isinstance(event, ResponseWithdrawn):
        return row["status"] == "withdrawn"
    if row["status"] == "withdrawn":
        return False
    content = (event.version, event.language, event.notice)
    return content == (row["version"], row["language"], row["notice"]) and _decoded(event) == msgspec.json.decode(row["answers"])


def _decoded(event: ResponseSubmitted | ResponseReplaced) -> object:
    try:
        return msgspec.json.decode(event.answers)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
