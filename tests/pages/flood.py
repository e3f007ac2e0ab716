"""A flood: `python -m tests.pages.flood HOST:PORT SURVEY RATE` sends until it is ended, and then prints how it was answered.

Half of it are answers that fit, sent as programs send them; the rest is junk, and forms that claim to have been filled in.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from urllib.parse import urlencode

import uvloop

CONNECTIONS = 128
GOOD = json.dumps({"answers": {"Visit": "no", "Safe": "yes"}, "consent": True})
JUNK = json.dumps({"answers": {"Visit": 7, "Nobody": "asked"}, "consent": True})
SHEET = json.dumps(
    {"version": "1.0.0", "answers": {"Visit": "no", "Safe": "yes"}, "seen": ["Visit", "Safe", "Wish"], "reviewed": True, "began": "1.x"}
)


async def flood(host: str, port: int, survey: str, rate: float) -> Counter[str]:
    """Sends at this rate as long as the answers come, `CONNECTIONS` at a time."""
    statuses: Counter[str] = Counter()
    begun, sent, over = time.monotonic(), 0, asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)

    async def work() -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection(host, port)
        while not over.is_set():
            number, sent = sent, sent + 1
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            kind, content = request(survey, number % 4)
            writer.write(content)
            statuses[f"{kind} {await answer(reader)}"] += 1
        writer.close()

    with suppress(OSError, asyncio.IncompleteReadError):
        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    statuses["rate"] = round(statuses.total() / (time.monotonic() - begun))
    return statuses


async def answer(reader: asyncio.StreamReader) -> str:
    """The status; the rest is read and left."""
    head = await reader.readuntil(b"\r\n\r\n")
    place = head.lower().index(b"content-length:")
    await reader.readexactly(int(head[place + 15 : head.index(b"\r", place)]))
    return head[9:12].decode()


def request(survey: str, number: int) -> tuple[str, bytes]:
    secret = secrets.token_urlsafe(24)
    if number == 3:
        body = urlencode({"place": "review", "go": "send", "typed": "en", "receipt": secret, "sheet": SHEET})
        return "form", _post(f"/s/{survey}", "application/x-www-form-urlencoded", body)
    body = JUNK if number == 2 else GOOD
    return "api", _post(f"/api/v1/surveys/{survey}/responses", f"application/json\r\nIdempotency-Key: {secret}", body)


def _post(path: str, kind: str, body: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(flood(host, int(port), sys.argv[2], float(sys.argv[3])))), flush=True)
