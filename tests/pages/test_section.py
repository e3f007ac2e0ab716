"""A section's page with scripts: it answers at once, keeps the focus, and says what it did to whoever does not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, Request, expect

A = {"A02": "1", "A04": "p3", "A05": "region", "A08": "personal", "A09": "police"}
SHIFTS = """() => { window.shifts = 0; new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true }) }"""

FILL = """() => {
    document.querySelectorAll('fieldset.radios, fieldset.boxes').forEach(field => field.querySelector('input').click());
    document.querySelectorAll('.matrix .line').forEach(row => row.querySelector('input').click());
    document.querySelectorAll('.ranks').forEach(field => field.querySelectorAll('select').forEach((s, i) => { s.selectedIndex = i + 1; }));
}"""


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """At section A."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    found = context.new_page()
    found.goto(f"{address}/s/ai-security?lang=en")
    found.locator("#consent").check()
    forward(found)
    yield found
    context.close()


def forward(page: Page) -> None:
    page.locator(".actions button[value=next]").click()


def place(page: Page) -> str:
    return page.locator("#form [name=place]").input_value()


def tick(page: Page, id: str, code: str) -> None:
    page.locator(f"[name='q.{id}'][value='{code}']").check()


def to_b(page: Page) -> None:
    page.locator("[name='q.A01']").select_option("FR")
    for id, code in A.items():
        tick(page, id, code)
    forward(page)
    assert place(page) == "B"


def answer_matrix(page: Page, code: str) -> None:
    for radio in page.locator(f"#B02 input[value='{code}']").all():
        radio.check()


def shown(page: Page) -> list[str]:
    return page.locator("#form .field").evaluate_all("fields => fields.map(field => field.id)")


def test_questions_come_and_go_while_they_are_answered(page: Page) -> None:
    sent: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(parse_qs(request.post_data or ""))

    to_b(page)
    assert shown(page) == ["B01", "B02"]
    tick(page, "B01", "use")
    answer_matrix(page, "none")
    assert shown(page) == ["B01", "B02", "B08"]
    expect(page.locator("#told")).to_contain_text("New question: ")
    tick(page, "B08", "cost")
    last = page.get_by_role("radiogroup", name="Number-plate recognition").get_by_role("radio", name="In operational use", exact=True)
    last.check()
    assert shown(page) == ["B01", "B02", "B03", "B04", "B05"]
    expect(page.locator("#told")).to_contain_text("This question no longer applies: ")
    expect(page.locator("#told")).to_contain_text("New questions: 3. The first: ")
    expect(last).to_be_focused()
    tick(page, "B03", "terror")
    page.on("request", note)
    forward(page)
    assert place(page) == "C", "what the page opened is not asked for again"
    [body] = sent
    assert body["shown"] == ["B01 B02 B03 B04 B05"]
    assert body["q.B03"] == ["terror"]
    assert "q.B08" not in body, "what is hidden is not sent"


def test_a_question_that_comes_back_still_holds_what_was_written(page: Page) -> None:
    to_b(page)
    tick(page, "B01", "use")
    answer_matrix(page, "none")
    tick(page, "B08", "cost")
    tick(page, "B02.anpr", "live")
    expect(page.locator("#B08")).to_have_count(0)
    tick(page, "B02.anpr", "none")
    expect(page.locator("[name='q.B08'][value=cost]")).to_be_checked()


def test_what_the_page_opened_can_have_been_forgotten(page: Page) -> None:
    to_b(page)
    tick(page, "B01", "use")
    answer_matrix(page, "live")
    forward(page)
    assert place(page) == "B"
    expect(page.locator(".summary")).to_be_focused()
    expect(page.locator(".summary a")).to_have_count(1)
    page.locator(".summary a").click()
    expect(page.locator("#B03-0-0, #B03-0").first).to_be_focused()


def test_an_answer_that_stands_alone_unticks_the_others(page: Page) -> None:
    tick(page, "A09", "police")
    tick(page, "A09", "none")
    expect(page.locator("[name='q.A09'][value=police]")).not_to_be_checked()
    expect(page.locator("#told")).to_contain_text("stands on its own. Keep either ")
    tick(page, "A09", "police")
    expect(page.locator("[name='q.A09'][value=none]")).not_to_be_checked()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_row_that_stands_alone_takes_the_others_back_and_says_so(page: Page, width: int) -> None:
    def choose(row: int) -> None:
        line = page.locator(f"#Felt-{row}")
        line.locator("input[value=often]").check()

    page.set_viewport_size({"width": width, "height": 800})
    page.goto(page.url.split("/s/")[0] + "/s/town-budget?lang=en")
    page.locator("#consent").check()
    forward(page)
    choose(0)
    choose(1)
    expect(page.locator("#Felt input:checked")).to_have_count(2)
    expect(page.locator("#told")).to_have_text("")
    choose(2)
    expect(page.locator("#Felt input:checked")).to_have_count(1)
    expect(page.locator("#told")).to_have_text(
        "“About nothing that stands here” stands on its own. Keep either “About nothing that stands here” or the other answers."
    )
    choose(0)
    expect(page.locator("#Felt input:checked")).to_have_count(1)
    expect(page.locator("[name='q.Felt.noise'][value=often]")).to_be_checked()


