"""From the journal to the page: real NATS, real PostgreSQL, a real server."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import aiohttp
import httpx
import msgspec
import nats
import pytest
from nats.aio.client import Client

from deploy.stack import ports
from proto import events, subjects, tokens
from proto import snapshot as snapshots
from proto.snapshot import PublishedPolicy, Snapshot, Table
from proto.tokens import Token
from services.analysis.gateway import gateway_service
from services.analysis.gateway.gateway_service import alone
from services.analysis.settings import Settings
from services.runtime import settings
from services.runtime.http.server import serve
from tests.analysis.conftest import SURVEY, Pen, Service, submitted, until
from tests.conftest import NatsUrls
from tests.log_lines import LogLines
from tests.mortal_tasks import MortalTasks, each_fails_in_turn

API = f"/api/v1/surveys/{SURVEY}"


async def test_an_answer_in_the_journal_moves_the_figures_on_every_way_out(pen: Pen, service: Service, provisioner: Client) -> None:
    id, secret = tokens.make()
    await provisioner.jetstream().publish(subjects.token(id), events.encode(Token(id, tokens.digest(secret), "organiser", SURVEY)))
    port = ports.free()
    async with service.running() as analysis, aiohttp.ClientSession(f"http://127.0.0.1:{port}", read_bufsize=2**20) as http:
        serving = asyncio.create_task(serve(analysis.app, "127.0.0.1", port, analysis.broadcaster.close_all))
        await until(lambda: not ports.is_free("127.0.0.1", port))
        async with http.get(f"{API}/live") as live, asyncio.timeout(30):
            await pen.write(*(submitted(number) for number in range(120)))
            pushed = await _snapshot(live)
            while pushed.responses <= 105:  # at 105 there are at most fifteen to wait for
                pushed = await _snapshot(live)
        async with http.get(f"{API}/aggregates") as answer:
            shown = await answer.read()
            assert msgspec.json.decode(shown, type=Snapshot) == pushed
            message = await provisioner.jetstream().get_last_msg(subjects.AGGREGATES, subjects.aggregates(SURVEY))
            assert message.data == shown, "over NATS, its WebSocket included, come the same bytes"
            assert answer.headers["ETag"] == f'"{pushed.revision}"'
        key: dict[str, Any] = {"headers": {"Authorization": f"Bearer {secret}"}}
        async with http.get(f"{API}/aggregates?view=exact", **key) as answer:
            exact = msgspec.json.decode(await answer.read(), type=Snapshot)
            assert exact.responses == 120
            assert not any(cell.withheld for cell in exact.questions["A01"].cells.values())
        async with http.get(f"{API}/aggregates/B01/uses_ai") as answer:
            table = msgspec.json.decode(await answer.read(), type=Table)
            assert table.revision == pushed.revision
            assert 40 <= table.responses <= pushed.responses
        async with http.get(f"/live/{SURVEY}?lang=fr") as answer:
            assert f"{pushed.responses} réponses" in await answer.text()
        async with http.get("/analysis/metrics") as answer:
            assert "platea_analysis_listeners" in await answer.text()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _snapshot(live: aiohttp.ClientResponse) -> Snapshot:
    while True:
        line = await live.content.readuntil(b"\n")
        if line.startswith(b"data: "):
            return msgspec.json.decode(line[6:], type=Snapshot)


async def test_gateways_that_count_nothing_all_serve_what_is_published(nats_urls: NatsUrls, provisioner: Client, pen: Pen) -> None:
    chosen = Settings(nats_urls.analysis, partitions="none")
    snapshot = Snapshot(SURVEY, "0.1.0", 3, "2026-11-22T14:05:00Z", 40, PublishedPolicy("cell-key", 10, 10))
    async with alone(chosen) as (_, one), alone(chosen) as (app, other):
        worker = await nats.connect(nats_urls.analysis, inbox_prefix="_INBOX.analysis")
        await worker.jetstream().publish(subjects.aggregates(SURVEY), snapshots.encode(snapshot))
        await until(lambda: SURVEY in one.editions and SURVEY in other.editions)
        assert one.editions[SURVEY].body.plain == other.editions[SURVEY].body.plain == snapshots.encode(snapshot)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url="http://test") as http:
            assert (await http.get("/analysis/health/ready")).status_code == 200
            assert (await http.get(f"{API}/aggregates")).headers["etag"] == '"3"'
            unanswered = await http.get(f"{API}/aggregates/B01/uses_ai")  # nobody counts
            assert (unanswered.status_code, unanswered.headers["retry-after"]) == (503, "5")
        await worker.close()


async def test_each_task_of_a_gateway_alone_that_ends_is_told_once_and_comes_back(
    nats_urls: NatsUrls, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[MortalTasks] = []
    monkeypatch.setattr(gateway_service, "Supervisor", lambda: made.append(MortalTasks()) or made[-1])
    async with alone(Settings(nats_urls.analysis, partitions="none")) as (app, _):
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            names = {"follow CONTROL", "follow AGGREGATES"}
            await each_fails_in_turn(made[0], names, http, logged, "/analysis")


def test_a_worker_without_a_database_is_refused_and_a_gateway_needs_none() -> None:
    environment = {"PLATEA_NATS_URL": "nats://x", "PLATEA_PARTITIONS": "none"}
    assert not settings.read(Settings, environment).counts
    with pytest.raises(settings.UnknownSetting, match="PLATEA_DATABASE_URL is missing"):
        settings.read(Settings, environment | {"PLATEA_PARTITIONS": "all"})
