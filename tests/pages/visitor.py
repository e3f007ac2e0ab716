"""A browser without scripts for tests: it reads forms out of HTML, fills them in and sends what a browser would send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from litestar.testing import AsyncTestClient

from proto.instrument import AnyQuestion, ConstantSum, Date, Integer, Matrix, Measured, Multiple, Numeric, Ranking, special_codes

VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Control:
    tag: str
    kind: str
    name: str
    value: str
    on: bool = True
    options: list[str] = field(default_factory=list[str])
    action: str = ""


class Page(HTMLParser):
    """What a page holds: its title, text, links, headings and the controls of its form."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html, self.text, self.title, self.language, self.action = html, "", "", "", ""
        self.controls: list[Control] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.alerts = 0
        self.styled: list[str] = []
        self._inside: list[str] = []
        self._option = False
        self.feed(html)
        self.close()
        assert not self._inside, f"not closed: {self._inside}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self._inside.append(tag)
        if "style" in given or tag == "style" or (tag == "script" and "src" not in given):
            self.styled.append(tag)
        if "id" in given:
            assert given["id"] not in self.ids, f"twice: {given['id']}"
            self.ids.add(given["id"])
        if "template" in self._inside:
            return  # for scripts: a browser without them sees nothing of it
        self.alerts += given.get("role") == "alert"
        match tag:
            case "html":
                self.language = given["lang"]
            case "a":
                self.links.append(given["href"])
            case "form":
                self.action = given["action"]
            case "input":
                on = given["type"] not in ("radio", "checkbox") or "checked" in given
                self.controls.append(Control(tag, given["type"], given["name"], given.get("value", ""), on))
            case "select" | "textarea":
                self.controls.append(Control(tag, tag, given.get("name", ""), ""))
            case "button":
                self.controls.append(
                    Control(tag, tag, given.get("name", ""), given.get("value", ""), False, action=given.get("formaction", ""))
                )
            case "option":
                self.controls[-1].options.append(given["value"])
                if "selected" in given:
                    self.controls[-1].value = given["value"]
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        opened = self._inside.pop()
        assert opened == tag, f"<{opened}> closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        if self._inside[-1:] == ["title"]:
            self.title += data
        elif "template" in self._inside:
            pass
        elif self._inside[-1:] == ["textarea"]:
            self.controls[-1].value += data.removeprefix("\n") if not self.controls[-1].value else data
        else:
            self.text += data

    def control(self, name: str, value: str | None = None) -> Control:
        for control in self.controls:
            if control.name == name and control.tag != "button" and (value is None or control.value == value):
                return control
        raise AssertionError(f"no field {name} {value or ''}")

    def has(self, name: str) -> bool:
        return any(control.name == name for control in self.controls)

    def fill(self, name: str, value: str) -> None:
        """Types, chooses or ticks; "" takes back what is chosen."""
        first = self.control(name)
        if first.kind in ("radio", "checkbox"):
            for control in self.controls:
                if control.name == name and (first.kind == "radio" or not value):
                    control.on = False
            if value or first.kind == "radio":
                self.control(name, value).on = True
            return
        assert first.tag != "select" or value in first.options, f"{name} has no option {value}"
        first.value = value

    def answer(self, question: AnyQuestion, value: Any, decimal_mark: str = ".") -> None:
        """Fills in a whole question."""
        name = f"q.{question.id}"
        if isinstance(question, Measured) and value in [*special_codes(question)]:
            self.fill(f"{name}.special", value)
            return
        match question:
            case Multiple():
                self.fill(name, "")
                if not value:
                    self.fill(name, "[]")
                for code in value:
                    self.fill(name, code)
            case Matrix():
                for row, code in value.items():
                    self.fill(f"{name}.{row}", code)
            case Ranking():
                for rank, code in enumerate(value, 1):
                    self.fill(f"{name}.{rank}", code)
            case ConstantSum():
                for row, share in value.items():
                    self.fill(f"{name}.{row}", str(share))
            case Integer() | Numeric():
                self.fill(name, str(value).replace(".", decimal_mark))
            case Date():
                for part, text in zip(("year", "month", "day"), value.split("-"), strict=False):
                    self.fill(f"{name}.{part}", text)
            case _:
                self.fill(name, value)

    def press(self, go: str) -> tuple[str, str]:
        """Address and body of what a browser sends when this button is pressed."""
        button = next(control for control in self.controls if control.tag == "button" and control.value == go)
        sent = [(c.name, c.value.replace("\n", "\r\n")) for c in self.controls if c.tag != "button" and c.on and c.name]
        return button.action or self.action, urlencode([*sent, (button.name, button.value)])


class Visitor:
    """Somebody with a browser: one page at a time."""

    def __init__(self, client: AsyncTestClient[Any], language: str = "fr") -> None:
        self.client, self.status, self.page = client, 0, Page("<html lang=''></html>")
        self.headers = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": language, "Sec-Fetch-Site": "same-origin"}
        self.received: Any = {}

    async def get(self, path: str) -> Page:
        return self._arrive(await self.client.get(path, headers=self.headers))

    async def press(self, go: str) -> Page:
        return await self.send(*self.page.press(go))

    async def send(self, address: str, body: str) -> Page:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._arrive(await self.client.post(address, content=body, headers=self.headers | kind))

    def _arrive(self, response: Any) -> Page:
        self.status, self.received = response.status_code, response.headers
        self.page = Page(response.text)
        assert not self.page.styled, "nothing inline: the policy forbids it"
        for link in self.page.links:
            assert not link.startswith("#") or link[1:] in self.page.ids, f"leads nowhere: {link}"
        return self.page

    @property
    def place(self) -> str:
        return self.page.control("place").value
