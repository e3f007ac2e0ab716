"""A log file of bounded size without network addresses: the older half is dropped when the newer is full."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

LONGEST = 64 * 1024
"""Bytes after which a line without an end is written all the same."""

_PERHAPS = re.compile(
    rb"(?<![\w.:])"
    rb"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?::\d{1,3}(?:\.\d{1,3}){3})?)"
    rb"(?!\w|[.:]\w+[.:])"
)
"""What may be an address, IPv4 or IPv6; a time of day looks like one, too."""


class BoundedLog:
    """Two files, `name.log` and `name.log.1`, of at most `size` bytes each. A full disk loses lines, never the stack.

    Addresses of clients are masked: servers log them on errors, and some log an address that the client claims.
    """

    def __init__(self, path: Path, size: int = 4 * 1024 * 1024) -> None:
        self.path = path
        self._size = size
        self._last = b""
        self._begun = b""

    def write(self, part: bytes) -> None:
        """Appends output in parts of any size; a line is written once it is complete."""
        *lines, self._begun = (self._begun + part).split(b"\n")
        for line in lines:
            self._write(line + b"\n")
        if len(self._begun) > LONGEST:
            self.end()

    def end(self) -> None:
        """Writes the rest of the output, without ending the line."""
        if self._begun:
            self._write(self._begun + b"\n")
            self._begun = b""

    def _write(self, line: bytes) -> None:
        line = without_addresses(line)
        if line.strip():
            self._last = line
        try:
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(line)
                full = file.tell() >= self._size
            if full:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
        except OSError:
            pass

    def last(self) -> str:
        """The last line that is not empty."""
        return self._last.decode(errors="replace").strip()


def without_addresses(line: bytes) -> bytes:
    """Masks every address in the line except loopback addresses."""
    return _PERHAPS.sub(_masked, line)


def _masked(match: re.Match[bytes]) -> bytes:
    text, rest = match[0], b""
    if text.endswith(b":") and not text.endswith(b"::"):
        text, rest = text[:-1], b":"
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return match[0]
    return match[0] if address.is_loopback or address.is_unspecified else b"[address]" + rest
