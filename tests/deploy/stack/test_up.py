"""`platea up` as an operator lives with it: starts, stops, crashes, second starts."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import pwd
import signal
import tempfile
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nats
import psutil
import pytest

from deploy.stack import ports
from deploy.stack.nats_server import binary
from deploy.stack.postgres_server import Postgres
from deploy.stack.program import Program
from proto import events, receipt, subjects, tokens
from proto.events import ResponseSubmitted
from tests.builders.bundled import population, questionnaire
from tests.conftest import started
from tests.faults.inside import Inside
from tests.faults.operated import MARKS, Operated

ORDINARY = pwd.getpwnam("nobody").pw_uid
"""A user who is nobody in particular, but known to the system: `initdb` asks for the name."""

PATIENCE = 60.0
"""Seconds on a machine with a lot else to do; what takes how long when it has nothing else to do, the benchmark tells."""


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _leaving_nothing(stack: Operated) -> Generator[None]:
    """Whatever happens inside ends the stack; all its processes are gone soon after."""
    family = stack.family()
    assert len(family) >= len(MARKS)
    yield
    deadline = time.monotonic() + PATIENCE
    while left := [process for process in family if _lives(process)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_it_starts_serves_stops_and_starts_again_with_everything_it_had(tmp_path: Path) -> None:
    """In a folder with a name that no shell likes, beside Services that Kubernetes tells of."""
    folder = tmp_path / "été #1 \"'\\ $HOME"
    folder.mkdir()
    stack = Operated(folder, PLATEA_PORT="tcp://10.0.0.1:8000", PLATEA_SERVICE_HOST="10.0.0.1", PLATEA_INTAKE_SERVICE_PORT_HTTP="80")
    stack.start()
    surveys = json.loads(_get(f"{stack.url}/api/v1/surveys"))
    assert "ai-security" in json.dumps(surveys)
    first = stack.token
    with _leaving_nothing(stack):
        assert stack.stop() < 10
    stack.start()
    assert json.loads(_get(f"{stack.url}/api/v1/surveys")) == surveys
    assert stack.token == first
    assert "organiser" in stack.platea("token", "list").stdout
    with _leaving_nothing(stack):
        stack.supervisor.send_signal(signal.SIGINT)
        assert stack.supervisor.wait(10) == 0
    said = stack.log.read_text()
    assert "Traceback" not in said
    assert "unexpectedly" not in said


def test_what_is_secret_is_told_to_its_owner_alone(stack: Operated) -> None:
    told = [path.read_text().strip() for path in (stack.data / "secrets").iterdir()] + [stack.token]
    seen = "\n".join(" ".join(process.cmdline()) for process in stack.family()) + stack.log.read_text()
    seen += "".join(path.read_text() for path in (stack.data / "logs").iterdir())
    assert not any(secret in seen for secret in told)
    for path in (stack.data / "organiser.token", stack.data / "nats" / "passwords.conf", *(stack.data / "secrets").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_each_service_is_told_its_own_secrets_alone(stack: Operated) -> None:
    def told(child: str) -> str:
        return json.dumps(stack.child(child).environ())

    keys = {path.name: path.read_text().strip() for path in (stack.data / "secrets").iterdir()}
    assert {name for name, key in keys.items() if key in told("intake")} == {"nats-intake"}
    assert {name for name, key in keys.items() if key in told("analysis")} == {"nats-analysis", "postgres-platea_analysis"}
    assert {name for name, key in keys.items() if key in told("export")} == {"nats-export", "postgres-platea_export"}
    assert not [name for name, key in keys.items() if key in told("nats") + told("postgres")]


@pytest.mark.parametrize("name", list(MARKS))
def test_a_crashed_child_is_noticed_and_comes_back_where_it_was(stack: Operated, name: str) -> None:
    before = stack.child(name)
    places = _listening(before)
    said = len(stack.log.read_text())
    before.kill()
    deadline = time.monotonic() + PATIENCE
    while (after := stack.child(name, PATIENCE)).pid == before.pid or not _listening(after) >= places:
        assert time.monotonic() < deadline, f"{name} does not listen again:\n{stack.log.read_text()[said:]}"
        time.sleep(0.05)
    lines = [line for line in stack.log.read_text()[said:].splitlines() if "unexpectedly" in line]
    assert len(lines) == 1
    assert f"{name} ended unexpectedly (SIGKILL)" in lines[0]
    _until_ready(stack)


def _listening(process: psutil.Process) -> set[int]:
    """The ports on which it listens; none while it is still becoming what it is, or gone."""
    try:
        return {connection.laddr.port for connection in process.net_connections("tcp") if connection.status == "LISTEN"}
    except psutil.Error:
        return set()


def _until_ready(stack: Operated) -> None:
    """Until a response can be given and every service says it is well."""
    deadline = time.monotonic() + PATIENCE
    for path in ("/health/ready", "/analysis/health/ready", "/export/health/ready"):
        while True:
            try:
                _get(stack.url + path)
                break
            except OSError:
                assert time.monotonic() < deadline, path
                time.sleep(0.1)


def test_another_user_runs_a_second_stack_beside_it(stack: Operated) -> None:
    with tempfile.TemporaryDirectory() as name:
        uid = ORDINARY if os.geteuid() == 0 else -1
        os.chown(name, uid, uid)
        with Operated(Path(name), uid=uid) as second:
            assert {process.uids().effective for process in second.family()} == {os.geteuid() if uid < 0 else uid}
            assert second.token != stack.token
            _until_ready(second)
            _until_ready(stack)


TEXT, ADDRESS, CODE = "planted words on a bench", "planted.person@example.org", "PLANT-EDCDE-23456-789AB-CDEFG"
RECEIPT, (_, STRANGER) = receipt.make(), tokens.make()
PLANTED = (TEXT, ADDRESS, CODE, RECEIPT, receipt.response_id(RECEIPT), STRANGER)
SURVEY = "ai-security"
API = f"/api/v1/surveys/{SURVEY}"


def _planted(text: str) -> dict[str, Any]:
    """What somebody sends who was asked for a lesson, with this one."""
    bodies: Iterator[dict[str, Any]] = (msgspec.json.decode(population(seed=11).body(number)) for number in itertools.count())
    body = next(body for body in bodies if "H01" in body["answers"])
    return body | {"answers": body["answers"] | {"H01": text}}


def _statuses(stack: Operated) -> list[int]:
    """Of requests that plant secrets: one is taken, the others are refused."""
    answers = _planted(TEXT)
    with httpx.Client(base_url=stack.url, headers={"Idempotency-Key": RECEIPT}, timeout=30) as http:
        return [
            http.post(f"{API}/responses", json=answers).status_code,
            http.post(f"{API}/responses", json=answers | {"answers": {TEXT: ADDRESS}}).status_code,
            http.post(f"{API}/responses", content=f'{{"answers": "{TEXT}', headers={"Content-Type": "application/json"}).status_code,
            http.post(f"{API}/responses", content=TEXT.encode() * 100_000).status_code,
            http.get(f"/api/v1/receipts/{RECEIPT[:-1]}").status_code,
            http.post(f"/s/{SURVEY}/continue", data={"code": CODE}).status_code,
            http.post(f"/s/{SURVEY}/contact", data={"email": ADDRESS}).status_code,
            http.get(f"/s/{ADDRESS}/{CODE}").status_code,
            http.get(f"{API}/aggregates?view=exact", headers={"Authorization": f"Bearer {STRANGER}"}).status_code,
            http.get(f"{API}/releases/1/{TEXT}", headers={"Authorization": f"Bearer {STRANGER}"}).status_code,
        ]


async def _scrawl(stack: Operated) -> None:
    """Events that analysis cannot read, and that PostgreSQL refuses to store."""
    client = await nats.connect(Inside(stack).journal(), inbox_prefix="_INBOX.intake")
    unreadable = f'{{"type": "response.submitted.v1", "answers": "{TEXT}'.encode()
    answers = msgspec.Raw(msgspec.json.encode(_planted(f"{TEXT}\0")["answers"]))
    id = receipt.response_id(RECEIPT)[::-1]
    unstorable = ResponseSubmitted(id, SURVEY, questionnaire().version, answers, "sha256:x", "en")
    for event, whose in ((unreadable, id[::-1][:16] * 2), (events.encode(unstorable), id)):
        await client.jetstream().publish(subjects.response(SURVEY, whose), event)
    await client.close()


def test_what_is_refused_or_fails_leaves_nothing_of_a_respondent_in_any_log_nor_on_the_screen(stack: Operated, tmp_path: Path) -> None:
    statuses = _statuses(stack)
    assert statuses[0] == 201
    assert all(400 <= status < 500 for status in statuses[1:]), statuses
    asyncio.run(_scrawl(stack))
    rows = tmp_path / "rows.csv"
    rows.write_text(f"A01,H01\n{ADDRESS},{TEXT}\n{CODE},{TEXT}\n")
    failing = [
        stack.platea(*arguments, check=False)
        for arguments in (
            ("import", SURVEY, str(rows)),
            ("import", SURVEY, str(rows), "--token", STRANGER, "--map", str(rows)),
            ("recount", SURVEY, "--token", STRANGER),
            ("contacts", SURVEY, "--out", str(tmp_path / "nowhere" / "list.csv")),
            ("release", "create", SURVEY),
            ("parked", "retry"),
        )
    ]
    assert [done.returncode for done in failing] == [1] * len(failing), [done.stderr for done in failing]
    deadline = time.monotonic() + PATIENCE
    while "2 parked" not in (parked := stack.platea("parked", "list")).stdout:
        assert time.monotonic() < deadline, parked.stdout
    logs = {path.name: path.read_text() for path in (stack.data / "logs").iterdir()}
    assert "events cannot be read and are parked" in logs["analysis.log"]
    assert "ERROR" in logs["postgres.log"], "it says that it refused something"
    told = [stack.log.read_text(), *logs.values(), *(done.stdout + done.stderr for done in (*failing, parked))]
    assert [planted for planted in PLANTED if any(planted in text for text in told)] == []


def test_after_kill_9_nothing_is_left_and_it_starts_again_and_even_a_hanging_database_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with Operated(tmp_path) as stack:
        with _leaving_nothing(stack):
            stack.supervisor.kill()
            stack.supervisor.wait()
        stack.start()
        postgres = stack.child("postgres")
        for process in (postgres, *postgres.children(recursive=True)):
            process.suspend()
        with _leaving_nothing(stack):
            assert stack.stop() < 10


@pytest.fixture
def plain_nats(tmp_path: Path) -> Iterator[str]:
    """A NATS server without users, as another team might run one."""
    port = ports.free()
    command = [str(binary()), "--addr", "127.0.0.1", "--port", str(port), "--jetstream", "--store_dir", str(tmp_path / "their-nats")]

    async def ready() -> bool:
        return not ports.is_free("127.0.0.1", port)

    with started(Program("nats", command, ready), tmp_path / "their-nats.log"):
        yield f"nats://127.0.0.1:{port}"


def test_servers_of_ones_own_replace_the_embedded_ones(tmp_path: Path, postgres_server: Postgres, plain_nats: str) -> None:
    database = postgres_server.url(database=f"own_{os.getpid()}")
    with Operated(tmp_path, PLATEA_NATS_URL=plain_nats, PLATEA_DATABASE_URL=database) as stack:
        assert not [process for process in stack.family() if process.name() in ("nats-server", "postgres")]
        assert sorted(path.name for path in stack.data.iterdir()) == [
            "lock",
            "logs",
            "organiser.token",
            "releases",
            "running.json",
            "secrets",
        ]
        _until_ready(stack)
