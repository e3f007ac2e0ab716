"""HTTP bodies that many readers share, compressed once for all of them. Pure."""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

WORTH = 1024
"""Least bytes for which compression saves more than it costs."""
LEVEL = 6
COMPRESSED = frozenset({"application/pdf", "image/png"})
"""Media types whose bytes are compressed already."""


def takes_gzip(accept_encoding: Sequence[str]) -> bool:
    """Returns whether a client with these lines of Accept-Encoding takes gzip (RFC 9110, 12.5.3). None, or an empty one, means no."""
    qualities: dict[str, float] = {}
    for part in ",".join(accept_encoding).lower().split(","):
        name, _, weight = part.partition(";")
        try:
            qualities[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            qualities[name.strip()] = 0.0
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


@dataclass(frozen=True)
class Encoded:
    """One body. `tag`: the entity tag of every encoding; no range of it is served, so a strong one does no harm."""

    plain: bytes
    tag: str
    media_type: str = "application/json"
    """Of text without its charset, which Litestar adds."""

    @classmethod
    def of(cls, plain: bytes, media_type: str = "application/json") -> Encoded:
        """A body with a weak tag, which names what is in it and not how it is encoded (RFC 9110, 8.8.1): a hash of its bytes."""
        return cls(plain, f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"', media_type)

    @property
    def is_worth_zipping(self) -> bool:
        return len(self.plain) >= WORTH and self.media_type not in COMPRESSED

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
