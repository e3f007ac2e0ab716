"""The served description is true: whatever is generated from it gets an answer that it describes, and never a 500."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import httpx
from nats.aio.client import Client

from deploy.stack.ports import free
from tests.conftest import NatsUrls
from tests.intake.serving import ORGANISER, open_survey

SCHEMATHESIS = Path(sys.executable).with_name("st")


async def test_generated_requests_are_answered_as_described(nats_urls: NatsUrls, provisioner: Client, tmp_path: Path) -> None:
    await open_survey(provisioner)
    port = free()
    environment = {**os.environ, "PLATEA_NATS_URL": nats_urls.intake, "PLATEA_PORT": str(port)}
    intake = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.intake", env=environment)
    try:
        await _ready(f"http://127.0.0.1:{port}/health/ready")
        await asyncio.gather(
            _generate(port, tmp_path, "--phases", "coverage,fuzzing", "--exclude-operation-id", "publishSurvey"),
            # An instrument has so many members that trying each alone would take a minute.
            _generate(port, tmp_path, "--phases", "fuzzing", "--include-operation-id", "publishSurvey"),
        )
    finally:
        intake.terminate()
        await intake.wait()
    assert intake.returncode == 0


async def _generate(port: int, folder: Path, *chosen: str) -> None:
    arguments = ["run", f"http://127.0.0.1:{port}/schema", "--header", f"Authorization: Bearer {ORGANISER}", "--max-examples", "4"]
    # What a schema cannot say (skip logic, guessable receipts, coherent instruments) is refused although it fits the schema.
    arguments += ["--exclude-checks", "positive_data_acceptance", *chosen]
    # Where the machine is too slow for the journal, "busy, try again" is the right answer; that answers come is what other tests see to.
    # What is wrong may be too large as well.
    (folder / "schemathesis.toml").write_text(
        '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", 503]\n'
        "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 428, 429, 503]\n"
    )
    tester = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await tester.communicate()
    assert tester.returncode == 0, output.decode()[-6000:]


async def _ready(url: str) -> None:
    async with httpx.AsyncClient() as http:
        async with asyncio.timeout(120):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(url)).status_code == 200:
                        return
                await asyncio.sleep(0.05)
