"""Tells whoever started this process that its event loop turns, in the way of systemd's watchdog (sd_notify)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket


async def beat() -> None:
    """Sends a sign of life three times in each WATCHDOG_USEC to NOTIFY_SOCKET; ends at once where nobody listens for one."""
    address, period = os.environ.get("NOTIFY_SOCKET", ""), os.environ.get("WATCHDOG_USEC", "")
    if not address or not period.isdigit():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        while True:
            with contextlib.suppress(OSError):  # whoever listened is gone, or does not read at the moment
                line.sendto(b"WATCHDOG=1", "\0" + address[1:] if address.startswith("@") else address)
            await asyncio.sleep(int(period) / 3e6)
