"""The author's conveniences resolved away: scales, tables, bands as text, the short forms of rules and hierarchies. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from proto import instrument as resolved
from proto.authoring.computed_values import finished
from proto.authoring.faults import Faults, Path
from proto.authoring.parse import LONGEST_TEXT, UNPRINTABLE, nearest
from proto.authoring.schema import (
    AuthoredCaseWeightQuestion,
    AuthoredChoice,
    AuthoredComputedQuestion,
    AuthoredConstantSum,
    AuthoredDate,
    AuthoredHierarchy,
    AuthoredInteger,
    AuthoredLongText,
    AuthoredMargin,
    AuthoredMatrix,
    AuthoredMultiple,
    AuthoredNote,
    AuthoredNumeric,
    AuthoredOption,
    AuthoredQuestion,
    AuthoredRanking,
    AuthoredRule,
    AuthoredShortText,
    AuthoredSingle,
    AuthoredSurvey,
    OptionsFrom,
    SpecifyText,
)
from proto.parts import together

Include = Callable[[str], str]
S = TypeVar("S", bound=msgspec.Struct)

LONGEST_TABLE = 1_000_000
_BAND = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(?:(\+)|-(-?[0-9]+(?:\.[0-9]+)?))?")
_CODE = re.compile(r"[A-Za-z0-9_.+-]{1,64}")

_BEGINNING = {"year": "1900", "month": "1900-01", "day": "1900-01-01"}
"""The earliest date where the author writes none."""

_KINDS: dict[type[AuthoredQuestion], type[resolved.Question]] = {
    AuthoredSingle: resolved.Single,
    AuthoredCaseWeightQuestion: resolved.CaseWeight,
    AuthoredMultiple: resolved.Multiple,
    AuthoredMatrix: resolved.Matrix,
    AuthoredRanking: resolved.Ranking,
    AuthoredConstantSum: resolved.ConstantSum,
    AuthoredInteger: resolved.Integer,
    AuthoredNumeric: resolved.Numeric,
    AuthoredComputedQuestion: resolved.Computed,
    AuthoredDate: resolved.Date,
    AuthoredShortText: resolved.ShortText,
    SpecifyText: resolved.ShortText,
    AuthoredLongText: resolved.LongText,
}


def resolve(survey: AuthoredSurvey, include: Include, faults: Faults) -> resolved.Instrument:
    """The instrument as far as it could be read, questions that are not enabled included."""
    resolver = _Resolver(survey, include, faults)
    minutes = survey.estimated_minutes
    return resolved.Instrument(
        id=survey.id,
        version=survey.version,
        source_language=survey.source_language,
        languages=survey.languages,
        title=survey.title,
        introduction=survey.introduction,
        definitions=survey.definitions,
        notice=survey.notice,
        data_protection=_same(survey.data_protection, resolved.DataProtection),
        accessibility=_same(survey.accessibility, resolved.Accessibility),
        contact_form=_same(survey.contact_form, resolved.ContactForm),
        participation=survey.participation,
        opens=_same(survey.opens, resolved.Opening),
        closes=_same(survey.closes, resolved.Closing),
        listed=survey.listed,
        licence=survey.licence,
        estimated_minutes=(minutes[0], minutes[1]) if minutes else None,
        unit_of_response=survey.unit_of_response,
        one_question_per_page=survey.one_question_per_page,
        sections=tuple(resolved.Section(section.id, section.text) for section in survey.sections),
        questions=resolver.questions(),
        notes=tuple(resolver.note(index, written) for index, written in survey.notes),
        derived=tuple(resolved.Derived(derived.id, rule(derived.rule), derived.labels) for derived in survey.derived),
        strata=survey.strata,
        hierarchies={name: resolver.hierarchy(hierarchy) for name, hierarchy in survey.hierarchies.items()},
        soft_checks=tuple(resolved.SoftCheck(check.id, rule(check.when), check.text) for check in survey.soft_checks),
        quotas=tuple(resolved.Quota(quota.id, rule(quota.when), quota.limit, quota.text) for quota in survey.quotas),
        headlines=tuple(resolved.Headline(h.id, h.label, h.question, h.stat, h.of, h.options, h.row) for h in survey.headlines),
        margins=tuple(margin(written) for written in survey.margins),
        policy=msgspec.convert(msgspec.structs.asdict(survey.policy), resolved.Policy),
    )


def _same(written: msgspec.Struct | None, kind: type[S]) -> S | None:
    """What authors write as it is stored."""
    return None if written is None else msgspec.convert(msgspec.structs.asdict(written), kind)


def margin(written: AuthoredMargin) -> resolved.Margin:
    """Counts become shares; nothing where there is no population at all."""
    given = written.counts or written.shares
    whole = sum(given.values()) or 1.0
    return resolved.Margin(written.of, written.source, tuple(resolved.Portion(code, n / whole) for code, n in given.items()))


def rule(written: AuthoredRule) -> resolved.Rule:
    return resolved.Rule(
        q=written.q,
        op=written.op,
        value=written.value if isinstance(written.value, tuple) else (written.value,),
        rows=written.rows,
        other=written.other,
        all=tuple(rule(part) for part in written.all),
        any=tuple(rule(part) for part in written.any),
        not_=rule(written.not_) if written.not_ else None,
    )


def option(written: AuthoredOption) -> resolved.Option:
    show_if = rule(written.show_if) if written.show_if else None
    return resolved.Option(written.code, written.text, written.exclusive, show_if, written.score)


def _asked_with_its_parts(question: Any) -> Any:
    """A question of which every option, or row, has a rule is asked where one of them is there."""
    parts = question.rows if isinstance(question, resolved.Matrix) else question.options if isinstance(question, resolved.Closed) else ()
    rules = [part.show_if for part in parts if part.show_if is not None]
    if not rules or len(rules) < len(parts):
        return question
    some = rules[0] if len(rules) == 1 else resolved.Rule(any=tuple(dict.fromkeys(rules)))
    return msgspec.structs.replace(question, show_if=together(question.show_if, some))


class _Resolver:
    def __init__(self, survey: AuthoredSurvey, include: Include, faults: Faults) -> None:
        self.survey = survey
        self.include = include
        self.faults = faults
        self.sections = {section.id: rule(section.show_if) for section in survey.sections if section.show_if}
        self.tables: dict[str, list[dict[str, str]] | None] = {}
        self.scales = {name: tuple(map(option, options)) for name, options in survey.scales.items()}

    def questions(self) -> tuple[resolved.AnyQuestion, ...]:
        known: dict[str, resolved.AnyQuestion] = {}
        questions: list[resolved.AnyQuestion] = []
        for written in self.survey.questions:
            question = self.question(written)
            if isinstance(question, resolved.Computed):
                question = finished(question, known, self.faults.place(written), self.faults)
            if written.enabled:
                known.setdefault(question.id, question)
            questions.append(question)
        return tuple(questions)

    def question(self, written: AuthoredQuestion) -> Any:
        """The resolved question; a list of options that could not be found stays empty and its place counts as broken."""
        kind = _KINDS[type(written)]
        path = self.faults.place(written)
        known = {field.name for field in msgspec.structs.fields(kind)}
        values = {name: value for name, value in msgspec.structs.asdict(written).items() if name in known}
        values["privacy"] = resolved.Privacy(written.privacy.role, written.privacy.hierarchy)
        values["show_if"] = self.rule(written)
        if isinstance(written, AuthoredChoice):
            values["options"] = self.options(written, path)
        if isinstance(written, AuthoredConstantSum):
            values["bands"] = self.bands(written.bands) or quarters(written.total)
        if isinstance(written, AuthoredMatrix | AuthoredConstantSum):
            values["rows"] = tuple(
                resolved.Row(row.code, row.text, rule(row.show_if) if row.show_if else None, row.exclusive) for row in written.rows
            )
        if isinstance(written, AuthoredInteger | AuthoredNumeric | AuthoredComputedQuestion | AuthoredDate):
            values["bands"] = self.bands(written.bands)
        if isinstance(written, AuthoredInteger | AuthoredNumeric | AuthoredDate):
            values["special"] = tuple(resolved.Option(special.code, special.text) for special in written.special)
        if isinstance(written, AuthoredDate) and written.min is None:
            values["min"] = _BEGINNING[written.precision]
        return _asked_with_its_parts(kind(**values))

    def note(self, index: int, written: AuthoredNote) -> resolved.Note:
        """The note before the next question of its section that is enabled, or at the section's end."""
        after = (question.id for question in self.survey.questions[index:] if question.enabled and question.section == written.section)
        return resolved.Note(written.id, written.section, written.text, next(after, ""), self.rule(written))

    def rule(self, written: AuthoredQuestion | AuthoredNote) -> resolved.Rule | None:
        return together(self.sections.get(written.section), rule(written.show_if) if written.show_if else None)

    def options(self, written: AuthoredChoice, path: Path) -> tuple[resolved.Option, ...]:
        given = [bool(written.options), written.scale is not None, written.options_from is not None]
        if not any(given) and self.faults.touched((*path, "options")):
            return ()
        if sum(given) != 1:
            self.faults.broken(
                (*path, "options"),
                f"{written.id} has {'no options' if not any(given) else 'options from more than one place'}",
                "give one of options, scale, options_from",
                self.faults.line(path),
            )
            return ()
        if written.options_from is not None:
            included = self.options_from(written.options_from, (*path, "options_from"))
            if self.faults.touched((*path, "options_from")):
                self.faults.doubt((*path, "options"))
            return included
        if written.scale is not None:
            if written.scale not in self.scales and not self.faults.touched(("scales", written.scale)):
                self.faults.broken((*path, "scale"), f"there is no scale {written.scale}", nearest(written.scale, list(self.scales)))
            if written.scale not in self.scales or self.faults.touched(("scales", written.scale)):
                self.faults.doubt((*path, "options"))
            return self.scales.get(written.scale, ())
        return tuple(map(option, written.options))

    def options_from(self, source: OptionsFrom, path: Path) -> tuple[resolved.Option, ...]:
        columns = {("code",): source.code} | {("label", language): column for language, column in source.label.items()}
        rows = self.table(source.file, columns, path)
        if len(rows) > 500:
            self.faults.broken(path, f"{source.file} holds {len(rows):,} rows; at most 500 options are allowed")
            return ()
        return tuple(
            resolved.Option(row[source.code], {language: row[column] for language, column in source.label.items()}) for row in rows
        )

    def table(self, file: str, columns: dict[tuple[str, ...], str], path: Path) -> list[dict[str, str]]:
        """The rows of an included table, or none where a column is not there."""
        if file not in self.tables:
            self.tables[file] = self.include_table(file, (*path, "file"))
        rows = self.tables[file]
        if rows is None:
            self.faults.broken((*path, "file"), f"{file} cannot be read", "a CSV file in UTF-8 with a header, beside the instrument")
            return []
        other = re.search(r"[;\t]", next(iter(rows[0]))) if rows and len(rows[0]) == 1 and len(columns) > 1 else None
        if other:
            sign = "semicolons" if other[0] == ";" else "tabs"
            self.faults.broken((*path, "file"), f"{file} has {sign} between its cells", "save it with commas")
            return []
        missing = [(key, column) for key, column in columns.items() if rows and column not in rows[0]]
        for key, column in missing:
            self.faults.broken((*path, *key), f"{file} has no column {column[:60]}", nearest(column, list(rows[0])))
        if missing:
            return []
        for number, row in enumerate(rows):
            for key, column in columns.items():
                entry = row[column]
                if key[0] == "label" and (not entry.strip() or len(entry) > LONGEST_TEXT or UNPRINTABLE.search(entry)):
                    self.faults.broken((*path, *key), f"{file} holds no proper text under {column} in row {number + 1} of the table")
                elif key[0] != "label" and not _CODE.fullmatch(entry):
                    message = f"{file} holds {entry[:60]!r} under {column} in row {number + 1} of the table, which is no code"
                    self.faults.broken((*path, *key), message, "letters, digits and _ . + - only")
        return rows

    def include_table(self, file: str, path: Path) -> list[dict[str, str]] | None:
        if not file or self.faults.touched(path):
            return None
        try:
            text = self.include(file)
            if len(text) > LONGEST_TABLE:
                return None
            header, *lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        except (OSError, ValueError, csv.Error):
            return None
        full = [line for line in lines if line]
        if not full or any(len(line) != len(header) for line in full) or len(set(header)) != len(header):
            return None
        return [dict(zip(header, line, strict=True)) for line in full]

    def bands(self, texts: tuple[str, ...]) -> tuple[resolved.Band, ...]:
        return tuple(band(text) for text in texts if _BAND.fullmatch(text))

    def hierarchy(self, written: AuthoredHierarchy) -> resolved.Hierarchy:
        path = self.faults.place(written)
        given = {
            "map": bool(written.map),
            "table": written.table is not None,
            "bands": bool(written.bands),
            "periods": bool(written.periods),
        }
        middle = written.levels[1:-1]
        labels = written.labels
        if sum(given.values()) > 1 or (middle and middle != ("year",) and not any(given.values())):
            self.faults.broken(path, "a hierarchy is given by one of map, table, bands, periods")
            return resolved.Hierarchy(written.levels, labels=labels)
        if written.bands:
            return resolved.Hierarchy(
                written.levels, "bands", bands=tuple(self.bands(level_bands) for level_bands in written.bands), labels=labels
            )
        if written.periods or middle == ("year",):
            return resolved.Hierarchy(written.levels, "date", bands=(self.bands(written.periods),), labels=labels)
        if written.table is not None:
            columns = {("code",): written.table.code} | {("levels", level): level for level in middle}
            rows = self.table(written.table.file, columns, (*path, "table"))
            table = {row[written.table.code]: tuple(row[level] for level in middle) for row in rows}
        else:
            table = {code: (values,) if isinstance(values, str) else values for code, values in written.map.items()}
        return resolved.Hierarchy(written.levels, table=table, labels=labels)


def quarters(total: int) -> tuple[resolved.Band, ...]:
    """Bands of a sum whose author wrote none: nothing, each quarter of the total, all of it."""
    ends = [total * quarter // 4 for quarter in (1, 2, 3)]
    inner = [(low + 1, high) for low, high in pairwise([0, *ends, total - 1]) if low < high]
    texts = ["0", *(f"{low}-{high}" if low < high else str(low) for low, high in inner), str(total)]
    return tuple(band(text) for text in texts)


def band(text: str) -> resolved.Band:
    """ "0" is one number, "1-49" both ends included, "2000+" has no end."""
    match = _BAND.fullmatch(text)
    if match is None:
        raise ValueError(text)
    lower, open_end, upper = match.groups()
    return resolved.Band(text, float(lower), None if open_end else float(upper or lower))
