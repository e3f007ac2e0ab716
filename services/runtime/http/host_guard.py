"""The guard in front of every app: which names it answers to, from whom it believes headers, and the origin of absolute addresses.

Host and X-Forwarded-Proto are whatever a client writes. They are believed from the reverse proxies that the operator names
(PLATEA_PROXIES) and nobody else; with PLATEA_PUBLIC_URL set, addresses come from that setting alone. A name that is not known is
refused: otherwise a page of another site could read figures and forms through a name of its own that it points at this server
(DNS rebinding), and caches would keep pages with the addresses of strangers. IP addresses cannot be rebound, so they are taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from proto.problem import Problem
from services.runtime.http.client_address import Network, networks, parsed, visitor, within
from services.runtime.http.head import answering_head
from services.runtime.http.problems import send_problem
from services.runtime.http.security_headers import NO_SNIFFING, SECURITY_HEADERS

LOOPBACK = "127.0.0.0/8,::1/128"
MOST_HEADERS = 32 * 1024
"""Bytes of all names and values of a request's headers."""

_HEALTH = re.compile(r"(/analysis|/export)?/health/(live|ready)")
_METRICS = frozenset({"/metrics", "/analysis/metrics", "/export/metrics"})
_PORT = re.compile(r":\d{0,5}\Z")
_ORIGIN = "platea.origin"


def public_url(given: str) -> str:
    """The setting PLATEA_PUBLIC_URL without a slash at its end; "" where it is not set. Raises ValueError with a sentence."""
    if not given:
        return ""
    parts = urlsplit(given)
    try:
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        plain = False
    if not plain or parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/") or re.search(r"\s", given):
        raise ValueError("PLATEA_PUBLIC_URL does not fit: give the address people open, such as https://survey.example.eu, without a path.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True)
class HostGuard:
    """What an operator set: `url` as `public_url` gives it, and the networks of the reverse proxies and of those who may read metrics."""

    url: str = ""
    proxies: Sequence[Network] = ()
    watchers: Sequence[Network] = networks(LOOPBACK)

    @staticmethod
    def of(url: str, proxies: str, watchers: str) -> HostGuard:
        """From the settings PLATEA_PUBLIC_URL, PLATEA_PROXIES and PLATEA_METRICS_FROM. Raises ValueError with a sentence."""
        return HostGuard(public_url(url), networks(proxies), networks(watchers, "PLATEA_METRICS_FROM"))

    def before(self, app: ASGIApp) -> ASGIApp:
        """`app` behind this guard. Paths reach it in one form: without a slash at the end and without empty parts. HEAD is GET to it."""
        app = answering_head(app)

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                told: Any = scope
                told["path"] = _one_form(scope["path"])
                if raw := scope.get("raw_path"):
                    told["raw_path"] = _one_form(raw.decode("latin-1")).encode("latin-1")
                try:
                    self.check(scope)
                except Problem as problem:
                    await send_problem(send, problem)
                    return
                told[_ORIGIN] = self.origin(scope)
            await app(scope, receive, _with_security_headers(send))

        return dispatch

    def check(self, scope: Scope) -> None:
        """Raises Problem where this request is not for us, or not from somebody who may ask it."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            raise Problem("headers-too-large", f"At most {MOST_HEADERS} bytes are taken.", close=True)
        hosts = _values(scope, b"host")
        if len(hosts) > 1 or (not hosts and scope["http_version"] != "1.0"):
            raise Problem("bad-request", "A request names exactly one host (RFC 9112, 3.2).", close=True)
        path = scope["path"]
        if path in _METRICS and not self._watches(scope):
            raise Problem("not-from-here", "Metrics are told to this machine and to the networks of PLATEA_METRICS_FROM.")
        if path in _METRICS or _HEALTH.fullmatch(path):
            return  # asked by probes under whatever name they know, and the same for every name
        if hosts and not self._answers_to(hosts[0], scope):
            raise Problem("host-unknown", "Open this server by its IP address, or set PLATEA_PUBLIC_URL to the address people open.")

    def origin(self, scope: Scope) -> str:
        """What absolute addresses begin with: scheme, host and port."""
        if self.url:
            return self.url
        scheme = scope["scheme"]
        if self._is_proxy(scope) and (forwarded := _values(scope, b"x-forwarded-proto")[-1:]) and forwarded[0] in ("http", "https"):
            scheme = forwarded[0]
        host = next(iter(_values(scope, b"host")), "")
        server = scope.get("server") or ("127.0.0.1", None)
        return f"{scheme}://{host.lower() or server[0]}"

    def _answers_to(self, host: str, scope: Scope) -> bool:
        name = _PORT.sub("", host.strip().lower()).removesuffix(".")
        if self.url and name == _PORT.sub("", urlsplit(self.url).netloc):
            return True
        if name == "localhost" or name.endswith(".localhost") or parsed(name.removeprefix("[").removesuffix("]")) is not None:
            return True
        return not self.url and self._is_proxy(scope)

    def _is_proxy(self, scope: Scope) -> bool:
        client = scope["client"]
        return client is not None and within(client[0], self.proxies)

    def _watches(self, scope: Scope) -> bool:
        """A peer that passes on what somebody else asks, without being one of our proxies, says nothing of who that is."""
        client = scope["client"]
        if client is None:
            return False
        forwarded = _values(scope, b"x-forwarded-for")
        if not forwarded and not _values(scope, b"forwarded"):
            return within(client[0], self.watchers)
        asking = visitor(client[0], forwarded, self.proxies)
        return self._is_proxy(scope) and asking is not None and within(asking.partition("/")[0], self.watchers)


def _with_security_headers(send: Send) -> Send:
    """No answer is taken for another kind than it says, and no page goes without the rules of what it may load."""

    async def passing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            named = {name.lower(): value for name, value in headers}
            page = named.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in named
            for name, value in (SECURITY_HEADERS if page else NO_SNIFFING).items():
                if name.lower().encode() not in named:
                    headers.append((name.lower().encode(), value.encode()))
            message["headers"] = headers
        await send(message)

    return passing


def origin_of(scope: Scope) -> str:
    """What absolute addresses begin with in the answer to this request, such as "https://survey.example.eu"."""
    told: Any = scope
    return told.get(_ORIGIN) or HostGuard().origin(scope)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]


def _one_form(path: str) -> str:
    return re.sub("//+", "/", path).rstrip("/") or "/" if path.startswith("/") else path
