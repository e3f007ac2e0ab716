"""The static files of a service, served from memory. Each is read once; browsers that take it get it compressed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from litestar import Response

from proto.problem import Problem
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.responses import AnyRequest, cacheable

MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
CACHED = {"Cache-Control": "public, max-age=600"}


def load(folder: Path) -> dict[str, Encoded]:
    """Every style sheet, script and image of a folder by its name."""
    paths = [path for path in folder.iterdir() if path.suffix in MEDIA_TYPES]
    return {path.name: Encoded.of(path.read_bytes(), MEDIA_TYPES[path.suffix]) for path in paths}


def serve(request: AnyRequest, files: Mapping[str, Encoded], name: str) -> Response[bytes]:
    """Raises Problem `not-found`."""
    if name not in files:
        raise Problem("not-found")
    return cacheable(request, files[name], CACHED)
