"""GET /static/{name}: style sheets, scripts and images, from memory, with ETag."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from litestar import Response, get
from litestar.params import FromPath

from proto.problem import Problem
from services.runtime.http.responses import Req

KINDS = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}


class StaticFile(NamedTuple):
    body: bytes
    packed: bytes
    etag: str
    kind: str


def _load() -> dict[str, StaticFile]:
    paths = [path for path in (Path(__file__).parent / "static").iterdir() if path.suffix in KINDS]
    return {path.name: _file(path.read_bytes(), KINDS[path.suffix]) for path in paths}


def _file(body: bytes, kind: str) -> StaticFile:
    return StaticFile(body, gzip.compress(body, 9, mtime=0), f'W/"{hashlib.sha256(body).hexdigest()[:32]}"', kind)


FILES = _load()


@get("/static/{name:str}", include_in_schema=False)
async def static(request: Req, name: FromPath[str]) -> Response[bytes]:
    """Gzipped where the browser accepts it. The ETag is weak: it identifies the content, not the encoded bytes (RFC 9110, 8.8.1)."""
    file = FILES.get(name)
    if file is None:
        raise Problem("not-found")
    headers = {"ETag": file.etag, "Cache-Control": "public, max-age=600", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if file.etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.body, media_type=file.kind, headers=headers)


HANDLERS = (static,)
