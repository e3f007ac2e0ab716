"""A question as the controls of a page: what each is called, holds, and says beside itself."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    Date,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Ranking,
    Row,
    ShortText,
    Single,
)
from services.intake.pages import typed
from services.intake.pages.advice import Advice, anchor
from services.intake.pages.voice import Voice

LIST_FROM = 13
"""From so many options on, a list to open is easier than a column of buttons."""

Kind = Literal["radios", "list", "boxes", "table", "ranks", "number", "date", "line", "area"]


@dataclass(frozen=True)
class Choice:
    id: str
    value: str
    label: str
    chosen: bool
    apart: bool = False
    """A little space, or an "or", sets it apart from the choices before."""
    alone: bool = False
    """Stands on its own: it cannot be combined with the others."""


@dataclass(frozen=True)
class Line:
    """A row of a matrix, a rank, or a part of a date."""

    id: str
    name: str
    label: str
    choices: tuple[Choice, ...] = ()
    value: str = ""
    error: str = ""


@dataclass(frozen=True)
class Column:
    """A head of a matrix. `apart`: an answer such as "don't know", beside the scale and not on it."""

    label: str
    apart: bool


@dataclass(frozen=True)
class Field:
    """A question. `ask` is what the page's script knows of it; `waiting`: it is not asked yet, the script may come to show it."""

    kind: Kind
    id: str
    name: str
    first: str
    label: str
    help: str
    required: bool
    new: bool
    ask: str = ""
    waiting: bool = False
    hints: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    lines: tuple[Line, ...] = ()
    columns: tuple[Column, ...] = ()
    value: str = ""
    unit: str = ""
    limit: int = 0
    keypad: str = ""
    described_by: str = field(default="", init=False)

    def __post_init__(self) -> None:
        parts = [("unit", self.unit), ("help", self.help), ("hint", self.hints), ("error", self.errors)]
        object.__setattr__(self, "described_by", " ".join(f"{self.id}-{name}" for name, there in parts if there))


@dataclass(frozen=True)
class Given:
    """What a question's fields are filled with (of any shape: it may have been tampered with), and what is to be said about it.

    `mix` is a secret of this respondent's pages; rows in an order of their own keep that order from page to page by it.
    """

    value: Any = None
    advice: tuple[Advice, ...] = ()
    new: bool = False
    ask: str = ""
    waiting: bool = False
    mix: str = ""


def field_of(voice: Voice, question: AnyQuestion, given: Given) -> Field:
    """The controls for a question."""
    words, value, advice = voice.words, given.value, given.advice
    common: dict[str, Any] = {
        "id": question.id,
        "name": typed.name(question),
        "first": anchor(question),
        "label": voice.text(question.text),
        "help": voice.text(question.help) if question.help else "",
        "required": question.required,
        "new": given.new,
        "ask": given.ask,
        "waiting": given.waiting,
        "errors": tuple(item.beside for item in advice if not item.part),
    }
    match question:
        case Single():
            chosen = {typed.as_text(value)}
            listed = len(question.options) >= LIST_FROM
            options = _alphabetical(voice, question) if listed and not question.ordered else question.options
            choices = _choices(voice, question, options, chosen)
            if not question.required and not listed:
                choices += (Choice(anchor(question, 0, len(choices)), "", words("no_answer"), chosen == {""}, apart=True),)
            return Field("list" if listed else "radios", **common, choices=choices)
        case Multiple():
            choices = _choices(voice, question, question.options, set(typed.as_codes(value)))
            return Field("boxes", **common, choices=choices, hints=(_how_many(voice, question),))
        case Matrix():
            faults = {item.part: item.beside for item in advice if item.part}
            lines = _lines(voice, question, typed.as_rows(value), faults, given.mix)
            columns = [Column(voice.text(option.text), option.code in NON_SUBSTANTIVE) for option in question.options]
            columns += [] if question.required else [Column(words("no_answer"), apart=True)]
            return Field("table", **common, lines=lines, columns=tuple(columns), hints=(words("table_hint"),))
        case Ranking():
            return Field("ranks", **common, lines=_ranks(voice, question, typed.as_codes(value)), hints=(words("rank_hint"),))
        case Integer() | Numeric():
            whole = isinstance(question, Integer) or question.decimals == 0
            return Field(
                "number",
                **common,
                value=typed.as_number(value, words.number),
                unit=voice.text(question.unit) if question.unit else "",
                keypad="numeric" if whole and question.min >= 0 else "decimal" if question.min >= 0 else "text",
                hints=(words("write_bounds", bounds=voice.bounds(question)),),
            )
        case Date():
            return Field("date", **common, lines=_date(voice, question, value))
        case ShortText() | LongText():
            hints = (words("text_limit", count=question.max_chars),)
            kind: Kind = "line" if isinstance(question, ShortText) and question.max_chars <= 120 else "area"
            return Field(kind, **common, value=typed.as_text(value), limit=question.max_chars, hints=hints)


