"""GET /static/{name}: style sheets, scripts and images of the form."""

from __future__ import annotations

from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from services.runtime.http import static_files
from services.runtime.http.responses import AnyRequest

FILES = static_files.load(Path(__file__).parent / "static")


@get("/static/{name:str}", include_in_schema=False)
async def static(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    return static_files.serve(request, FILES, name)


HANDLERS = (static,)
