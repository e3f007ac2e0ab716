"""Servers for the benchmarks: real NATS and PostgreSQL in a folder of their own, services started as they are wanted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from deploy.cli.respondents import Population
from deploy.provisioning.migrate import create_database, migrate
from deploy.provisioning.provision import PARTITIONS
from deploy.stack import ports
from deploy.stack.data_folder import DataFolder
from deploy.stack.program import Program
from deploy.stack.stack import Stack
from tests.builders.bundled import questionnaire
from tests.conftest import started

SURVEY = "ai-security"
TODAY = "2026-11-22"


def bodies(count: int, folder: Path) -> Path:
    """Simulated respondents as request bodies, one a line."""
    path = folder / f"bodies-{count}"
    if not path.exists():
        population = Population(questionnaire(), 20261122, TODAY)
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
    def running(self, program: Program, seconds: float = 30.0) -> Generator[psutil.Process]:
        with started(program, self.folder / f"{program.name}.log", seconds) as child:
            yield psutil.Process(child.pid)


Stored = Callable[[str, int], Coroutine[Any, Any, None]]
"""Fills an empty database: (address, partitions)."""


@contextlib.contextmanager
def servers(folder: Path, stored: Stored | None = None) -> Generator[Servers]:
    """NATS and PostgreSQL, provisioned; before that `stored` may put responses into the store."""
    folder.mkdir(mode=0o755, exist_ok=True)
    data = DataFolder(folder / "data")
    with data.taken():
        stack = Stack.planned(data, "127.0.0.1", ports.free(), None, None)
        assert stack.nats is not None
        assert stack.postgres is not None
        with (
            started(stack.nats.program(), folder / "nats.log") as nats,
            started(stack.postgres.program(), folder / "postgres.log", 60.0) as postgres,
            asyncio.Runner() as runner,
        ):
            if stored is not None:
                runner.run(_fill(stack.addresses.database["platea"], stored))
            runner.run(stack.provision())
            yield Servers(stack, folder, psutil.Process(nats.pid), psutil.Process(postgres.pid))


async def _fill(url: str, stored: Stored) -> None:
    await create_database(url)
    await migrate(url, {})
    await stored(url, PARTITIONS)


def exact(running: Servers) -> int:
    """How many responses the exact view of analysis counts; -1 while it does not answer."""
    url = f"http://127.0.0.1:{running.stack.analysis_port}/api/v1/surveys/{SURVEY}/aggregates?view=exact"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {running.stack.data.token.read_text().strip()}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["responses"]
    except OSError:
        return -1


@contextlib.contextmanager
def calibration(running: Servers) -> Generator[tuple[int, psutil.Process]]:
    """The two calibration handlers: their port and their process."""
    port = ports.free()

    async def ready() -> bool:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session,
            session.get(f"http://127.0.0.1:{port}/ready") as answer,
        ):
            return answer.status == 200

    settings = {"CALIBRATION_PORT": str(port), "CALIBRATION_DATABASE": running.stack.addresses.database["platea"]}
    with running.running(Program("calibration", [sys.executable, "-m", "tests.bench.calibration"], ready, settings)) as process:
        yield port, process


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
