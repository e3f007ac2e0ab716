"""Waits for a child process or a task that serves."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time

from deploy.stack import ports


def wait_until_listening(process: subprocess.Popen[bytes], port: int, seconds: float = 120) -> None:
    """Returns once something listens on `port` of this machine. Raises RuntimeError if `process` ended, TimeoutError after `seconds`.

    The port is one of `deploy.stack.ports.free()`: the system may give one of its own range to another program first.
    """
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on port {port} after {seconds} s")
        time.sleep(0.1)
    raise RuntimeError(f"the server of port {port} ended with {process.returncode}")


async def until_listening(serving: asyncio.Task[None], port: int) -> None:
    """The same for a task. Raises RuntimeError if it ended."""
    while ports.is_free("127.0.0.1", port):
        if serving.done():
            raise RuntimeError(f"the server of port {port} ended")
        await asyncio.sleep(0.01)
