"""The export service as it runs: followed, killed, and read from by the programs researchers use."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import datetime
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import httpx
import pandas as pd
import platea
import pytest
from fsspec.implementations.http import HTTPFileSystem

from deploy.provisioning.provision import provision
from deploy.stack import ports
from deploy.stack.program import Program
from services.export.bundle.publish import STAGE
from services.export.bundle.verify import check
from tests.conftest import DatabaseUrls, NatsUrls, started
from tests.export import judges
from tests.export.tables import stored

SURVEY = "social-cohesion"
RESPONSES = int(os.environ.get("PLATEA_KILL_RESPONSES", "400"))
KILLS = int(os.environ.get("PLATEA_KILLS", "3"))
DIFFERENT = 2000
"""Responses that are made up; beyond, they repeat."""


class Web(HTTPFileSystem):
    """Today's DuckDB has no package of its extension for HTTP yet; through this it reads ranges of the file all the same."""

    def modified(self, path: str) -> datetime.datetime:
        return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)  # a release never changes


@dataclass
class Service:
    """The program, and an organiser's way to it."""

    program: Program
    url: str
    token: str
    folder: Path
    log: Path

    @contextmanager
    def running(self) -> Generator[subprocess.Popen[bytes]]:
        with started(self.program, self.log) as child:
            yield child

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1/surveys/{SURVEY}/releases"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def order(self) -> dict[str, Any]:
        return httpx.post(self.api, json={}, headers=self.headers).raise_for_status().json()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.api + path, headers=self.headers).raise_for_status()

    def followed(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """Every event of a job, until its stream ends."""
        with httpx.stream("GET", f"{self.api}/jobs/{job['id']}/events", headers=self.headers, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            return [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]


@pytest.fixture
async def service(nats_urls: NatsUrls, database_urls: DatabaseUrls, tmp_path: Path) -> Service:
    """Ready to start, with responses in the store."""
    token = tmp_path / "organiser.token"
    await provision(nats_urls.provisioner, database_urls.owner, token, {})
    connection = await asyncpg.connect(database_urls.owner)
    columns, made = stored(SURVEY, min(RESPONSES, DIFFERENT))
    rows = [(uuid.UUID(int=n + 1), *made[n % len(made)][1:]) for n in range(RESPONSES)]
    await connection.copy_records_to_table("responses", records=rows, columns=columns)
    await connection.close()
    port, folder = ports.free(), tmp_path / "releases"
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        return httpx.get(f"{url}/export/health/ready").status_code == 200 and httpx.get(f"{url}/data/{SURVEY}").status_code == 200

    program = Program(
        "export",
        [sys.executable, "-m", "services.export"],
        ready,
        {
            "PLATEA_NATS_URL": nats_urls.export,
            "PLATEA_DATABASE_URL": database_urls.export,
            "PLATEA_PORT": str(port),
            "PLATEA_RELEASES": str(folder),
        },
    )
    return Service(program, url, token.read_text().strip(), folder, tmp_path / "export.log")


async def test_researchers_programs_read_the_served_release(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service.running():
        events = service.followed(service.order())
        assert events[-1]["status"] == "done"
        assert [event["progress"] for event in events] == sorted(event["progress"] for event in events)
        assert "writing" in {event["status"] for event in events}

        address = f"{service.api}/1/data.parquet"
        expected = pd.read_parquet(service.folder / SURVEY / "1" / "data.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(address, storage_options=service.headers), expected)

        web = Web(client_kwargs={"headers": service.headers}, skip_instance_cache=True, block_size=4096, cache_type="none")
        database = duckdb.connect()
        database.register_filesystem(web)
        name = expected.columns[0]
        counted = dict(database.sql(f"select \"{name}\", count(*) from read_parquet('{address}') group by 1").fetchall())
        assert counted == expected[name].value_counts()[lambda n: n > 0].to_dict()
        asked = judges.ask("served", url=address, token=service.token, column=name)
        assert "httpfs" in asked["extensions"]
        assert (asked["rows"], asked["counts"]) == (len(expected), counted)

        monkeypatch.setenv("PLATEA_TOKEN", service.token)
        frame = platea.read_release(f"{service.url}/data/{SURVEY}", 1)
        assert frame.shape == expected.shape
        described = frame.attrs["variables"][name]
        label = {each["code"]: each["labels"]["en"] for each in described["categories"] if not each["absent"]}
        assert frame[name].astype("object").fillna("").tolist() == [label.get(code, "") for code in expected[name]]
        pd.testing.assert_frame_equal(platea.read_release(service.folder / SURVEY / "1"), frame)
        kept = platea.read_release(f"{service.api}/1", labels=None, missing="keep")
        assert kept.astype("object").equals(expected.astype("object"))
        with pytest.raises(platea.Unreadable, match="no release with this number"):
            platea.read_release(f"{service.url}/data/{SURVEY}", 7)
        pd.testing.assert_frame_equal(platea.read_release(f"{service.url}/data/{SURVEY}", token=""), frame)  # made for everybody
        with pytest.raises(platea.Unreadable, match="token"):
            platea.read_release(f"{service.url}/data/{SURVEY}", 2, token="")

        zipped = service.get("/1/release.zip")
        assert (
            httpx.get(f"{service.api}/1/release.zip", headers=service.headers | {"If-None-Match": zipped.headers["etag"]}).status_code
            == 304
        )
        zipfile.ZipFile(io.BytesIO(zipped.content)).extractall(tmp_path / "unpacked")
        key = httpx.get(f"{service.url}/data/{SURVEY}/key").text.strip()
        assert check(tmp_path / "unpacked" / f"{SURVEY}-1", key) == []

        rebuilt = httpx.post(f"{service.api}/1/rebuild", headers=service.headers).raise_for_status().json()
        last = service.followed(rebuilt)[-1]
        assert (last["status"], last["differing"]) == ("done", [])
        assert len(service.get("").json()) == 1


def whole(folder: Path) -> list[str]:
    """What is wrong with what can be seen in a survey's folder; nothing should be."""
    wrong: list[str] = []
    for path in folder.iterdir():
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                wrong += filter(None, [packed.testzip()])
        elif path.name != STAGE:
            wrong += check(path)
    return wrong


async def test_killed_at_any_moment_no_half_release_is_ever_visible_and_no_number_is_lost(service: Service) -> None:
    dice = random.Random(4)
    folder, numbers = service.folder / SURVEY, list[int]()
    with service.running():
        begun = time.perf_counter()
        assert service.followed(service.order())[-1]["number"] == 1
        took = time.perf_counter() - begun
    for _ in range(KILLS):
        with service.running() as child:
            numbers = [manifest["number"] for manifest in service.get("").json()]
            assert all(check(folder / str(number)) == [] for number in numbers)
            service.order()
            time.sleep(dice.uniform(0.02, 1.02) * took)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        assert whole(folder) == [], "what has a number is whole"
    with service.running():
        numbers = [manifest["number"] for manifest in service.get("").json()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert service.followed(service.order())[-1]["number"] == len(numbers) + 1
        assert not (folder / STAGE).exists()
        assert whole(folder) == []
