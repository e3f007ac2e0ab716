"""Server-Sent Events as bytes (HTML Living Standard, 9.2). Pure."""

from __future__ import annotations

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Of every stream: no cache stores it, no proxy holds it back."""


def event(name: str, data: bytes, id: int | None = None) -> bytes:
    """One event. `data`: UTF-8; a line feed in it stays one."""
    lines = b"".join(b"data: %b\n" % line for line in data.split(b"\n"))
    return b"event: %b\n%b%b\n" % (name.encode(), b"" if id is None else b"id: %d\n" % id, lines)


def comment(text: str) -> bytes:
    """A line that no listener hears: it keeps the connection open, or tells people who look at the stream."""
    return f": {text}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """After how long a client that lost its connection comes back."""
    return b"retry: %d\n\n" % milliseconds
