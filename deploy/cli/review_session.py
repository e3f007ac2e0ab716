"""Reading free texts one by one at a terminal and deciding on each."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deploy.cli.review_api import Desk

KEYS = {"a": "accepted", "r": "refused", "s": "skip", "b": "back", "q": "quit"}
AID = "Marks are an aid: a detector of shapes misses much. You decide."
GONE = "The text before was changed or withdrawn in the meantime: nothing was decided about it."


def sit(desk: Desk, again: bool, key: Callable[[], str], shown: Console) -> Counter[str]:
    """Until all texts were shown or somebody quits. Every decision is entered as it is made. Returns how many of each there were."""
    coming: Iterator[dict[str, Any]] = desk.texts(again)
    seen: list[dict[str, Any]] = []
    at, done, told = 0, dict[str, str](), ""
    while True:
        if at == len(seen):
            found = next(coming, None)
            if found is None:
                break
            seen.append(found)
        text = seen[at]
        _show(shown, desk, text, len(done), at > 0, told)
        told = ""
        wanted = _ask(key, at > 0)
        if wanted == "quit":
            break
        if wanted == "back":
            at -= 1
            continue
        if wanted != "skip":
            if desk.enter([(text["id"], wanted)])["gone"]:
                told = GONE
                done.pop(text["id"], None)
            else:
                text["decision"] = done[text["id"]] = wanted
        at += 1
    return Counter(done.values())


def _ask(key: Callable[[], str], back: bool) -> str:
    while True:
        wanted = KEYS.get(key().lower(), "")
        if wanted and (back or wanted != "back"):
            return wanted


def _show(shown: Console, desk: Desk, text: dict[str, Any], done: int, back: bool, told: str) -> None:
    """One text fills the terminal. What it says cannot move the cursor or colour anything: control characters are shown, not obeyed."""
    shown.clear()
    if told:
        shown.print(told, style="yellow", markup=False)
    question = desk.questions[text["question"]]
    asked = question["text"].get(text["language"]) or question["text"].get("en") or next(iter(question["text"].values()), "")
    shown.print(
        f"{desk.survey} · {text['question']} · {text['language']} · {desk.open - done:,} of {desk.given:,} open", style="dim", markup=False
    )
    shown.print(visible(asked), style="bold", markup=False)
    shown.print(Padding(marked(text["text"], text["marks"]), (1, 4)), soft_wrap=False)
    if text["marks"]:
        kinds = Counter(mark["kind"] for mark in text["marks"])
        shown.print("Marked: " + ", ".join(kind if n == 1 else f"{n} × {kind}" for kind, n in kinds.items()), style="yellow", markup=False)
    shown.print(AID, style="dim", markup=False)
    if text["decision"] != "open":
        shown.print(f"So far: {text['decision']}.", markup=False)
    keys = "[a]ccept  [r]efuse  [s]kip  " + ("[b]ack  " if back else "") + "[q]uit"
    shown.print(f"\n{keys}", style="bold", markup=False)


def marked(text: str, marks: list[dict[str, Any]]) -> Text:
    """The text with its marks set off, also where there is no colour."""
    found, end = Text(), 0
    for mark in marks:
        found.append(visible(text[end : mark["begin"]]))
        found.append(f"⟦{visible(text[mark['begin'] : mark['end']])}⟧", style="bold yellow")
        end = mark["end"]
    return found.append(visible(text[end:]))


def visible(text: str) -> str:
    """Line breaks stay; any other control or direction character becomes a sign for itself."""
    return "".join(sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf") else f"‹{ord(sign):04X}›" for sign in text)
