"""Somebody who has a keyboard and nothing else: finds each control with Tab, and uses it with the keys it is for."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

FOCUSED = """() => {
    const at = document.activeElement, field = at.closest('.field');
    const name = at.name || '';
    return {
        tag: at.tagName, type: at.type || '', name, value: at.value || '', body: at === document.body,
        place: [...document.querySelectorAll('a, button, input, select, textarea, summary, [tabindex]')].indexOf(at),
        needed: !!(field && field.querySelector('.needed')),
        chosen: !!(name && document.querySelector(`input[name="${CSS.escape(name)}"]:checked`)),
        last: field ? [...field.querySelectorAll('select')].indexOf(at) : -1,
        outline: [at, at.closest('.choice')].some(seen => seen && getComputedStyle(seen).outlineStyle !== 'none'),
    };
}"""
MOST = 600
"""More presses of Tab than any page has stops."""


class Typist:
    """Walks a form. `order` holds the stops of the last page in the order Tab reached them, `unseen` those without a visible focus."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.order: list[int] = []
        self.unseen: list[str] = []

    def tab(self) -> dict[str, Any]:
        self.page.keyboard.press("Tab")
        found: dict[str, Any] = self.page.evaluate(FOCUSED)
        if not found["body"]:
            self.order.append(found["place"])
            if not found["outline"]:
                self.unseen.append(f"{found['tag']} {found['name']}")
        return found

    def fill_in(self, go: str) -> None:
        """Answers what has to be answered on this page, then presses the button `go`."""
        self.order.clear()
        for _ in range(MOST):
            at = self.tab()
            if at["tag"] == "BUTTON" and at["name"] == "go" and at["value"] == go:
                with self.page.expect_navigation():
                    self.page.keyboard.press("Enter")
                return
            if at["needed"]:
                self._use(at)
        raise AssertionError(f"Tab never reached the button {go}")

    def _use(self, at: dict[str, Any]) -> None:
        match at["type"]:
            case "radio" | "checkbox" if not at["chosen"]:
                self.page.keyboard.press("Space")
            case "select-one" if not at["value"]:
                for _ in range(at["last"] + 1):  # a ranking wants different ones
                    self.page.keyboard.press("ArrowDown")
            case "text" if not at["value"]:
                self.page.keyboard.type("12")
            case _:
                pass
