"""Shows pages of the tour in a browser as if a server had sent them: style sheet and scripts from their folder, nothing else."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from services.intake.http import routes_static
from tests.accessibility.tour import Sight

STATIC = Path(routes_static.__file__).parent / "static"


class Server(ThreadingHTTPServer):
    """Answers `/page` with `html`, and `/static/…` with a file that the browser may keep."""

    daemon_threads = True
    html = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        file = STATIC / path.removeprefix("/static/")
        if path == "/page":
            assert isinstance(self.server, Server)
            self._answer(200, self.server.html.encode(), "text/html; charset=utf-8", "no-store")
        elif path.startswith("/static/") and file.is_file():
            self._answer(200, file.read_bytes(), mimetypes.guess_type(path)[0] or "application/octet-stream", "max-age=3600")
        else:
            self._answer(404, b"", "text/plain", "no-store")

    def _answer(self, status: int, body: bytes, kind: str, cache: str) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", cache)):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Stage:
    """Pages in the widths and schemes that were asked for, opened once each."""

    def __init__(self, chromium: Browser, server: Server) -> None:
        self._chromium = chromium
        self._server = server
        self._pages: dict[tuple[int, str], Page] = {}

    def show(self, sight: Sight, width: int = 1280, scheme: Any = "light") -> Page:
        if (width, scheme) not in self._pages:
            context = self._chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
            self._pages[width, scheme] = context.new_page()
        page = self._pages[width, scheme]
        page.set_viewport_size({"width": width, "height": 800})  # a test may have changed it
        self._server.html = sight.html
        page.goto(f"http://127.0.0.1:{self._server.server_port}/page", wait_until="load")
        return page

    def contexts(self) -> list[BrowserContext]:
        return [page.context for page in self._pages.values()]


@contextmanager
def stage(chromium: Browser) -> Generator[Stage]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened = Stage(chromium, server)
        try:
            yield opened
        finally:
            for context in opened.contexts():
                context.close()
            server.shutdown()
