"""Live figures as they are published: Server-Sent Events over HTTP, taken up again where they were lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from http.client import HTTPException, HTTPResponse
from typing import Any

from deploy.cli.console import Trouble
from deploy.cli.server import Server, quoted, unreachable

SILENCE = 45.0
"""Seconds without a word, three times those between two signs of life, after which the connection counts as lost."""
PAUSES = (1, 2, 5, 10, 30)
"""Seconds between one attempt and the next."""


def follow(
    server: Server, survey: str, lost: Callable[[str, int], None] = lambda why, pause: None, sleep: Callable[[float], Any] = time.sleep
) -> Generator[bytes]:
    """Yields the JSON of each snapshot, the current one first. Raises Trouble where the first attempt fails.

    Later failures are retried for ever; `lost` is called with the reason and the pause in seconds.
    """
    last, misses = "", 0
    while True:
        why = "the connection ended"
        try:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            with server.open("GET", f"/api/v1/surveys/{quoted(survey)}/live", public=True, seconds=SILENCE, headers=headers) as answer:
                for id, data in events(_lines(answer)):
                    if id != last:  # the same again is no news
                        last, misses = id, 0
                        yield data
        except (OSError, HTTPException) as error:
            if not last:
                raise unreachable(server.url, error) from None
            why = str(error) or type(error).__name__
        except Trouble as trouble:
            if not last:
                raise
            why = trouble.message.rstrip(".")
        pause = PAUSES[min(misses, len(PAUSES) - 1)]
        misses += 1
        lost(why, pause)
        sleep(pause)


def events(lines: Iterable[bytes]) -> Generator[tuple[str, bytes]]:
    """Id and data of each event that is a snapshot (HTML Living Standard, 9.2). What is cut off in the middle is no event."""
    id, data, event = "", b"", ""
    for line in lines:
        name, _, value = line.rstrip(b"\r\n").partition(b":")
        value = value.removeprefix(b" ")
        if not line.strip():
            if data and event == "snapshot":
                yield id, data
            data, event = b"", ""
        elif name == b"id":
            id = value.decode("utf-8", "replace")
        elif name == b"event":
            event = value.decode("utf-8", "replace")
        elif name == b"data":
            data += value


def _lines(answer: HTTPResponse) -> Generator[bytes]:
    while line := answer.readline():
        if not line.endswith(b"\n"):
            return
        yield line
