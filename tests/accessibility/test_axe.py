"""axe-core finds nothing on any page of the respondent, in any language or state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from services.intake.form.pages.words import catalogues
from tests.accessibility.axe import EVERY, objections
from tests.accessibility.clauses import NAMES, of_tags
from tests.accessibility.findings import FINDINGS
from tests.accessibility.shown import stage
from tests.accessibility.tour import Sight, tour_of

VIEWS = list(itertools.product((320, 1280), ("light", "dark")))
"""Width and colour scheme. `EVERY` has all pages in all languages, each in one view and in English in all. Otherwise English has each page
in one view, and each other language every sixteenth page, in views that English and the languages with the same pages do not have."""


@pytest.fixture(scope="module")
def look(chromium: Browser) -> Iterator[Callable[[Sight, int, str], list[str]]]:
    """Shows a page of the tour and tells what axe objects to."""

    def look(sight: Sight, width: int, scheme: str) -> list[str]:
        return [f"{sight.name} ({width} px, {scheme}): {line}" for line in objections(opened.show(sight, width, scheme))]

    with stage(chromium) as opened:
        yield look


@pytest.mark.parametrize(("place", "language"), list(enumerate(catalogues())))
def test_axe_finds_nothing(look: Callable[[Sight, int, str], list[str]], place: int, language: str) -> None:
    sights = list(enumerate(tour_of(language)))
    assert len(sights) > 50
    some, shift = (sights, 0) if language == "en" else (sights if EVERY else sights[place % 16 :: 16], 1 + place // 16)
    found: list[str] = []
    for number, sight in some:
        for view in VIEWS if EVERY and language == "en" else [VIEWS[(number + shift) % len(VIEWS)]]:
            found += look(sight, *view)
    assert not found, f"{len(found)}\n" + "\n".join(found[:10])


def test_axe_would_find_something(look: Callable[[Sight, int, str], list[str]]) -> None:
    spoilt = "<!doctype html><html lang=en><title>Spoilt</title><main><h1>Spoilt</h1><input><img src=/x.png></main>"
    before = (FINDINGS.pages, FINDINGS.checks.copy(), FINDINGS.failures.copy())
    found = "\n".join(look(Sight("spoilt", "en", spoilt), 320, "light"))
    counted = FINDINGS.pages - before[0], FINDINGS.failures["9.1.1.1"] - before[2]["9.1.1.1"]
    FINDINGS.pages, FINDINGS.checks, FINDINGS.failures = before
    assert counted == (1, 1)
    assert "label" in found
    assert "image-alt" in found


def test_the_clauses_are_those_of_the_standard() -> None:
    assert sum(clause.startswith("9.") for clause in NAMES) == 50
    assert of_tags(["cat.color", "wcag2aa", "wcag143", "EN-301-549", "EN-9.1.4.3"]) == ["9.1.4.3"]
    assert of_tags(["wcag22aa", "wcag258"]) == ["WCAG 2.5.8"]
