"""Server-Sent Events in plain ASGI: the current snapshot at once, then each new one, with heartbeats."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from litestar.types import Message, Receive, Send

from services.analysis.gateway.http_body import STREAM_HEADER, block
from services.analysis.gateway.snapshot_broadcast import Board, Edition, Listener

HEARTBEAT = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""
PATIENCE = 20.0
"""Seconds in which a reader must take what it is sent. One who does not is let go, comes back by itself and gets the current figures."""

BEGINNING = b"retry: 2000\n\n"
ALIVE = b": alive\n\n"
ASTRAY = b": The revision in Last-Event-ID is none of this survey's so far; these are the current figures.\n\n"
_BLOCKS = {part: block(part) for part in (BEGINNING, ALIVE, ASTRAY)}


@dataclass(frozen=True)
class Wish:
    """What a reader asked for."""

    last_seen: str | None = None
    """The revision in Last-Event-ID."""
    zipped: bool = False
    notice: bool = False
    """To be told of editions, without the figures."""

    def of(self, edition: Edition) -> bytes:
        event = edition.notice if self.notice else edition.whole
        return event.zipped if self.zipped else event.plain


async def stream(board: Board, survey: str, wish: Wish, receive: Receive, send: Send, heartbeat: float = HEARTBEAT) -> None:
    """Sends until the reader leaves or stops reading. One that has seen the current revision waits for the next one."""
    listener = board.listen(survey)
    gone = asyncio.ensure_future(_gone(receive, listener))
    try:
        await _tell(board.editions.get(survey), listener, _Writer(send, listener, wish), heartbeat)
    except TimeoutError:
        board.dropped += not listener.ended
    finally:
        listener.writing = None
        board.leave(survey, listener)
        gone.cancel()


async def _gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


async def _tell(current: Edition | None, listener: Listener, writer: _Writer, heartbeat: float) -> None:
    await writer.begin()
    last_seen = writer.wish.last_seen
    newest = current.snapshot.revision if current is not None else 0
    if last_seen is not None and not _is_past(last_seen, newest):
        await writer.write(ASTRAY)
    if current is not None and last_seen != str(newest):
        await writer.edition(current)
    while True:
        edition = await listener.next(heartbeat)
        if listener.ended:
            break
        if edition is None:
            await writer.write(ALIVE)
        else:
            await writer.edition(edition)
    await writer.end()


def _is_past(last_seen: str, newest: int) -> bool:
    """Whether this is a revision that there has been. A copy of the data that was restored may have gone back behind what readers saw."""
    return last_seen.isascii() and last_seen.isdigit() and len(last_seen) < 20 and int(last_seen) <= newest


class _Writer:
    """Writes what all readers share, as it is or as parts of a gzip stream. Raises TimeoutError where nobody takes it."""

    def __init__(self, send: Send, listener: Listener, wish: Wish) -> None:
        self._send, self._listener, self.wish = send, listener, wish

    async def begin(self) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"vary", b"accept-encoding"),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
        ]
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": headers + ([(b"content-encoding", b"gzip")] if self.wish.zipped else []),
        }
        await self._send(start)
        await self._put(STREAM_HEADER + _BLOCKS[BEGINNING] if self.wish.zipped else BEGINNING)

    async def write(self, part: bytes) -> None:
        await self._put(_BLOCKS[part] if self.wish.zipped else part)

    async def edition(self, edition: Edition) -> None:
        await self._put(self.wish.of(edition))

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _put(self, body: bytes) -> None:
        async with asyncio.timeout(PATIENCE) as self._listener.writing:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        self._listener.writing = None
