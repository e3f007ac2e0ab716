"""Review of free texts at a terminal: one text fills the screen, one key decides."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deploy.cli.review_api import ReviewApi

KEYS = {"a": "accepted", "r": "refused", "s": "skip", "b": "back", "q": "quit"}
AID = "Marks are an aid: a detector of shapes misses much. You decide."
GONE = "The text before was changed or withdrawn in the meantime: nothing was decided about it."


def review_texts(api: ReviewApi, again: bool, key: Callable[[], str], shown: Console) -> Counter[str]:
    """Runs until all texts were shown, or until the reviewer quits. Enters each decision at once; returns how many of each there were.

    `again`: shows texts that were decided on before too. `key`: blocks until a key is pressed. `shown`: the terminal.
    """
    coming: Iterator[dict[str, Any]] = api.texts(again)
    seen: list[dict[str, Any]] = []
    at, done, notice = 0, dict[str, str](), ""
    while True:
        if at == len(seen):
            following = next(coming, None)
            if following is None:
                break
            seen.append(following)
        text = seen[at]
        _show(shown, api, text, len(done), at > 0, notice)
        notice = ""
        command = _ask(key, at > 0)
        if command == "quit":
            break
        if command == "back":
            at -= 1
            continue
        if command != "skip":
            if api.enter([(text["id"], command)])["gone"]:
                notice = GONE
                done.pop(text["id"], None)
            else:
                text["decision"] = done[text["id"]] = command
        at += 1
    return Counter(done.values())


def _ask(key: Callable[[], str], back: bool) -> str:
    while True:
        command = KEYS.get(key().lower(), "")
        if command and (back or command != "back"):
            return command


def _show(shown: Console, api: ReviewApi, text: dict[str, Any], done: int, back: bool, notice: str) -> None:
    """Prints one text. Control characters are printed as codes, so that a text cannot move the cursor or colour anything."""
    shown.clear()
    if notice:
        shown.print(notice, style="yellow", markup=False)
    question = api.questions[text["question"]]
    asked = question["text"].get(text["language"]) or question["text"].get("en") or next(iter(question["text"].values()), "")
    shown.print(
        f"{api.survey} · {text['question']} · {text['language']} · {api.open - done:,} of {api.given:,} open", style="dim", markup=False
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
    """The text with its marks in brackets, which show without colour too."""
    output, end = Text(), 0
    for mark in marks:
        output.append(visible(text[end : mark["begin"]]))
        output.append(f"⟦{visible(text[mark['begin'] : mark['end']])}⟧", style="bold yellow")
        end = mark["end"]
    return output.append(visible(text[end:]))


def visible(text: str) -> str:
    """The text with each control or direction character, other than a line break, replaced by its code."""
    return "".join(sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf") else f"‹{ord(sign):04X}›" for sign in text)
