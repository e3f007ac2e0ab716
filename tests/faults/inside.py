"""Looking into the servers of a running stack, past the services: the journal, the store, and the bytes on disk."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import asyncpg
import nats

from deploy.stack import running
from tests.ended import end_at_once
from tests.faults.operated import Operated


@dataclass(frozen=True)
class Left:
    """What is left of a survey: rows with answers, messages still to be erased, messages of the journal (of all surveys)."""

    rows: int
    erasures: int
    messages: int


class Inside:
    def __init__(self, stack: Operated) -> None:
        self._stack = stack

    def journal(self) -> str:
        """The address at which intake writes."""
        password = (self._stack.data / "secrets" / "nats-intake").read_text().strip()
        return f"nats://intake:{password}@127.0.0.1:{self._monitored('varz')['port']}"

    async def end(self, survey: str) -> None:
        """The survey is closed and its answers are deleted, without days of grace."""
        client = await nats.connect(self.journal(), inbox_prefix="_INBOX.intake")
        try:
            await end_at_once(client, survey)
        finally:
            await client.close()

    def messages(self) -> int:
        """Raises OSError while the server is away, or still reads its streams."""
        found = self._monitored("jsz?accounts=true&streams=true")
        streams = [stream for account in found.get("account_details") or [] for stream in account.get("stream_detail") or []]
        for stream in streams:
            if stream["name"] == "RESPONSES":
                return stream["state"]["messages"]
        raise OSError

    async def left(self, survey: str) -> Left:
        """Raises OSError or an error of PostgreSQL while a server is away."""
        connection = await self.database()
        try:
            rows = await connection.fetchval("select count(*) from responses where survey = $1 and status = 'recorded'", survey)
            former = await connection.fetchval("select count(*) from retractions where survey = $1", survey)
            return Left(rows + former, await connection.fetchval("select count(*) from erasures"), self.messages())
        finally:
            await connection.close()

    async def database(self) -> Any:
        """A connection of the owner of the store."""
        here = running.read(self._stack.data)
        assert here is not None
        password = (self._stack.data / "secrets" / "postgres-platea").read_text().strip()
        return await asyncpg.connect(host="127.0.0.1", port=here.postgres, user="platea", password=password, database="platea", timeout=5)

    def files_with(self, text: bytes) -> list[str]:
        """The files of the journal that hold these bytes."""
        files = [path for path in (self._stack.data / "nats" / "store").rglob("*") if path.is_file()]
        return [path.name for path in files if text in path.read_bytes()]

    def _monitored(self, what: str) -> dict[str, Any]:
        here = running.read(self._stack.data)
        assert here is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{here.nats_monitor}/{what}", timeout=5) as answer:
            return json.load(answer)
