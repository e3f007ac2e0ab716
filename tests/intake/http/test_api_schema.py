"""What the handlers of intake are described with is true: whatever is generated from it is answered as it says, and never with a 500."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import httpx
from nats.aio.client import Client

from deploy.stack.ports import free
from services.intake.app import DESCRIBED
from services.runtime import openapi
from tests.conftest import NatsUrls
from tests.described import judge
from tests.intake.serving import ORGANISER, open_survey


async def test_generated_requests_are_answered_as_described(nats_urls: NatsUrls, provisioner: Client, tmp_path: Path) -> None:
    await open_survey(provisioner)
    url, document = f"http://127.0.0.1:{(port := free())}", openapi.document(DESCRIBED, "intake")
    environment = {**os.environ, "PLATEA_NATS_URL": nats_urls.intake, "PLATEA_PORT": str(port)}
    intake = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.intake", env=environment)
    try:
        await _ready(f"{url}/health/ready")
        phases = "--phases", "coverage,fuzzing", "--exclude-operation-id", "publishSurvey"
        # An instrument has so many members that trying each alone would take a minute.
        fuzzing = "--phases", "fuzzing", "--include-operation-id", "publishSurvey"
        await asyncio.gather(
            judge(document, url, ORGANISER, tmp_path / "most", *phases),
            judge(document, url, ORGANISER, tmp_path / "publishing", *fuzzing),
        )
    finally:
        intake.terminate()
        await intake.wait()
    assert intake.returncode == 0


async def _ready(url: str) -> None:
    async with httpx.AsyncClient() as http:
        async with asyncio.timeout(120):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(url)).status_code == 200:
                        return
                await asyncio.sleep(0.05)
