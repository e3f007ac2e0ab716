"""A flood of a thousand a second does not keep people out, neither those with scripts nor those without, nor the organiser."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.faults.operated import Operated
from tests.pages.square import Respondent, Server, square

SURVEY = "square"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a small bucket, so that the flood is noticed at once."""
    settings: dict[str, Any] = {"PLATEA_FLOOD_BURST": "300", "PLATEA_FLOOD_RATE": "30", "PLATEA_LEAST_SECONDS": "0.2"}
    with Operated(tmp_path_factory.mktemp("flood"), **settings) as stack:
        server = Server(stack)
        server.publish(square(SURVEY))
        yield server


@contextmanager
def flooded(server: Server) -> Generator[dict[str, int]]:
    """While the block lasts; afterwards it tells how the flood was answered."""
    command = [sys.executable, "-m", "tests.pages.flood", server.url.removeprefix("http://"), SURVEY, "1000"]
    answered: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flood:
        try:
            deadline = time.monotonic() + 20
            while f'platea_intake_flooded{{survey="{SURVEY}"}} 1.0' not in metrics(server):
                assert time.monotonic() < deadline, "nobody noticed the flood"
                time.sleep(0.2)
            yield answered
        finally:
            flood.terminate()
            answered |= json.loads(flood.communicate()[0])


def metrics(server: Server) -> str:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=20) as answer:
        return answer.read().decode()


def test_a_person_with_scripts_answers_during_a_flood(server: Server, chromium: Browser) -> None:
    with flooded(server) as answered:
        context = chromium.new_context(locale="en")
        someone, begun = Respondent(context, f"{server.url}/s/{SURVEY}"), time.monotonic()
        someone.to_review()
        someone.press("send")
        expect(someone.page.locator("[data-arrived]")).to_be_visible()
        took = time.monotonic() - begun
        context.close()
    print(f"with scripts: {took:.1f} s from start to receipt, flood {answered}")
    assert took < 60  # seconds where the machine is not shared
    assert answered["api 429"] > answered.get("api 201", 0)
    assert not [name for name in answered if " 5" in name]


def test_a_person_without_scripts_answers_during_a_flood(server: Server, chromium: Browser) -> None:
    with flooded(server) as answered:
        context = chromium.new_context(locale="en", java_script_enabled=False)
        someone, begun = Respondent(context, f"{server.url}/s/{SURVEY}"), time.monotonic()
        someone.to_review()
        someone.press("send")
        held = 0
        while not someone.page.locator("[data-arrived]").count():
            assert time.monotonic() - begun < 60
            someone.shows("Very many people are answering just now")
            assert "More benches" in someone.page.content(), "everything typed is in this page"
            held += 1
            time.sleep(2)
            someone.page.get_by_role("button", name="Try again").click()
            someone.page.wait_for_load_state()
        took = time.monotonic() - begun
        context.close()
    print(f"without scripts: {took:.1f} s from start to receipt, sent back {held} times, flood {answered}")
    assert took < 60


def test_the_page_of_a_held_back_person_solves_its_task_and_goes_on(server: Server, chromium: Browser) -> None:
    """As in a browser whose scripts were loaded after the page was sent."""
    with flooded(server):
        context = chromium.new_context(locale="en")
        someone = Respondent(context, f"{server.url}/s/{SURVEY}")
        context.route("**/static/device.js", lambda route: route.abort())
        someone.to_review()
        someone.press("send")
        expect(someone.page.locator("[data-arrived]")).to_be_visible()
        context.close()


def test_the_organisers_tools_are_no_flood(server: Server) -> None:
    server.publish(square("quiet"))
    done = server.stack.platea("simulate", "quiet", "--responses", "2000", "--rate", "500")
    assert "2,000 responses accepted" in done.stdout
    assert 'platea_intake_flooded{survey="quiet"} 1.0' not in metrics(server)
