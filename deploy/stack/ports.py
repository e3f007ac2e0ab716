"""Free TCP ports for the servers of the stack."""

from __future__ import annotations

import random
import socket

# Below the range from which systems hand out ports for outgoing connections, so that none of those takes ours during a restart.
_RANGE = range(12000, 32000)


def free(host: str = "127.0.0.1") -> int:
    """A port without a listener, drawn at random so that stacks that start at the same time get different ones."""
    for _ in range(100):
        port = random.choice(_RANGE)
        if is_free(host, port):
            return port
    raise OSError(f"no free port found on {host}")


def is_free(host: str, port: int) -> bool:
    try:
        probe(host, port)
    except OSError:
        return False
    return True


def probe(host: str, port: int) -> None:
    """Raises OSError where one cannot listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
