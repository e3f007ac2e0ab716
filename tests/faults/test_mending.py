"""A journal that no longer belongs to its store, as copies, restores or damaged disks leave them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from nats.js.client import JetStreamContext

from deploy.cli.mending import addresses
from deploy.cli.respondents import Population
from deploy.stack.data_folder import DataFolder
from deploy.stack.nats_server import NatsServer
from deploy.stack.running import read
from deploy.stack.stack import Stack
from proto import subjects
from proto.answers import today_of
from services.runtime import nats_client
from tests.builders.bundled import questionnaire
from tests.conftest import started
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, recorded
from tests.faults.test_faults import settled


@contextmanager
def intake_alone(data: Path, port: int) -> Generator[str]:
    """NATS and the front over this folder, as where analysis cannot start, at the address that is given."""
    folder = DataFolder(data)
    stack = Stack.planned(folder, "127.0.0.1", port, None, "postgresql://nobody@127.0.0.1:1/nowhere")
    assert isinstance(stack.nats, NatsServer)
    with started(stack.nats.program(), data / "logs" / "nats.log"), started(stack.front(), data / "logs" / "intake.log"):
        yield stack.url()


def send(url: str, method: str, receipt: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(f"{url}/api/v1/receipts/{receipt}", data=body, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["status"]


def answers(number: int) -> bytes:
    return Population(questionnaire(), 11, today_of(0)).body(number)


async def test_an_old_copy_of_the_journal_that_intake_went_on_writing_to_loses_nobodys_answers(tmp_path: Path) -> None:
    with Operated(tmp_path) as stack:
        early = Crowd(stack.url, 30, at_once=8)
        await early.answer()
        await recorded(stack.url, early.accepted, 60)
        stack.stop()
        shutil.copytree(stack.data / "nats", tmp_path / "older")
        stack.start()
        late = Crowd(stack.url, 25, at_once=8, seed=4)
        await late.answer()
        gone, changed, twice = early.accepted[:3]
        assert send(stack.url, "DELETE", gone) == "withdrawn"
        for receipt in (changed, twice):
            send(stack.url, "PUT", receipt, answers(1))
        await recorded(stack.url, [*late.accepted, *early.accepted[1:]], 60)
        exact = await asyncio.to_thread(stack.exact)
        assert exact["responses"] == 54
        stack.stop()

        shutil.rmtree(stack.data / "nats")
        (tmp_path / "older").rename(stack.data / "nats")
        with intake_alone(stack.data, stack.port) as url:
            since = Crowd(url, 60, at_once=8, seed=5)
            await since.answer()  # far past what the store has seen
            send(url, "PUT", twice, answers(2))
        said = len(stack.log.read_text())
        stack.start()
        told = stack.log.read_text()[said:]
        assert "answers were put back into the journal from the store" in told
        everybody = [*late.accepted, *early.accepted[1:], *since.accepted]
        await settled(stack, everybody)
        assert send(stack.url, "GET", gone) == "withdrawn"
        assert "nothing is to be mended" in stack.platea("mend").stdout
        assert send(stack.url, "DELETE", late.accepted[0]) == "withdrawn"
        await settled(stack, everybody[1:])


async def test_a_part_that_nats_lost_of_its_files_comes_back_and_nothing_keeps_the_stack_from_starting(tmp_path: Path) -> None:
    with Operated(tmp_path) as stack:
        crowd = Crowd(stack.url, 20, at_once=8)
        await crowd.answer()
        await recorded(stack.url, crowd.accepted, 60)
        stack.stop()
        blocks = next((stack.data / "nats").rglob("RESPONSES/msgs"))
        last = max(blocks.glob("*.blk"), key=lambda path: int(path.stem))
        os.truncate(last, last.stat().st_size - 3000)
        (blocks / "index.db").unlink()
        dry = stack.platea("mend", "--dry-run").stdout
        assert "would be put back into the journal from the store" in dry
        said = len(stack.log.read_text())
        stack.start()
        assert "put back into the journal from the store" in stack.log.read_text()[said:]
        await settled(stack, crowd.accepted)
        assert "nothing is to be mended" in stack.platea("mend").stdout


@asynccontextmanager
async def provisioner(stack: Operated) -> AsyncGenerator[JetStreamContext]:
    """JetStream of a stack that runs, with every right."""
    here = read(stack.data)
    assert here is not None
    assert here.nats_monitor is not None
    assert here.postgres is not None
    nats_url, _ = await addresses(DataFolder(stack.data), here.nats_monitor, here.postgres)
    client = await nats_client.connect(nats_url, "test")
    try:
        yield client.jetstream(timeout=10)
    finally:
        await client.close()


async def told(stack: Operated, after: int, sentence: str, seconds: float = 120.0) -> None:
    """Waits until the stack has said this, after so many characters."""
    deadline = time.monotonic() + seconds
    while sentence not in stack.log.read_text()[after:]:
        assert time.monotonic() < deadline, stack.log.read_text()
        await asyncio.sleep(0.2)


async def test_an_older_copy_that_comes_back_while_the_stack_runs_is_mended_by_it(tmp_path: Path) -> None:
    with Operated(tmp_path) as stack:
        early = Crowd(stack.url, 20, at_once=8)
        await early.answer()
        await recorded(stack.url, early.accepted, 60)
        nats = stack.child("nats")
        nats.send_signal(signal.SIGSTOP)
        shutil.copytree(stack.data / "nats" / "store", tmp_path / "older")
        nats.send_signal(signal.SIGCONT)
        late = Crowd(stack.url, 15, at_once=8, seed=4)
        await late.answer()
        gone, changed = early.accepted[:2]
        assert send(stack.url, "DELETE", gone) == "withdrawn"
        send(stack.url, "PUT", changed, answers(1))
        everybody = [*early.accepted[1:], *late.accepted]
        await settled(stack, everybody)

        said = len(stack.log.read_text())
        stack.supervisor.send_signal(signal.SIGSTOP)  # it would start nats again before the copy is in its place
        stack.kill("nats")
        shutil.rmtree(stack.data / "nats" / "store")
        (tmp_path / "older").rename(stack.data / "nats" / "store")
        stack.supervisor.send_signal(signal.SIGCONT)
        since = Crowd(stack.url, 30, at_once=8, seed=5)
        await since.answer()
        await told(stack, said, "put back into the journal from the store")
        await settled(stack, [*everybody, *since.accepted])
        assert send(stack.url, "GET", gone) == "withdrawn"
        assert "nothing is to be mended" in stack.platea("mend").stdout


async def test_a_journal_that_is_emptied_or_deleted_while_the_stack_runs_is_filled_again_by_it(tmp_path: Path) -> None:
    with Operated(tmp_path) as stack:
        crowd = Crowd(stack.url, 20, at_once=8)
        await crowd.answer()
        await recorded(stack.url, crowd.accepted, 60)
        for number, lose in enumerate((JetStreamContext.purge_stream, JetStreamContext.delete_stream)):
            said = len(stack.log.read_text())
            async with provisioner(stack) as js:
                await lose(js, subjects.RESPONSES)
            await told(stack, said, f"{len(crowd.accepted)} answers were put back into the journal from the store")
            more = Crowd(stack.url, 5, at_once=5, seed=20 + number)
            await more.answer()
            crowd.accepted += more.accepted
            await settled(stack, crowd.accepted)
        assert "nothing is to be mended" in stack.platea("mend").stdout
