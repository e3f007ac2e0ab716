"""From the journal to the page: real NATS, real PostgreSQL, a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec
from nats.aio.client import Client

from deploy import ports
from proto import events, subjects, tokens, web
from proto.snapshot import Snapshot, Table
from proto.tokens import Token
from tests.analysis.conftest import SURVEY, Pen, Service, submitted, until

API = f"/api/v1/surveys/{SURVEY}"


async def test_an_answer_in_the_journal_moves_the_figures_on_every_way_out(pen: Pen, service: Service, provisioner: Client) -> None:
    id, secret = tokens.make()
    await provisioner.jetstream().publish(subjects.token(id), events.encode(Token(id, tokens.digest(secret), "organiser", SURVEY)))
    port = ports.free()
    async with service.running() as analysis, aiohttp.ClientSession(f"http://127.0.0.1:{port}", read_bufsize=2**20) as http:
        serving = asyncio.create_task(web.serve(analysis.app, "127.0.0.1", port, analysis.board.let_go))
        await until(lambda: not ports.is_free("127.0.0.1", port))
        async with http.get(f"{API}/live") as live, asyncio.timeout(30):
            await pen.write(*(submitted(number) for number in range(40)))
            pushed = await _snapshot(live)
            while pushed.responses < 40:
                pushed = await _snapshot(live)
        async with http.get(f"{API}/aggregates") as answer:
            assert msgspec.json.decode(await answer.read(), type=Snapshot) == pushed
            assert answer.headers["ETag"] == f'"{pushed.revision}"'
        key: dict[str, Any] = {"headers": {"Authorization": f"Bearer {secret}"}}
        async with http.get(f"{API}/aggregates?view=exact", **key) as answer:
            exact = msgspec.json.decode(await answer.read(), type=Snapshot)
            assert exact.responses == 40
            assert not any(cell.withheld for cell in exact.questions["A01"].cells.values())
        async with http.get(f"{API}/aggregates/B01/uses_ai") as answer:
            table = msgspec.json.decode(await answer.read(), type=Table)
            assert (table.revision, table.responses) == (pushed.revision, 40)
        async with http.get(f"/live/{SURVEY}?lang=fr") as answer:
            assert "40 réponses" in await answer.text()
        async with http.get("/analysis/metrics") as answer:
            assert "platea_analysis_listeners" in await answer.text()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _snapshot(live: aiohttp.ClientResponse) -> Snapshot:
    while True:
        line = await live.content.readuntil(b"\n")
        if line.startswith(b"data: "):
            return msgspec.json.decode(line[6:], type=Snapshot)
