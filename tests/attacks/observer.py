"""Reads everything public of a survey over HTTP, without a token: figures and tables in all their formats, and the live stream."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType

import aiohttp
import msgspec

from deploy.cli.sse_client import events
from proto.snapshot import Snapshot, Table
from tests.attacks.questionnaire import Pair, name

AT_ONCE = 8
LARGEST = 2**24
"""Bytes of a line of the stream, which holds a whole snapshot."""
PATIENCE = 30.0
"""Seconds until the stream has said what the figures say."""


@dataclass(frozen=True)
class Look:
    """What all public outputs say at one moment. Two are equal where nothing public has changed."""

    figures: bytes
    as_csv: bytes
    table: bytes | None
    """One table of two answers; None before the first."""
    table_as_csv: bytes | None
    event: bytes
    """What the stream said last."""

    @property
    def snapshot(self) -> Snapshot:
        return msgspec.json.decode(self.figures, type=Snapshot)

    @property
    def tables_of(self) -> tuple[str, int]:
        """Which tables stand: their time, and of how many respondents they are."""
        if self.table is None:
            return "", 0
        found = msgspec.json.decode(self.table, type=Table)
        return found.as_of, found.responses

    def disagreements(self) -> list[str]:
        """Where one format says otherwise than another."""
        shown, found = self.snapshot, list[str]()
        if self.event != self.figures:
            found.append("the stream")
        filed = {(line["question"], line["code"]): line for line in _lines(self.as_csv) if not line["stratum"]}
        for question, figures in shown.questions.items():
            for code, cell in figures.cells.items():
                line = filed.pop((question, code))
                if (line["n"], line["revision"]) != (_written(cell.n), str(shown.revision)):
                    found.append(f"CSV of {question} {code}")
        found += [f"CSV alone has {line}" for line in filed]
        if self.table is not None and self.table_as_csv is not None:
            table = msgspec.json.decode(self.table, type=Table)
            cells = {(row, code): _written(cell.n) for row, line in table.cells.items() for code, cell in line.items()}
            if cells != {(line["row_code"], line["column_code"]): line["n"] for line in _lines(self.table_as_csv)}:
                found.append(f"CSV of {table.row} and {table.column}")
        return found


def _lines(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def _written(n: int | None) -> str:
    return "" if n is None else str(n)


class Observer:
    """`async with` it. `probe`: the pair of blocks whose table is looked at each time."""

    def __init__(self, url: str, survey: str, probe: Pair) -> None:
        self._api, self._probe = f"{url}/api/v1/surveys/{survey}", probe
        self._last = b""
        self._heard = asyncio.Event()
        self.reads = 0

    async def __aenter__(self) -> Observer:
        timeout = aiohttp.ClientTimeout(total=60)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=AT_ONCE + 1))
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        await self._http.close()

    async def figures(self) -> Snapshot | None:
        """The published snapshot alone; None before the first."""
        found = await self._get("/aggregates")
        return msgspec.json.decode(found, type=Snapshot) if found else None

    async def look(self) -> Look:
        """Every output, of one and the same edition. Raises TimeoutError where they come to none."""
        one, other = (name(block) for block in self._probe)
        async with asyncio.timeout(PATIENCE):
            while True:
                figures = await self._get("/aggregates")
                if figures is None:
                    await asyncio.sleep(0.1)
                    continue
                as_csv, table = await self._get("/aggregates.csv"), await self._get(f"/aggregates/{one}/{other}")
                table_as_csv = await self._get(f"/aggregates/{one}/{other}.csv")
                again = await self._get("/aggregates")
                if figures == again and as_csv is not None and await self._has_said(figures):
                    return Look(figures, as_csv, table, table_as_csv, self._last)

    async def tables(self, pairs: Sequence[Pair]) -> dict[Pair, Table]:
        """Of these pairs of blocks; where they moved meanwhile, none."""
        found = dict[Pair, Table]()
        waiting = iter(pairs)

        async def work() -> None:
            for one, other in waiting:
                if body := await self._get(f"/aggregates/{name(one)}/{name(other)}"):
                    found[one, other] = msgspec.json.decode(body, type=Table)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return found if len({(table.as_of, table.responses) for table in found.values()}) == 1 else {}

    async def _get(self, path: str) -> bytes | None:
        """None where nothing is published yet. While the service is restarting it is asked again."""
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with self._http.get(self._api + path) as answer:
                    self.reads += 1
                    if answer.status == 200:
                        return await answer.read()
                    if answer.status == 404:
                        return None
                    assert answer.status in (502, 503), await answer.text()
            await asyncio.sleep(0.2)

    async def _has_said(self, figures: bytes) -> bool:
        """Whether the stream says the same within a moment; else it may be further."""
        try:
            async with asyncio.timeout(2):
                while self._last != figures:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        """One connection after the other; each begins with what stands."""
        while True:
            timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._http.get(f"{self._api}/live", timeout=timeout, read_bufsize=LARGEST) as answer:
                    lines = list[bytes]()
                    async for line in answer.content:
                        lines.append(line)
                        if not line.strip():
                            self._take(lines)
                            lines.clear()
            await asyncio.sleep(0.2)

    def _take(self, lines: Iterable[bytes]) -> None:
        for _, data in events(lines):
            self._last = data
            self._heard.set()
