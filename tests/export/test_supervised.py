"""A task of export that ends makes the service unready until it is back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from services.export import main
from services.export.settings import Settings
from tests.conftest import DatabaseUrls, NatsUrls
from tests.log_lines import LogLines
from tests.mortal_tasks import MortalTasks, each_fails_in_turn


async def test_each_task_of_export_that_ends_is_told_once_without_what_it_held_and_comes_back(
    nats_urls: NatsUrls, database_urls: DatabaseUrls, tmp_path: Path, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = MortalTasks()
    monkeypatch.setattr(main, "Supervisor", lambda: tasks)
    async with main.running(Settings(nats_urls.export, database_urls.export, tmp_path)) as app:
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://platea.test") as http:
            await each_fails_in_turn(tasks, {"follow CONTROL"}, http, logged, "/export")
