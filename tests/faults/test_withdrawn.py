"""What was withdrawn is nowhere on the disk any more, nor is the time when it came."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.cli import doctor
from deploy.cli.mending import addresses
from deploy.cli.respondents import Population
from deploy.provisioning.forgetting import Forgetter
from deploy.stack.data_folder import DataFolder
from deploy.stack.postgres_server import earliest_commit
from deploy.stack.running import read
from proto.answers import today_of
from proto.receipt import make
from tests.builders.bundled import questionnaire
from tests.faults.inside import Inside
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, recorded
from tests.faults.test_faults import settled


def send(stack: Operated, method: str, address: str, body: bytes | None = None, key: str = "") -> None:
    request = urllib.request.Request(f"{stack.url}/api/v1/{address}", data=body, method=method)
    request.add_header("Content-Type", "application/json")
    request.add_header("Idempotency-Key", key)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status in (200, 201, 202)


def files_with(folder: Path, text: bytes) -> list[str]:
    """Everything below the data folder that holds these bytes. Files come and go meanwhile."""
    found: list[str] = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            if text in path.read_bytes():
                found.append(path.relative_to(folder).as_posix())
    return found


def saying(text: str) -> bytes:
    """Plausible answers with this text, so few that PostgreSQL does not compress them."""
    population = Population(questionnaire(), 3, today_of(time.time()))
    bodies = (population.body(number) for number in range(300))
    body = json.loads(min((body for body in bodies if b'"H01"' in body), key=len))
    return json.dumps(body | {"answers": body["answers"] | {"H01": text}}).encode()


async def test_what_was_changed_or_withdrawn_is_nowhere_on_the_disk_within_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, last, kept = (secrets.token_hex(20) for _ in range(3))
    with Operated(tmp_path) as stack:
        others = Crowd(stack.url, 12, at_once=4)
        await others.answer()
        gone, stays = make(), make()
        database = await Inside(stack).database()
        reading = database.transaction(isolation="repeatable_read")
        await reading.start()
        await database.fetchval("select count(*) from responses")  # so that the stack does not write the table anew meanwhile
        send(stack, "POST", "surveys/ai-security/responses", saying(kept), stays)
        send(stack, "POST", "surveys/ai-security/responses", saying(former), gone)
        await recorded(stack.url, [gone, stays], 60)
        await asyncio.to_thread(stack.exact)
        send(stack, "PUT", f"receipts/{gone}", saying(last))
        await recorded(stack.url, [gone], 60)
        send(stack, "DELETE", f"receipts/{gone}")
        await settled(stack, [*others.accepted, stays])
        deadline = time.monotonic() + 60
        while (left := await Inside(stack).left("nothing")).erasures:
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.1)

        assert not Inside(stack).files_with(former.encode()), "NATS has overwritten it"
        assert any("postgres/" in name for name in files_with(stack.data, former.encode())), "PostgreSQL has not"
        here = read(stack.data)
        assert here is not None
        assert here.nats_monitor is not None
        assert here.postgres is not None
        _, url = await addresses(DataFolder(stack.data), here.nats_monitor, here.postgres)
        await reading.rollback()
        await database.execute("create table made_by_this_test ()")
        await database.execute("drop table made_by_this_test")
        await database.close()
        forgetter, begun = Forgetter(url), datetime.now(UTC)
        first = await asyncio.to_thread(earliest_commit, stack.data / "postgres")
        assert first is not None
        assert first < begun, "and it tells when they came"
        [told] = await doctor._traces((stack.data, here.postgres))
        assert told.good
        assert "log tells of the last" in told.detail
        assert "0 messages" in told.detail
        monkeypatch.setattr(doctor, "TRACES", 0)
        assert [each.good for each in await doctor._traces((stack.data, here.postgres))] == [False]
        deadline = time.monotonic() + 60
        found = ["not looked yet"]
        while found:
            assert time.monotonic() < deadline, found  # a checkpoint that still counts it is replaced within seconds
            begun = datetime.now(UTC)
            await forgetter.once(sys.maxsize)
            found = files_with(stack.data, former.encode()) + files_with(stack.data, last.encode())
        assert files_with(stack.data, kept.encode()), "what is not withdrawn is where it was"
        first = await asyncio.to_thread(earliest_commit, stack.data / "postgres")
        assert first is None or first >= begun - timedelta(seconds=1), "and nothing tells when anybody came"
        await settled(stack, [*others.accepted, stays])
