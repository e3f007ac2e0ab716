"""Writes a questionnaire as an XLSForm. What the format cannot say stands in a sheet of its own, `platea`."""

from __future__ import annotations

import io
import json
from typing import Any, assert_never

import msgspec

from deploy.cli.exchange.export_formulas import calculation
from deploy.cli.exchange.export_rules import XPath, condition, whole_day
from deploy.cli.exchange.naming import Names, slug
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
    Rule,
    ShortText,
    Single,
    Texts,
)

CHUNK = 30_000
"""Characters of a cell; a spreadsheet allows 32,767."""
_COLUMNS = ("type", "name", "required", "relevant", "constraint", "appearance", "calculation", "choice_filter", "parameters")
Line = dict[str, str]


class Called:
    """What questions, notes and rows are called in the form."""

    def __init__(self, instrument: Instrument) -> None:
        given = Names(frozenset({"meta", "instanceid", "audit", "introduction"}))
        self.questions: dict[str, str] = {}
        self.rows: dict[str, dict[str, str]] = {}
        for question in instrument.questions:
            self.questions[question.id] = given.once(question.var, 64)
        for note in instrument.notes:
            self.questions[note.id] = given.once(slug(note.id).lower(), 64)
        for question in instrument.questions:
            name, parts = self.questions[question.id], getattr(question, "rows", ())
            if parts:
                self.rows[question.id] = {row.code: given.once(f"{name}_{slug(row.code).lower() or 'row'}", 128) for row in parts}
        self.once = given.once


def names(instrument: Instrument) -> Called:
    return Called(instrument)


def write(instrument: Instrument, called: Called, kept: dict[str, dict[str, Any]], survey: dict[str, Any]) -> bytes:
    """The workbook. `kept` and `survey` go into the sheet `platea`, question by question."""
    return _XlsformWriter(instrument, called, kept, survey).workbook()


