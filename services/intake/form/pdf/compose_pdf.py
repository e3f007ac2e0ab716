"""The blank questionnaire and the copy of somebody's answers as documents for PDF."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

import msgspec

from services.intake.form.flow import Evaluation, FormFlow
from services.intake.form.pages import compose, words
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.compose_blank import BlankItem, sections_of
from services.intake.form.pages.fields import Field, FieldChoice
from services.intake.form.pages.spoken import AnswerInWords
from services.intake.form.pdf.document import (
    Asked,
    Block,
    Chapter,
    Document,
    Entry,
    Mark,
    MarkedList,
    Paragraph,
    Run,
    Runs,
    Style,
    TickTable,
    WriteLine,
    primary,
    runs,
)

WIDEST = 9
"""Most columns of a matrix that stand side by side; of a wider one, each row has a line to write on."""
AREA = 4
"""Lines to write on for a long text."""


def blank(survey: SurveyView) -> bytes:
    """Every section, question and note, whatever is answered. Returns the `Document` as JSON."""
    instrument, voice, say = survey.instrument, survey.voice, survey.voice.words
    lead: list[Chapter | Paragraph] = [Paragraph(runs(say("blank_lead")))]
    for heading, texts in (("about", instrument.introduction), ("definition", instrument.definitions)):
        lead += [Chapter(runs(say(heading))), Paragraph(runs(voice.text(texts)))] if texts else []
    items: list[Chapter | Asked | Paragraph] = []
    for _, heading, parts in sections_of(survey):
        items += [Chapter(runs(heading)), *(_to_answer(survey, part) for part in parts)]
    return _document(survey, say("blank_title"), lead, items)


def copy(survey: SurveyView, form: FormFlow, evaluation: Evaluation, answers: dict[str, Any], digest: str) -> bytes:
    """The stored answers in words, without the receipt. Returns the `Document` as JSON."""
    say = survey.voice.words
    items: list[Chapter | Asked | Paragraph] = []
    for _, heading, spoken in compose.spoken(survey, form, evaluation, answers):
        items += [Chapter(runs(heading)), *(Asked(runs(answer.question), (_answer(survey, answer),)) for _, answer in spoken)]
    return _document(survey, say("copy_title"), [], items, ((say("digest"), digest),))


def _document(
    survey: SurveyView,
    subtitle: str,
    lead: Iterable[Chapter | Paragraph],
    items: Iterable[Chapter | Asked | Paragraph],
    more: tuple[tuple[str, str], ...] = (),
) -> bytes:
    voice, say = survey.voice, survey.voice.words
    facts = ((say("version"), survey.instrument.version), (say("languages"), words.native_name(voice.language)), *more)
    mixed = [Paragraph(runs(say("texts_in", language=survey.texts_in)), "quiet")] if survey.texts_in else []
    return msgspec.json.encode(
        Document(
            lang=primary(say.language),
            name=f"{survey.title} – {subtitle}",
            title=runs(survey.title),
            subtitle=runs(subtitle),
            organisation=runs(survey.controller),
            facts=tuple((runs(name), runs(value)) for name, value in facts),
            lead=(*mixed, *lead),
            items=tuple(items),
        )
    )


def _to_answer(survey: SurveyView, item: BlankItem) -> Asked | Paragraph:
    field, only = item.field, runs(item.only_if)
    if field is None:
        return Paragraph((*runs(item.note), Run(" "), *only) if only else runs(item.note))
    told: tuple[tuple[Runs, Style], ...] = (only, "only"), (runs(field.help), "quiet"), (runs(" ".join(field.hints)), "quiet")
    above: tuple[Block, ...] = tuple(Paragraph(text, style) for text, style in told if text)
    special = (_ticks(field.special, item, "box"),) if field.special else ()
    needed = runs(survey.voice.words("required")) if field.required else ()
    return Asked(runs(field.label), (*above, *_controls(field, item), *special), field.id, needed)


def _controls(field: Field, item: BlankItem) -> tuple[Block, ...]:
    match field.kind:
        case "radios" | "list":
            return (_ticks(field.choices, item, "circle"),)
        case "boxes":
            return (_ticks(field.choices, item, "box"),)
        case "table":
            columns = tuple(runs(column.label) for column in field.columns)
            rows = tuple(Entry(runs(line.label), runs(item.parts.get(line.row, ""))) for line in field.lines)
            if len(columns) <= WIDEST:
                return (TickTable(columns, rows),)
            return (MarkedList("bullet", tuple(map(Entry, columns))), *(WriteLine((*row.text, *_apart(row.only))) for row in rows))
        case "ranks":
            return (_ticks(field.lines[0].choices, item, "bullet"), *(WriteLine(runs(line.label)) for line in field.lines))
        case "shares" | "date":
            return tuple(WriteLine(runs(line.label), runs(field.unit)) for line in field.lines)
        case "number":
            return (WriteLine(unit=runs(field.unit)),)
        case "line":
            return (WriteLine(),)
        case "area":
            return (WriteLine(lines=AREA),)
        case _:
            assert_never(field.kind)


def _apart(text: Runs) -> Runs:
    return (Run(" "), *text) if text else ()


def _ticks(choices: Iterable[FieldChoice], item: BlankItem, mark: Mark) -> MarkedList:
    offered = [choice for choice in choices if choice.value]
    return MarkedList(
        mark, tuple(Entry(runs(choice.label), runs(item.parts.get(choice.value, "")), bool(choice.text)) for choice in offered)
    )


def _answer(survey: SurveyView, answer: AnswerInWords) -> Block:
    if answer.nothing:
        return Paragraph(runs(survey.voice.words("not_answered")), "quiet")
    if answer.items or answer.ranks:
        return MarkedList("number" if answer.ranks else "bullet", tuple(Entry(runs(text)) for text in answer.items or answer.ranks))
    if answer.pairs:
        return MarkedList("bullet", tuple(Entry((*runs(row), Run(" – "), *runs(choice))) for row, choice in answer.pairs))
    return Paragraph((*runs(answer.text), *((Run("\u00a0"), *runs(answer.unit)) if answer.unit else ())), "answer")
