"""Over plain HTTP browsers say in Origin alone where a form comes from: our own are taken, those of others are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Playwright, Request

from tests import browser
from tests.pages.served import served
from tests.pages.square import Respondent


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    with served("tests.pages.square") as found:
        yield found.rpartition(":")[2]


def test_our_own_forms_are_taken_and_those_of_another_site_are_not(playwright: Playwright, port: str) -> None:
    flags = [*browser.FLAGS, "--host-resolver-rules=MAP * 127.0.0.1"]
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium on this machine")
    chromium = playwright.chromium.launch(executable_path=program, args=flags)
    context = chromium.new_context()
    person = Respondent(context, f"http://survey.example:{port}/s/square?lang=en")
    posts: list[dict[str, str]] = []
    person.page.on("request", lambda request: posts.append(request.all_headers()) if _is_form(request) else None)
    person.to_review()
    person.send()
    person.sent()
    assert len(posts) >= 4
    assert {headers.get("origin") for headers in posts} == {f"http://survey.example:{port}"}
    assert not any("sec-fetch-site" in headers for headers in posts), "else this test is about another browser"
    assert answer_to_another_site(context.new_page(), port) == 403
    chromium.close()


def answer_to_another_site(page: Page, port: str) -> int:
    page.goto(f"http://evil.example:{port}/static/mark.svg")
    page.route("**/start", lambda route: route.fulfill(content_type="text/html", body=FORM.replace("PORT", port)))
    page.goto(f"http://evil.example:{port}/start")
    with page.expect_navigation() as arrived:
        page.locator("button").click()
    return arrived.value.status if arrived.value else 0


FORM = """<!doctype html><form method="post" action="http://survey.example:PORT/s/square?lang=en">
<input name="place" value="review"><input name="go" value="send"><input name="sheet" value='{"version":"1.0.0"}'>
<input name="receipt" value="7HKM-2V9Q-8C3T-RW5N-4JXD-E6YP-0000"><button>Go</button></form>"""


def _is_form(request: Request) -> bool:
    return request.method == "POST" and "urlencoded" in (request.headers.get("content-type") or "")
