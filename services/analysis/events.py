"""Server-Sent Events in plain ASGI: the current snapshot at once, then each new one, with heartbeats."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from litestar.types import Message, Receive, Send

from services.analysis.live import Board, Listener

HEARTBEAT = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""


async def stream(board: Board, survey: str, last_seen: str | None, receive: Receive, send: Send, heartbeat: float = HEARTBEAT) -> None:
    """Sends until the reader leaves or falls behind. A reader that has seen the current revision waits for the next one."""
    listener = board.listen(survey)
    gone = asyncio.ensure_future(_gone(receive))
    telling = asyncio.ensure_future(_tell(board, survey, last_seen, listener, send, heartbeat))
    try:
        await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        board.leave(survey, listener)
        for task in (gone, telling):
            task.cancel()
        await asyncio.gather(gone, telling, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _tell(board: Board, survey: str, last_seen: str | None, listener: Listener, send: Send, heartbeat: float) -> None:
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
        ],
    }
    await send(start)
    await _write(send, b"retry: 2000\n\n")
    while not listener.queue.empty():  # what came while the headers went out is in the current edition
        if listener.queue.get_nowait() is None:
            return await _end(send)
    current = board.editions.get(survey)
    if current is not None and last_seen != str(current.snapshot.revision):
        await _write(send, current.frame)
    while True:
        frame = b": alive\n\n"
        with suppress(TimeoutError):
            async with asyncio.timeout(heartbeat):
                edition = await listener.queue.get()
                if edition is None:
                    break
                frame = edition.frame
        await _write(send, frame)
    return await _end(send)


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
