"""Puts earlier answers into the texts that show them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from babel import Locale
from babel.core import UnknownLocaleError
from babel.lists import format_list
from msgspec import UNSET

from proto import piping
from proto.instrument import AnyQuestion, Closed, Multiple, Note, Single, Texts, WithRows
from services.intake.form.form_layout import Item

Piped = TypeVar("Piped", bound=Item)


def named(item: Item) -> frozenset[str]:
    """The questions whose answers the texts of an item show."""
    return frozenset(id for texts in item.piped.values() for text in texts.values() for id in piping.named(text))


def with_texts(item: Piped, write: Callable[[str], str]) -> Piped:
    """The item with `write(text)` in place of each text that shows an answer."""
    if not item.piped:
        return item

    def texts(place: str, own: Texts) -> Texts:
        piped = item.piped.get(place)
        return own if piped is None else {language: write(text) for language, text in piped.items()}

    changed: dict[str, Any] = {"text": texts("text", item.text)}
    if not isinstance(item, Note):
        changed["help"] = texts("help", item.help)
    if isinstance(item, Closed):
        changed["options"] = tuple(
            msgspec.structs.replace(option, text=texts(f"options/{option.code}", option.text)) for option in item.options
        )
    if isinstance(item, WithRows):
        changed["rows"] = tuple(msgspec.structs.replace(row, text=texts(f"rows/{row.code}", row.text)) for row in item.rows)
    return msgspec.structs.replace(item, **changed)


def with_answers(item: Piped, labels: Callable[[str], str]) -> Piped:
    """The item with these labels in its texts."""
    return with_texts(item, lambda text: piping.fill(text, labels))


def labels_of(questions: Mapping[str, AnyQuestion], answers: Any, language: str) -> Callable[[str], str]:
    """The label of the answer to a question, or `piping.STAND_IN`. `answers`: the Struct with those that are valid and not hidden."""

    def label(id: str) -> str:
        question, value = questions[id], getattr(answers, id)
        if value is UNSET or not isinstance(question, Single | Multiple):
            return piping.STAND_IN
        texts = {option.code: option.text.get(language, option.code) for option in question.options}
        return listed([texts[code] for code in ([value] if isinstance(value, str) else value)], language)

    return label


def listed(items: list[str], language: str) -> str:
    """ "apples, pears and quinces", as the language lists things."""
    return format_list(items, locale=_locale(language)) if items else piping.STAND_IN


def list_patterns(language: str) -> dict[str, str]:
    """How the language joins two things ("2"), and the first two, those between and the last of more ("start", "middle", "end")."""
    patterns: Mapping[str, str] = _locale(language).list_patterns["standard"]
    return {name: patterns[name] for name in ("2", "start", "middle", "end")}


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
