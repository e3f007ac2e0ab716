"""Reads a REDCap data dictionary: a CSV table with a row for each field. Pure."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal, InvalidOperation

from deploy.cli.exchange.expressions import parser
from deploy.cli.exchange.expressions.dialects import REDCAP
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow, ForeignSection, Form
from deploy.cli.exchange.reading import Reading, fold_specify
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.texts import plain

_COLUMNS = {
    "variable / field name": "name", "field_name": "name", "field name": "name", "form name": "form", "form_name": "form",
    "section header": "section", "section_header": "section", "field type": "type", "field_type": "type", "field label": "label",
    "field_label": "label", "choices, calculations, or slider labels": "choices", "choices or calculations": "choices",
    "select_choices_or_calculations": "choices", "field note": "note", "field_note": "note",
    "text validation type or show slider number": "validation", "text_validation_type_or_show_slider_number": "validation",
    "text validation min": "min", "text_validation_min": "min", "text validation max": "max", "text_validation_max": "max",
    "identifier?": "identifier", "identifier": "identifier", "branching logic (show field only if...)": "branching",
    "branching_logic": "branching", "required field?": "required", "required_field": "required", "matrix group name": "matrix",
    "matrix_group_name": "matrix", "matrix ranking?": "ranking", "matrix_ranking": "ranking", "field annotation": "annotation",
    "field_annotation": "annotation",
}  # fmt: skip
_WORDS = {"yesno": (("1", "Yes"), ("0", "No")), "truefalse": (("1", "True"), ("0", "False"))}
_CONSENT = re.compile(r"(?i)\b(consent|i agree|agree to)\b")
_READ = frozenset({"@HIDDEN", "@RANDOMORDER", "@DEFAULT", "@MAXCHECKED", "@NONEOFTHEABOVE"})
"""Annotations that are read, or told of by themselves."""
MOST_ROWS = 5_000


def read(content: bytes, file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """Raises UnreadableForm."""
    return _RedcapReader(_rows(content), file, report, languages.get("default", "en")).form()


def _rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableForm(f"it is not UTF-8 text (line {line}, byte {error.start + 1})", "Save it as UTF-8.") from None
    separator = max((",", ";", "\t"), key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [_COLUMNS.get(" ".join(cell.lower().split()), cell.strip()) for cell in next(reader)]
        rows = [(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False))) for cells in reader if any(cells)]
    except (csv.Error, StopIteration):
        raise UnreadableForm("it is no CSV table") from None
    if not {"name", "type", "label"} <= set(header):
        raise UnreadableForm("its columns are not those of a data dictionary", "Download the data dictionary from REDCap again.")
    if len(rows) > MOST_ROWS:
        raise UnreadableForm(f"it has more than {MOST_ROWS:,} rows")
    return rows


class _RedcapReader:
    def __init__(self, rows: list[tuple[int, dict[str, str]]], file: str, report: Report, language: str) -> None:
        self.rows = rows
        self.file = file
        self.report = report
        self.source = language
        self.result = Form(
            format="redcap",
            file=file,
            name=file.rsplit(".", 1)[0],
            title={language: file.rsplit(".", 1)[0]},
            language=language,
            languages=[language],
            loose=True,
            piped=r"\[([a-z][a-z0-9_]*)(?::[a-z]+)?\]",
            sections=[],
            questions=[],
            left_out=set(),
        )
        self.reading = Reading(self.result, report)
        self.key = ""
        unknown = list(dict.fromkeys(name for _, row in rows for name, cell in row.items() if name not in _COLUMNS.values() and cell))
        if unknown:
            report.add("dropped", "setting", file, f"columns that are not read: {', '.join(unknown)}")

    def form(self) -> Form:
        first = True
        form_name = ""
        for number, row in self.rows:
            name, kind = row.get("name", ""), row.get("type", "").lower()
            if not name:
                continue
            if row.get("form", "") != form_name:
                form_name = row.get("form", "")
                self.section(form_name, form_name.replace("_", " ").strip().capitalize(), number, name)
            if row.get("section"):
                self.section(f"{form_name}/{name}", plain(row["section"]), number, name)
            if first and kind == "text":
                self.result.left_out.add(name)
                message = f"{name} tells the records apart: a receipt does that here"
                self.report.add("dropped", "meta-dropped", self.place(number, name), message)
            else:
                self.field(number, name, kind, row)
            first = False
        self.matrices()
        if not self.result.questions:
            raise UnreadableForm("it asks nothing that can be asked here")
        fold_specify(self.result, self.report)
        return self.result

    def place(self, number: int, name: str) -> str:
        return f"{self.file}:row {number}, {name}"

    def section(self, key: str, text: str, number: int, name: str) -> None:
        self.key = key
        self.result.sections.append(ForeignSection(key=key, text={self.source: text or "Questions"}, place=self.place(number, name)))

    def field(self, number: int, name: str, kind: str, row: dict[str, str]) -> None:
        place = self.place(number, name)
        name = self.reading.unique(name, f"row_{number}")
        annotation = row.get("annotation", "").upper()
        found = parser.read(REDCAP, row.get("branching", ""), place)
        question = ForeignQuestion(
            place=place,
            name=name,
            kind="short_text",
            text={self.source: text} if (text := plain(row.get("label", ""))) else {},
            help={self.source: note} if (note := plain(row.get("note", ""))) else {},
            section=self.key,
            required=row.get("required", "").lower() == "y",
            enabled="@HIDDEN" not in annotation,
            rules=(found,) if found else (),
            identifying=row.get("identifier", "").lower() == "y",
        )
        match kind:
            case "descriptive":
                question.kind, question.required = "note", False
            case "calc":
                question.kind, question.formula = "computed", parser.read(REDCAP, row.get("choices", ""), place)
            case "file" | "sql":
                what = "a file" if kind == "file" else "a list out of a database"
                self.reading.refuse(name, "kind-refused", place, f"{name} asks for {what}, which is not asked here. It is left out")
                return
            case "slider":
                question.kind = "integer"
                question.min = _decimal(row.get("min")) or Decimal(0)
                question.max = _decimal(row.get("max")) or Decimal(100)
                if row.get("choices", "").strip(" |"):
                    self.report.add(
                        "changed", "ends-lost", place, f"the words at the ends of {name} are left out: {quote(row['choices'])}", of=name
                    )
            case "notes":
                question.kind = "long_text"
            case "text" | "":
                if not self.validated(question, row.get("validation", "").lower(), row):
                    return
            case "yesno" | "truefalse" | "radio" | "dropdown" | "checkbox":
                self.choices(question, kind, row)
                if kind == "checkbox" and len(question.options) == 1 and _CONSENT.search(f"{row.get('label')} {row.get('choices')}"):
                    self.reading.refuse(
                        name, "consent", place, f"{quote(row.get('label', name))} is a tick and no question: put its words into notice"
                    )
                    return
                self.annotated(question, annotation)
            case _:
                self.reading.refuse(
                    name, "kind-refused", place, f"{name} is a {quote(kind)}, which is not asked here. It is left out", askable=True
                )
                return
        if "@RANDOMORDER" in annotation:
            question.randomise_options = bool(question.options)
        tags = [tag for tag in dict.fromkeys(re.findall(r"@[A-Z][A-Z-]*", annotation)) if tag not in _READ]
        if tags:
            self.report.add("dropped", "setting", place, f"{', '.join(tags)} of {name} has no place here")
        if "@DEFAULT" in annotation:
            self.report.add("dropped", "default-dropped", place, f"nothing is filled in beforehand: the value of {name} is left out")
        if row.get("matrix") and question.kind in ("single", "multiple"):
            question.aliases = (f"matrix:{row['matrix']}",)
        self.result.questions.append(question)

    def choices(self, question: ForeignQuestion, kind: str, row: dict[str, str]) -> None:
        question.kind = "multiple" if kind == "checkbox" else "single"
        given = _WORDS.get(kind) or _choices(row.get("choices", ""))
        question.options = [
            ForeignOption(code=code, text={self.source: plain(label) or code}, place=question.place) for code, label in given
        ]
        if kind in ("yesno", "truefalse"):
            for option, code in zip(question.options, ("yes", "no") if kind == "yesno" else ("true", "false"), strict=True):
                option.aliases, option.code = (option.code,), code

    def annotated(self, question: ForeignQuestion, annotation: str) -> None:
        if most := re.search(r"@MAXCHECKED\s*=\s*[\"']?(\d+)", annotation):
            question.max_choices = int(most[1])
        if alone := re.search(r"@NONEOFTHEABOVE\s*=\s*[\"']?([\w,. -]+)", annotation):
            codes = {code.strip() for code in alone[1].split(",")}
            for option in question.options:
                option.exclusive = option.code.upper() in codes

    def validated(self, question: ForeignQuestion, validation: str, row: dict[str, str]) -> bool:
        """Gives a text the kind that its validation asks for; False where it was refused."""
        low, high = row.get("min", ""), row.get("max", "")
        if validation.startswith(("datetime", "time")):
            message = f"{question.name} asks for a time of day, which is not asked here. It is left out"
            self.reading.refuse(question.name, "kind-refused", question.place, message)
            return False
        if validation.startswith("date_"):
            question.kind = "date"
            question.min = _day(low)
            question.max = "today" if high.strip().lower() == "today" else _day(high)
        elif validation in ("integer", "int"):
            question.kind, question.min, question.max = "integer", _decimal(low), _decimal(high)
        elif validation.startswith(("number", "float")):
            question.kind, question.min, question.max = "numeric", _decimal(low), _decimal(high)
            places = re.search(r"(\d)dp", validation)
            question.decimals = int(places[1]) if places else None
        elif validation == "email":
            question.pattern = "email"
        elif validation.startswith("phone"):
            question.pattern = "telephone"
        elif validation in (
            "zipcode",
            "postalcode_canada",
            "postalcode_french",
            "postalcode_australia",
            "postalcode_germany",
            "postalcode_uk",
        ):
            question.pattern = "postal_code"
        elif validation and validation not in ("autocomplete",):
            message = f"that {question.name} looks like {validation} is not checked"
            self.report.add("changed", "pattern-lost", question.place, message, of=question.name)
        return True

    def matrices(self) -> None:
        """Fields of one matrix group that stand together become one question with rows, or stay single where they rank."""
        questions: list[ForeignQuestion] = []
        group: list[ForeignQuestion] = []

        def end() -> None:
            questions.extend([self.matrix(group)] if _fits(group) else group)
            group.clear()

        for question in self.result.questions:
            mark = next((alias for alias in question.aliases if alias.startswith("matrix:")), "")
            if group and (not mark or mark not in group[0].aliases or question.kind != group[0].kind):
                end()
            if mark:
                group.append(question)
            else:
                questions.append(question)
        end()
        for question in questions:
            question.aliases = tuple(alias for alias in question.aliases if not alias.startswith("matrix:"))
        self.result.questions = questions

    def matrix(self, group: list[ForeignQuestion]) -> ForeignQuestion:
        name = group[0].aliases[0].removeprefix("matrix:")
        header = next((section for section in self.result.sections if section.key == group[0].section), None)
        self.report.add("dropped", "grid", group[0].place, f"the {len(group)} fields of the matrix {name} became one question with rows")
        return ForeignQuestion(
            place=group[0].place,
            name=self.reading.unique(name, name),
            kind="matrix",
            text=header.text if header and "/" in header.key else {self.source: name.replace("_", " ").capitalize()},
            section=group[0].section,
            required=group[0].required,
            rules=group[0].rules,
            options=group[0].options,
            rows=[
                ForeignRow(code=question.name, text=question.text or {self.source: question.name}, aliases=(question.name,))
                for question in group
            ],
            identifying=any(question.identifying for question in group),
        )


def _fits(group: list[ForeignQuestion]) -> bool:
    return (
        len(group) > 1
        and all(question.kind == "single" for question in group)
        and all(question.rules == group[0].rules or _same(question, group[0]) for question in group)
        and len({question.required for question in group}) == 1
        and len({question.section for question in group}) == 1
        and len({tuple(option.code for option in question.options) for question in group}) == 1
    )


def _same(one: ForeignQuestion, other: ForeignQuestion) -> bool:
    return [rule.source for rule in one.rules] == [rule.source for rule in other.rules]


def _choices(text: str) -> list[tuple[str, str]]:
    """`1, One | 2, Two`: the code ends at the first comma."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"\s*\|\s*|\n", text):
        code, _, label = part.partition(",")
        if code.strip():
            found.append((code.strip(), label.strip() or code.strip()))
    return found


def _decimal(text: str | None) -> Decimal | None:
    try:
        number = Decimal((text or "").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _day(text: str) -> str | None:
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2}).*|(\d{2})[/-](\d{2})[/-](\d{4}).*", text.strip())
    if found is None:
        return None
    return f"{found[1]}-{found[2]}-{found[3]}" if found[1] else None