class _XlsformWriter:
    def __init__(self, instrument: Instrument, called: Called, kept: dict[str, dict[str, Any]], survey: dict[str, Any]) -> None:
        self.instrument = instrument
        self.called = called
        self.marks: dict[str, dict[str, Any]] = {name: dict(keys) for name, keys in kept.items()}
        self.survey = survey
        self.lists: dict[bytes, tuple[str, tuple[Option, ...]]] = {}
        self.list_names = Names()
        self.columns = {language: f"{_english(language)} ({language})" for language in instrument.languages}
        self.rows: list[Line] = []

    def rule(self, rule: Rule | None) -> str:
        if rule is None:
            return ""
        found = condition(rule, self.instrument, self.called.questions, self.called.rows, XPath())
        return found[1:-1] if found.startswith("(") and found.endswith(")") and _wrapped(found) else found

    def texts(self, column: str, texts: Texts) -> Line:
        return {f"{column}::{self.columns[language]}": _label(text) for language, text in texts.items()}

    def workbook(self) -> bytes:
        from openpyxl import Workbook

        self.fill()
        book: Any = Workbook()
        sheet = book.active
        sheet.title = "survey"
        headers = [column for column in _COLUMNS if any(column in row for row in self.rows)]
        translated = [f"{kind}::{name}" for kind in ("label", "hint") for name in self.columns.values()]
        _fill(sheet, [*headers[:2], *[name for name in translated if any(name in row for row in self.rows)], *headers[2:]], self.rows)
        choices = [
            {"list_name": name, "name": option.code, **self.texts("label", option.text), "shown": _shown(options).get(option.code, "")}
            for name, options in self.lists.values()
            for option in options
        ]
        filtered = ["shown"] if any(choice["shown"] for choice in choices) else []
        _fill(
            book.create_sheet("choices"), ["list_name", "name", *self.texts("label", dict.fromkeys(self.columns, "")), *filtered], choices
        )
        settings = {
            "form_title": self.instrument.title[self.instrument.source_language],
            "form_id": self.instrument.id,
            "version": self.instrument.version,
            "default_language": self.columns[self.instrument.source_language],
        }
        _fill(book.create_sheet("settings"), list(settings), [settings])
        _fill(book.create_sheet("platea"), ["question", "key", "value"], self.carried())
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def carried(self) -> list[Line]:
        lines: list[Line] = []
        for name, keys in [("", self.survey), *self.marks.items()]:
            for key, value in keys.items():
                text = json.dumps(value, ensure_ascii=True)
                lines += [{"question": name, "key": key, "value": text[start : start + CHUNK]} for start in range(0, len(text), CHUNK)]
        return lines

    def mark(self, name: str, key: str, value: Any) -> None:
        self.marks.setdefault(name, {})[key] = value

    def fill(self) -> None:
        instrument = self.instrument
        if instrument.introduction:
            self.rows.append({"type": "note", "name": "introduction", **self.texts("label", instrument.introduction)})
            self.mark("introduction", "introduction", True)
        groups = Names(frozenset([*self.called.questions.values(), *(row for rows in self.called.rows.values() for row in rows.values())]))
        for section in instrument.sections:
            self.rows.append({"type": "begin_group", "name": groups.once(section.id, 64), **self.texts("label", section.text)})
            for question in instrument.questions:
                if question.section != section.id:
                    continue
                for note in instrument.notes:
                    if note.before == question.id:
                        self.note(note)
                self.question(question)
            for note in instrument.notes:
                if note.section == section.id and not note.before:
                    self.note(note)
            self.rows.append({"type": "end_group"})
        for derived in instrument.derived:
            name = self.called.once(derived.id, 64)
            self.rows.append({"type": "calculate", "name": name, "calculation": f"if({self.rule(derived.rule)}, '1', '0')"})
        for check in instrument.soft_checks:
            name = self.called.once(f"check_{check.id}", 64)
            self.rows.append({"type": "note", "name": name, "relevant": self.rule(check.when), **self.texts("label", check.text)})
            self.mark(name, "soft_check", True)

    def note(self, note: Note) -> None:
        name = self.called.questions[note.id]
        self.rows.append({"type": "note", "name": name, "relevant": self.rule(note.show_if), **self.texts("label", note.text)})

    def choices(self, options: tuple[Option, ...], name: str) -> str:
        """The name of the list of these options; questions with the same options share one."""
        key = msgspec.json.encode(options)
        if key not in self.lists:
            self.lists[key] = (self.list_names.once(name, 64), options)
        return self.lists[key][0]

    def filter(self, options: tuple[Option, ...]) -> str:
        """The choice filter: an option is there for everybody, or has in the column `shown` which of the conditions shows it."""
        marks = _shown(options)
        conditions = {marks[option.code]: self.rule(option.show_if) for option in options if option.code in marks}
        return " or ".join(["shown = ''", *(f"(shown = '{mark}' and ({rule}))" for mark, rule in conditions.items())]) if marks else ""

    def question(self, question: AnyQuestion) -> None:
        name = self.called.questions[question.id]
        row: Line = {
            "name": name,
            **self.texts("label", question.text),
            **self.texts("hint", question.help or getattr(question, "unit", {})),
            "required": "yes" if question.required else "",
            "relevant": self.rule(question.show_if),
        }
        match question:
            case Single():
                row["type"] = f"select_one {self.choices(question.options, name)}"
            case Multiple():
                row["type"] = f"select_multiple {self.choices(question.options, name)}"
                row["constraint"] = _chosen(question)
            case Matrix():
                self.matrix(question, row, name)
                return
            case Ranking():
                row["type"] = f"rank {self.choices(question.options, name)}"
            case ConstantSum():
                self.shares(question, row, name)
                return
            case Computed():
                self.rows.append({"type": "calculate", "name": name, "calculation": self.computed(question), "relevant": row["relevant"]})
                return
            case Integer() | Numeric():
                row["type"] = "integer" if isinstance(question, Integer) else "decimal"
                row["constraint"] = _between(question)
            case Date():
                row["type"] = "date"
                row["appearance"] = {"day": "", "month": "month-year", "year": "year"}[question.precision]
                row["constraint"] = _days(question)
            case ShortText() | LongText():
                row["type"] = "text"
                row["appearance"] = "multiline" if isinstance(question, LongText) else ""
                row["constraint"] = f"string-length(.) <= {question.max_chars}"
                if isinstance(question, ShortText) and question.specifies is not None:
                    self.mark(name, "specify", [self.called.questions[question.specifies.question], question.specifies.option])
            case _:
                assert_never(question)
        if isinstance(question, Single | Multiple | Ranking):
            row["choice_filter"] = self.filter(question.options)
            if question.randomise_options:
                row["parameters"] = "randomize=true"
        self.rows.append(row)

    def shares(self, question: ConstantSum, head: Line, name: str) -> None:
        """A number for each row; the last one completes the total."""
        group = {key: value for key, value in head.items() if not key.startswith("hint") and key != "required"}
        self.rows.append({**group, "type": "begin_group", "appearance": "field-list"})
        names = [self.called.rows[question.id][row.code] for row in question.rows]
        for own, row in zip(names, question.rows, strict=True):
            limits = f". >= 0 and . <= {question.total}"
            if own == names[-1]:
                limits += f" and {' + '.join(f'coalesce(${{{other}}}, 0)' for other in names[:-1])} + . = {question.total}"
            self.rows.append(
                {"type": "integer", "name": own, "required": head["required"], "constraint": limits, **self.texts("label", row.text)}
            )
            self.mark(own, "row", row.code)
        self.rows.append({"type": "end_group"})

    def computed(self, question: Computed) -> str:
        return calculation(question, self.instrument, self.called.questions, self.called.rows, XPath())

    def matrix(self, question: Matrix, head: Line, name: str) -> None:
        group = {key: value for key, value in head.items() if not key.startswith("hint") and key != "required"}
        self.rows.append({**group, "type": "begin_group", "appearance": "table-list"})
        options = self.choices(question.options, name)
        for row in question.rows:
            own = self.called.rows[question.id][row.code]
            line = {"type": f"select_one {options}", "name": own, "required": head["required"], **self.texts("label", row.text)}
            self.rows.append({**line, "relevant": self.rule(row.show_if), "choice_filter": self.filter(question.options)})
            self.mark(own, "row", row.code)
        self.rows.append({"type": "end_group"})


