"""A cluster on this machine: three message servers, PostgreSQL, intakes, and two workers, each a process that can be hurt."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from nats.js.errors import Error as JetStreamError

from deploy.keys import KeyFolder
from deploy.provisioning.migrate import ROLES
from deploy.provisioning.nats_users import routes
from deploy.provisioning.provision import provision
from deploy.stack.health import is_well
from deploy.stack.nats_server import CONFIGURATION, NatsServer
from deploy.stack.ports import free
from deploy.stack.postgres_server import Postgres
from deploy.stack.program import Program
from proto import subjects
from services.runtime import nats_client
from tests.faults.links import Links

NODES = 3
PATIENCE = 90.0
"""Seconds for a start, on a machine that does much else."""


@dataclass
class Process:
    """`make` is called before each start, for it may have to tidy up."""

    make: Callable[[], Program]
    log: Path
    program: Program | None = None
    child: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        self.program = program = self.make()
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(program.line(), env=program.environment(), stdout=output, stderr=output, start_new_session=True)

    async def ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self.child is not None
            assert self.program is not None
            assert self.child.poll() is None, f"{self.log.name} ended: {self.log.read_text()[-2000:]}"
            with contextlib.suppress(Exception):  # not yet
                if await self.program.ready():
                    return
            assert time.monotonic() < deadline, f"{self.log.name} is not ready: {self.log.read_text()[-2000:]}"
            await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)
        if number is signal.SIGKILL:
            self.child.wait()

    def end(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
            self.child.wait()


@dataclass
class Cluster:
    """`nodes`, `intakes` and `workers` are in order; `urls` are the intakes' addresses."""

    servers: list[NatsServer]
    links: Links
    postgres: Postgres
    nodes: list[Process]
    database: Process
    intakes: list[Process] = field(default_factory=list[Process])
    workers: list[Process] = field(default_factory=list[Process])
    urls: list[str] = field(default_factory=list[str])

    def url(self, user: str) -> str:
        return ",".join(server.url(user) for server in self.servers)

    async def leader(self) -> int:
        """Which node has the say over the journal."""
        client = await nats_client.connect(self.url("provisioner"), "test")
        try:
            js, deadline = client.jetstream(timeout=2), time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                with contextlib.suppress(JetStreamError, TimeoutError):
                    info = (await js.stream_info(subjects.RESPONSES)).cluster
                    if info and info.leader and info.leader not in {peer.name for peer in info.replicas or []}:
                        return [server.name for server in self.servers].index(info.leader)
                await asyncio.sleep(0.1)
            raise AssertionError("no leader")
        finally:
            await client.close()

    async def follower(self) -> int:
        """One that is not the leader; with an intake, where there is such a one."""
        leader = await self.leader()
        return max((node for node in range(NODES) if node != leader), key=lambda node: len(self.guests(node)))

    def guests(self, node: int) -> list[str]:
        """The intakes that are connected to this node."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.servers[node].monitor}/connz?auth=1", timeout=5) as answer:
            return [found["name"] for found in json.load(answer)["connections"] if found.get("authorized_user") == "intake"]

    async def stored(self) -> dict[str, str]:
        """The status of every response in the store, by its id."""
        connection = await asyncpg.connect(self.postgres.url(), timeout=10)
        rows = await connection.fetch("select id, status from responses")
        await connection.close()
        return {row["id"].hex: row["status"] for row in rows}


@contextlib.asynccontextmanager
async def running(folder: Path, intakes: int = 3) -> AsyncGenerator[Cluster]:
    """Started, prepared and ready; whatever is left of it is ended."""
    async with joined(folder) as cluster:
        cluster.database.spawn()
        await cluster.database.ready()
        read = cluster.postgres.keys.read
        passwords = {role: read(f"postgres-{role}") for role in ROLES}
        token = folder / "organiser.token"
        await provision(cluster.url("provisioner"), cluster.postgres.url(), token, passwords, replicas=NODES)
        _add_services(cluster, folder, intakes)
        for process in (*cluster.workers, *cluster.intakes):
            process.spawn()
        for process in (*cluster.workers, *cluster.intakes):
            await process.ready()
        yield cluster


@contextlib.asynccontextmanager
async def joined(folder: Path) -> AsyncGenerator[Cluster]:
    """The message servers alone, which find each other by themselves."""
    keys = KeyFolder(folder / "secrets")
    ports = [free() for _ in range(NODES)]
    links = Links(ports)
    servers = [NatsServer(folder / f"nats-{n}", keys, free(), free(), free(), f"nats-{n}") for n in range(NODES)]
    nodes = [Process(_node(servers[n], ports[n], routes(keys, links.addresses(n))), folder / f"nats-{n}.log") for n in range(NODES)]
    postgres = Postgres.embedded(folder / "postgres", keys)
    cluster = Cluster(servers, links, postgres, nodes, Process(postgres.program, folder / "postgres.log"))
    with links.passing():
        try:
            for process in nodes:
                process.spawn()
            yield cluster
        finally:
            for process in (*cluster.intakes, *cluster.workers, cluster.database, *cluster.nodes):
                process.end()


def _node(server: NatsServer, port: int, joined: str) -> Callable[[], Program]:
    """With a line to each other node, and told to nobody as reachable elsewhere, for servers introduce each other."""

    def make() -> Program:
        program = server.program("lab.conf", NATS_CLUSTER_PORT=str(port), NATS_ROUTES=joined)
        told = (CONFIGURATION / "cluster.conf").read_text()
        (server.folder / "lab.conf").write_text(told.replace("  name: platea\n", '  name: platea\n  advertise: "127.0.0.1:1"\n'))
        return program

    return make


def _add_services(cluster: Cluster, folder: Path, intakes: int) -> None:
    secret = folder / "shared-secret"
    secret.write_text("0123456789abcdef")
    for number, partitions in enumerate(("0,1", "2,3")):
        told = {"PLATEA_NATS_URL": cluster.url("analysis"), "PLATEA_DATABASE_URL": cluster.postgres.url("platea_analysis")}
        told |= {"PLATEA_PARTITIONS": partitions, "PLATEA_RECORD_KEY_FILE": str(secret)}
        cluster.workers.append(_service("services.analysis", "/analysis/health/ready", told, folder / f"worker-{number}.log")[0])
    for number in range(intakes):
        told = {"PLATEA_NATS_URL": cluster.url("intake"), "PLATEA_GUARD_KEY_FILE": str(secret), "PLATEA_LEAST_SECONDS": "0"}
        process, url = _service("deploy.front", "/health/ready", told, folder / f"intake-{number}.log")
        cluster.intakes.append(process)
        cluster.urls.append(url)


def _service(module: str, health: str, told: dict[str, str], log: Path) -> tuple[Process, str]:
    port = free()
    url = f"http://127.0.0.1:{port}"
    settings = {"PLATEA_HOST": "127.0.0.1", "PLATEA_PORT": str(port)} | told
    program = Program(module, [sys.executable, "-m", module], lambda: is_well(url + health), settings)
    return Process(lambda: program, log), url
