"""A server of the tests that does not come up is told where it is started, and not by the first page that is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy.stack import ports
from tests.listening import wait_until_listening
from tests.pages.served import served

OUTGOING = 32_768
"""From here on systems draw ports for outgoing connections."""


def test_a_server_that_ends_is_told_with_its_code() -> None:
    with pytest.raises(RuntimeError, match=r"^the server of port \d+ ended with 0$"), served("tests.pages.served"):
        pass


def test_a_server_that_never_listens_is_told_after_the_deadline() -> None:
    port = ports.free()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as silent:
        try:
            with pytest.raises(TimeoutError, match=f"^nothing listens on port {port} after 0.3 s$"):
                wait_until_listening(silent, port, seconds=0.3)
        finally:
            silent.kill()


def test_no_outgoing_connection_can_take_the_port_of_a_server_that_starts() -> None:
    with served() as address:
        assert int(address.rpartition(":")[2]) < OUTGOING
