"""What all tests share: a real nats-server and a real PostgreSQL for the session, cleared or made anew for each test."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it. Two processes with two threads each would only wait.

import asyncio
import contextlib
import itertools
import subprocess
import time
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from deploy.keys import KeyFolder
from deploy.provisioning.migrate import create_database, migrate
from deploy.provisioning.provision import PARTITIONS
from deploy.provisioning.streams import create_consumers, create_streams
from deploy.stack.nats_server import NatsServer
from deploy.stack.postgres_server import Postgres
from deploy.stack.program import Program
from proto import subjects
from tests import browser, tiers
from tests.faults.operated import Operated
from tests.log_lines import LogLines, recorded
from tests.pages.served import served

# A test says what must hold; how fast a shared machine is today is not among it.
hypothesis.settings.register_profile("platea", deadline=None)
hypothesis.settings.register_profile("unit", deadline=None, max_examples=25)
hypothesis.settings.load_profile("platea")
expect.set_options(timeout=30_000)


def pytest_configure(config: pytest.Config) -> None:
    """The tier `unit` alone is there to be asked often: it draws fewer examples than a whole run."""
    if config.option.markexpr == "unit":
        hypothesis.settings.load_profile("unit")
    for tier, needs in tiers.TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {needs}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    tiers.sort(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    with tiers.held(item):
        return (yield)


TEMPLATE = "platea_template"
_numbers = itertools.count()


@contextlib.contextmanager
def started(program: Program, log: Path, seconds: float = 60.0, awaited: bool = True) -> Generator[subprocess.Popen[bytes]]:
    """Runs a program of the stack as a child of the tests, from ready (where that is `awaited`) to ended."""
    with log.open("ab") as output:
        child = subprocess.Popen(program.line(), env=program.environment(), stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + seconds
        while awaited and not _is_ready(program):
            assert child.poll() is None, f"{program.name} ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{program.name} is not ready: {log.read_text()[-2000:]}"
            time.sleep(0.03)
        yield child
    finally:
        child.send_signal(program.stop)
        try:
            child.wait(program.patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _is_ready(program: Program) -> bool:
    async def ask() -> bool:
        try:
            return await program.ready()
        except Exception:  # not yet
            return False

    with ThreadPoolExecutor(1) as elsewhere:  # an asynchronous test has a running loop in this thread
        return elsewhere.submit(asyncio.run, ask()).result()


@pytest.fixture
def logged() -> Iterator[LogLines]:
    """What is logged in this process from here on."""
    with recorded() as lines:
        yield lines


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A nats-server with the users of the product. Its streams are `nats_urls`' business."""
    folder = tmp_path_factory.mktemp("nats")
    server = NatsServer.embedded(folder / "nats", KeyFolder(folder / "secrets"))
    with started(server.program(), folder / "nats.log"):
        yield server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL with a migrated database that `database_url` copies. It does not wait for the disk: nobody cuts this machine's power."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres.embedded(folder / "postgres", KeyFolder(folder / "secrets"))
    with started(server.program(), folder / "postgres.log"):
        with asyncio.Runner() as runner:
            runner.run(_template(server))
        yield server


async def _template(server: Postgres) -> None:
    url = server.url(database=TEMPLATE)
    await create_database(url)
    connection = await asyncpg.connect(url)
    await connection.execute("alter system set fsync = off")
    await connection.execute("select pg_reload_conf()")
    await connection.close()
    await migrate(url, {role: server.keys.read(f"postgres-{role}") for role in ("platea_analysis", "platea_export")})


@dataclass(frozen=True)
class NatsUrls:
    """One address per user, each with its own rights."""

    provisioner: str
    intake: str
    analysis: str
    export: str
    dashboard: str
    websocket: str


@pytest.fixture
async def nats_urls(nats_server: NatsServer) -> NatsUrls:
    """The users' addresses, with the streams and consumers made anew and empty. Surveys and tokens are the test's own."""
    client = await nats.connect(nats_server.url("provisioner"), inbox_prefix="_INBOX.provisioner")
    js = client.jetstream(timeout=10)
    await js.add_stream(name="KEPT")  # with its last stream the server takes the folder of all away, even from under the next one
    for stream in (
        subjects.RESPONSES,
        subjects.CONTROL,
        subjects.AGGREGATES,
        subjects.DRAFTS,
        subjects.CONTACTS,
        subjects.SEALS,
        subjects.INVITATIONS,
        subjects.ACTS,
        subjects.USES,
    ):
        with contextlib.suppress(NotFoundError):
            await js.delete_stream(stream)
    await create_streams(js, PARTITIONS, replicas=1, highest=0)
    await create_consumers(js, PARTITIONS, {})
    await client.close()
    users = {user: nats_server.url(user) for user in ("provisioner", "intake", "analysis", "export", "dashboard")}
    return NatsUrls(**users, websocket=f"ws://127.0.0.1:{nats_server.websocket}")


@pytest.fixture
async def nats_url(nats_urls: NatsUrls) -> str:
    """The address of a user who may create streams and publish surveys and tokens."""
    return nats_urls.provisioner


@pytest.fixture
async def provisioner(nats_urls: NatsUrls) -> AsyncIterator[Client]:
    """A connection with which a test publishes surveys and tokens."""
    client = await nats.connect(nats_urls.provisioner, inbox_prefix="_INBOX.provisioner")
    yield client
    await client.close()


@dataclass(frozen=True)
class DatabaseUrls:
    """One address per role, all of the same database."""

    owner: str
    analysis: str
    export: str


@pytest.fixture
async def database_urls(postgres_server: Postgres) -> AsyncIterator[DatabaseUrls]:
    """A database of its own for this test, migrated and empty."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(postgres_server.url(database="postgres"))
    await connection.execute(f"create database {name} template {TEMPLATE} strategy wal_log")
    await connection.execute(f"grant connect, temporary on database {name} to platea_analysis, platea_export")
    yield DatabaseUrls(
        postgres_server.url(database=name), postgres_server.url("platea_analysis", name), postgres_server.url("platea_export", name)
    )
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def database_url(database_urls: DatabaseUrls) -> str:
    """The owner's address of this test's database."""
    return database_urls.owner


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ends with its module: while it is open its loop runs in this thread, and no other test could have one."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with browser.launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of intake in memory."""
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A whole stack as an operator runs it, shared by the tests of one module."""
    with Operated(tmp_path_factory.mktemp("stack")) as operated:
        yield operated