def test_a_number_and_what_stands_in_its_place_take_turns(page: Page) -> None:
    page.goto(page.url.split("/s/")[0] + "/s/town-budget?lang=en")
    page.locator("#consent").check()
    forward(page)
    page.get_by_role("textbox", name="How many cameras does the town run?").fill("12")
    page.get_by_label("Not known").check()
    expect(page.locator("[name='q.Cameras']")).to_have_value("")
    page.get_by_label("It must not be told").check()
    expect(page.get_by_label("Not known")).not_to_be_checked()
    page.locator("[name='q.Cameras']").fill("7")
    expect(page.get_by_label("It must not be told")).not_to_be_checked()
    page.get_by_role("group", name="When was the police founded?").get_by_label("Year").fill("1931")
    page.get_by_label("There is none").check()
    expect(page.locator("[name='q.Founded.year']")).to_have_value("")


def test_how_much_of_a_total_is_given_is_told(page: Page) -> None:
    page.goto(page.url.split("/s/")[0] + "/s/town-budget?lang=en")
    page.locator("#consent").check()
    forward(page)
    counter = page.locator("#Split .count")
    expect(counter).to_have_text("0 of 100 given")
    page.get_by_label("Police").fill("62")
    expect(counter).to_have_text("62 of 100 given")
    expect(page.locator("#told")).to_have_text("62 of 100 given")
    page.get_by_label("Clubs for young people").fill("40")
    expect(counter).to_have_text("102 of 100 given")
    expect(counter).to_have_class(re.compile("message"))


def test_a_new_page_is_read_from_its_heading(page: Page) -> None:
    expect(page.locator("h1")).to_be_focused()
    to_b(page)
    expect(page.locator("h1")).to_be_focused()


def test_ranks_are_moved_by_keyboard_and_the_focus_moves_along(page: Page) -> None:
    to_f(page)
    ranks = page.locator("#F04 select")
    for rank in range(3):
        ranks.nth(rank).select_option(index=rank + 1)
    first, second, third = (chosen(page, rank) for rank in range(3))
    up = page.get_by_role("button", name=f"Move {third} up", exact=True)
    up.focus()
    page.keyboard.press("Enter")
    assert [chosen(page, rank) for rank in range(3)] == [first, third, second]
    expect(page.locator("#told")).to_have_text(f"{third} is now on rank 2.")
    expect(page.get_by_role("button", name=f"Move {third} up", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    assert chosen(page, 0) == third
    expect(page.get_by_role("button", name=f"Move {third} down", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name=f"Move {third} up", exact=True)).to_have_count(0)


def chosen(page: Page, rank: int) -> str:
    return page.locator("#F04 select").nth(rank).evaluate("select => select.selectedOptions[0].textContent")


def to_f(page: Page) -> None:
    """The short way: nobody here uses artificial intelligence."""
    to_b(page)
    tick(page, "B01", "nointerest")
    answer_matrix(page, "none")
    tick(page, "B08", "cost")
    forward(page)
    assert place(page) == "F"


def test_rows_keep_their_own_order_from_page_to_page(page: Page) -> None:
    to_f(page)
    rows = "rows => rows.map(row => row.textContent.trim())"
    before = page.locator("#F02 .rowhead").evaluate_all(rows)
    for row in (2, 3, 4):
        page.locator("#F02 .line").nth(row).locator("input").first.check()
    forward(page)
    expect(page.locator(".summary")).to_contain_text("No answer in 5 of 8 rows.")
    assert page.locator("#F02 .rowhead > span:first-child").evaluate_all(rows) == before
    heights = "links => links.map(link => document.querySelector(link.hash).getBoundingClientRect().top)"
    found = page.locator(".summary li li a[href^='#F02-']").evaluate_all(heights)
    assert len(found) == len(before) - 3
    assert found == sorted(found), "the summary follows the page"


def test_a_text_says_how_much_room_is_left(page: Page) -> None:
    to_f(page)
    for _ in range(2):
        page.evaluate(FILL)
        forward(page)
    assert place(page) == "H"
    text = page.locator("#H01 textarea")
    expect(page.locator("#H01 .count")).to_have_text("3,000 characters left")
    text.fill("é👋🏽\n")
    expect(page.locator("#H01 .count")).to_have_text("2,997 characters left")
    text.fill("x" * 3001)
    expect(page.locator("#H01 .count")).to_have_text("1 character too many")
    expect(page.locator("#told")).to_have_text("1 character too many")


def test_nothing_moves_while_it_is_answered(page: Page) -> None:
    page.evaluate(SHIFTS)
    to_b(page)
    page.evaluate(SHIFTS)
    tick(page, "B01", "use")
    page.locator("#B02 input[value=none]").first.check()
    page.wait_for_timeout(700)
    assert page.evaluate("window.shifts") == 0


def test_nothing_is_chosen_beforehand_and_a_choice_can_be_taken_back(page: Page) -> None:
    chosen = page.locator("#A06 input:checked")
    clear = page.locator("#A06").get_by_role("button", name="Clear my choice")
    expect(chosen).to_have_count(0)
    expect(clear).to_be_hidden()
    page.locator("#A06 .choice input").first.check()
    clear.click()
    expect(chosen).to_have_count(0)
    expect(clear).to_be_hidden()
    expect(page.locator("#A06 input").first).to_be_focused()
