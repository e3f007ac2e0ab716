"""A stream that is followed into memory, while the server that holds it comes and goes."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from deploy.keys import KeyFolder
from deploy.stack.nats_server import NatsServer
from proto import events, subjects
from proto.registry import Registry
from proto.tokens import Token
from services.runtime import nats_client, stream_settings
from services.runtime.supervision import Supervisor
from tests.conftest import started


async def write(server: NatsServer, *ids: str) -> None:
    client = await nats_client.connect(server.url("provisioner"), "test")
    js = client.jetstream(timeout=30)
    await js.add_stream(stream_settings.control_stream(1))
    for id in ids:
        await js.publish(subjects.token(id), events.encode(Token(id, f"digest of {id}", "organiser")), stream=subjects.CONTROL)
    await client.close()


async def knows(registry: Registry, *ids: str) -> None:
    async with asyncio.timeout(60):
        while not registry.hashes.keys() >= set(ids):
            await asyncio.sleep(0.05)


async def test_what_is_published_after_an_older_copy_came_back_is_heard_at_once(tmp_path: Path) -> None:
    """Its numbers are given again, below the last one that was read."""
    server = NatsServer.embedded(tmp_path / "nats", KeyFolder(tmp_path / "secrets"))
    store, older = server.folder / "store", tmp_path / "older"
    with started(server.program(), tmp_path / "log"):
        await write(server, "a")
    shutil.copytree(store, older)
    registry, tasks = Registry(), Supervisor()
    with started(server.program(), tmp_path / "log"):
        client = await nats_client.connect(server.url("analysis"), "test")
        await nats_client.follow_control(client, registry, tasks)
        await write(server, "b", "c", "d")
        await knows(registry, "a", "b", "c", "d")
    shutil.rmtree(store)
    older.rename(store)
    with started(server.program(), tmp_path / "log"):
        await write(server, "e")
        await knows(registry, "e")
        assert registry.hashes.keys() == set("abcde"), "what was known is not forgotten"
        await tasks.stop()
        await client.close()
