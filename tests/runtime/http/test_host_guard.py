"""The guard in front of every app: names, headers that are believed, paths in one form, metrics."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.host_guard import LOOPBACK, MOST_HEADERS, HostGuard, origin_of, public_url

PUBLIC = "https://survey.example.eu"
PROXY, STRANGER = "10.0.0.9", "198.51.100.7"


def _scope(path: str = "/", peer: str = "127.0.0.1", version: str = "1.1", **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "http_version": version,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "headers": named,
        "client": (peer, 4000),
        "server": ("127.0.0.1", 8000),
        "method": "GET",
    }


async def _asked(guard: HostGuard, scope: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status, and what the app was given or the problem told."""
    told: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = msgspec.json.encode({"path": scope["path"], "raw": scope["raw_path"].decode(), "origin": origin_of(scope)})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def send(message: Any) -> None:
        told.append(message)

    guarded: Any = guard.before(app)
    await guarded(scope, None, send)
    return told[0]["status"], msgspec.json.decode(told[1]["body"])


@pytest.mark.parametrize(
    ("url", "peer", "headers", "origin"),
    [
        ("", STRANGER, {"host": "127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ("", STRANGER, {"host": "[2001:db8::1]:80"}, "http://[2001:db8::1]:80"),
        ("", STRANGER, {"host": "LOCALHOST"}, "http://localhost"),
        ("", STRANGER, {"host": "198.51.100.1", "x_forwarded_proto": "https"}, "http://198.51.100.1"),
        ("", PROXY, {"host": "survey.example.eu", "x_forwarded_proto": "https"}, PUBLIC),
        ("", PROXY, {"host": "survey.example.eu", "x_forwarded_proto": "javascript"}, "http://survey.example.eu"),
        (PUBLIC, STRANGER, {"host": "survey.example.eu"}, PUBLIC),
        (PUBLIC, STRANGER, {"host": "Survey.Example.eu.:443"}, PUBLIC),
        (PUBLIC, STRANGER, {"host": "127.0.0.1:8000", "x_forwarded_proto": "http"}, PUBLIC),
    ],
)
async def test_absolute_addresses_come_from_the_setting_or_from_whom_is_believed(
    url: str, peer: str, headers: dict[str, str], origin: str
) -> None:
    assert await _asked(HostGuard.of(url, "10.0.0.0/8", LOOPBACK), _scope(peer=peer, **headers)) == (
        200,
        {"path": "/", "raw": "/", "origin": origin},
    )


@pytest.mark.parametrize(
    ("url", "peer", "host"),
    [
        ("", STRANGER, "evil.example"),
        ("", "127.0.0.1", "evil.example:8000"),
        ("", STRANGER, "127.0.0.1.evil.example"),
        ("", STRANGER, "evil.example:80@127.0.0.1"),
        (PUBLIC, PROXY, "evil.example"),
        (PUBLIC, STRANGER, "survey.example.eu.evil.example"),
        ("", STRANGER, ""),
    ],
)
async def test_an_unknown_name_is_refused(url: str, peer: str, host: str) -> None:
    status, problem = await _asked(HostGuard.of(url, "10.0.0.0/8", LOOPBACK), _scope(peer=peer, host=host))
    assert (status, problem["type"]) == (421, "/problems/host-unknown")
    assert "PLATEA_PUBLIC_URL" in problem["detail"]
    assert host not in problem["detail"] or not host


async def test_a_request_names_one_host() -> None:
    twice = _scope()
    twice["headers"] = [(b"host", b"127.0.0.1"), (b"host", b"127.0.0.1")]
    assert (await _asked(HostGuard(), twice))[0] == 400
    assert (await _asked(HostGuard(), _scope()))[0] == 400
    assert (await _asked(HostGuard(), _scope(version="1.0")))[0] == 200


async def test_probes_ask_for_health_under_any_name() -> None:
    for path in ("/health/live", "/health/ready", "/analysis/health/ready", "/export/health/live"):
        assert (await _asked(HostGuard(), _scope(path, STRANGER, host="intake.platea.svc:8000")))[0] == 200
    assert (await _asked(HostGuard(), _scope("/health/else", STRANGER, host="intake.platea.svc:8000")))[0] == 421


async def test_more_than_so_many_bytes_of_headers_are_refused() -> None:
    assert (await _asked(HostGuard(), _scope(host="localhost", x="y" * (MOST_HEADERS - 14))))[0] == 200
    assert (await _asked(HostGuard(), _scope(host="localhost", x="y" * (MOST_HEADERS - 13))))[0] == 431


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        (STRANGER, {}, 403),
        (PROXY, {}, 403),
        (PROXY, {"x_forwarded_for": "127.0.0.1"}, 200),
        (PROXY, {"x_forwarded_for": f"127.0.0.1, {STRANGER}"}, 403),
        ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, 403),  # a proxy on this machine that nobody named
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 403),
    ],
)
async def test_metrics_are_for_this_machine_unless_more_is_set(peer: str, headers: dict[str, str], status: int) -> None:
    guard = HostGuard.of("", "10.0.0.0/8", LOOPBACK)
    for path in ("/metrics", "/analysis/metrics", "/export/metrics", "/metrics/", "//analysis//metrics"):
        assert (await _asked(guard, _scope(path, peer, host="intake", **headers)))[0] == status
    widened = HostGuard.of("", "10.0.0.0/8", "198.51.100.0/24")
    assert (await _asked(widened, _scope("/metrics", STRANGER, host="intake")))[0] == 200


@given(st.lists(st.sampled_from(["", "a", "live", "%2F", "."]), max_size=6))
async def test_a_path_reaches_the_app_in_one_form(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    status, told = await _asked(HostGuard(), _scope(path, host="localhost"))
    assert status == 200
    assert told["path"] == told["raw"] == "/" + "/".join(part for part in parts if part)


@pytest.mark.parametrize(
    "given", ["survey.example.eu", "ftp://x", "https://", "https://a/b", "https://u:p@a", "https://a?x", "https://a:b", "https:// a"]
)
def test_an_address_that_does_not_fit_is_told_by_the_name_of_the_setting(given: str) -> None:
    with pytest.raises(ValueError, match="PLATEA_PUBLIC_URL does not fit"):
        public_url(given)


def test_an_address_is_taken_without_the_slash_at_its_end() -> None:
    assert public_url("https://Survey.example.eu:8443/") == "https://survey.example.eu:8443"
