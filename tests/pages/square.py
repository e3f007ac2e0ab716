"""Somebody who answers in a real browser that may go offline or fall over."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect
from playwright.sync_api import Error as BrowserError

from proto import instrument as i
from proto.instrument import Instrument
from services.intake.app import create_app
from services.runtime.http.server import serve
from tests import browser
from tests.builders.square import market, square, three
from tests.faults.inside import Inside
from tests.faults.operated import Operated
from tests.pages.desk import MemoryJournal, open_desk


class Server:
    """What an organiser does to a survey, and what they see of it."""

    def __init__(self, stack: Operated) -> None:
        self.stack, self.url = stack, stack.url

    def publish(self, instrument: Instrument) -> None:
        self._ask("POST", "/api/v1/surveys", i.encode(instrument))

    def close(self, survey: str) -> None:
        self._ask("POST", f"/api/v1/surveys/{survey}/close", b"{}")

    def end(self, survey: str, receipt: str) -> None:
        """Its time is over: the answers are deleted, those behind this receipt too."""
        with ThreadPoolExecutor(1) as elsewhere:  # the browser's loop runs in this thread
            elsewhere.submit(lambda: asyncio.run(Inside(self.stack).end(survey))).result()
        with contextlib.suppress(urllib.error.HTTPError):  # 410
            for _ in range(200):
                self._ask("GET", f"/api/v1/receipts/{receipt}?survey={survey}")
                time.sleep(0.1)
            raise AssertionError("the answers are not deleted")

    def responses(self, survey: str) -> int:
        return self._ask("GET", f"/api/v1/surveys/{survey}/aggregates?view=exact")["responses"]

    def counts_one(self, survey: str, seconds: float = 15.0) -> None:
        """The exact view comes to one response and stays there."""
        deadline = time.monotonic() + seconds
        while (found := self.responses(survey)) != 1:
            assert found < 1, f"{found} responses of one respondent"
            assert time.monotonic() < deadline, "the response does not count"
            time.sleep(0.1)
        time.sleep(0.5)
        assert self.responses(survey) == 1

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.stack.token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(self.url + path, body, headers, method=method)
        for _ in range(50):
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (404, 503):
                    raise
                time.sleep(0.1)  # a survey that was published this moment has no figures yet
        raise AssertionError(f"{method} {path} is not answered")


class Respondent:
    """One tab of one browser."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()

    def visit(self) -> None:
        self.page.goto(self.address)

    def begin(self) -> None:
        self.visit()
        self.agree()
        self.shows("You")

    def agree(self) -> None:
        self.page.locator("#consent").check()
        self.press("next")

    def shows(self, heading: str) -> None:
        """The page of that heading is there, and its scripts have run: what is painted may still wait for them."""
        expect(self.page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
        self.page.wait_for_load_state()

    def press(self, go: str) -> None:
        self.page.locator(f".actions button[name=go][value='{go}']").click()

    def choose(self, question: str, code: str) -> None:
        self.page.locator(f"input[name='q.{question}'][value='{code}']").check()

    def write(self, question: str, text: str) -> None:
        self.page.locator(f"[name='q.{question}']").fill(text)

    def to_second(self) -> None:
        self.begin()
        self.choose("Visit", "no")
        self.press("next")
        self.shows("The square")

    def to_review(self) -> None:
        self.to_second()
        self.finish_second()

    def finish_second(self, wish: str = "More benches") -> None:
        self.choose("Safe", "yes")
        self.write("Wish", wish)
        self.press("next")
        self.at_review()

    def at_review(self) -> None:
        self.shows("Check your answers")

    def send(self) -> None:
        self.press("send")

    def sent(self) -> str:
        """The receipt on the page after sending."""
        self.page.locator(".receipt .code").wait_for()
        return self.page.locator(".receipt .code").inner_text().replace("\n", "").strip()

    def says(self, words: str) -> None:
        expect(self.page.locator("#device")).to_contain_text(words)

    def kept(self) -> list[str]:
        """Everything that this device holds."""
        return self.page.evaluate("Object.entries(localStorage).map(([name, value]) => name + value)")

    def holds_nothing(self) -> None:
        self.says("Nothing is left on this device")
        assert self.kept() == []


def losing(times: int) -> Any:
    """A connection that takes what is sent and loses that many of the answers."""
    left = times

    def handle(route: Route) -> None:
        nonlocal left
        if route.request.method == "POST" and "go=send" in (route.request.post_data or "") and left:
            left -= 1
            with contextlib.suppress(BrowserError):  # the browser may have fallen over meanwhile
                route.fetch()
                route.abort("connectionreset")
        else:
            route.continue_()

    return handle


def crashing(playwright: Playwright, folder: Path) -> BrowserContext:
    """A browser with its own memory on disk, to be killed."""
    return playwright.chromium.launch_persistent_context(folder, executable_path=browser.find(), args=list(browser.FLAGS))


def late(id: str) -> Instrument:
    """It closed an hour ago; whoever had begun may send for a week."""
    hour_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return msgspec.structs.replace(square(id), closes=i.Closing(f"{hour_ago:%Y-%m-%d %H:%M}", "UTC", 10_080))


async def main(port: int) -> None:
    """The small surveys alone, over a journal in memory that records at once."""
    journal = MemoryJournal()
    journal.floor = 10**9
    surveys = [square("square"), square("circle"), three("three"), market("market"), late("late")]
    await serve(create_app(open_desk(journal, surveys)), "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
