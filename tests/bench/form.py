"""How fast the pages of the form are served, beside a handler that returns the same bytes from memory.

`python -m tests.bench.form PORT` serves the pages, `… PORT FOLDER` those bytes, both the way the services are served.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import uvloop
from litestar import Litestar, Request, Response, get, post

from deploy.stack import ports
from services.intake.app import create_app
from services.runtime.http.server import serve
from tests.bench.intake import slice_
from tests.bench.report import Figure
from tests.bench.servers import SURVEY
from tests.listening import wait_until_listening
from tests.pages.desk import MemoryJournal, open_desk
from tests.pages.visitor import Page

TARGET = 0.5
"""Times the rate of the handler that returns the same bytes, for the form's first page."""
CONNECTIONS = 64
FORM = "application/x-www-form-urlencoded"
A = {"A01": "FR", "A02": "1", "A04": "p3", "A05": "region", "A08": "personal", "A09": "police"}


def measure(folder: Path, quick: bool) -> list[Figure]:
    seconds, rounds = (1.0, 2) if quick else (3.0, 5)
    nothing, sent = folder / "no-bodies", folder / "section-body"
    nothing.touch()
    with _running() as (port, platea):
        path = f"/s/{SURVEY}?lang=en"
        first = _page(port, path)
        begun = _sent(port, first, {"consent": "yes"})
        sent.write_text(_body(begun, {f"q.{id}": code for id, code in A.items()}))
        (folder / "start").write_text(first.html)
        (folder / "section").write_text(_page(port, path, sent.read_text()).html)
        with _running(str(folder)) as (bare_port, bare):
            pages = {"the first page": ("/start", nothing), "a section with its table": ("/section", sent)}
            figures: list[Figure] = []
            for name, (same, bodies) in pages.items():
                sides = (("ours", port, path, platea), ("bare", bare_port, same, bare))
                rates: dict[str, list[float]] = {"ours": [], "bare": []}
                cpu: dict[str, list[float]] = {"ours": [], "bare": []}
                for round in range(rounds + 1):
                    for side, at, address, process in sides:
                        load, used = slice_(at, address, bodies, CONNECTIONS, seconds if round else 0.5, (process,), FORM)
                        assert not load.refused, f"{load.refused} requests for {name} were refused"
                        if round:  # the first one warms
                            rates[side].append(load.rate)
                            cpu[side].append(1000 * used / max(load.accepted, 1))
                ratio = median(a / b for a, b in zip(rates["ours"], rates["bare"], strict=True))
                measured = f"{median(rates['ours']):,.0f}/s, CPU {median(cpu['ours']):.2f} ms"
                beside = f"the same bytes {median(rates['bare']):,.0f}/s, CPU {median(cpu['bare']):.2f} ms"
                target = TARGET if bodies is nothing else None
                figures.append(Figure("Pages of the form", f"{name}, times the same bytes", ratio, "", target, "more", measured, beside))
    return figures


def _page(port: int, path: str, body: str | None = None) -> Page:
    """A page of the form, read as a browser without scripts does."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body.encode() if body is not None else None, {"Content-Type": FORM})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return Page(answer.read().decode())


def _body(page: Page, values: dict[str, str]) -> str:
    for name, value in values.items():
        page.fill(name, value)
    return page.press("next")[1]


def _sent(port: int, page: Page, values: dict[str, str]) -> Page:
    return _page(port, page.action, _body(page, values))


@contextlib.contextmanager
def _running(*folder: str) -> Generator[tuple[int, psutil.Process]]:
    port = ports.free()
    with subprocess.Popen([sys.executable, "-m", "tests.bench.form", str(port), *folder]) as served:
        try:
            wait_until_listening(served, port)
            yield port, psutil.Process(served.pid)
        finally:
            served.terminate()


def bare(folder: Path) -> Litestar:
    """Handlers that know their answers."""
    start, section = ((folder / name).read_bytes() for name in ("start", "section"))

    @get("/start")
    async def give_start(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(start, media_type="text/html")

    @post("/section", status_code=200)
    async def give_section(request: Request[Any, Any, Any]) -> Response[bytes]:
        await request.body()
        return Response(section, media_type="text/html")

    return Litestar([give_start, give_section], openapi_config=None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        app = bare(Path(sys.argv[2])) if len(sys.argv) > 2 else create_app(open_desk(MemoryJournal()))
        runner.run(serve(app, "127.0.0.1", int(sys.argv[1])))