def _choices(voice: Voice, question: Single | Multiple, options: tuple[Option, ...], chosen: set[str]) -> tuple[Choice, ...]:
    found: list[Choice] = []
    before = False
    for i, option in enumerate(options):
        alone = option.exclusive if isinstance(question, Multiple) else option.code in NON_SUBSTANTIVE
        label, apart = voice.text(option.text), alone and not before and i > 0
        found.append(Choice(anchor(question, 0, i), option.code, label, option.code in chosen, apart, option.exclusive))
        before = alone
    return tuple(found)


def _alphabetical(voice: Voice, question: Single) -> tuple[Option, ...]:
    """A long list by name, accents set aside; don't know and its like last."""

    def key(option: Option) -> tuple[bool, str]:
        bare = unicodedata.normalize("NFKD", voice.text(option.text).casefold())
        return option.code in NON_SUBSTANTIVE, "".join(letter for letter in bare if not unicodedata.combining(letter))

    return tuple(sorted(question.options, key=key))


def _how_many(voice: Voice, question: Multiple) -> str:
    most, least = question.max_choices, question.min_choices
    if most is not None and least > 1:
        return voice.words("several_range", min=least, max=most)
    return voice.words("several") if most is None else voice.words("several_most", count=most)


def rows_in_order(question: Matrix, mix: str) -> list[tuple[int, Row]]:
    """The rows as this respondent sees them, each with its place in the questionnaire."""
    rows = list(enumerate(question.rows))
    if question.randomise_rows and mix:
        rows.sort(key=lambda item: hashlib.sha256(f"{mix} {question.id} {item[1].code}".encode()).digest())
    return rows


def _lines(voice: Voice, question: Matrix, chosen: dict[str, str], faults: dict[str, str], mix: str) -> tuple[Line, ...]:
    cells = [(option.code, voice.text(option.text), option.code in NON_SUBSTANTIVE) for option in question.options]
    if not question.required:
        cells.append(("", voice.words("no_answer"), True))
    return tuple(
        Line(
            f"{question.id}-r{i}",
            typed.name(question, row.code),
            voice.text(row.text),
            tuple(
                Choice(anchor(question, i, j), code, label, chosen.get(row.code, "" if not question.required else None) == code, apart)
                for j, (code, label, apart) in enumerate(cells)
            ),
            error=faults.get(row.code, ""),
        )
        for i, row in rows_in_order(question, mix)
    )


def _ranks(voice: Voice, question: Ranking, chosen: list[str]) -> tuple[Line, ...]:
    options = [(option.code, voice.text(option.text)) for option in question.options]
    lines: list[Line] = []
    for i in range(question.rank_count):
        now = chosen[i] if i < len(chosen) else ""
        label = voice.words("rank_first") if i == 0 else voice.words("rank", rank=i + 1)
        choices = tuple(Choice("", code, text, code == now) for code, text in options)
        lines.append(Line(anchor(question, i), typed.name(question, i + 1), label, choices))
    return tuple(lines)


def _date(voice: Voice, question: Date, value: Any) -> tuple[Line, ...]:
    """Day, month by name, year: three small fields that every browser and every reader knows."""
    words = voice.words
    year, month, *rest = typed.as_date(value, 3 if question.precision == "day" else 2)
    months = tuple(Choice("", f"{i:02}", name, month == f"{i:02}") for i, name in enumerate(words.months(), 1))
    parts = [("day", words("day"), rest[0], ())] if rest else []
    parts += [("month", words("month"), month, months), ("year", words("year"), year, ())]
    return tuple(
        Line(anchor(question, i), typed.name(question, part), label, choices, shown)
        for i, (part, label, shown, choices) in enumerate(parts)
    )
