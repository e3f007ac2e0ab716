"""The passwords of the NATS users, in the server's configuration syntax."""

from __future__ import annotations

from pathlib import Path

from deploy.keys import KeyFolder, write_secret

USERS = ("provisioner", "intake", "analysis", "export", "dashboard", "operator")


def write_passwords(path: Path, keys: KeyFolder) -> None:
    """Writes the file that users.conf includes, a line per user, and route.conf beside it, which only a cluster reads. Mode 600."""
    lines = [f"{user}_password: {quoted(keys.read(f'nats-{user}'))}" for user in USERS]
    write_secret(path, "\n".join(lines) + "\n")
    write_secret(path.with_name("route.conf"), f"route_password: {quoted(keys.read('nats-route'))}\n")


def routes(keys: KeyFolder, addresses: list[str]) -> str:
    """The value of NATS_ROUTES: how the servers of a cluster reach each other."""
    return "[" + ", ".join(f"nats://route:{keys.in_url('nats-route')}@{address}" for address in addresses) + "]"


def quoted(text: str) -> str:
    """A string in the syntax of the server's configuration.

    The server parses values of environment variables like its file: a space ends a word, # begins a comment and $ a variable.
    """
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
