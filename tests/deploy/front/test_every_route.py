"""Every route of every service: no page asks another site for anything, each answer carries its headers, nobody unknown gets far."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.routes import HTTPRoute
from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from deploy.contracts import http as described
from services.analysis.gateway import app as gateway
from services.export.http import app as export
from services.intake import app as intake
from tests.faults.operated import Operated

SURVEY = "social-cohesion"
FILLED = {
    "survey": [SURVEY],
    "number": ["1"],
    "name": ["data.csv", "codebook.html", "report.html", "live.css", "platea.css"],
    "file": ["A01.csv", "A01.svg", "M01.png"],
    "row": ["A01"],
    "column": ["M01"],
}
"""What stands for a name in a path; anything else is something that is not there."""
QUERIES = {"embed": "?question=A01", "table": "?row=A01&column=M01"}
Start = tuple[int, dict[str, str]]
"""Status and headers of an answer."""
DEEP = b"[" * 30_000


@pytest.fixture(scope="module")
def answered(stack: Operated) -> Operated:
    """With figures and a release."""
    stack.platea("simulate", SURVEY, "--responses", "60", "--seed", "1")
    stack.platea("release", "create", SURVEY)
    return stack


def _paths(method: str = "GET") -> list[str]:
    known = {"intake": Provide(object, sync_to_thread=False)}
    every = (intake.ROUTES, gateway.ROUTES, export.ROUTES)
    apps = [Litestar(list(routes), dependencies=known, openapi_config=None) for routes in every]
    routes = [route for app in apps for route in app.routes if isinstance(route, HTTPRoute) and method in route.methods]
    return sorted({path + QUERIES.get(path.rpartition("/")[2], "") for route in routes for path in _filled(route.path_format)})


def _filled(path: str) -> Iterator[str]:
    name = re.search(r"{(\w+)}", path)
    if name is None:
        yield path
        return
    for value in FILLED.get(name.group(1), ["x"]):
        yield from _filled(path.replace(name.group(0), value, 1))


def test_no_page_of_any_service_asks_another_site_for_anything(answered: Operated, chromium: Browser) -> None:
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    foreign: list[str] = []
    loaded: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: None if _ours(request.url, answered) else foreign.append(f"{page.url} asks {request.url}"))
    for path in [*_paths(), "/docs", "/swagger", "/redoc", "/analysis/schema", "/analysis/schema/redoc", "/export/schema/swagger"]:
        with contextlib.suppress(BrowserError):  # a file that is saved rather than shown loads nothing
            page.goto(answered.url + path, wait_until="commit" if path.endswith("/live") else "load")
        loaded.append(path)
    context.close()
    assert not foreign
    assert len(loaded) > 40


def _ours(address: str, stack: Operated) -> bool:
    return urlsplit(address).netloc in (urlsplit(stack.url).netloc, "") or urlsplit(address).scheme in (
        "data",
        "blob",
        "about",
        "chrome-error",
        "chrome-extension",  # the browser's own reader of PDF
    )


def test_every_answer_carries_its_headers(answered: Operated) -> None:
    seen: set[str] = set()
    with httpx.Client(base_url=answered.url, headers={"Authorization": f"Bearer {answered.token}"}, timeout=60) as client:
        for path in _paths():
            with client.stream("GET", path) as answer:
                assert answer.headers.get("x-content-type-options") == "nosniff", path
                kind = answer.headers.get("content-type", "").partition(";")[0]
                seen.add(kind)
                assert answer.headers.get("content-type", "").count("charset") <= 1, path
                if kind == "text/html":
                    policy = answer.headers.get("content-security-policy", "")
                    assert "default-src 'none'" in policy, path
                    assert "unsafe" not in re.sub(r"style-src [^;]*", "", policy), path
                    assert "http" not in policy, path
                    assert answer.headers.get("referrer-policy") == "same-origin", path
    assert {"text/html", "application/json", "text/csv", "image/svg+xml", "text/event-stream", "application/problem+json"} <= seen


def test_head_answers_as_get_does_without_the_body(answered: Operated) -> None:
    """Asked without compression, under which no page is twice as long as before."""
    headers = {"Authorization": f"Bearer {answered.token}", "Accept-Encoding": "identity"}
    with httpx.Client(base_url=answered.url, headers=headers, timeout=60) as client:
        for path in _paths():
            head, got = _head_and_get(client, path)
            assert head == got, path


def _head_and_get(client: httpx.Client, path: str) -> tuple[Start, Start]:
    """How each of them begins, once two GETs around the HEAD are the same: figures may move in between."""
    before = _start(client, "GET", path)
    while True:
        head, after = _start(client, "HEAD", path), _start(client, "GET", path)
        if before == after:
            return head, after
        before = after


def _start(client: httpx.Client, method: str, path: str) -> Start:
    """A body whose length is not known beforehand has no length to tell."""
    with client.stream(method, path) as answer:
        assert method == "GET" or answer.read() == b""
        told = {name: value for name, value in answer.headers.items() if name not in ("date", "transfer-encoding")}
        return answer.status_code, told


def test_a_page_has_the_address_that_the_setting_names_whatever_the_request_says(answered: Operated) -> None:
    for path in (f"/data/{SURVEY}", "/", f"/live/{SURVEY}", f"/api/v1/surveys/{SURVEY}"):
        answer = httpx.get(answered.url + path, headers={"Host": "evil.example"}, timeout=60)
        assert answer.status_code == 421, path
        assert "evil.example" not in answer.text
    forwarded = httpx.get(f"{answered.url}/data/{SURVEY}/1/citation.bib", headers={"X-Forwarded-Proto": "https"}, timeout=60)
    assert f"{answered.url}/data/{SURVEY}" in forwarded.text


def _guarded() -> list[tuple[str, str, bool]]:
    """Operations of the contract that need a token: method, address, whether the answer without one is sure."""
    found: list[tuple[str, str, bool]] = []
    document: Any = described.document()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete") and (wanted := operation.get("security")):
                found += [(method.upper(), each, {} not in wanted) for each in _filled(path)]
    return found


@pytest.mark.parametrize("body", [b"", b"1", b"{}", DEEP, b'{"profile":' + DEEP], ids=["empty", "number", "object", "deep", "deeper"])
def test_nobody_without_a_token_learns_what_a_request_should_look_like(answered: Operated, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Connection": "close"}  # a refused body may end the connection
    with httpx.Client(base_url=answered.url, headers=headers, timeout=60) as client:
        for method, path, always in _guarded():
            query = {"most": "many", "view": "exact", "weighted": "perhaps"}
            bare = client.request(method, path, content=body if method != "GET" else None, params=query)
            wrong = client.request(method, path, content=body or None, params=query, headers={"Authorization": "Bearer not-a-token"})
            if always or "aggregates/" in path:
                assert (bare.status_code, wrong.status_code) == (401, 403), f"{method} {path}: {bare.text} {wrong.text}"
            assert max(bare.status_code, wrong.status_code) < 500, f"{method} {path}"


def test_no_body_however_deep_is_a_fault_of_ours(answered: Operated) -> None:
    headers = {"Content-Type": "application/json", "Connection": "close", "Authorization": f"Bearer {answered.token}"}
    with httpx.Client(base_url=answered.url, headers=headers, timeout=60) as client:
        for path, item in described.document()["paths"].items():
            for method in item.keys() & {"post", "put"}:
                for body in (DEEP, b'{"profile":' + DEEP, b'{"decisions":' + DEEP, b'{"answers":{"A1":' + DEEP, b"\xff", b"null"):
                    for each in _filled(path):
                        answer = client.request(method.upper(), each, content=body)
                        assert answer.status_code < 500, f"{method} {each} {body[:20]!r}: {answer.text}"


def test_a_slash_at_the_end_leads_to_the_same_place(answered: Operated) -> None:
    for path in (f"/live/{SURVEY}", f"/api/v1/surveys/{SURVEY}", f"/data/{SURVEY}", f"/api/v1/surveys/{SURVEY}/aggregates"):
        assert httpx.get(f"{answered.url}{path}/", timeout=60).text == httpx.get(answered.url + path, timeout=60).text
