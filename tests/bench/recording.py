"""From journal to store to fold: how fast, what one response costs in a small and in a large store, memory, and the restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import psutil

from deploy.provisioning.provision import PARTITIONS
from tests.bench import journalling
from tests.bench.report import Figure
from tests.bench.servers import SURVEY, Servers, exact, processor_time, servers

SPEED, COST, RESTART, MEMORY = 10_000, 1.10, 10.0, 400


@dataclass
class Store:
    """A stack without intake, whose store began with `stored` responses."""

    servers: Servers
    stored: int
    analysis: psutil.Process
    copied: float
    """Rows a second at which PostgreSQL alone took the responses it began with, in one COPY."""
    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def record(self, count: int, given: list[bytes]) -> None:
        """Puts a backlog of responses into the journal while the worker is held, then times how it works them off."""
        url = self.servers.stack.addresses.nats["intake"]
        self.analysis.send_signal(signal.SIGSTOP)
        asyncio.run(journalling.publish(url, count, given))
        watched = (self.analysis, self.servers.postgres, self.servers.nats)
        before, begun = processor_time(*watched), time.perf_counter()
        self.analysis.send_signal(signal.SIGCONT)
        while waiting(self.servers):
            time.sleep(0.01)
        took = time.perf_counter() - begun
        self.rates.append(count / took)
        self.cpu.append(1e6 * (processor_time(*watched) - before) / count)
        self.stored += count

    def check(self) -> None:
        found = exact(self.servers)
        assert found == self.stored, f"{found} of {self.stored} counted"


def measure(folder: Path, quick: bool) -> list[Figure]:
    few, many, backlog, rounds = (500, 10_000, 3000, 2) if quick else (5000, 500_000, 10_000, 5)
    given = journalling.answers(folder)
    with contextlib.ExitStack() as opened:
        small, large = (opened.enter_context(_stored(folder / str(count), count, given)) for count in (few, many))
        for store in (small, large):
            store.record(1000, given)
            store.rates.clear()
            store.cpu.clear()
        for _ in range(rounds):
            for store in (small, large):
                store.record(backlog, given)
        small.check()
        large.check()
        speed = median(small.rates + large.rates)
        ratio = median(b / a for a, b in zip(small.cpu, large.cpu, strict=True))
        memory = max(most_memory(store.analysis) for store in (small, large))
        at, backlogs = f"{large.stored:,} stored", f"backlogs of {backlog:,}, four partitions"
    return [
        Figure("Counting", "journal to store to fold", speed, "responses/s", SPEED, "more", backlogs, f"COPY alone {large.copied:,.0f}/s"),
        Figure(
            "Counting",
            f"processor time each at {many:,}, times {few:,}",
            ratio,
            "",
            COST,
            "less",
            f"{median(large.cpu):,.0f} µs (analysis, PostgreSQL, NATS)",
            f"{median(small.cpu):,.0f} µs",
        ),
        Figure("Counting", "most memory of the worker", memory, "MB", MEMORY, "less", at),
        *_restarts(folder, quick, given),
    ]


def _restarts(folder: Path, quick: bool, given: list[bytes]) -> list[Figure]:
    """Ready means that the exact view answers with every response in it."""
    count = 5000 if quick else 200_000

    async def fill(url: str, partitions: int) -> None:
        await journalling.store(url, count, partitions, given)

    with servers(folder / "restart", fill) as running:
        took: list[float] = []
        for _ in range(2):
            begun = time.perf_counter()
            with running.running(running.stack.analysis(), 60.0):
                while exact(running) != count:
                    time.sleep(0.02)
                took.append(time.perf_counter() - begun)
                while asyncio.run(_checkpoints(running)) < PARTITIONS:  # the worker writes them within half a minute
                    time.sleep(0.2)
    measured = "from checkpoints, exact view complete"
    return [
        Figure(
            "Starting", f"analysis with {count:,} stored", took[1], "s", RESTART, "less", measured, f"without checkpoints {took[0]:.1f} s"
        ),
    ]


async def _checkpoints(running: Servers) -> int:
    connection = await asyncpg.connect(running.stack.addresses.database["platea"])
    try:
        return await connection.fetchval("select count(*) from checkpoints where survey = $1 and seq > 0", SURVEY)
    finally:
        await connection.close()


@contextlib.contextmanager
def _stored(folder: Path, count: int, given: list[bytes]) -> Generator[Store]:
    copied = 0.0

    async def fill(url: str, partitions: int) -> None:
        nonlocal copied
        copied = await journalling.store(url, count, partitions, given)

    with (
        servers(folder, fill) as running,
        running.running(running.stack.analysis()) as analysis,
    ):
        while exact(running) != count:
            time.sleep(0.05)
        yield Store(running, count, analysis, copied)


def waiting(running: Servers) -> int:
    """Events in the journal that the worker has not recorded, counted and acknowledged."""
    assert running.stack.nats is not None
    url = f"http://127.0.0.1:{running.stack.nats.monitor}/jsz?accounts=true&streams=true&consumers=true"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    streams = [stream for account in found["account_details"] for stream in account["stream_detail"]]
    return sum(each["num_pending"] + each["num_ack_pending"] for stream in streams for each in stream.get("consumer_detail") or [])


def most_memory(process: psutil.Process) -> float:
    """The peak of the resident set, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
