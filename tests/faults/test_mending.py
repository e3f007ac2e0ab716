"""A journal and a store that do not belong together any more, as copies, restores and damaged disks leave them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.cli.respondents import Population
from deploy.data_folder import DataFolder
from deploy.nats_server import NatsServer
from deploy.stack import Stack
from proto.answers import today_of
from tests.conftest import started
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, action3, recorded
from tests.faults.test_faults import settled


@contextmanager
def intake_alone(data: Path, port: int) -> Iterator[str]:
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
    return Population(action3(), 11, today_of(0)).body(number)


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
