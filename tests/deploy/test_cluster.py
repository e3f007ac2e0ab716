"""Three servers with the configuration of the cluster: one may die under load, and nothing accepted is lost."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import msgspec
import pytest
from nats.js.client import JetStreamContext

from deploy.keys import Keys
from deploy.nats_server import NatsServer, routes
from deploy.ports import free
from deploy.provision import PARTITIONS
from deploy.streams import create_consumers, create_streams
from proto import subjects, wire
from proto.events import ResponseSubmitted
from services.intake.journal import Conflict, Entry, Journal, OutOfReach, Refused, entry
from tests.conftest import started


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


async def test_a_server_dies_under_load_and_nothing_accepted_is_lost(cluster: Cluster) -> None:
    provisioner = await wire.connect(cluster.url("provisioner"), "test")
    js = provisioner.jetstream(timeout=5)
    await create_streams(js, PARTITIONS, replicas=3, highest=0)
    await create_consumers(js, PARTITIONS, {})
    intake = await wire.connect(cluster.url("intake"), "test")
    journal = Journal(intake)

    accepted: set[str] = set()
    asked = asyncio.Event()
    load = [asyncio.create_task(_submit(journal, accepted, asked)) for _ in range(4)]
    await _until(lambda: len(accepted) >= 200)
    cluster.processes[await _leader(js)].kill()
    before = len(accepted)
    await _until(lambda: len(accepted) >= before + 200)
    asked.set()
    await asyncio.gather(*load)

    stored = (await js.stream_info(subjects.RESPONSES)).state.messages
    assert stored >= len(accepted)
    for id in accepted:
        assert await journal.last(id) is not None
    await provisioner.close()
    await intake.close()


async def _leader(js: JetStreamContext) -> str:
    """The server that has the say over the journal: the one whose loss hurts most."""
    info = (await js.stream_info(subjects.RESPONSES)).cluster
    assert info is not None
    assert info.leader is not None
    return info.leader


async def _submit(journal: Journal, accepted: set[str], asked: asyncio.Event) -> None:
    """One respondent after another, eight at a time in one batch; whoever gets no answer asks again with the same receipt."""
    while not asked.is_set():
        waiting = [secrets.token_hex(16) for _ in range(8)]
        batch = [entry(ResponseSubmitted(id, "s", "1", msgspec.Raw(b"{}"), "")) for id in waiting]
        try:
            await journal.write_batch(batch)
            accepted.update(waiting)
        except (OutOfReach, Refused):
            for one in batch:
                await _submit_again(journal, one)
                accepted.add(one.id)


async def _submit_again(journal: Journal, one: Entry) -> None:
    while True:
        try:
            await journal.write(one)
        except Conflict:  # it was written the first time
            return
        except (OutOfReach, Refused):
            await asyncio.sleep(0.05)
        else:
            return


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
