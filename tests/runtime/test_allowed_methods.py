"""Whoever asks with OPTIONS learns every method of a path, however many handlers share it."""

from __future__ import annotations

from litestar import Litestar, delete, get, put
from litestar.testing import TestClient

from services.runtime.allowed_methods import with_options


@get("/thing")
async def look() -> str:
    return "thing"


@put("/thing")
async def change() -> str:
    return "changed"


@delete("/other")
async def remove() -> None: ...


def test_options_names_every_method_of_a_path() -> None:
    with TestClient(Litestar(list(with_options([look, change, remove])), openapi_config=None)) as client:
        assert client.options("/thing").headers["allow"] == "GET, OPTIONS, PUT"
        assert client.options("/other").headers["allow"] == "DELETE, OPTIONS"
        assert client.options("/thing").status_code == 204
        assert (client.get("/thing").text, client.put("/thing").text) == ("thing", "changed")
