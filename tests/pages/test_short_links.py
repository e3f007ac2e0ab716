"""The short address of a survey, as people type it from paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from services.intake.app import create_app
from tests.pages.desk import MemoryJournal, open_desk


@pytest.fixture
async def client() -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        yield client


@pytest.mark.parametrize(
    ("typed", "opened"),
    [
        ("/ai-security", "/s/ai-security"),
        ("/AI-Security", "/s/ai-security"),
        ("/ai-security/", "/s/ai-security"),
        ("/ai-security?lang=fr&A01=FR", "/s/ai-security?lang=fr&A01=FR"),
    ],
)
async def test_a_survey_opens_by_its_name_alone(client: AsyncTestClient[Any], typed: str, opened: str) -> None:
    answer = await client.get(typed, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"], answer.content) == (302, opened, b"")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/nowhere", "/%2Fevil.example", "/evil.example", "/ai-security%0d%0aX:1", "/ai-security/nowhere"])
async def test_other_names_lead_nowhere(client: AsyncTestClient[Any], path: str) -> None:
    answer = await client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("path", ["/accessibility", "/schema", "/health/live"])
async def test_the_pages_of_the_platform_come_first(client: AsyncTestClient[Any], path: str) -> None:
    assert (await client.get(path, follow_redirects=False)).status_code == 200
