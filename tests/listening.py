"""Waits for a child process that serves."""

from __future__ import annotations

import socket
import subprocess
import time


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
