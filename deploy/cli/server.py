"""The server that a command talks to: its address, the token, requests."""

from __future__ import annotations

import functools
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, TypeVar

import click

from deploy.cli.console import Trouble
from deploy.stack import running

DEFAULT_URL = "http://127.0.0.1:8000"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 60.0

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Server:
    """A running Platea, as this command reaches it."""

    url: str
    token: str | None
    data: Path | None
    """The data folder of a stack on this machine, where one was named or found."""
    beside: bool = True
    """Whether that stack is this server, and not another one that merely has its folder nearby."""

    def get(self, path: str, seconds: float = TIMEOUT) -> Any:
        return self.ask("GET", path, seconds=seconds)

    def ask(self, method: str, path: str, body: bytes | None = None, *, public: bool = False, seconds: float = TIMEOUT) -> Any:
        """The decoded JSON of the answer. Raises Trouble on a refusal, with the server's own sentence."""
        with self.open(method, path, body, public=public, seconds=seconds) as answer:
            content = answer.read()
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise Trouble(f"{self.url} answered with something that is not Platea's.", "Check the address given with --url.") from None

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        public: bool = False,
        seconds: float = TIMEOUT,
        headers: dict[str, str] | None = None,
    ) -> Generator[HTTPResponse]:
        """The open answer, to read in parts. `public`: works without a token."""
        headers = {"Accept": "application/json"} | (headers or {}) | ({"Content-Type": "application/json"} if body is not None else {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        elif not public:
            raise no_token(self)
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)  # noqa: S310
        try:
            with _opener.open(request, timeout=seconds) as answer:
                yield answer
        except urllib.error.HTTPError as refused:
            with refused:
                raise refusal(refused.code, refused.read(), self) from None
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self.url, error) from None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to the server: a proxy in the environment must not see tokens, nor stand between two programs of one machine."""


def unreachable(url: str, error: Exception | None = None) -> Trouble:
    reason = getattr(error, "reason", error)
    detail = f" ({getattr(reason, 'strerror', None) or str(reason) or type(error).__name__})" if error else ""
    return Trouble(f"No answer from {url}{detail}.", "Start Platea with `platea up`, or name another address with --url or PLATEA_URL.")


def no_token(server: Server) -> Trouble:
    where = f"{server.data}/organiser.token" if server.data else "./var/organiser.token"
    return Trouble(
        f"This needs an organiser token, and there is none in {where}.",
        "Give one with --token or PLATEA_TOKEN, or the stack's data folder with --data.",
    )


def refusal(status: int, content: bytes, server: Server) -> Trouble:
    """The server's problem (RFC 9457) as our two sentences."""
    try:
        problem: Any = json.loads(content)
        title = str(problem.get("title", ""))
        detail = str(problem.get("detail", ""))
        faults: list[dict[str, str]] = problem.get("errors", [])
        code = str(problem.get("type", "")).rsplit("/", 1)[-1]
    except (ValueError, AttributeError):
        return Trouble(f"{server.url} answered with status {status}.", "Check the address; `platea doctor` tells more.")
    cause = ". ".join(part.rstrip(".") for part in (title, detail) if part) + "."
    if faults:
        shown = [f"{fault.get('pointer', '')}: {fault.get('detail', '')}" for fault in faults]
        cause = "\n".join([cause, *("  " + line for line in shown)])
    return Trouble(cause, _WAYS_OUT.get(code, "`platea doctor` tells whether something is wrong with the server."))


_WAYS_OUT = {
    "survey-unknown": "`platea survey list` shows the surveys there are.",
    "not-found": "Check the name; `platea survey list` shows the surveys there are.",
    "token-missing": "Give a token with --token or PLATEA_TOKEN.",
    "token-refused": "Use an organiser token of this server; `platea token create` makes new ones.",
    "survey-closed": "Publish a new version to open it again.",
    "not-by-invitation": "Publish a new version whose file says `participation: invited`.",
    "version-differs": "A published version never changes: raise `version` in the file and publish again.",
    "version-not-higher": "Raise `version` in the file above it and publish again.",
    "instrument-refused": "`platea survey check FILE` shows each fault with its line.",
    "list-changed": "Run the command again; nothing was deleted.",
    "request-refused": "`--help` after the command shows what it takes.",
    "release-refused": "Wait for more responses, or make the policy coarser.",
    "not-published-yet": "Try again once enough responses have arrived.",
    "unavailable": "Try again in a moment; `platea doctor` tells what is not running.",
    "busy": "Try again in a moment; `platea doctor` tells what is not running.",
}


def find(url: str | None, token: str | None, data: str | None) -> Server:
    """What was given, else what a stack on this machine left in its data folder."""
    folder = Path(data) if data else _nearby()
    ours = data is not None or url is None or urllib.parse.urlsplit(url).hostname in LOOPBACK
    if token is None and folder is not None and ours:  # a token found on this machine does not travel to a server elsewhere
        token = _read(folder / "organiser.token")
    if token is not None and not (token.isascii() and token.isprintable()):  # HTTP cannot carry it
        raise Trouble("The token is not one that Platea made.", "Give the whole of it, and nothing else, with --token or PLATEA_TOKEN.")
    stack = running.read(folder) if folder is not None else None
    beside = data is not None or url is None or (stack is not None and stack.url == url.rstrip("/"))
    if url is None and stack is not None:
        url = stack.url
    return Server((url or DEFAULT_URL).rstrip("/"), token, folder, beside)


def _nearby() -> Path | None:
    """`var` in this folder or one above it, or in the checkout that this command belongs to."""
    folder = Path.cwd()
    places = [folder, *folder.parents, Path(__file__).resolve().parents[2]]
    return next((place / "var" for place in places if (place / "var" / "organiser.token").is_file()), None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Trouble(f"Cannot read {path}: {error.strerror}.", "Run this as the user who started Platea, or give --token.") from None


def options(command: Command) -> Command:
    """Adds --url, --token and --data, and hands the command a `server`."""

    @click.option(
        "--url", envvar="PLATEA_URL", metavar="URL", help=f"The server (PLATEA_URL).  [default: the stack in --data, or {DEFAULT_URL}]"
    )
    @click.option(
        "--token", envvar="PLATEA_TOKEN", metavar="SECRET", help="An organiser's token (PLATEA_TOKEN).  [default: <data>/organiser.token]"
    )
    @click.option(
        "--data", envvar="PLATEA_DATA", metavar="DIR", help="Data folder of a stack on this machine (PLATEA_DATA).  [default: var]"
    )
    @functools.wraps(command)
    def with_server(*args: Any, url: str | None, token: str | None, data: str | None, **kwargs: Any) -> Any:
        return command(*args, server=find(url, token, data), **kwargs)

    return with_server  # type: ignore[return-value]


def quoted(name: str) -> str:
    """A name inside a path."""
    return urllib.parse.quote(name, safe="")
