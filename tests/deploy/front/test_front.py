"""The front: one origin, whose slow or missing parts do not concern respondents."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web as behind

from deploy.front.front import Front, service_behind
from deploy.front.proxy import BODY, Proxy, client_sessions
from deploy.stack import ports
from services.runtime.http.connection_limit import Seats
from services.runtime.http.server import serve
from tests.listening import until_listening


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", None),
        ("", None),
        ("*", None),
        ("/s/ai-security", None),
        ("/api/v1/surveys", None),
        ("/api/v1/surveys/live", None),
        ("/api/v1/surveys/ai-security/responses", None),
        ("/api/v1/receipts/live", None),
        ("/livestock", None),
        ("/live/ai-security", "analysis"),
        ("/analysis/health/ready", "analysis"),
        ("/api/v1/surveys/ai-security/aggregates", "analysis"),
        ("/api/v1/surveys/ai-security/aggregates/A/B", "analysis"),
        ("/api/v1/surveys/ai-security/live", "analysis"),
        ("/api/v1/surveys/ai-security/recount", "analysis"),
        ("/api/v1/parked", "analysis"),
        ("/api/v1/parked/retry", "analysis"),
        ("/api/v1/parkedx", None),
        ("/data/ai-security", "export"),
        ("/docs/running.html", "documentation"),
        ("/docsx", None),
        ("/api/v1/surveys/ai-security/releases/1/data.csv", "export"),
    ],
)
def test_each_path_has_one_service(path: str, service: str | None) -> None:
    assert service_behind(path) == service


async def _intake(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"intake", "more_body": False})


class Behind:
    """A small service behind the front: it echoes, streams, and notices who leaves."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def echo(self, request: behind.Request) -> behind.Response:
        seen = {
            "method": request.method,
            "target": request.raw_path,
            "headers": dict(request.headers),
            "body": (await request.read()).decode(),
        }
        return behind.json_response(seen, status=418, headers={"X-Told": "yes", "Connection": "X-Hop", "X-Hop": "no"})

    async def slow(self, request: behind.Request) -> behind.Response:
        self.begun.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.left.set()
            raise
        return behind.Response()

    async def stream(self, request: behind.Request) -> behind.StreamResponse:
        response = behind.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await response.write(b"id: 1\n\n")
            await self.go_on.wait()
            while True:
                await response.write(b": beat\n\n")
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):
            self.left.set()
            raise


@contextlib.asynccontextmanager
async def _origin(analysis: str | None, seats: Seats | None = None) -> AsyncGenerator[str]:
    port = ports.free()
    async with client_sessions() as sessions:
        front = Front(_intake, {"analysis": Proxy(sessions, "analysis", analysis), "export": Proxy(sessions, "export", None)}, seats)
        serving = asyncio.create_task(serve(front, "127.0.0.1", port))
        await until_listening(serving, port)
        yield f"http://127.0.0.1:{port}"
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
async def service() -> AsyncIterator[tuple[Behind, str]]:
    told = Behind()
    app = behind.Application()
    app.router.add_get("/live/stream", told.stream)
    app.router.add_get("/live/slow", told.slow)
    app.router.add_get("/api/v1/surveys/x/live", told.stream)
    app.router.add_route("*", "/{path:.*}", told.echo)
    runner = behind.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    port = ports.free()
    await behind.TCPSite(runner, "127.0.0.1", port).start()
    yield told, f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_a_request_arrives_behind_as_it_was_sent(service: tuple[Behind, str], client: aiohttp.ClientSession) -> None:
    _, base = service
    async with _origin(base) as url:
        headers = {"Authorization": "Bearer x", "Connection": "keep-alive, X-Private", "X-Private": "1"}
        async with client.post(f"{url}/live/a%20b?x=%C3%A9&y=2", data=b"body", headers=headers) as answer:
            seen = await answer.json()
            assert answer.status == 418
            assert answer.headers["X-Told"] == "yes"
            assert "X-Hop" not in answer.headers
    assert seen["method"] == "POST"
    assert seen["target"] == "/live/a%20b?x=%C3%A9&y=2"
    assert seen["body"] == "body"
    assert seen["headers"]["Authorization"] == "Bearer x"
    assert "X-Private" not in seen["headers"]
    assert seen["headers"]["Host"] in url


