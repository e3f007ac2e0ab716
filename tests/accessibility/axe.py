"""Runs axe-core on a page and counts what it finds for the statement."""

from __future__ import annotations

import os
from importlib.resources import files

from playwright.sync_api import Page

from tests.accessibility.findings import FINDINGS

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549", "best-practice"]
EVERY = bool(os.environ.get("PLATEA_EVERY_STATE"))
"""Set by `make statement`: all pages in all languages."""
KINDS = ["violations", "passes"] if EVERY else ["violations"]
"""What is told of each node. What passes is counted for the statement alone, and costs as much as the looking."""
RUN = """async ([source, tags, kinds]) => {
    if (!window.axe) { (0, eval)(source); }
    const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: kinds});
    const told = node => node.target.join(' ') + ': ' + node.failureSummary;
    const rules = kind => found[kind].map(rule => ({tags: rule.tags, nodes: rule.nodes.length}));
    return {
        violations: rules('violations'),
        passes: rules('passes'),
        objections: found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id} ${told(node)}`)),
    };
}"""


def objections(page: Page) -> list[str]:
    """One line for each element that breaks a rule: rule, place, reason. Adds the page state to `FINDINGS`."""
    found = page.evaluate(RUN, [AXE, TAGS, KINDS])
    FINDINGS.page(found["passes"], found["violations"])
    return found["objections"]
