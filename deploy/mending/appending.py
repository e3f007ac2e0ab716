"""Appends events to the journal, while intake may go on writing to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client

from deploy.mending.homes import FILLER
from deploy.refusal import Refusal
from proto import events, subjects
from proto.events import ResponseEvent

TOGETHER = 100
FILLERS = 1000
"""Events in one atomic batch: one flush serves them all. The server takes no more than a thousand."""
PURGED = 100_000
"""Fillers after which the server may forget them."""
PATIENCE = 30.0
_CONFLICTS = frozenset({10071, 10164, 10201})
"""Wrong last sequence (two forms), and a duplicate inside an atomic batch: intake was there first."""


@dataclass(frozen=True)
class Append:
    """An event to be written if the last one about this response has the number `after` (0: there is none)."""

    subject: str
    id: str
    data: bytes
    headers: dict[str, str]
    after: int

    @staticmethod
    def of(event: ResponseEvent, after: int) -> Append:
        return Append(subjects.response(event.survey, event.id), event.id, events.encode(event), events.headers(event, event.id), after)

    def guarded(self) -> dict[str, str]:
        name = "Nats-Expected-Last-Subject-Sequence"
        return {**self.headers, name: str(self.after), f"{name}-Subject": subjects.journalled(self.id)}


class Appender:
    def __init__(self, client: Client) -> None:
        self._client, self._js = client, client.jetstream(timeout=PATIENCE)
        self._run, self._batches = uuid.uuid4().hex, 0

    async def append(self, appends: Sequence[Append]) -> set[str]:
        """Writes them and returns the responses that were; the others have a later event by now. Raises Refusal."""
        written: set[str] = set()
        for start in range(0, len(appends), TOGETHER):
            part = appends[start : start + TOGETHER]
            if await self._batch([(one.subject, one.data, one.guarded()) for one in part]):
                written |= {one.id for one in part}
            else:
                written |= {one.id for one in part if await self._ask(one.subject, one.data, one.guarded())}
        return written

    async def raise_end(self, number: int) -> None:
        """The next event gets a number above this one. What takes the numbers in between is forgotten again."""
        await self._forget()
        while (missing := number - (await self._js.stream_info(subjects.RESPONSES)).state.last_seq) > 0:
            for _ in range(0, min(missing, PURGED), FILLERS):
                subject = f"platea.responses.{FILLER}.{FILLER}"
                filler: tuple[str, bytes, dict[str, str]] = (subject, b"", {})
                await self._batch([filler] * min(missing, FILLERS))
                missing -= FILLERS
            await self._forget()

    async def _forget(self) -> None:
        await self._js.purge_stream(subjects.RESPONSES, subject=subjects.journalled(FILLER, FILLER))

    async def _batch(self, messages: Sequence[tuple[str, bytes, dict[str, str]]]) -> bool:
        """All or none."""
        self._batches += 1
        for place, (subject, data, headers) in enumerate(messages, 1):
            headers = {**headers, "Nats-Batch-Id": f"{self._run}-{self._batches}", "Nats-Batch-Sequence": str(place)}
            if place == len(messages):
                return await self._ask(subject, data, {**headers, "Nats-Batch-Commit": "1"})
            await self._client.publish(subject, data, headers=headers)
        return True

    async def _ask(self, subject: str, data: bytes, headers: dict[str, str]) -> bool:
        answer: dict[str, Any] = json.loads((await self._client.request(subject, data, timeout=PATIENCE, headers=headers)).data)
        error = answer.get("error")
        if error and error.get("err_code") not in _CONFLICTS:
            raise Refusal(f"The journal takes nothing: {error.get('description', 'no reason given')}.", "See to that, then mend again.")
        return not error
