"""HTTP bodies that many readers share, compressed once for all of them. Pure."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

WORTH = 1024
"""Least bytes for which compression saves more than it costs."""
LEVEL = 6


def takes_gzip(accepted: str) -> bool:
    """Returns whether a client with this Accept-Encoding takes gzip (RFC 9110, 12.5.3). An empty header means no."""
    qualities: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            qualities[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            qualities[name.strip()] = 0.0
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


@dataclass(frozen=True)
class Encoded:
    """One body. `tag`: the entity tag of every encoding, which is valid because ranges are not served."""

    plain: bytes
    tag: str
    media_type: str = "application/json"
    name: str = ""
    """The file name for a download; empty for a page or JSON."""

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.plain, LEVEL, mtime=0)


STREAM_HEADER = b"\x1f\x8b\x08" + struct.pack("<BIBB", 0, 0, 0, 255)
"""The start of a gzip stream (RFC 1952)."""


def block(part: bytes) -> bytes:
    """Returns a part of a gzip stream that is independent of the parts before it: byte-aligned, without back references (RFC 1951).

    So all readers of a stream can be sent the same bytes. The stream has no checksum at its end: it ends with the connection.
    """
    squeezed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeezed.compress(part) + squeezed.flush(zlib.Z_FULL_FLUSH)
