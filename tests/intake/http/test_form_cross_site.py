"""No form of another site is taken, whichever way a browser says where it comes from, on any route that takes forms."""

from __future__ import annotations

import re
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


async def test_compressed_pages_repeat_nothing_of_an_address_and_hold_no_secret() -> None:
    """Two of the three things that BREACH needs (ADR 54)."""
    mark, held = "zqxjkvbpyg", list[str]()
    paths = sorted(
        path.replace("{survey:str}", "ai-security")
        for handler in HANDLERS
        if HttpMethod.GET in handler.http_methods
        for path in handler.paths
        if not path.startswith(("/api/", "/static/", "/health/", "/metrics", "/schema")) and not path.endswith(".pdf")  # no page
    )
    assert {"/", "/s/ai-security", "/s/ai-security/continue", "/s/ai-security/receipt", "/accessibility"} <= set(paths)
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        for path in (*paths, f"/s/{mark}", f"/{mark}"):
            headers = {"Accept": "text/html", "Accept-Language": mark, "Referer": f"http://platea.test/{mark}", "Cookie": f"a={mark}"}
            answer = await client.get(path, params={"lang": mark, "receipt": mark, "q.A01": mark}, headers=headers)
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.headers.get("content-encoding") == "gzip", path
            assert mark not in answer.text, path
            held += re.findall(r'name="(?:receipt|sheet|ticket)" value="([^"]*)"', answer.text)
    assert held
    assert set(held) == {""}