def _shown(options: tuple[Option, ...]) -> dict[str, str]:
    """A mark for the rule of each option that has one; the same rule has the same mark."""
    rules = {msgspec.json.encode(option.show_if): None for option in options if option.show_if is not None}
    marks = {rule: f"rule_{place}" for place, rule in enumerate(rules, 1)}
    return {option.code: marks[msgspec.json.encode(option.show_if)] for option in options if option.show_if is not None}


def _chosen(question: Multiple) -> str:
    parts: list[str] = []
    if question.min_choices > 1:
        parts.append(f"count-selected(.) >= {question.min_choices}")
    if question.max_choices is not None:
        parts.append(f"count-selected(.) <= {question.max_choices}")
    parts += [f"not(selected(., '{option.code}') and count-selected(.) > 1)" for option in question.options if option.exclusive]
    return " and ".join(parts)


def _between(question: Integer | Numeric) -> str:
    """A number without a bound of its own has none here."""
    low = [f". >= {_digits(question.min)}"] if question.min > -BIGGEST else []
    high = [f". <= {_digits(question.max)}"] if question.max < BIGGEST else []
    return " and ".join([*low, *high])


def _digits(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")


def _days(question: Date) -> str:
    high = "today()" if question.max == "today" else f"date('{whole_day(question.max, '<=')}')"
    return f". >= date('{whole_day(question.min, '>=')}') and . <= {high}"


def _label(text: str) -> str:
    """A reference to a question would be read in a text; none stands in ours."""
    return text.replace("${", "$ {")


def _wrapped(text: str) -> bool:
    """Whether the first bracket closes with the last sign."""
    depth = 0
    for place, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return place == len(text) - 1
    return False


def _english(language: str) -> str:
    from babel import Locale
    from babel.core import UnknownLocaleError

    try:
        return (Locale.parse(language, sep="-").get_display_name("en") or language).split(" (")[0]
    except (UnknownLocaleError, ValueError):
        return language


def _fill(sheet: Any, headers: list[str], rows: list[Line]) -> None:
    """Cells as texts: what begins with = is no formula."""
    for place, header in enumerate(headers, 1):
        sheet.cell(1, place, header)
    for number, row in enumerate(rows, 2):
        for place, header in enumerate(headers, 1):
            if row.get(header):
                cell = sheet.cell(number, place)
                cell.value = row[header]
                cell.data_type = "s"
