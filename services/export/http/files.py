"""Serving the files of a release: ETag by checksum, byte ranges (RFC 9110 section 14), nothing outside the release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from litestar import Response
from litestar.response import Stream

from proto.manifest import File
from services.runtime.http.byte_ranges import span
from services.runtime.http.conditional import range_is_current
from services.runtime.http.responses import AnyRequest, field_lines, unchanged

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".json": "application/json",
    ".xml": "application/xml",
    ".sav": "application/x-spss-sav",
    ".dta": "application/x-stata-dta",
    ".zip": "application/zip",
    ".py": "text/plain",
    ".R": "text/plain",
    ".do": "text/plain",
    "": "text/plain",
}
PIECE = 256 * 1024


def serve(request: AnyRequest, folder: Path, file: File, everybody: bool = False) -> Response[bytes] | Stream:
    """The file, the part of it that is asked for, or 304. `everybody`: shared caches may keep it. Raises Problem("range-unsatisfiable")."""
    headers = {
        "ETag": f'"{file.sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": f"{'public' if everybody else 'private'}, max-age=31536000, immutable",
    }
    if (same := unchanged(request, headers)) is not None:
        return same
    current = range_is_current(field_lines(request, "if-range"), headers["ETag"])
    part = span(field_lines(request, "range"), file.bytes) if current else None
    begin, end = part or (0, file.bytes - 1)
    headers["Content-Length"] = str(end - begin + 1)
    if part is not None:
        headers["Content-Range"] = f"bytes {begin}-{end}/{file.bytes}"
    media_type = MEDIA_TYPES.get(Path(file.name).suffix, "application/octet-stream")
    pieces = _pieces(folder / file.name, begin, end)
    return Stream(pieces, status_code=206 if part is not None else 200, headers=headers, media_type=media_type)


async def _pieces(path: Path, begin: int, end: int) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as opened:
        await opened.seek(begin)
        left = end - begin + 1
        while left > 0 and (piece := await opened.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
