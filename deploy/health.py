"""Asks a service on this machine whether it is well, with one plain request."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit


async def is_well(url: str, seconds: float = 2.0) -> bool:
    """Whether GET answers 200 in time. Raises OSError where nobody listens."""
    parts = urlsplit(url)
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in await reader.readline()
        finally:
            writer.close()
