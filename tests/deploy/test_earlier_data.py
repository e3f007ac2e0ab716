"""A data folder of 0.1.0 goes on under this version: what was promised to people then is kept now."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.faults.operated import Operated
from tests.intake.invitations.test_invitation_pages import Visitor

DATA = Path(__file__).with_name("data")
TOLD: dict[str, Any] = json.loads((DATA / "0.1.0.json").read_text())
"""What 0.1.0 said of this folder before it was stopped."""
SURVEY, PANEL = "/api/v1/surveys/square", "/api/v1/surveys/square-panel"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """This version, started on a copy."""
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(DATA / "0.1.0.tar.xz") as archive:
        archive.extractall(folder / "data", filter="tar")
    stack = Operated(folder)
    stack.start(180)
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def http(stack: Operated) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


def test_exact_figures_are_what_they_were_and_equal_a_recount(stack: Operated) -> None:
    deadline = time.monotonic() + 120
    while (exact := stack.exact("square"))["questions"] != TOLD["questions"] and time.monotonic() < deadline:
        time.sleep(0.5)
    assert exact["questions"] == TOLD["questions"]
    assert exact["responses"] == len(TOLD["receipts"]) - 1, "all but the withdrawn"
    assert "figures of 23 responses: all equal" in stack.platea("recount", "square").stdout


def test_every_receipt_opens_what_it_opened(http: httpx.Client) -> None:
    for receipt, digest in TOLD["receipts"].items():
        found = http.get(f"/api/v1/receipts/{receipt}").json()
        assert (found["status"], found.get("digest")) == ("withdrawn" if receipt == TOLD["withdrawn"] else "recorded", digest)


def test_a_release_is_there_to_the_last_byte_and_verifies(stack: Operated, http: httpx.Client, tmp_path: Path) -> None:
    researcher = {"Authorization": f"Bearer {TOLD['researcher']}"}
    manifest = http.get(f"{SURVEY}/releases/1", headers=researcher)
    assert {file["name"]: file["sha256"] for file in manifest.json()["files"]} == TOLD["files"]
    (tmp_path / "manifest.json").write_bytes(manifest.content)
    for name, checksum in TOLD["files"].items():
        content = http.get(f"{SURVEY}/releases/1/{name}", headers=researcher).content
        assert hashlib.sha256(content).hexdigest() == checksum
        (tmp_path / name).write_bytes(content)
    stack.platea("release", "verify", str(tmp_path))


def test_answers_are_changed_and_withdrawn_with_a_receipt_of_before(stack: Operated, http: httpx.Client) -> None:
    receipt = f"/api/v1/receipts/{TOLD['invited']}"
    answers = {"A1": "north", "A2": {"safe": "1", "light": "1"}, "A4": ["none"]}
    assert http.put(receipt, json={"answers": answers, "consent": True}).status_code == 200
    _until(lambda: stack.exact("square-panel")["questions"]["A4"]["cells"]["none"]["n"] == 1)
    assert http.delete(receipt).status_code == 202
    _until(lambda: http.get(receipt).json()["status"] == "withdrawn")
    assert "all equal" in stack.platea("recount", "square-panel").stdout


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


async def test_a_code_that_was_sent_out_still_works_and_an_answered_one_does_not(stack: Operated) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as client:
        for code, status in ((TOLD["codes"]["free"], 200), (TOLD["codes"]["answered"], 409)):
            visitor = Visitor(cast("Any", client), "en")
            page = await visitor.get("/s/square-panel?lang=en")
            page.fill("code", code)
            await visitor.press("next")
            assert visitor.status == status


def test_addresses_and_tokens_are_kept(stack: Operated) -> None:
    assert TOLD["address"] in stack.platea("contacts", "square").stdout
    assert TOLD["researcher"].split("_")[1] in stack.platea("token", "list").stdout


def test_the_doctor_finds_nothing(stack: Operated) -> None:
    told = stack.platea("doctor").stdout
    assert "all are applied" in told
    assert "belong together" in told
