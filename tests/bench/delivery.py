"""How fast a published snapshot reaches everybody who follows, and what each follower costs, beside a handler that sends the same bytes.

`python -m tests.bench.delivery follow PORT COUNT SNAPSHOTS` follows, `… bare PORT FILE` is that handler.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import msgspec
import nats
import psutil
import uvloop

from deploy.stack import ports
from deploy.stack.program import Program
from proto import snapshot as snapshots
from proto import subjects
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.snapshot import Snapshot
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_state import next_edition
from services.analysis.gateway.snapshot_broadcast import BroadcastEdition
from services.analysis.state.fold import Folder
from services.runtime.http.server import serve
from tests.bench.report import Figure
from tests.bench.servers import SURVEY, TODAY, Servers, bodies, servers
from tests.builders.bundled import questionnaire
from tests.listening import wait_until_listening

FOLLOWERS, INTERVAL = 2000, 2.0
TARGET, MEMORY = 1.0, 60.0
PATH = f"/api/v1/surveys/{SURVEY}/live"
SMALL = 2000
"""Bytes: what is smaller is no snapshot."""


def measure(folder: Path, quick: bool) -> list[Figure]:
    count, rounds = (500, 3) if quick else (FOLLOWERS, 10)
    snapshot = _snapshot(folder)
    edition = BroadcastEdition.of(snapshot)
    figures: list[Figure] = []
    with servers(folder / "stack") as running:
        stack = dataclasses.replace(running.stack, for_intake={"PLATEA_FOLLOWERS_EACH": str(4 * FOLLOWERS)})
        settings = {
            "PLATEA_NATS_URL": stack.addresses.nats["analysis"],
            "PLATEA_PORT": str(stack.analysis_port),
            "PLATEA_PARTITIONS": "none",
            "PLATEA_PROXIES": "127.0.0.1",
        }
        program = Program("gateway", [sys.executable, "-m", "services.analysis"], stack.analysis().ready, settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, running.running(program) as gateway:
            publisher = runner.run(Publisher.connected(running))
            runner.run(publisher.publish(snapshot))
            bare, bare_each = _bare(folder, edition.whole.zipped, count, rounds)
            for name, port, programs in (("to the gateway", stack.analysis_port, []), ("through the front", stack.port, [stack.front()])):
                with contextlib.ExitStack() as more:
                    watched = [gateway, *(more.enter_context(running.running(each)) for each in programs)]
                    delays, cost = runner.run(_followed(port, count, rounds, watched, publisher, snapshot))
                beside = f"the same bytes from a bare handler: {_p(bare, 0.99):.2f} s, {bare_each:.0f} kB each"
                size = f"{len(edition.whole.plain) // 1000} kB as {len(edition.whole.zipped) // 1000} kB"
                measured = f"{count} followers, {size}, half {_p(delays, 0.5):.2f} s"
                figures.append(Figure("Delivery", f"{name}, 99 of 100 have it", _p(delays, 0.99), "s", TARGET, "less", measured, beside))
                each = f"gateway {cost[0]:.0f} kB" + "".join(f", front {kb:.0f} kB" for kb in cost[1:])
                figures.append(
                    Figure("Delivery", f"{name}, memory of each", cost[-1], "kB", None if programs else MEMORY, "less", each, beside)
                )
            runner.run(publisher.close())
    return figures


def _snapshot(folder: Path) -> Snapshot:
    reader = Reader(questionnaire())
    read = [reader.read(body, TODAY) for body in bodies(500, folder).read_bytes().splitlines()]
    noise = Noise(secrets.token_bytes(32), SURVEY)
    state = (folding := Folder(CodeBook(reader))).empty()
    folding.fold(state, [(secrets.token_hex(16), found.answers) for found in read if not isinstance(found, list)])
    return next_edition(folding, state, None, Marks(), Due(True, True), noise, 1, 0.0, f"{TODAY}T14:05:00Z").public


class Publisher:
    """Publishes as the worker does; each snapshot has the next revision."""

    def __init__(self, client: Any) -> None:
        self._client, self._js, self.revision = client, client.jetstream(), 0

    @classmethod
    async def connected(cls, running: Servers) -> Publisher:
        return cls(await nats.connect(running.stack.addresses.nats["analysis"], inbox_prefix="_INBOX.analysis"))

    async def publish(self, snapshot: Snapshot) -> float:
        """When it was handed over."""
        self.revision += 1
        body = snapshots.encode(msgspec.structs.replace(snapshot, revision=self.revision))
        now = time.monotonic()
        await self._js.publish(subjects.aggregates(SURVEY), body)
        return now

    async def close(self) -> None:
        await self._client.close()


async def _followed(
    port: int, count: int, rounds: int, watched: list[psutil.Process], publisher: Publisher, snapshot: Snapshot
) -> tuple[list[float], list[float]]:
    """Seconds until each follower had each snapshot, and kilobytes that a follower takes in each process, at the most."""
    before = [process.memory_info().rss for process in watched]
    most = list(before)
    with _following(port, count, rounds) as follower:
        sent: list[float] = []
        for _ in range(rounds):
            begun = time.monotonic()
            sent.append(await publisher.publish(snapshot))
            while time.monotonic() < begun + INTERVAL:
                await asyncio.sleep(0.05)
                most = [max(seen, process.memory_info().rss) for seen, process in zip(most, watched, strict=True)]
        arrived = _heard(follower)
    delays = sorted(at - sent[place] for place, times in enumerate(arrived) for at in times)
    assert len(delays) == count * rounds, f"{len(delays)} of {count * rounds} snapshots arrived"
    return delays, [(now - then) / count / 1000 for now, then in zip(most, before, strict=True)]


def _bare(folder: Path, block: bytes, count: int, rounds: int) -> tuple[list[float], float]:
    port, content = ports.free(), folder / "block"
    content.write_bytes(block)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.delivery", "bare", str(port), str(content)], stdin=subprocess.PIPE
    ) as serving:
        assert serving.stdin is not None
        wait_until_listening(serving, port)
        process, most = psutil.Process(serving.pid), 0
        before = process.memory_info().rss
        with _following(port, count, rounds) as follower:
            sent: list[float] = []
            for _ in range(rounds):
                sent.append(time.monotonic())
                serving.stdin.write(b"\n")
                serving.stdin.flush()
                time.sleep(INTERVAL)
                most = max(most, process.memory_info().rss)
            arrived = _heard(follower)
        serving.stdin.close()
        serving.terminate()
    return sorted(at - sent[place] for place, times in enumerate(arrived) for at in times), (most - before) / count / 1000


@contextlib.contextmanager
def _following(port: int, count: int, rounds: int) -> Generator[subprocess.Popen[bytes]]:
    """Followers in a process of their own, once all of them have the current snapshot."""
    command = [sys.executable, "-m", "tests.bench.delivery", "follow", str(port), str(count), str(rounds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as following:
        try:
            assert following.stdout is not None
            assert following.stdout.readline() == b"ready\n"
            yield following
        finally:
            following.kill()


def _heard(follower: subprocess.Popen[bytes]) -> list[list[float]]:
    assert follower.stdout is not None
    return json.loads(follower.stdout.readline())


def _p(delays: list[float], share: float) -> float:
    return delays[int(share * (len(delays) - 1))]


class Follower(asyncio.Protocol):
    """Reads the chunks of an answer (RFC 9112, 7.1) and notes when a snapshot was whole: what a proxy passes on in parts ends, as
    each part of the gzip stream does, with an empty block of DEFLATE."""

    def __init__(self, port: int, times: list[float]) -> None:
        self._port, self.times = port, times
        self._rest, self._left, self._size, self._tail = b"", -1, 0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        accepted = "Accept: text/event-stream\r\nAccept-Encoding: gzip, deflate, br\r\n"  # as browsers do
        head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{accepted}\r\n"
        cast(asyncio.Transport, transport).write(head.encode())

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if self._left < 0:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 200"):
                print(data[: data.find(b"\r")].decode(), file=sys.stderr, flush=True)
                os._exit(1)
            data, self._left = data[end + 4 :], 0
        while data:
            if self._left == 0:
                end = data.find(b"\r\n")
                if end < 0:
                    break
                size = int(data[:end], 16)
                self._left, self._size, data = size + 2, self._size + size, data[end + 2 :]
            taken = min(self._left, len(data))
            self._tail = (self._tail + data[max(taken - 6, 0) : taken])[-6:]
            self._left, data = self._left - taken, data[taken:]
            if self._left == 0 and self._tail == b"\0\0\xff\xff\r\n":
                if self._size > SMALL:
                    self.times.append(time.monotonic())
                self._size = 0
        self._rest = data


async def follow(port: int, count: int, rounds: int) -> None:
    loop = asyncio.get_running_loop()
    times: list[list[float]] = [[] for _ in range(count)]
    for start in range(0, count, 50):  # some at a time, as people come
        some = times[start : start + 50]
        await asyncio.gather(*(loop.create_connection(lambda own=own: Follower(port, own), "127.0.0.1", port) for own in some))
        async with asyncio.timeout(60):
            while not all(some):
                await asyncio.sleep(0.01)
    for wanted, said in ((1, "ready"), (1 + rounds, "")):
        async with asyncio.timeout(60 + rounds * INTERVAL):
            while min(map(len, times)) < wanted:
                await asyncio.sleep(0.05)
        if said:
            print(said, flush=True)
    print(json.dumps([[own[1 + place] for own in times] for place in range(rounds)]), flush=True)


async def bare(port: int, block: bytes) -> None:
    """Sends the block to everybody at once, and again with each line on stdin."""
    going: list[asyncio.Event] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        go = asyncio.Event()
        going.append(go)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        while True:
            await send({"type": "http.response.body", "body": block, "more_body": True})
            await go.wait()
            go.clear()

    def told() -> None:
        sys.stdin.buffer.readline()
        for go in going:
            go.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), told)
    await serve(app, "127.0.0.1", port)


if __name__ == "__main__":
    what, port, *rest = sys.argv[1:]
    work = follow(int(port), int(rest[0]), int(rest[1])) if what == "follow" else bare(int(port), Path(rest[0]).read_bytes())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
