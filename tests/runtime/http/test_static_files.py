"""Files of a service are served with their types and tags, and nothing beside them is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.params import FromPath

from services.runtime.http import static_files
from services.runtime.http.problems import EXCEPTION_HANDLERS
from services.runtime.http.responses import AnyRequest

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    for name, body in {"section.js": SCRIPT, "mark.svg": b"<svg/>", "page.css": b"a{}", "notes.txt": b"secret"}.items():
        (tmp_path / name).write_bytes(body)
    files = static_files.load(tmp_path)

    @get("/static/{name:str}")
    async def static(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        return static_files.serve(request, files, name)

    app: Any = Litestar([static], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://platea.test") as opened:
        yield opened


async def test_a_file_comes_with_its_type_and_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    for name, kind in (
        ("section.js", "text/javascript; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
        ("page.css", "text/css; charset=utf-8"),
    ):
        answer = await client.get(f"/static/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        for condition in (answer.headers["etag"], "*"):
            again = await client.get(f"/static/{name}", headers={"If-None-Match": condition})
            assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "public, max-age=600")


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("gzip;q=0", None), ("br, gzip;q=0, *;q=0.1", None)])
async def test_only_who_takes_gzip_gets_a_script_compressed(client: httpx.AsyncClient, accepted: str, encoding: str | None) -> None:
    answer = await client.get("/static/section.js", headers={"Accept-Encoding": accepted})
    assert (answer.content, answer.headers.get("content-encoding"), answer.headers["vary"]) == (SCRIPT, encoding, "Accept-Encoding")


@pytest.mark.parametrize("name", ["notes.txt", "missing.js", "..%2Fsection.js"])
async def test_nothing_else_is_there(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404
