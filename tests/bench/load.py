"""A lean load generator: requests are encoded before the clock starts, each connection sends its next when it has its answer.

`python -m tests.bench.load PORT PATH BODIES --connections N --seconds S` prints one JSON line. It runs in a process of its own, so
that its processor time is not the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec
import uvloop

READY = 6000
"""Requests a second to have ready, so that none is encoded while the clock runs."""


class Load(msgspec.Struct):
    """What came of one run. Latencies in milliseconds."""

    accepted: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.accepted / self.seconds


def requests(port: int, path: str, bodies: list[bytes], count: int, kind: str, token: str = "") -> list[bytes]:
    """Each with a receipt of its own, as respondents' browsers make them. Without bodies, the page at this address."""
    if not bodies:
        return [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n".encode()] * count
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\n"
        + (f"Authorization: Bearer {token}\r\n" if token else "")
        + "Content-Length: %d\r\nIdempotency-Key: %s\r\n\r\n"
    )
    return [(head % (len(body), secrets.token_urlsafe(24))).encode() + body for i in range(count) if (body := bodies[i % len(bodies)])]


class Connection(asyncio.Protocol):
    def __init__(self, work: list[bytes], until: float, statuses: Counter[bytes], times: list[float]) -> None:
        self._work, self._until, self._statuses, self._times = work, until, statuses, times
        self._rest = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._rest = data
            return
        place = data.lower().find(b"content-length:", 0, end)
        length = int(data[place + 15 : data.index(b"\r", place)]) if place >= 0 else 0
        if len(data) < end + 4 + length:
            self._rest = data
            return
        self._rest = b""
        now = time.perf_counter()
        self._statuses[data[9:12]] += 1
        self._times.append(now - self._sent)
        if now < self._until and self._work:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._work.pop())


async def run(port: int, work: list[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    statuses, times = Counter[bytes](), list[float]()
    begun = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: Connection(work, begun + seconds, statuses, times), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    took = time.perf_counter() - begun
    times.sort()
    accepted = sum(count for status, count in statuses.items() if status.startswith(b"2"))
    p50, p99 = (1000 * times[min(int(share * len(times)), len(times) - 1)] if times else 0.0 for share in (0.5, 0.99))
    return Load(accepted, statuses.total() - accepted, took, p50, p99)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--type", default="application/json", help="of the bodies")
    parser.add_argument("--token", type=Path, help="a file with an organiser's token: what comes with it is no flood")
    given = parser.parse_args()
    bodies = given.bodies.read_bytes().splitlines()
    work = requests(
        given.port,
        given.path,
        bodies,
        int(READY * given.seconds * 2) + given.connections,
        given.type,
        given.token.read_text().strip() if given.token else "",
    )
    print("ready", flush=True)
    input()  # the other side notes the processor times, then lets us go
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(run(given.port, work, given.connections, given.seconds))
    print(msgspec.json.encode(found).decode(), flush=True)


if __name__ == "__main__":
    main()
