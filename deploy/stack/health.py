"""Asks a service on this machine how it is, with one plain request."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit


async def ask(url: str, seconds: float = 2.0) -> tuple[int, bytes]:
    """Returns status line and body. Raises OSError where no process listens, TimeoutError where none answers."""
    parts = urlsplit(url)
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split(b" ", 2)
            return int(status[1]) if len(status) > 1 and status[1].isdigit() else 0, await reader.read()
        finally:
            writer.close()


async def is_well(url: str) -> bool:
    return (await ask(url))[0] == 200
