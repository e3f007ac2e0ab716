"""Live figures as Server-Sent Events in plain ASGI: the current snapshot, then each new one, with heartbeats."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from litestar.types import Message, Receive, Send

from services.analysis.gateway.snapshot_broadcast import BroadcastEdition, Broadcaster, Listener
from services.runtime.http.encoded_body import STREAM_HEADER, block
from services.runtime.http.sse import HEADERS, MEDIA_TYPE, comment, retry

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent to keep the connection alive."""
PATIENCE = 20.0
"""Seconds in which a client must take what it is sent. Else its connection is closed; it reconnects and gets the current figures."""

BEGINNING = retry(2000)
ALIVE = comment("alive")
UNKNOWN_REVISION = comment("The revision in Last-Event-ID is none of this survey's so far; these are the current figures.")
_BLOCKS = {part: block(part) for part in (BEGINNING, ALIVE, UNKNOWN_REVISION)}


@dataclass(frozen=True)
class StreamOptions:
    """What a client asked for."""

    last_seen: str | None = None
    """The revision in Last-Event-ID."""
    zipped: bool = False
    notice: bool = False
    """Whether to send only that there is a new edition, without the figures."""

    def of(self, edition: BroadcastEdition) -> bytes:
        event = edition.notice if self.notice else edition.whole
        return event.zipped if self.zipped else event.plain


async def stream(
    broadcaster: Broadcaster, survey: str, options: StreamOptions, receive: Receive, send: Send, heartbeat: float = HEARTBEAT
) -> None:
    """Sends events until the client disconnects or stops reading. A client that has the current revision waits for the next one."""
    listener = broadcaster.listen(survey)
    gone = asyncio.ensure_future(_gone(receive, listener))
    try:
        await _send_editions(broadcaster.editions.get(survey), listener, _Writer(send, listener, options), heartbeat)
    except TimeoutError:
        broadcaster.dropped += not listener.ended
    finally:
        listener.writing = None
        broadcaster.leave(survey, listener)
        gone.cancel()


async def _gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


async def _send_editions(current: BroadcastEdition | None, listener: Listener, writer: _Writer, heartbeat: float) -> None:
    await writer.begin()
    last_seen = writer.options.last_seen
    newest = current.snapshot.revision if current is not None else 0
    if last_seen is not None and not _is_past(last_seen, newest):
        await writer.write(UNKNOWN_REVISION)
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
    """Returns whether this revision has existed. After a restore the current revision may be lower than what clients have seen."""
    return last_seen.isascii() and last_seen.isdigit() and len(last_seen) < 20 and int(last_seen) <= newest


class _Writer:
    """Writes shared bytes, plain or as parts of a gzip stream. Raises TimeoutError where the client does not take them."""

    def __init__(self, send: Send, listener: Listener, options: StreamOptions) -> None:
        self._send, self._listener, self.options = send, listener, options

    async def begin(self) -> None:
        headers = {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8", **HEADERS, "Vary": "Accept-Encoding"} | (
            {"Content-Encoding": "gzip"} if self.options.zipped else {}
        )
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await self._send(start)
        await self._put(STREAM_HEADER + _BLOCKS[BEGINNING] if self.options.zipped else BEGINNING)

    async def write(self, part: bytes) -> None:
        await self._put(_BLOCKS[part] if self.options.zipped else part)

    async def edition(self, edition: BroadcastEdition) -> None:
        await self._put(self.options.of(edition))

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _put(self, body: bytes) -> None:
        async with asyncio.timeout(PATIENCE) as self._listener.writing:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        self._listener.writing = None
