"""Shows pages of the tour in a browser as if a server had sent them: style sheet and scripts from their folder, nothing else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Route

from services.intake.http import routes_static
from tests.accessibility.tour import Sight

STATIC = Path(routes_static.__file__).parent / "static"
ORIGIN = "http://platea.test"


class Stage:
    """Pages in the widths and schemes that were asked for, opened once each."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._html = ""
        self._pages: dict[tuple[int, str], Page] = {}

    def show(self, sight: Sight, width: int = 1280, scheme: Any = "light") -> Page:
        if (width, scheme) not in self._pages:
            context = self._chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
            context.route("**/*", self._serve)
            self._pages[width, scheme] = context.new_page()
        page = self._pages[width, scheme]
        self._html = sight.html
        page.goto(f"{ORIGIN}/page", wait_until="load")
        return page

    def contexts(self) -> list[BrowserContext]:
        return [page.context for page in self._pages.values()]

    def _serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        file = STATIC / path.removeprefix("/static/").partition("?")[0]
        if path == "/page":
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
        elif path.startswith("/static/") and file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(status=404, body="")


@contextmanager
def stage(chromium: Browser) -> Generator[Stage]:
    opened = Stage(chromium)
    yield opened
    for context in opened.contexts():
        context.close()
