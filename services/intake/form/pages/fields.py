"""Makes the form controls of a question: names, labels, hints and errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    ConstantSum,
    Date,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Numeric,
    Option,
    Ranking,
    ShortText,
    Single,
)
from proto.text_patterns import TextPattern
from services.intake.form import typed_values
from services.intake.form.pages.advice import Advice, anchor
from services.intake.form.pages.field_values import standing_last
from services.intake.form.pages.voice import Voice

LIST_FROM = 13
"""From this many options on, a question is shown as a drop-down list."""

STACKED = 40
"""Up to this many cells, rows times columns, a matrix is stacked on a narrow screen; beyond it, each row is a drop-down list there."""
_TYPES: dict[TextPattern, Literal["text", "email", "tel"]] = {"email": "email", "telephone": "tel", "postal_code": "text"}

Kind = Literal["radios", "list", "boxes", "table", "ranks", "shares", "number", "date", "line", "area"]


@dataclass(frozen=True)
class FieldChoice:
    id: str
    value: str
    label: str
    apart: bool = False
    """Whether it is set apart from the choices before it, by space or an "or"."""
    alone: bool = False
    """Whether it is exclusive: it cannot be combined with the others."""
    text: str = ""
    """The id of the text that it opens."""
    part: str = ""
    """Its code, where the page's script shows and hides it."""
    hidden: bool = False


@dataclass(frozen=True)
class FieldLine:
    """A row of a matrix or of a constant sum, a rank, or a part of a date. `wrong`: it has a fault."""

    id: str
    name: str
    label: str
    choices: tuple[FieldChoice, ...] = ()
    row: str = ""
    narrow: str = ""
    """The name of the list that shows a row on a narrow screen, "" where there is none."""
    error: str = ""
    part: str = ""
    hidden: bool = False
    wrong: bool = False
    alone: bool = False


@dataclass(frozen=True)
class FieldColumn:
    """A column head of a matrix. `apart`: an answer such as "don't know", which is not on the scale."""

    label: str
    apart: bool


@dataclass(frozen=True)
class Field:
    """A question without its values. `ask`: JSON for the page's script; `mixed`: its rows or options are in random order; `inside`: it
    stands inside an option."""

    kind: Kind
    id: str
    name: str
    first: str
    label: str
    help: str
    required: bool
    new: bool
    ask: str = ""
    mixed: bool = False
    inside: bool = False
    hints: tuple[str, ...] = ()
    error: str = ""
    choices: tuple[FieldChoice, ...] = ()
    lines: tuple[FieldLine, ...] = ()
    columns: tuple[FieldColumn, ...] = ()
    unit: str = ""
    special: tuple[FieldChoice, ...] = ()
    limit: int = 0
    total: int = 0
    keypad: str = ""
    line_type: Literal["text", "email", "tel"] = "text"
    described_by: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if self.error == " ".join(self.hints):  # one sentence is not said twice
            object.__setattr__(self, "hints", ())
        unit = self.unit and not self.total  # of a total it stands beside each row
        parts: list[tuple[str, object]] = [("unit", unit), ("help", self.help), ("hint", self.hints), ("error", self.error)]
        object.__setattr__(self, "described_by", " ".join(f"{self.id}-{name}" for name, there in parts if there))


def field_of(
    voice: Voice,
    question: AnyQuestion,
    ask: str,
    advice: Advice | None = None,
    *,
    new: bool = False,
    texts: Mapping[str, str] | None = None,
    option: Option | None = None,
) -> Field:
    """The controls of a question, without values. `new`: it was added to the page by an answer.

    `texts`: ids of the texts that its options open, by code. `option`: the option that this text belongs to.
    """
    words, texts = voice.words, texts or {}
    common: dict[str, Any] = {
        "id": question.id,
        "name": typed_values.name(question),
        "first": anchor(question),
        "label": voice.text(option.text if option else question.text),
        "inside": option is not None,
        "help": voice.text(question.help) if question.help else "",
        "required": question.required,
        "new": new,
        "ask": ask,
        "error": advice.sentence if advice else "",
    }
    match question:
        case Single():
            listed = is_list(question)
            alphabetical = listed and not (question.ordered or question.randomise_options)
            options = _alphabetical(voice, question) if alphabetical else laid_out(question, texts)
            choices = _choices(voice, question, options, texts)
            if not question.required and not listed:
                choices += (FieldChoice(anchor(question, 0, len(choices)), "", words("no_answer"), apart=True),)
            return Field("list" if listed else "radios", **common, choices=choices, mixed=question.randomise_options)
        case Multiple():
            choices = _choices(voice, question, laid_out(question, texts), texts)
            if typed_values.offers_none(question):
                label = words("none_of_these")
                choices += (FieldChoice(anchor(question, 0, len(choices)), typed_values.NONE, label, apart=True, alone=True),)
            return Field("boxes", **common, choices=choices, hints=(_how_many(voice, question),), mixed=question.randomise_options)
        case Matrix():
            lines = _lines(voice, question, advice)
            columns = [FieldColumn(voice.text(option.text), option.code in NON_SUBSTANTIVE) for option in question.options]
            columns += [FieldColumn(words("no_answer"), apart=True)] if _clearable(question) else []
            hints = (words("table_hint"),)
            return Field("table", **common, lines=lines, columns=tuple(columns), hints=hints, mixed=question.randomise_rows)
        case Ranking():
            hints = (words("rank_hint"),)
            return Field("ranks", **common, lines=_ranks(voice, question, advice), hints=hints, mixed=question.randomise_options)
        case ConstantSum():
            lines = tuple(
                FieldLine(anchor(question, i), typed_values.name(question, row.code), voice.text(row.text), wrong=_is_wrong(advice, i))
                for i, row in enumerate(question.rows)
            )
            unit = voice.text(question.unit) if question.unit else ""
            hints = (words("sum_hint", total=voice.total(question)),)
            return Field("shares", **common, lines=lines, unit=unit, total=question.total, hints=hints)
        case Integer() | Numeric():
            whole = isinstance(question, Integer) or question.decimals == 0
            return Field(
                "number",
                **common,
                unit=voice.text(question.unit) if question.unit else "",
                keypad="numeric" if whole and question.min >= 0 else "decimal" if question.min >= 0 else "text",
                hints=(words("write_bounds", bounds=voice.bounds(question)),),
                special=_special(voice, question),
            )
        case Date():
            return Field("date", **common, lines=_date(voice, question, advice), special=_special(voice, question))
        case ShortText() if question.pattern:
            return Field("line", **common, line_type=_TYPES[question.pattern], keypad=_TYPES[question.pattern])
        case ShortText() | LongText():
            hints = (words("text_limit", count=question.max_chars),)
            kind: Kind = "line" if isinstance(question, ShortText) and question.max_chars <= (200 if option else 120) else "area"
            return Field(kind, **common, limit=question.max_chars, hints=hints)
        case _:
            assert_never(question)


