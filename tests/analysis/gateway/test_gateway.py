"""The gateway over a real server: figures, live events, refusals, the dashboard."""

from __future__ import annotations

import asyncio
import csv
import datetime
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import pytest

from deploy.stack import ports
from proto import tokens
from proto.instrument import Closing, Opening
from proto.problem import Problem
from proto.registry import Registry, published
from proto.snapshot import Snapshot
from proto.tokens import Token
from services.analysis.disclosure import public_tables
from services.analysis.gateway.app import Gateway, create_app
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from services.analysis.publish import exact_view
from services.runtime.http.health import Readiness
from services.runtime.http.server import serve
from tests.builders.small_survey import book, crowd, state_of, survey
from tests.builders.small_survey import released as standing
from tests.listening import until_listening

API = "/api/v1/surveys/small"


def released(revision: int, size: int = 200) -> Snapshot:
    found = standing(crowd(5, size)).public
    return msgspec.structs.replace(found, revision=revision, as_of=f"2026-11-22T14:05:{revision:02d}Z")


@dataclass
class Desk:
    """A gateway that serves, and the worker it asks: a real one without the journal."""

    url: str
    broadcaster: Broadcaster
    organiser: str
    registry: Registry
    now: float = 1_800_000_000.0
    ready: bool = True
    away: bool = False

    async def ask(self, id: str, question: dict[str, Any]) -> bytes:
        if self.away:
            raise Problem("unavailable", retry_after=5)
        state = state_of(crowd(5, 200))
        whole = exact_view.snapshot(book(), state, revision=9, as_of="2026-11-22T14:05:00Z")
        if question["what"] == "exact":
            return msgspec.json.encode(whole)
        if question["what"] == "recount":
            return b'{"equal": true}'
        row, column = question["row"], question["column"]
        if question["exact"]:
            return msgspec.json.encode(exact_view.table(book(), state, row, column, revision=9, as_of="now"))
        return msgspec.json.encode(public_tables.public(standing(crowd(5, 200)), row, column))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    registry, broadcaster = Registry(), Broadcaster()
    registry.apply(published(survey()))
    id, secret = tokens.make()
    registry.apply(Token(id, tokens.digest(secret), "organiser"))
    port = ports.free()
    desk = Desk(f"http://127.0.0.1:{port}", broadcaster, secret, registry)
    ready, metrics = (lambda: Readiness({"nats": desk.ready})), (lambda: b"platea_up 1\n")
    app = create_app(Gateway(registry, broadcaster, desk.ask, ready, metrics, lambda: desk.now, heartbeat=0.2))
    serving = asyncio.create_task(serve(app, "127.0.0.1", port))
    await until_listening(serving, port)
    yield desk
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
async def http(desk: Desk) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(desk.url, timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


async def event(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The next event; heartbeats and the like are passed over."""
    found: dict[str, str] = {}
    async with asyncio.timeout(60):
        while True:
            line = (await answer.content.readline()).decode()
            assert line, "the stream ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                found[name] = value
            elif "data" in found:
                return found
            else:
                found = {}


async def problem(answer: aiohttp.ClientResponse) -> str:
    assert answer.content_type == "application/problem+json"
    return str((await answer.json(content_type=None))["type"]).rpartition("/")[2]


async def test_before_the_first_publication_the_answer_says_what_is_missing(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/aggregates") as answer:
        assert answer.status == 404
        assert await problem(answer) == "not-published-yet"
        assert "10 answers" in (await answer.json(content_type=None))["detail"]
    async with http.get("/live/small") as answer:
        assert answer.status == 200
        assert "10 answers are needed" in await answer.text()
    async with http.get(f"{API}/aggregates/Place/Use") as answer:
        assert await problem(answer) == "not-published-yet"


async def test_figures_are_fetched_again_only_when_they_changed(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(1))
    async with http.get(f"{API}/aggregates") as answer:
        assert answer.headers["ETag"] == '"1"'
        assert msgspec.json.decode(await answer.read(), type=Snapshot) == released(1)
    async with http.get(f"{API}/aggregates", headers={"If-None-Match": '"1"'}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
    desk.broadcaster.post(released(2))
    async with http.get(f"{API}/aggregates", headers={"If-None-Match": 'W/"0", "1"'}) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, '"2"')


async def test_exact_figures_are_for_organisers(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/aggregates?view=exact") as answer:
        assert (answer.status, await problem(answer)) == (401, "token-missing")
    async with http.get(f"{API}/aggregates?view=exact", headers={"Authorization": "Bearer guess"}) as answer:
        assert (answer.status, await problem(answer)) == (403, "token-refused")
    key = {"Authorization": f"Bearer {desk.organiser}"}
    async with http.get(f"{API}/aggregates?view=exact", headers=key) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        found = msgspec.json.decode(await answer.read(), type=Snapshot)
        assert found.questions["Cost"].variance is not None
    async with http.get(f"{API}/aggregates/Place/Use?view=exact", headers=key) as answer:
        assert answer.status == 200
    for method in ("GET", "POST"):
        async with http.request(method, f"{API}/recount", headers=key) as answer:
            assert await answer.json() == {"equal": True}
        async with http.request(method, f"{API}/recount") as answer:
            assert answer.status == 401


async def test_public_figures_stay_when_nobody_counts(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(1))
    desk.away, desk.ready = True, False
    async with http.get(f"{API}/aggregates") as answer:
        assert answer.status == 200
    async with http.get("/live/small") as answer:
        assert answer.status == 200
    async with http.get(f"{API}/aggregates/Place/Use") as answer:
        assert (answer.status, await problem(answer)) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "5"
    async with http.get("/analysis/health/ready") as answer:
        assert answer.status == 503
    async with http.get("/analysis/health/live") as answer:
        assert answer.status == 200
    async with http.get("/analysis/metrics") as answer:
        assert "platea_up" in await answer.text()


async def test_live_gives_the_current_figures_at_once_and_then_each_new_one(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(1))
    async with http.get(f"{API}/live") as answer:
        assert answer.content_type == "text/event-stream"
        first = await event(answer)
        assert (first["event"], first["id"]) == ("snapshot", "1")
        assert msgspec.json.decode(first["data"], type=Snapshot) == released(1)
        for revision in (2, 3):
            desk.broadcaster.post(released(revision))
            assert (await event(answer))["id"] == str(revision)


async def test_who_comes_back_gets_only_what_is_new(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(4))
    async with http.get(f"{API}/live", headers={"Last-Event-ID": "4"}) as answer:
        await asyncio.sleep(0.1)
        desk.broadcaster.post(released(5))
        assert (await event(answer))["id"] == "5"
    async with http.get(f"{API}/live", headers={"Last-Event-ID": "4"}) as answer:
        assert (await event(answer))["id"] == "5"


async def test_live_waits_for_the_first_figures_with_signs_of_life(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/live") as answer:
        lines = [await answer.content.readline() for _ in range(4)]
        assert b": alive\n" in lines
        desk.broadcaster.post(released(1))
        assert (await event(answer))["id"] == "1"


async def test_a_listener_who_leaves_is_forgotten(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/live") as answer:
        await answer.content.readline()
        assert desk.broadcaster.listening == 1
    async with asyncio.timeout(60):
        while desk.broadcaster.listening:
            await asyncio.sleep(0.05)


async def test_a_stop_ends_the_streams(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(1))
    async with http.get(f"{API}/live") as answer, asyncio.timeout(60):
        assert (await event(answer))["id"] == "1"
        desk.broadcaster.close_all()
        await answer.content.read()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/surveys/nothing/aggregates", 404, "survey-unknown"),
        ("/api/v1/surveys/nothing/live", 404, "survey-unknown"),
        ("/api/v1/surveys/nothing/aggregates/A/B", 404, "survey-unknown"),
        (f"{API}/aggregates?view=all", 422, "request-refused"),
        (f"{API}/aggregates/Place/Nothing", 404, "not-found"),
        (f"{API}/aggregates/Place/uses.up", 404, "not-found"),
        (f"{API}/aggregates/Place/Place", 422, "request-refused"),
        (f"{API}/aggregates/%00/%F0%9F%92%A9", 404, "not-found"),
        ("/live/small/Nothing.csv", 404, "not-found"),
        ("/live/small/Use", 404, "not-found"),
        ("/live/static/..%2Fgateway.py", 404, "not-found"),
    ],
)
async def test_a_wrong_address_gets_a_clear_answer(desk: Desk, http: aiohttp.ClientSession, path: str, status: int, code: str) -> None:
    desk.broadcaster.post(released(1))
    async with http.get(path) as answer:
        assert (answer.status, await problem(answer)) == (status, code)


async def test_pages_ask_to_take_part_only_while_somebody_can_begin(desk: Desk, http: aiohttp.ClientSession) -> None:
    dates = {"opens": Opening("2026-12-01 09:00", "Europe/Brussels"), "closes": Closing("2026-12-31 18:00", "UTC", grace_minutes=60)}
    desk.registry.apply(published(msgspec.structs.replace(survey(), version="1.1.0", **dates)))
    opens, closes = datetime.datetime(2026, 12, 1, 8, tzinfo=datetime.UTC), datetime.datetime(2026, 12, 31, 18, tzinfo=datetime.UTC)
    moments = {
        opens.timestamp() - 1: "Opens on 1 December 2026, 09:00 (Central European Time)",
        opens.timestamp(): "Take part in this survey",
        closes.timestamp() - 1: "Take part in this survey",
        closes.timestamp(): "This survey is closed",  # those who have begun go on where they are
        closes.timestamp() + 3600: "This survey is closed",
    }
    said = set(moments.values())
    tags: list[str] = []
    for figures in (False, True):
        if figures:
            desk.broadcaster.post(released(3))
        for moment, sentence in moments.items():
            desk.now = moment
            async with http.get("/live/small?lang=en") as answer:
                page = await answer.text()
                tags.append(answer.headers.get("ETag", ""))
            assert {one for one in said if one in page} == {sentence}
            assert ('href="/s/small?' in page) == (sentence == "Take part in this survey")
            async with http.get("/live/?lang=en") as answer:
                entry = await answer.text()
            assert (sentence in entry) == (sentence != "Take part in this survey")
    assert len(set(tags)) == 5, "no page, and one of four phases"


async def test_the_page_shows_every_question_with_its_figures_in_text(desk: Desk, http: aiohttp.ClientSession) -> None:
    desk.broadcaster.post(released(3))
    async with http.get("/live/small?lang=xx") as answer:
        page = await answer.text()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        etag = answer.headers["ETag"]
    assert "style=" not in page
    assert "<script>" not in page
    assert "200 answers" in page
    for question in survey().questions:
        assert f'id="{question.id}"' in page
    async with http.get("/live/small?lang=xx", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with http.get("/live/small?by=place.region") as answer:
        assert "Share of those in each group" in await answer.text()
    async with http.get("/live/small?by=%3Cscript%3E") as answer:
        assert "%3Cscript" not in await answer.text()
    async with http.get("/live/nothing?lang=fr") as answer:
        assert answer.status == 404
        assert "enquête" in await answer.text()
    for language, word in (("en", "Live figures"), ("fr", "Chiffres en direct"), ("es", "Cifras en directo")):
        async with http.get(f"/live/?lang={language}") as answer:
            assert word in await answer.text()


async def test_a_table_of_figures_can_be_downloaded(desk: Desk, http: aiohttp.ClientSession) -> None:
    snapshot = released(1)
    desk.broadcaster.post(snapshot)
    async with http.get("/live/small/Place.csv") as answer:
        assert answer.content_type == "text/csv"
        lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    found = {line["code"]: line["n"] for line in lines if line["stratum"] == ""}
    assert found == {code: "" if cell.n is None else str(cell.n) for code, cell in snapshot.questions["Place"].cells.items()}
