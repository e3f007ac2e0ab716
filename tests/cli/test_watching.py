"""`platea watch`: figures at a terminal and in a pipe, and connections that are taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import sse_client
from deploy.cli.console import Trouble
from deploy.cli.server import Server
from deploy.cli.sse_client import events, follow
from proto import instrument as instruments
from proto import snapshot as snapshots
from services.analysis.gateway.snapshot_broadcast import BroadcastEdition
from services.analysis.publish import exact_view
from tests.builders.small_survey import book, crowd, state_of, survey

FIGURES = exact_view.snapshot(book(), state_of(crowd(5, 300)), revision=1, as_of="2026-11-22T14:05:00Z")


def frame(revision: int) -> bytes:
    return BroadcastEdition.of(msgspec.structs.replace(FIGURES, revision=revision)).whole.plain


class Square(ThreadingHTTPServer):
    """A server with one survey, whose live connections say what the test has laid out for them, one after the other."""

    daemon_threads = True

    def __init__(self, *connections: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.connections, self.last_seen = list(connections), list[str | None]()
        self.hold = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Asked(BaseHTTPRequestHandler):
    server: Square  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if self.path == "/api/v1/surveys/small":
            return self._say(200, "application/json", instruments.encode(survey()))
        if self.path != "/api/v1/surveys/small/live":
            return self._say(
                404, "application/problem+json", b'{"type": "/problems/survey-unknown", "title": "There is no survey with this name"}'
            )
        self.server.last_seen.append(self.headers.get("Last-Event-ID"))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if self.server.connections:
            self.wfile.write(self.server.connections.pop(0))
        else:
            self.wfile.flush()
            self.server.hold.wait(20)
        return None

    def _say(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def square() -> Iterator[Square]:
    found = Square(b"retry: 2000\n\n" + frame(1) + frame(2)[:-20], b": alive\n\n" + frame(2), frame(2) + frame(3))
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.hold.set()
    found.shutdown()
    found.server_close()


def platea(*arguments: str, **settings: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")} | settings
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_as_at_a_terminal)


def _as_at_a_terminal() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would whatever the tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@given(st.lists(st.integers(1, 99), max_size=5), st.integers(0, 60))
def test_what_is_cut_off_is_no_event(ids: list[int], lost: int) -> None:
    text = b"retry: 2000\n\n" + b"".join(b"event: snapshot\nid: %d\ndata: {%d}\n\n: alive\n\n" % (id, id) for id in ids)
    whole = [(str(id), b"{%d}" % id) for id in ids]
    cut = text[: len(text) - lost] if lost else text
    lines = [line for line in cut.splitlines(keepends=True) if line.endswith(b"\n")]
    found = list(events(lines))
    assert found == whole[: len(found)]
    assert lost or found == whole


def test_a_lost_connection_is_taken_up_where_it_was_lost(square: Square) -> None:
    told: list[int] = []
    figures = follow(Server(square.url, None, None), "small", lambda why, pause: told.append(pause), lambda seconds: None)
    seen = [json.loads(next(figures))["revision"] for _ in range(3)]
    figures.close()
    assert seen == [1, 2, 3]
    assert square.last_seen == [None, "1", "2"]
    assert told == [1, 1]


def test_a_survey_that_is_not_there_is_no_lost_connection(square: Square) -> None:
    with pytest.raises(Trouble, match="no survey with this name"):
        next(follow(Server(square.url, None, None), "nothing"))
    with pytest.raises(Trouble, match="No answer from"):
        next(follow(Server("http://127.0.0.1:9", None, None), "small"))


def test_a_pipe_gets_each_snapshot_as_a_line_and_ctrl_c_ends_it_cleanly(square: Square) -> None:
    square.connections[0], square.connections[1:] = frame(1) + frame(2), []
    watching = platea("watch", "small", "--json", "--url", square.url)
    assert watching.stdout is not None
    lines = [watching.stdout.readline() for _ in range(2)]
    assert lines[0] == snapshots.encode(FIGURES) + b"\n"
    assert json.loads(lines[1])["revision"] == 2
    watching.send_signal(signal.SIGINT)
    rest, said = watching.communicate(timeout=120)
    assert (watching.returncode, rest) == (0, b"")
    assert b"Traceback" not in said


def test_without_a_terminal_the_figures_are_plain_text(square: Square) -> None:
    text, _ = platea("watch", "small", "--once", "--url", square.url).communicate(timeout=120)
    shown = text.decode()
    assert "\x1b" not in shown
    assert "300 answers" in shown
    assert "Edition 1" in shown
    for question in survey().questions:
        assert question.id in shown
    one, _ = platea("watch", "small", "--once", "-q", "Agree", "--url", square.url).communicate(timeout=120)
    assert "Row x" in one.decode()
    assert "Place" not in one.decode()


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("nothing",), "There is no survey with this name."),
        (("small", "-q", "Nothing"), "small has no question Nothing."),
        (("small", "--lang", "fr"), "small is not available in 'fr'."),
    ],
)
def test_what_cannot_be_watched_is_told(square: Square, arguments: tuple[str, ...], cause: str) -> None:
    watching = platea("watch", *arguments, "--url", square.url)
    text, said = watching.communicate(timeout=120)
    assert (watching.returncode, text) == (1, b"")
    assert said.decode().startswith(cause)


def test_the_silence_that_counts_as_lost_is_longer_than_a_heartbeat() -> None:
    from services.analysis.gateway.sse import HEARTBEAT

    assert sse_client.SILENCE > 2 * HEARTBEAT
