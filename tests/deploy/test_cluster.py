"""Three servers with the configuration of the cluster, intake, and two workers that share the partitions: one server may die under load."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import asyncpg
import pytest
from nats.js.client import JetStreamContext

from deploy.health import is_well
from deploy.keys import Keys
from deploy.nats_server import NatsServer, routes
from deploy.ports import free
from deploy.program import Program
from deploy.provision import provision
from proto import subjects, wire
from tests.conftest import DatabaseUrls, started
from tests.faults.respondents import Crowd, recorded

RESPONSES = 600


@dataclass
class Cluster:
    servers: list[NatsServer]
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)

    def url(self, user: str) -> str:
        return ",".join(server.url(user) for server in self.servers)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    keys = Keys(tmp_path / "secrets")
    ports = [free() for _ in range(3)]
    servers = [NatsServer(tmp_path / f"nats-{n}", keys, free(), free(), free(), f"nats-{n}") for n in range(3)]
    joined = routes(keys, [f"127.0.0.1:{route}" for route in ports])
    with contextlib.ExitStack() as running:
        made = Cluster(servers)
        programs = [
            server.program("cluster.conf", NATS_CLUSTER_PORT=str(route), NATS_ROUTES=joined)
            for server, route in zip(servers, ports, strict=True)
        ]
        for server, program in zip(servers, programs, strict=True):
            made.processes[server.name] = running.enter_context(started(program, tmp_path / f"{server.name}.log", awaited=False))
        yield made


@contextlib.contextmanager
def _services(cluster: Cluster, database: DatabaseUrls, folder: Path) -> Iterator[str]:
    """Intake behind its front, and two workers with half of the partitions each. Yields the front's address."""
    key = folder / "record-key"
    key.write_text("0123456789abcdef")
    front, *workers = free(), free(), free()
    with contextlib.ExitStack() as running:
        for port, partitions in zip(workers, ("0,1", "2,3"), strict=True):
            told = {"PLATEA_NATS_URL": cluster.url("analysis"), "PLATEA_DATABASE_URL": database.analysis, "PLATEA_PARTITIONS": partitions}
            told |= {"PLATEA_HOST": "127.0.0.1", "PLATEA_PORT": str(port), "PLATEA_RECORD_KEY_FILE": str(key)}
            analysis = _service("services.analysis", f"http://127.0.0.1:{port}/analysis/health/ready", told)
            running.enter_context(started(analysis, folder / f"analysis-{port}.log", seconds=60))
        told = {"PLATEA_NATS_URL": cluster.url("intake"), "PLATEA_HOST": "127.0.0.1", "PLATEA_PORT": str(front)}
        intake = _service("deploy.front", f"http://127.0.0.1:{front}/health/ready", told)
        running.enter_context(started(intake, folder / "intake.log", seconds=60))
        yield f"http://127.0.0.1:{front}"


def _service(module: str, health: str, told: dict[str, str]) -> Program:
    return Program(module, [sys.executable, "-m", module], lambda: is_well(health), told)


async def test_a_server_dies_under_load_and_nothing_accepted_is_lost(cluster: Cluster, database_urls: DatabaseUrls, tmp_path: Path) -> None:
    await provision(cluster.url("provisioner"), database_urls.owner, tmp_path / "organiser.token", {}, replicas=3)
    provisioner = await wire.connect(cluster.url("provisioner"), "test")
    with _services(cluster, database_urls, tmp_path) as url:
        crowd = Crowd(url, RESPONSES, at_once=16, pause=0.02)
        answering = asyncio.create_task(crowd.answer())
        await _until(lambda: len(crowd.accepted) >= RESPONSES // 3)
        leader = await _leader(provisioner.jetstream(timeout=5))
        cluster.processes[leader].kill()
        assert len(crowd.accepted) < RESPONSES, "it ended too early to tell anything"
        await asyncio.wait_for(answering, 60)
        await recorded(url, crowd.accepted, 60)
    await provisioner.close()
    connection = await asyncpg.connect(database_urls.owner)
    assert await connection.fetchval("select count(*) from responses where status = 'recorded'") == RESPONSES
    assert await connection.fetchval("select count(distinct partition) from responses") == 4
    await connection.close()


async def _leader(js: JetStreamContext) -> str:
    """The server that has the say over the journal: the one whose loss hurts most."""
    info = (await js.stream_info(subjects.RESPONSES)).cluster
    assert info is not None
    assert info.leader is not None
    return info.leader


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)