def is_list(question: Single | Multiple) -> bool:
    """Whether the options are shown as a drop-down list."""
    return isinstance(question, Single) and len(question.options) >= LIST_FROM


def laid_out(question: Single | Multiple, opening: Collection[str]) -> tuple[Option, ...]:
    """The options as they are numbered on the page: as written, or, in random order, those that keep their place last."""
    if not question.randomise_options:
        return question.options
    last = standing_last(question.options, opening)
    return (*(option for option in question.options if option not in last), *last)


def _choices(voice: Voice, question: Single | Multiple, options: tuple[Option, ...], texts: Mapping[str, str]) -> tuple[FieldChoice, ...]:
    choices: list[FieldChoice] = []
    before = False
    for i, option in enumerate(options):
        alone = option.exclusive if isinstance(question, Multiple) else option.code in NON_SUBSTANTIVE
        apart = alone and not before and i > 0
        text = texts.get(option.code, "")
        choices.append(FieldChoice(anchor(question, 0, i), option.code, voice.text(option.text), apart, option.exclusive, text))
        before = alone
    return tuple(choices)


def _alphabetical(voice: Voice, question: Single) -> tuple[Option, ...]:
    """The options in alphabetical order without regard to accents; non-substantive ones last."""

    def key(option: Option) -> tuple[bool, str]:
        bare = unicodedata.normalize("NFKD", voice.text(option.text).casefold())
        return option.code in NON_SUBSTANTIVE, "".join(letter for letter in bare if not unicodedata.combining(letter))

    return tuple(sorted(question.options, key=key))


def _how_many(voice: Voice, question: Multiple) -> str:
    most, least = question.max_choices, question.min_choices
    if most is not None and least > 1:
        return voice.words("several_range", min=least, max=most)
    return voice.words("several") if most is None else voice.words("several_most", count=most)


def _clearable(question: Matrix) -> bool:
    """Whether a row can be left without an answer: also where one row excludes the others."""
    return not question.required or any(row.exclusive for row in question.rows)


def _lines(voice: Voice, question: Matrix, advice: Advice | None) -> tuple[FieldLine, ...]:
    cells = [(option.code, voice.text(option.text), option.code in NON_SUBSTANTIVE) for option in question.options]
    if _clearable(question):
        cells.append(("", voice.words("no_answer"), True))
    stacked = len(question.rows) * len(cells) <= STACKED
    faults = {row.code: row.sentence for row in advice.rows} if advice else {}
    return tuple(
        FieldLine(
            anchor(question, i),
            typed_values.name(question, row.code),
            voice.text(row.text),
            tuple(FieldChoice(f"{question.id}-{i}-{j}", code, label, apart) for j, (code, label, apart) in enumerate(cells)),
            row.code,
            "" if stacked else typed_values.narrow(question, row.code),
            faults.get(row.code, ""),
            wrong=row.code in faults,
            alone=row.exclusive,
        )
        for i, row in enumerate(question.rows)
    )


def _is_wrong(advice: Advice | None, part: int) -> bool:
    return advice is not None and (not advice.parts or part in advice.parts)


def _ranks(voice: Voice, question: Ranking, advice: Advice | None) -> tuple[FieldLine, ...]:
    choices = tuple(FieldChoice("", option.code, voice.text(option.text)) for option in question.options)
    labels = [voice.words("rank_first") if i == 0 else voice.words("rank", rank=i + 1) for i in range(question.rank_count)]
    return tuple(
        FieldLine(anchor(question, i), typed_values.name(question, i + 1), label, choices, wrong=_is_wrong(advice, i))
        for i, label in enumerate(labels)
    )


def _special(voice: Voice, question: Measured) -> tuple[FieldChoice, ...]:
    """The special values, as boxes beside the number or date."""
    return tuple(
        FieldChoice(anchor(question, typed_values.SPECIAL, i), option.code, voice.text(option.text), apart=i == 1, alone=True)
        for i, option in enumerate(question.special, 1)
    )


def _date(voice: Voice, question: Date, advice: Advice | None) -> tuple[FieldLine, ...]:
    """The fields for day, month (by name) and year, which every browser and screen reader supports."""
    words = voice.words
    months = tuple(FieldChoice("", f"{i:02}", name) for i, name in enumerate(words.months(), 1))
    parts = [(part, words(part), months if part == "month" else ()) for part in reversed(typed_values.date_parts(question))]
    return tuple(
        FieldLine(anchor(question, i), typed_values.name(question, part), label, choices, wrong=_is_wrong(advice, i))
        for i, (part, label, choices) in enumerate(parts)
    )
