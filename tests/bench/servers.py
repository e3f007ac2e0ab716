"""Servers for the benchmarks: real NATS and PostgreSQL in a folder of their own, services started as they are wanted."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from deploy import ports
from deploy.cli.respondents import Population
from deploy.data_folder import DataFolder
from deploy.program import Program
from deploy.stack import Stack
from proto import author
from proto.instrument import Instrument
from tests.conftest import started

SURVEY = "ai-security"
TODAY = "2026-11-22"


def instrument() -> Instrument:
    found = author.load(author.bundled()[SURVEY])
    assert isinstance(found, Instrument)
    return found


def bodies(count: int, folder: Path) -> Path:
    """Simulated respondents as request bodies, one a line."""
    path = folder / f"bodies-{count}"
    if not path.exists():
        population = Population(instrument(), 20261122, TODAY)
        path.write_bytes(b"\n".join(population.body(number) for number in range(count)))
    return path


@dataclass(frozen=True)
class Servers:
    """A planned stack whose NATS and PostgreSQL run. `nats` and `postgres` are their processes."""

    stack: Stack
    folder: Path
    nats: psutil.Process
    postgres: psutil.Process

    @contextlib.contextmanager
    def running(self, program: Program, seconds: float = 30.0) -> Iterator[psutil.Process]:
        with started(program, self.folder / f"{program.name}.log", seconds) as child:
            yield psutil.Process(child.pid)


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """NATS and PostgreSQL, provisioned."""
    data = DataFolder(folder / "data")
    with data.taken():
        stack = Stack.planned(data, "127.0.0.1", ports.free(), None, None)
        assert stack.nats is not None
        assert stack.postgres is not None
        with (
            started(stack.nats.program(), folder / "nats.log") as nats,
            started(stack.postgres.program(), folder / "postgres.log", 60.0) as postgres,
        ):
            with asyncio.Runner() as runner:
                runner.run(stack.provision())
            yield Servers(stack, folder, psutil.Process(nats.pid), psutil.Process(postgres.pid))


@contextlib.contextmanager
def calibration(running: Servers) -> Iterator[int]:
    """The two calibration handlers, on the returned port."""
    port = ports.free()

    async def ready() -> bool:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session,
            session.get(f"http://127.0.0.1:{port}/ready") as answer,
        ):
            return answer.status == 200

    settings = {"CALIBRATION_PORT": str(port), "CALIBRATION_DATABASE": running.stack.addresses.database["platea"]}
    with running.running(Program("calibration", [sys.executable, "-m", "tests.bench.calibration"], ready, settings)):
        yield port


def processor_time(*processes: psutil.Process) -> float:
    """Seconds of processor time that these used so far, their children included."""
    total = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system
    return total


def settle(seconds: float = 0.5) -> None:
    """Lets what the last slice left (open connections, flushes) come to rest."""
    time.sleep(seconds)
