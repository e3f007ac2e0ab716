"""What `platea survey check` advises about sound questions that may not say what their author means. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from proto.blank import is_blank
from proto.instrument import NON_SUBSTANTIVE, AnyQuestion, Closed, Date, Instrument, Integer, Matrix, Option, Row, Rule, Single

_CUSTOMARY = re.compile(r"-?(7|8|9|77|88|9[6-9]|777|888|99[6-9])|-1")
"""Codes for don't know, refused and the like in data files of others."""

_QUOTED = re.compile(r"\s*(“[^“”]*”|‘[^‘’]*’)\s*")
"""A text that a word processor gave its quotes."""


def advice(instrument: Instrument, year: int) -> Iterator[str]:
    """Sentences, question by question. `year`: the present one."""
    for question in instrument.asked:
        parts: list[tuple[str, tuple[Option, ...] | tuple[Row, ...]]] = []
        if isinstance(question, Closed):
            parts.append(("options", question.options))
        if isinstance(question, Matrix):
            parts.append(("rows", question.rows))
        for what, listed in parts:
            yield from _labels(question.id, what, listed, instrument.languages)
        if any(is_blank(text) for text in question.text.values()):
            yield f"the text of {question.id} shows nothing."
        if any(map(_QUOTED.fullmatch, question.text.values())):
            yield f'the text of {question.id} is shown in quotation marks. If YAML should take them away, write "…".'
        yield from _stray_score(question)
        yield from _future(question, year)
    yield from _all_rows(instrument)


def _labels(id: str, what: str, listed: tuple[Option, ...] | tuple[Row, ...], languages: tuple[str, ...]) -> Iterator[str]:
    """Two with the same label, as readers see it; one with nothing to see."""
    for language in languages:
        seen: dict[str, str] = {}
        for part in listed:
            text = part.text.get(language, "")
            if is_blank(text):
                yield f"the label of {part.code} of {id} shows nothing in {language}."
                continue
            if _QUOTED.fullmatch(text):
                yield f'the label of {part.code} of {id} is shown in quotation marks. If YAML should take them away, write "…".'
            plain = _as_seen(text)
            if plain in seen:
                yield f"the {what} {seen[plain]} and {part.code} of {id} have the same label in {language}, “{text.strip()}”."
            seen.setdefault(plain, part.code)


def _as_seen(text: str) -> str:
    visible = "".join(letter for letter in unicodedata.normalize("NFKC", text) if letter.isspace() or not is_blank(letter))
    return " ".join(visible.casefold().split())


def _stray_score(question: AnyQuestion) -> Iterator[str]:
    """A code such as 99 far from the others, which go up in equal steps."""
    if not (isinstance(question, Single | Matrix) and question.ordered):
        return
    if any(option.score is not None for option in question.options):
        return
    codes = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
    if len(codes) < 4 or not all(re.fullmatch(r"-?[0-9]{1,9}", code) for code in codes):
        return
    for code in (codes[0], codes[-1]):
        others = sorted(int(other) for other in codes if other != code)
        steps = {later - earlier for earlier, later in pairwise(others)}
        gap = min(abs(int(code) - other) for other in others)
        if _CUSTOMARY.fullmatch(code) and len(steps) == 1 and gap not in steps:
            yield f"{code} of {question.id} is a score far from the others. If it says don't know, its code is dk, and it counts apart."


def _future(question: AnyQuestion, year: int) -> Iterator[str]:
    """A greatest year that has not come yet."""
    last = 0
    if isinstance(question, Integer) and 1800 <= question.min <= year < question.max <= 2100:
        last = question.max
    if isinstance(question, Date) and question.max != "today":
        last = int(question.max[:4])
    if last > year:
        limit = "today" if isinstance(question, Date) else str(year)
        yield f"{question.id} takes years until {last}. If it asks about the past, `max: {limit}` refuses those to come."


def _all_rows(instrument: Instrument) -> Iterator[str]:
    """A derived variable that any row of a matrix makes true, whatever the row is about."""
    for variable in instrument.derived:
        for rule in _tests(variable.rule):
            if rule.op == "any_row_in" and not rule.rows and len(getattr(instrument.question(rule.q or ""), "rows", ())) > 1:
                yield f"{variable.id} holds by any row of {rule.q}. Unless each row is meant, name those that are: `rows: […]`."


def _tests(rule: Rule) -> Iterator[Rule]:
    yield rule
    for part in (*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])):
        yield from _tests(part)
