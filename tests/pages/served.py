"""Intake in memory as a server of its own, for tests that drive a browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from deploy.stack import ports
from tests.listening import wait_until_listening


@contextmanager
def served(desk: str = "tests.pages.desk") -> Generator[str]:
    """Its address. `desk` is the module that serves. Raises what `wait_until_listening` raises."""
    port = ports.free()
    with subprocess.Popen([sys.executable, "-m", desk, str(port)]) as process:
        try:
            wait_until_listening(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # a page that a failed test left open still listens
                process.kill()
