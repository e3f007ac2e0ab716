"""axe-core finds nothing on any page of the respondent, in any language or state."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from services.intake.form.pages.words import catalogues
from tests.accessibility.clauses import NAMES, of_tags
from tests.accessibility.findings import FINDINGS
from tests.accessibility.shown import stage
from tests.accessibility.tour import Sight, tour_of

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549", "best-practice"]
VIEWS = list(itertools.product((320, 1280), ("light", "dark")))
EVERY = bool(os.environ.get("PLATEA_EVERY_STATE"))
"""All pages in all languages, each in one view and in English in all. Otherwise English has each page in one view, and each other language
every sixteenth page, in views that English and the languages with the same pages do not have."""
KINDS = ["violations", "passes"] if EVERY else ["violations"]
"""What is told of each node. What passes is counted for the statement alone, and costs as much as the looking."""
LOOK = """async ([source, tags, kinds]) => {
    if (!window.axe) { (0, eval)(source); }
    const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: kinds});
    const told = node => node.target.join(' ') + ': ' + node.failureSummary;
    return {
        violations: found.violations.map(rule => ({id: rule.id, tags: rule.tags, nodes: rule.nodes.map(told)})),
        passes: found.passes.map(rule => ({tags: rule.tags, nodes: rule.nodes.length})),
    };
}"""


@pytest.fixture(scope="module")
def look(chromium: Browser) -> Iterator[Callable[[Sight, int, str], list[str]]]:
    """Shows a page of the tour and tells what axe objects to."""

    def look(sight: Sight, width: int, scheme: str) -> list[str]:
        found = opened.show(sight, width, scheme).evaluate(LOOK, [AXE, TAGS, KINDS])
        FINDINGS.pages += 1
        for rule in found["passes"]:
            for clause in of_tags(rule["tags"]):
                FINDINGS.add(clause, checks=rule["nodes"])
        for rule in found["violations"]:
            for clause in of_tags(rule["tags"]):
                FINDINGS.add(clause, checks=len(rule["nodes"]), failures=len(rule["nodes"]))
        return [f"{sight.name} ({width} px, {scheme}): {rule['id']} {node}" for rule in found["violations"] for node in rule["nodes"]]

    with stage(chromium) as opened:
        yield look


@pytest.mark.parametrize(("place", "language"), list(enumerate(catalogues())))
def test_axe_finds_nothing(look: Callable[[Sight, int, str], list[str]], place: int, language: str) -> None:
    sights = list(enumerate(tour_of(language)))
    assert len(sights) > 50
    some, shift = (sights, 0) if language == "en" else (sights if EVERY else sights[place % 16 :: 16], 1 + place // 16)
    objections: list[str] = []
    for number, sight in some:
        for view in VIEWS if EVERY and language == "en" else [VIEWS[(number + shift) % len(VIEWS)]]:
            objections += look(sight, *view)
    assert not objections, f"{len(objections)}\n" + "\n".join(objections[:10])


def test_axe_would_find_something(look: Callable[[Sight, int, str], list[str]]) -> None:
    spoilt = "<!doctype html><html lang=en><title>Spoilt</title><main><h1>Spoilt</h1><input><img src=/x.png></main>"
    before = (FINDINGS.pages, FINDINGS.checks.copy(), FINDINGS.failures.copy())
    objections = "\n".join(look(Sight("spoilt", "en", spoilt), 320, "light"))
    FINDINGS.pages, FINDINGS.checks, FINDINGS.failures = before
    assert "label" in objections
    assert "image-alt" in objections


def test_the_clauses_are_those_of_the_standard() -> None:
    assert sum(clause.startswith("9.") for clause in NAMES) == 50
    assert of_tags(["cat.color", "wcag2aa", "wcag143", "EN-301-549", "EN-9.1.4.3"]) == ["9.1.4.3"]
    assert of_tags(["wcag22aa", "wcag258"]) == ["WCAG 2.5.8"]
