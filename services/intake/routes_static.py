"""GET /static/…: the style sheet and the mark, from memory, with ETag."""

from __future__ import annotations

import hashlib
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from proto.problem import Problem
from services.intake.replies import Req

KINDS = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}


def _load() -> dict[str, tuple[bytes, str, str]]:
    files = [path for path in (Path(__file__).parent / "static").iterdir() if path.suffix in KINDS]
    return {path.name: (body := path.read_bytes(), f'"{hashlib.sha256(body).hexdigest()[:32]}"', KINDS[path.suffix]) for path in files}


FILES = _load()


@get("/static/{name:str}", include_in_schema=False)
async def static(request: Req, name: FromPath[str]) -> Response[bytes]:
    if name not in FILES:
        raise Problem("not-found")
    body, etag, kind = FILES[name]
    headers = {"ETag": etag, "Cache-Control": "public, max-age=600", "X-Content-Type-Options": "nosniff"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


HANDLERS = (static,)
