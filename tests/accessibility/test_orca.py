"""A questionnaire with each kind of question as somebody hears it who does not see it: Orca says it, the keyboard answers it.

What was heard, and read from beginning to end, stands in `heard.txt`; `PLATEA_WRITE_TREES=1` writes it anew. Versions of Orca have words of
their own for roles and states: a run is held against the pieces that must be heard after each key, and against what must never be heard.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from tests.accessibility import screen_reader
from tests.accessibility.screen_reader import ScreenReader
from tests.pages.served import served

HEARD = Path(__file__).parent / "heard.txt"
CLAUSES = ("9.1.3.1", "9.2.4.3", "9.2.4.6", "9.3.3.1", "9.3.3.2", "9.4.1.2", "9.4.1.3")

Steps = list[tuple[str, str]]
"""A key, and what must be heard after it: pieces with " … " between them, in this order."""

NARROW = "(500 pixels wide)"

BEGIN: Steps = [
    ("(start)", "Finished loading Your street – Platea."),
    ("x", "I agree to take part. … check box … not checked"),
    ("space", "checked"),
    ("b", "Start … button"),
    ("Return", "Finished loading Ways – Your street – Platea. … Ways … heading level 1"),
]
WAYS: Steps = [
    ("Tab", "How do you get to work? Required … On foot … not selected … radio button"),
    ("Down", "By tram … radio button"),
    ("space", "selected … New question: How often was the tram late?"),
    ("Tab", "How often was the tram late? … entry … Write a whole number from 0 to 99."),
    ("Tab", "What have you seen on the way? … A tree … check box … not checked"),
    ("space", "checked"),
    ("Tab", "A bench … check box … not checked"),
    ("Tab", "Nothing of this … check box … not checked"),
    ("space", "checked … “Nothing of this” stands on its own."),
    ("Tab", "Save and continue … button"),
    ("Return", "Finished loading Numbers – Your street – Platea. … Numbers … heading level 1"),
]
NUMBERS: Steps = [
    ("Tab", "How many trees are there? Required … entry … Write a whole number (0 or more)."),
    ("“x”", ""),
    ("Tab", "Not known … check box … not checked"),
    ("Tab", "How long is it? … entry … km … From end to end"),
    ("Tab", "When was it paved? … Month … combo box"),
    ("Tab", "Year … entry"),
    ("Tab", "What is needed most? … Rank 1 (first) … combo box"),
    ("Down", "Light"),
    ("Tab", "Move Light down … button"),
    ("space", "Light is now on rank 2."),
    ("Tab", "How would you share 10 points? … Walls … entry … points"),
    ("“10”", "10 of 10 given"),
    ("Return", "Finished loading Error: Numbers – Your street – Platea. … There is a problem … heading level 2"),
    ("Tab", "How many trees are there? Write a whole number (0 or more). … link"),
    ("Return", "How many trees are there? … entry x … invalid entry … Write a whole number (0 or more)."),
]
VIEWS: Steps = [
    ("Tab", "How do you feel there? Required … At dawn … Very safe … not selected … radio button"),
    ("space", "selected"),
    (NARROW, ""),
    ("Tab", "In the morning … combo box"),
    ("Down", "Very safe"),
]
REST: Steps = [
    ("(last row)", "I am never there … combo box"),
    ("Tab", "Which month do you like best? … combo box"),
    ("Tab", "One word for it? … entry … At most 20 characters."),
    ("Tab", "Anything else? … entry … At most 500 characters."),
    ("“Fine.”", "495 characters left"),
]


END: Steps = [
    ("(review)", "Check your answers … heading level 1"),
    ("(receipt)", "Thank you for taking part … heading level 1 … Accepted"),
]


def walk(reader: ScreenReader, steps: Steps) -> None:
    for key, pieces in steps:
        if key[0] == "“":
            reader.type(key[1:-1], awaited(pieces))
        elif key == NARROW:
            reader.narrow(500)
        elif key[0] == "(":
            reader.listen(key, awaited(pieces))
        else:
            reader.press(key, awaited(pieces))


def awaited(pieces: str) -> list[str]:
    return [piece for piece in pieces.split(" … ") if piece]


def must_be_heard(heard: list[tuple[str, str]]) -> None:
    steps = iter(heard)
    for key, pieces in [*BEGIN, *WAYS, *NUMBERS, *VIEWS, *REST, *END]:
        said = next((said for cause, said in steps if cause == key), "")
        assert screen_reader.missed(said, awaited(pieces)) is None, f"{key}: {screen_reader.missed(said, awaited(pieces))} is not in {said}"


def must_not_be_heard(lines: list[str]) -> None:
    """No empty line, no control without a name, nothing named twice in a breath. A button that was pressed is grey, and told as the page
    goes: there Orca may find its name gone already."""
    for line in lines:
        assert "blank" not in line, line
        assert not re.match(r"(check box|push button|button|entry|combo box|link|radio button)\b(?! grayed)", line), f"no name: {line}"
    for one, other in pairwise(lines):
        assert one != other or one.endswith("radio button"), f"twice: {one}"


def written(heard: list[tuple[str, list[str]]]) -> str:
    return "".join(f"{key}: {' / '.join(said)}\n".replace(": \n", ":\n") for key, said in heard)


@pytest.mark.browser
@pytest.mark.clause(*CLAUSES)
def test_a_questionnaire_is_answered_by_ear(playwright: Playwright, tmp_path: Path) -> None:
    if missing := screen_reader.missing():
        pytest.skip(f"no screen reader on this machine (Debian: apt install {missing})")
    with (
        served("tests.builders.street") as address,
        screen_reader.screen_reader(playwright, tmp_path, f"{address}/s/street") as reader,
    ):
        page = reader.page
        walk(reader, [*BEGIN, *WAYS, *NUMBERS])
        expect(page.locator("#Trees-0")).to_be_focused()
        page.locator("#Trees-0").fill("7")
        page.locator("#Wishes-0").select_option("water")
        page.locator("main button[value=next]").click()
        reader.listen("(next page)", ["Views", "heading level 1"])
        walk(reader, VIEWS)
        page.locator("#Feel-6 select").focus()
        walk(reader, REST)
        for row in range(6):
            page.locator(f"#Feel-{row} select").select_option("1")
        page.locator("main button[value=next]").click()
        walk(reader, END[:1])
        page.locator("main button[value=send]").click()
        walk(reader, END[1:])
    if os.environ.get("PLATEA_WRITE_TREES"):
        HEARD.write_text(written(reader.heard))
    must_not_be_heard([line for _, said in reader.heard for line in said])


def test_what_was_heard_and_kept_has_all_that_must_be_heard() -> None:
    """Where no screen reader runs, too: a changed word of a page is looked for here."""
    heard = [(key, said.replace(" / ", "\n")) for key, _, said in (line.partition(":") for line in HEARD.read_text().splitlines())]
    must_be_heard(heard)
    must_not_be_heard([line.strip() for _, said in heard for line in said.splitlines()])
