"""Writes a questionnaire as a SurveyJS form. What the format cannot say stands under `x-platea`. Pure."""

from __future__ import annotations

import html
import json
from typing import Any, assert_never

from deploy.cli.exchange.export_formulas import calculation
from deploy.cli.exchange.export_rules import SurveyJs, condition
from deploy.cli.exchange.export_xlsform import Called
from proto.authoring.question_checks import BIGGEST
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Note,
    Numeric,
    Option,
    Ranking,
    Row,
    Rule,
    ShortText,
    Single,
    Texts,
)

MOST_BUTTONS = 12
_INPUTS = {"email": "email", "telephone": "tel"}
Element = dict[str, Any]


def write(instrument: Instrument, called: Called, kept: dict[str, dict[str, Any]], survey: dict[str, Any]) -> bytes:
    """The JSON. `kept` and `survey` go under `x-platea`."""
    writer = _SurveyjsWriter(instrument, called, kept)
    root = writer.form()
    root["x-platea"] = {"survey": survey, "questions": writer.marks}
    return (json.dumps(root, ensure_ascii=False, indent=1) + "\n").encode()


class _SurveyjsWriter:
    def __init__(self, instrument: Instrument, called: Called, kept: dict[str, dict[str, Any]]) -> None:
        self.instrument = instrument
        self.called = called
        self.marks: dict[str, dict[str, Any]] = {name: dict(keys) for name, keys in kept.items()}
        self.rows: dict[str, dict[str, str]] = {
            question.id: {row.code: row.code for row in question.rows}
            for question in instrument.questions
            if isinstance(question, Matrix | ConstantSum)
        }

    def rule(self, rule: Rule) -> str:
        return condition(rule, self.instrument, self.called.questions, self.rows, SurveyJs())

    def text(self, texts: Texts) -> str | dict[str, str]:
        source = self.instrument.source_language
        if len(texts) == 1:
            return texts[source]
        return {"default": texts[source], **{language: text for language, text in texts.items() if language != source}}

    def html(self, texts: Texts) -> str | dict[str, str]:
        return self.text({language: html.escape(text, quote=False).replace("\n", "<br>") for language, text in texts.items()})

    def form(self) -> Element:
        instrument = self.instrument
        notes = instrument.notes
        pages: list[Element] = []
        for section in instrument.sections:
            elements: list[Element] = []
            for question in instrument.questions:
                if question.section != section.id:
                    continue
                elements += [self.note(note) for note in notes if note.before == question.id]
                elements.append(self.element(question))
            elements += [self.note(note) for note in notes if note.section == section.id and not note.before]
            pages.append({"name": section.id, "title": self.text(section.text), "elements": elements})
        for check in instrument.soft_checks:
            name = self.called.once(f"check_{check.id}", 64)
            self.marks.setdefault(name, {})["soft_check"] = True
            pages[-1]["elements"].append({"type": "html", "name": name, "visibleIf": self.rule(check.when), "html": self.html(check.text)})
        root: Element = {"title": self.text(instrument.title), "locale": instrument.source_language}
        if instrument.introduction:
            root["description"] = self.text(instrument.introduction)
        root["pages"] = pages
        if instrument.derived:
            root["calculatedValues"] = [
                {"name": derived.id, "expression": f"iif({self.rule(derived.rule)}, '1', '0')"} for derived in instrument.derived
            ]
        return root

    def note(self, note: Note) -> Element:
        shown = {} if note.show_if is None else {"visibleIf": self.rule(note.show_if)}
        return {"type": "html", "name": self.called.questions[note.id], **shown, "html": self.html(note.text)}

    def element(self, question: AnyQuestion) -> Element:
        name = self.called.questions[question.id]
        element: Element = {"type": "text", "name": name, "title": self.text(question.text)}
        if beside := question.help or getattr(question, "unit", {}):
            element["description"] = self.text(beside)
        if question.required:
            element["isRequired"] = True
        if question.show_if is not None:
            element["visibleIf"] = self.rule(question.show_if)
        match question:
            case Single():
                element["type"] = "radiogroup" if len(question.options) <= MOST_BUTTONS else "dropdown"
                element["choices"] = self.choices(question.options)
            case Multiple():
                element |= {"type": "checkbox", "choices": self.choices(question.options), **_chosen(question, name)}
            case Matrix():
                rows = [{"value": row.code, "text": self.text(row.text), **self.shown(row)} for row in question.rows]
                element |= {"type": "matrix", "columns": self.choices(question.options), "rows": rows}
                if question.required:
                    element["isAllRowRequired"] = True
                if question.randomise_rows:
                    element["rowOrder"] = "random"
            case Ranking():
                element |= {"type": "ranking", "choices": self.choices(question.options)}
                if question.rank_count < len(question.options):
                    element |= {"selectToRankEnabled": True, "maxSelectedChoices": question.rank_count}
            case ConstantSum():
                number = {"inputType": "number", "min": 0, "max": question.total}
                items = [
                    {"name": row.code, "title": self.text(row.text), **number, "isRequired": question.required} for row in question.rows
                ]
                total = " + ".join(f"{{{name}.{row.code}}}" for row in question.rows)
                check = {"type": "expression", "expression": f"{total} = {question.total}"}
                element |= {"type": "multipletext", "items": items, "validators": [check]}
                self.marks.setdefault(name, {})["total"] = question.total
            case Computed():
                element.pop("isRequired", None)
                element |= {"type": "expression", "expression": self.computed(question)}
            case Integer() | Numeric():
                places = question.decimals if isinstance(question, Numeric) else 0
                element |= {"inputType": "number", "step": 10**-places if places else 1}
                element |= {"min": question.min} if question.min > -BIGGEST else {}
                element |= {"max": question.max} if question.max < BIGGEST else {}
            case Date():
                if len(question.min) == 4:
                    element |= {"inputType": "number", "min": int(question.min[:4])}
                else:
                    element["inputType"] = "date" if question.precision == "day" else "month"
                    element |= {"min": question.min, "max": "=today()" if question.max == "today" else question.max}
            case ShortText() | LongText():
                element |= {"type": "text" if isinstance(question, ShortText) else "comment", "maxLength": question.max_chars}
                if isinstance(question, ShortText) and question.pattern in _INPUTS:
                    element["inputType"] = _INPUTS[question.pattern]
                if isinstance(question, ShortText) and question.specifies is not None:
                    owner = self.called.questions[question.specifies.question]
                    self.marks.setdefault(name, {})["specify"] = [owner, question.specifies.option]
            case _:
                assert_never(question)
        if isinstance(question, Single | Multiple | Ranking) and question.randomise_options:
            element["choicesOrder"] = "random"
        return element

    def computed(self, question: Computed) -> str:
        return calculation(question, self.instrument, self.called.questions, self.rows, SurveyJs())

    def shown(self, part: Option | Row) -> Element:
        return {} if part.show_if is None else {"visibleIf": self.rule(part.show_if)}

    def choices(self, options: tuple[Option, ...]) -> list[Element]:
        return [{"value": option.code, "text": self.text(option.text), **self.shown(option)} for option in options]


def _chosen(question: Multiple, name: str) -> Element:
    element: Element = {}
    if question.min_choices > 1:
        element["minSelectedChoices"] = question.min_choices
    if question.max_choices is not None:
        element["maxSelectedChoices"] = question.max_choices
    alone = [option.code for option in question.options if option.exclusive]
    if alone:
        element["validators"] = [
            {"type": "expression", "expression": f"{{{name}}} notcontains '{code}' or {{{name}}}.length = 1"} for code in alone
        ]
    return element
