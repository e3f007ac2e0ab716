"""Bytes that many readers share, as they are and compressed once for all of them."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

WORTH = 1024
"""Bytes from which on compressing saves more than it costs."""
LEVEL = 6


def takes_gzip(accepted: str) -> bool:
    """Whether a reader who sends this Accept-Encoding takes gzip (RFC 9110, 12.5.3). One who says nothing gets what everybody can read."""
    found: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            found[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            found[name.strip()] = 0.0
    return found.get("gzip", found.get("x-gzip", found.get("*", 0.0))) > 0


@dataclass(frozen=True)
class Encoded:
    """One body. Its `tag` is the entity tag of every encoding: no part of a body is ever asked for."""

    plain: bytes
    tag: str
    media_type: str = "application/json"
    name: str = ""
    """What a file of it is called; empty for what is read on the spot."""

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.plain, LEVEL, mtime=0)


STREAM_HEADER = b"\x1f\x8b\x08" + struct.pack("<BIBB", 0, 0, 0, 255)
"""With this a gzip stream begins (RFC 1952)."""


def block(part: bytes) -> bytes:
    """A part of a gzip stream that stands by itself: it ends on a whole byte and refers to nothing before it (RFC 1951), so
    whatever a reader was sent before, the same bytes follow. Such a stream has no end with a checksum: it ends as a connection does."""
    squeezed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeezed.compress(part) + squeezed.flush(zlib.Z_FULL_FLUSH)
