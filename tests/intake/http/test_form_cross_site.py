"""No form of another site is taken, whichever way a browser says where it comes from, on any route that takes forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import HttpMethod
from litestar.testing import AsyncTestClient

from services.intake.app import ROUTES as HANDLERS
from services.intake.app import create_app
from tests.pages.desk import MemoryJournal, open_desk

Client = AsyncTestClient[Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Host": "platea.test"}
ROUTES = sorted(
    path for handler in HANDLERS if HttpMethod.POST in handler.http_methods for path in handler.paths if not path.startswith("/api/")
)
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://platea.test"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://platea.test.evil.example"},
    {"Origin": "http://platea.test:8001"},
    {"Origin": "null"},
    {"Origin": ""},
]
HERE = [{}, {"Origin": "http://platea.test"}, {"Origin": "https://platea.test"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal())), base_url="http://platea.test") as client:
        yield client


@pytest.mark.parametrize("route", ROUTES)
async def test_what_another_site_filled_in_is_refused(client: Client, route: str) -> None:
    path = route.replace("{survey:str}", "ai-security")
    for headers in ELSEWHERE:
        assert (await client.post(path, content="go=show", headers=FORM | headers)).status_code == 403, headers
    for headers in HERE:
        assert (await client.post(path, content="go=show", headers=FORM | headers)).status_code != 403, headers


def test_every_route_that_takes_a_form_is_tried() -> None:
    assert len(ROUTES) == 5
