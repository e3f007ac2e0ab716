"""`platea doctor` says what is wrong with a cluster or a stack, without advice that does not help."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.cli import doctor, server
from deploy.cli.doctor import Finding
from deploy.keys import write_secret
from deploy.provisioning.provision import provision
from deploy.stack import running
from deploy.stack.data_folder import DataFolder
from deploy.stack.nats_server import NatsServer
from deploy.stack.postgres_server import Postgres
from deploy.stack.running import Running
from tests.conftest import DatabaseUrls, NatsUrls, started
from tests.faults.operated import Operated


async def _seen(told: dict[str, Any], status: int = 200, data: Path | None = None) -> dict[str, Finding]:
    """What the doctor finds where analysis answers this."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(told, status=status)

    app = web.Application()
    app.router.add_get("/analysis/health/ready", answer)
    async with TestServer(app) as serving:
        findings = await doctor._service(str(serving.make_url("")).rstrip("/"), "analysis", "/analysis", data)
    return {finding.what: finding for finding in findings}


async def test_partitions_that_nobody_counts_and_what_waits_in_them_are_wrong_also_where_analysis_is_ready() -> None:
    found = await _seen({"status": "ready", "checks": {}, "unheld": [2, 3], "behind": [3]})
    assert found["analysis"].good
    assert (found["partitions"].good, found["partitions"].detail) == (False, "nobody counts 2, 3")
    assert (found["recording"].good, found["recording"].detail) == (False, "something has waited in partition 3 for more than a minute")
    well = await _seen({"status": "ready", "checks": {}, "unheld": [], "behind": []})
    assert all(finding.good for finding in well.values())


async def test_what_a_service_lacks_is_named_with_what_helps_and_its_log(tmp_path: Path) -> None:
    found = await _seen({"checks": {"nats": True, "database": False}, "unheld": [0, 1], "behind": []}, 503, tmp_path)
    assert found["analysis"].detail == "not ready: database"
    assert "partitions" not in found, "which are held is not known then"
    assert "See that PostgreSQL runs" in found["analysis"].way_out
    assert f"{tmp_path}/logs/analysis.log" in found["analysis"].way_out


async def test_a_service_that_gives_no_answer_is_left_to_the_stack_that_runs_it(tmp_path: Path) -> None:
    [beside] = await doctor._service("http://127.0.0.1:1", "analysis", "/analysis", tmp_path)
    assert f"The `platea up` that runs in {tmp_path} starts it again by itself" in beside.way_out
    [elsewhere] = await doctor._service("http://127.0.0.1:1", "analysis", "/analysis", None)
    assert "Start it (`platea up` starts everything)" in elsewhere.way_out


@pytest.mark.parametrize(("name", "log"), [("NATS", "nats.log"), ("PostgreSQL", "postgres.log")])
async def test_a_server_that_does_not_answer_is_told_with_the_log_that_it_writes(name: str, log: str, tmp_path: Path) -> None:
    async def fail(_: Any) -> list[Finding]:
        raise TimeoutError

    [found] = await doctor._examined(name, fail, "somewhere", tmp_path)
    assert (found.good, found.way_out) == (False, f"Its log is {tmp_path}/logs/{log}.")
    [unseen] = await doctor._examined(name, fail, None, tmp_path)
    assert unseen.good is None


async def test_servers_of_ones_own_are_looked_at_where_they_are_named(nats_urls: NatsUrls, database_urls: DatabaseUrls) -> None:
    found = {finding.what: finding for finding in await doctor._cluster(nats_urls.provisioner)}
    assert found["journal"].detail == "0 events, 0.0 MB, one server keeps it"
    assert found["lag"].detail == "0 events not recorded yet"
    assert all(finding.good for finding in found.values())
    stored = {finding.what: finding for finding in await doctor._postgres(database_urls.owner)}
    assert stored["parked events"].detail == "0"


async def test_passwords_of_any_characters_are_sent_as_they_are_meant(tmp_path: Path) -> None:
    folder, secret = DataFolder(tmp_path), "p@ss/w:o?r#d %41"
    for name in ("nats-provisioner", "postgres-platea_analysis"):
        write_secret(folder.keys.folder / name, secret)
    nats, postgres = NatsServer.embedded(folder.nats, folder.keys), Postgres.embedded(folder.postgres, folder.keys)
    with started(nats.program(), tmp_path / "nats.log"), started(postgres.program(), tmp_path / "postgres.log"):
        await provision(nats.url("provisioner"), postgres.url(), folder.token, {"platea_analysis": secret})
        assert {finding.what: finding for finding in await doctor._cluster(nats.url("provisioner"))}["journal"].good
        address = doctor._address(tmp_path, Running("http://127.0.0.1:1", 1, postgres=postgres.port), None)
        assert address is not None
        assert {finding.what: finding for finding in await doctor._postgres(address)}["parked events"].good


def test_what_a_copy_of_a_data_folder_tells_is_not_believed(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    running.write(original, Running("http://127.0.0.1:1234", 1))
    with (original / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(original, copy)
        assert server.find(None, None, str(original)).url == "http://127.0.0.1:1234"
        assert server.find(None, None, str(copy)).url == server.DEFAULT_URL
    assert running.read(original) is None


def test_the_logs_that_the_doctor_names_are_those_that_the_stack_writes(stack: Operated) -> None:
    written = {path.name for path in (stack.data / "logs").glob("*.log")}
    assert {"nats.log", "postgres.log"} <= written <= {f"{name}.log" for name in ("intake", "analysis", "export", "nats", "postgres")}
    seen = stack.platea("doctor", "--data", str(stack.data), check=False)
    assert seen.returncode == 0, seen.stdout
    assert "partitions" in seen.stdout
