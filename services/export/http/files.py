"""Serving the files of a release: ETag by checksum, byte ranges (RFC 9110 section 14), nothing outside the release."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from litestar import Response
from litestar.response import Stream

from proto.manifest import File
from proto.problem import Problem

MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".xml": "application/xml",
    ".sav": "application/x-spss-sav",
    ".dta": "application/x-stata-dta",
    ".zip": "application/zip",
    ".py": "text/plain; charset=utf-8",
    ".R": "text/plain; charset=utf-8",
    ".do": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}
PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def span(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None for the whole file. Several ranges are answered with the whole file.

    Raises Problem("range-unsatisfiable").
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    begin, end = (max(size - int(last), 0), size - 1) if first == "" else (int(first), min(int(last or size - 1), size - 1))
    if begin > end or begin >= size:
        raise Problem("range-unsatisfiable", f"The file has {size} bytes.")
    return begin, end


def serve(
    folder: Path, file: File, range_header: str | None, if_range: str | None, if_none_match: str | None, everybody: bool = False
) -> Response[bytes] | Stream:
    """Returns the file or a part of it.

    `range_header`, `if_range`, `if_none_match`: headers of the request. `everybody`: the file is public, so shared caches may keep it.
    """
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": f"{'public' if everybody else 'private'}, max-age=31536000, immutable",
    }
    if if_none_match is not None and (if_none_match.strip() == "*" or etag in if_none_match):
        return Response(b"", status_code=304, headers=headers)
    part = span(range_header, file.bytes) if if_range is None or if_range == etag else None
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