async def test_events_pass_at_once_and_leaving_reaches_the_service(service: tuple[Behind, str], client: aiohttp.ClientSession) -> None:
    told, base = service
    async with _origin(base) as url:
        async with asyncio.timeout(60), client.get(f"{url}/live/stream") as answer:
            assert await answer.content.readline() == b"id: 1\n"
        told.go_on.set()
        async with asyncio.timeout(60):
            await told.left.wait()


async def test_who_leaves_before_the_answer_begins_is_not_waited_for(service: tuple[Behind, str], client: aiohttp.ClientSession) -> None:
    told, base = service
    async with _origin(base) as url, asyncio.timeout(30):
        asking = asyncio.create_task(client.get(f"{url}/live/slow"))
        await told.begun.wait()
        asking.cancel()
        await told.left.wait()


async def test_one_address_has_so_many_places_and_whoever_leaves_makes_room(
    service: tuple[Behind, str], client: aiohttp.ClientSession
) -> None:
    told, base = service
    told.go_on.set()
    async with _origin(base, Seats(each=2)) as url, asyncio.timeout(60):
        live = f"{url}/api/v1/surveys/x/live"
        async with client.get(live) as one, client.get(live) as other, client.get(live) as third:
            assert [one.status, other.status, third.status] == [200, 200, 429]
            assert third.headers["Retry-After"] == "30"
            async with client.get(f"{url}/") as answer:
                assert await answer.text() == "intake"
        while True:
            async with client.get(live) as again:
                if again.status == 200:
                    break
            await asyncio.sleep(0.05)


async def test_a_stop_does_not_wait_for_streams(service: tuple[Behind, str], client: aiohttp.ClientSession) -> None:
    told, base = service
    told.go_on.set()
    async with client_sessions() as sessions, asyncio.timeout(60):
        proxy, port = Proxy(sessions, "analysis", base), ports.free()
        serving = asyncio.create_task(serve(Front(_intake, {"analysis": proxy}), "127.0.0.1", port, leaving=proxy.end_streams))
        await until_listening(serving, port)
        async with client.get(f"http://127.0.0.1:{port}/live/stream") as answer:
            await answer.content.readline()
            os.kill(os.getpid(), signal.SIGTERM)
            await serving
        await told.left.wait()


async def test_no_order_is_lost_where_the_service_ends_a_connection_that_it_had_kept(client: aiohttp.ClientSession) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers as if the connection stayed open, and ends it when something comes in again."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: keep-alive\r\n\r\ndone")
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with _origin(f"http://127.0.0.1:{port}") as url:
            for method in ("GET", "POST", "POST", "PUT", "GET", "POST"):
                async with client.request(method, f"{url}/live/x") as answer:
                    assert (answer.status, await answer.text()) == (200, "done"), method


async def test_without_the_service_behind_intake_is_still_there(client: aiohttp.ClientSession) -> None:
    async with _origin(f"http://127.0.0.1:{ports.free()}") as url:
        for path in ("/live/x", "/data/x"):
            async with client.get(url + path) as answer:
                assert answer.status == 503
                assert answer.content_type == "application/problem+json"
                assert (await answer.json())["type"] == "/problems/unavailable"
        async with client.get(f"{url}/live/x") as answer:
            assert answer.headers["Retry-After"]
        async with client.get(f"{url}/s/x") as answer:
            assert await answer.text() == "intake"


async def test_a_body_past_the_limit_is_refused(service: tuple[Behind, str], client: aiohttp.ClientSession) -> None:
    async with _origin(service[1]) as url, client.post(f"{url}/live/x", data=b"x" * (BODY + 1)) as answer:
        assert answer.status == 413


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_who_is_about_to_stop_says_so_and_serves_whoever_still_comes(client: aiohttp.ClientSession) -> None:
    port = ports.free()
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve(Front(_intake, {}), "127.0.0.1", port, drain=20))
        await until_listening(serving, port)
        async with client.get(f"http://127.0.0.1:{port}/health/ready") as answer:
            assert answer.status == 200
        os.kill(os.getpid(), signal.SIGTERM)
        while (await _status(client, f"http://127.0.0.1:{port}/health/ready")) != 503:
            await asyncio.sleep(0.01)
        assert await _status(client, f"http://127.0.0.1:{port}/s/ai-security") == 200
        assert not serving.done()
        os.kill(os.getpid(), signal.SIGTERM)  # a second signal does not wait
        await serving


async def _status(client: aiohttp.ClientSession, url: str) -> int:
    async with client.get(url) as answer:
        return answer.status
