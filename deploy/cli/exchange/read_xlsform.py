"""Reads an XLSForm: the sheets survey, choices and settings of a spreadsheet. Pure."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import msgspec

from deploy.cli.exchange.expressions import parser
from deploy.cli.exchange.expressions.constraints import Limits, limits
from deploy.cli.exchange.expressions.dialects import CHOICE_FILTER, XLSFORM
from deploy.cli.exchange.expressions.parser import Dialect
from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Literal, Negation, Node, Ref, refs
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow, ForeignSection, Form, Special, Texts
from deploy.cli.exchange.reading import OTHER_WORDS, Reading, fold_specify, renamed
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.sheet_table import HeadedTable, Line
from deploy.cli.exchange.texts import plain_markdown, tag
from deploy.cli.exchange.workbook import NAMES, Sheet, sheets

_META = frozenset({
    "start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email", "audit", "start-geopoint",
    "background-audio", "imei", "uri:deviceid", "uri:email", "uri:username", "uri:phonenumber", "device_id", "start_time", "end_time",
    "get_start_time", "get_end_time", "get_today", "get_device_id", "get_subscriber_id", "get_sim_id", "get_phone_number",
})  # fmt: skip
_NOT_ASKED = {
    "geopoint": "a place", "geotrace": "a line on a map", "geoshape": "an area on a map", "gps": "a place", "location": "a place",
    "image": "a picture", "photo": "a picture", "picture": "a picture", "audio": "a sound", "video": "a film", "file": "a file",
    "barcode": "a barcode", "bar_code": "a barcode", "osm": "a place", "xml-external": "a file", "csv-external": "a file",
    "time": "a time of day", "datetime": "a day and a time", "date_and_time": "a day and a time",
}  # fmt: skip
_KINDS = {
    "integer": "integer", "int": "integer", "number": "integer", "decimal": "numeric", "text": "short_text", "string": "short_text",
    "date": "date", "note": "note", "calculate": "computed", "add_date_prompt": "date", "add_integer_prompt": "integer",
    "add_text_prompt": "short_text", "add_note_prompt": "note", "add_decimal_prompt": "numeric", "q_string": "short_text",
    "q_int": "integer",
    "tel": "short_text", "email_address": "short_text", "phone_number": "short_text", "url": "short_text",
}  # fmt: skip
_SELECT = re.compile(
    r"(?i)(?P<kind>select[ _]one|select1|select[ _]multiple|select[ _]all[ _]that[ _]apply|select|rank|odk:rank"
    r"|add[ _]select[ _]one[ _]prompt|add[ _]select[ _]multiple[ _]prompt)(?P<file>[ _]from[ _]file)?(?:\s+(?:from|using))?\s+"
    r"(?P<list>\S.*?)"
    r"(?P<other>\s+or[ _](?:specify[ _])?other)?\s*"
)
_COLUMNS = frozenset({
    "type", "name", "label", "hint", "guidance_hint", "required", "required_message", "relevant", "constraint", "constraint_message",
    "calculation", "choice_filter", "appearance", "parameters", "default", "repeat_count", "image", "audio", "video",
})  # fmt: skip
_SETTINGS = frozenset({"form_title", "title", "form_id", "id_string", "version", "default_language"})
"""What is read of the sheets survey and settings; whatever else stands in them is named."""
_PIPED = r"\$\{\s*([^}]+?)\s*\}"
_YES = frozenset({"yes", "true", "true()", "1", "y"})
_NO = frozenset({"", "no", "false", "false()", "0", "n"})


def read(content: bytes, file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """`languages` maps names of languages to tags, `unroll` names of repeats to numbers of copies. Raises UnreadableForm."""
    found = sheets(content)
    if "survey" not in found:
        raise UnreadableForm("it has no sheet named survey", "An XLSForm has the sheets survey, choices and settings.")
    return _XlsformReader(found, file, report, languages, unroll).form()


class _Group(msgspec.Struct, kw_only=True):
    kind: str
    name: str
    key: str
    rules: tuple[Condition, ...]
    place: str
    row: int
    table: bool = False
    members: list[ForeignQuestion] = []
    text: Texts = {}
    help: Texts = {}
    inside: list[str] = []


class _XlsformReader:
    def __init__(self, found: dict[str, Sheet], file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> None:
        self.file = file
        self.report = report
        self.unroll = unroll
        self.survey = HeadedTable(found["survey"], file, "survey")
        choices = found.get("choices") or found.get("choices and columns") or found.get("cascades")
        self.choices = HeadedTable(choices, file, "choices") if choices else None
        settings = HeadedTable(found["settings"], file, "settings") if "settings" in found else None
        self.settings = settings.lines[0].cells if settings and settings.lines else {}
        self.ours = "platea" in found
        self.sheets = [name for name in found if name not in NAMES]
        self.kept, self.kept_form = _kept(found.get("platea"))
        self.tags: dict[str, str] = {}
        self.languages_of(languages)
        title = self.settings.get("form_title") or self.settings.get("title") or self.settings.get("form_id") or file.rsplit(".", 1)[0]
        self.result = Form(
            format="xlsform",
            file=file,
            name=self.settings.get("form_id") or self.settings.get("id_string") or "",
            title={self.source: title},
            language=self.source,
            languages=self.kept_form.get("languages") or list(dict.fromkeys([self.source, *self.tags.values()])),
            piped=_PIPED,
            kept=self.kept_form,
            ours=self.ours,
            left_out=set(),
            questions=[],
            sections=[],
        )
        self.reading = Reading(self.result, report)
        self.lists = self._lists()
        self.groups: list[_Group] = []
        self.meta: list[str] = []
        self.renamed: dict[str, str] = {}
        self.name_at: dict[tuple[str, ...], str] = {}
        """What is called in rules by each path so far: its groups, then its name in the file."""

    # languages

    def languages_of(self, said: dict[str, str]) -> None:
        """The language tag of every name of a language in the headers; the source language."""
        spoken: list[str] = [*self.survey.languages, *(self.choices.languages if self.choices else [])]
        named = list(dict.fromkeys(spoken))
        default = self.settings.get("default_language", "")
        for name in named:
            found = tag(name, said)
            if found:
                self.tags[name] = found
            elif name:
                message = f"which language is {quote(name)}? Its texts are left out"
                self.report.add("review", "language?", f"{self.file}:survey", message, f'say --language "{name}=…"')
        self.source = tag(default, said) or said.get("default", "") or (next(iter(self.tags.values())) if self.tags else "en")
        if not self.tags and not default and "default" not in said and "languages" not in self.kept_form:
            message = "the texts say no language; en stands for it"
            self.report.add("review", "language?", f"{self.file}:survey", message, "say --language default=…")
        if "" in named:
            self.tags[""] = self.source
        if "languages" in self.kept_form:
            self.source = str(self.kept_form.get("source_language", self.source))

    def texts(self, line: Line, column: str) -> Texts:
        given: Texts = {}
        for (name, language), text in line.texts.items():
            if name == column and language in self.tags:
                words = text if self.ours else plain_markdown(text)
                if words and not (language == "" and self.source in given):
                    given[self.tags[language]] = words
        return given

    # choices

    def _lists(self) -> dict[str, list[tuple[Line, ForeignOption]]]:
        lists: dict[str, list[tuple[Line, ForeignOption]]] = {}
        for line in self.choices.lines if self.choices else []:
            name, code = line.cells.get("list_name", ""), line.cells.get("name", "")
            if not name or not code:
                continue
            option = ForeignOption(code=code, text=self.texts(line, "label"), place=line.place("name"))
            lists.setdefault(name, []).append((line, option))
        return lists

    # rows

    def form(self) -> Form:
        for line in self.survey.lines:
            self.row(line)
        for group in self.groups:
            self.report.add("review", "not-ended", group.place, f"{quote('begin ' + group.kind)} in row {group.row} is never ended")
        while self.groups:
            self.end()
        self.unread()
        if self.meta:
            message = f"{', '.join(self.meta)}: neither times nor devices nor persons are recorded here"
            self.report.add("dropped", "meta-dropped", f"{self.file}:survey", message)
        if not self.result.questions:
            raise UnreadableForm("it asks nothing that can be asked here" if self.result.left_out else "its sheet survey has no questions")
        fold_specify(self.result, self.report)
        _introduction(self.result)
        return self.result

    def unread(self) -> None:
        """Names what stands in the workbook and has no place here."""
        columns = list(dict.fromkeys(name for line in self.survey.lines for name in line.cells if name not in _COLUMNS))
        if columns:
            self.report.add("dropped", "setting", f"{self.file}:survey", f"columns that are not read: {', '.join(columns)}")
        settings = [name for name in self.settings if name not in _SETTINGS]
        if settings:
            self.report.add("dropped", "setting", f"{self.file}:settings", f"settings that are not read: {', '.join(settings)}")
        if self.sheets:
            self.report.add("dropped", "setting", self.file, f"sheets that are not read: {', '.join(self.sheets)}")

    def row(self, line: Line) -> None:
        written = " ".join(line.cells.get("type", "").split())
        kind = written.lower().replace(" ", "_")
        if not kind or kind.startswith("#"):
            return
        begun = re.fullmatch(r"begin_(group|repeat|loop.*|lgroup)", kind)
        if begun:
            self.begin("repeat" if begun[1] != "group" else "group", line)
        elif re.fullmatch(r"end_(group|repeat|loop|lgroup)", kind):
            self.end()
        elif kind in _META:
            self.meta.append(line.cells.get("name", "") or kind)
            self.left_out(line)
        elif any(group.kind == "repeat" and group.name not in self.unroll for group in self.groups):
            self.inside_repeat(line, kind)
        else:
            self.question(line, written, kind)

    def inside_repeat(self, line: Line, kind: str) -> None:
        group = next(group for group in self.groups if group.kind == "repeat" and group.name not in self.unroll)
        self.left_out(line)
        if kind not in ("note", "calculate", "hidden"):
            group.inside.append(line.cells.get("name", ""))

    def left_out(self, line: Line) -> None:
        name = line.cells.get("name", "")
        self.name_at[self.path(name)] = name
        self.result.left_out.add(name)

    def begin(self, kind: str, line: Line) -> None:
        name = line.cells.get("name", "") or f"group_{line.number}"
        outer = next((group for group in reversed(self.groups) if group.text), None)
        text = self.texts(line, "label")
        rules = self.rules(line)
        key = self.groups[-1].key if self.groups else ""
        appearance = line.cells.get("appearance", "").lower()
        table = "table-list" in appearance or (self.ours and appearance == "field-list")
        if text and not table:
            key = f"{key}/{name}" if key else name
            if outer is not None:
                titles = {
                    language: f"{outer.text.get(language, '')}: {words}" for language, words in text.items() if outer.text.get(language)
                }
                inner = next(iter(text.values()))
                message = (
                    f"section {quote(inner)} of {quote(next(iter(outer.text.values())))} became {quote(next(iter(titles.values()), inner))}"
                )
                self.report.add("dropped", "flattened", line.place("type"), message)
                text = titles or text
            self.result.sections.append(ForeignSection(key=key, text=text, place=line.place("label")))
        self.groups.append(
            _Group(
                kind=kind,
                name=name,
                key=key,
                rules=(*(self.groups[-1].rules if self.groups else ()), *rules),
                place=line.place("type"),
                row=line.number,
                table=table,
                text=text,
                help=self.texts(line, "hint"),
                members=[],
                inside=[],
            )
        )
        self.result.left_out.add(name)
        if kind == "repeat" and name in self.unroll:
            self.groups[-1].rules = (*self.groups[-1].rules, *self.counted(line))

    def counted(self, line: Line) -> tuple[Condition, ...]:
        """The number of repeats, if an earlier answer gives it; each copy gets a rule of its own from it."""
        source = line.cells.get("repeat_count", "")
        found = self.condition(XLSFORM, source, line, "repeat_count")
        return (Condition(source, found.place, Call("repeats", (found.node,))),) if found and isinstance(found.node, Ref) else ()

    def end(self) -> None:
        if not self.groups:
            return
        group = self.groups.pop()
        if group.kind == "repeat" and group.name not in self.unroll and group.inside:
            count = len(group.inside)
            number = f"{count} questions are" if count != 1 else "1 question is"
            message = f'the group "{group.name}" is asked again and again; here everything is asked once. Its {number} left out'
            self.report.add("refused", "repeat", group.place, message, f"--unroll {group.name}=3 makes three copies")
            self.report.outcome.asked += count
            self.report.outcome.refused += count
        elif group.kind == "repeat" and group.members:
            self.copies(group)
        elif self.groups and self.groups[-1].kind == "repeat":
            self.groups[-1].members += group.members
        if group.table:
            self.table(group)

    def copies(self, group: _Group) -> None:
        """Makes of the questions of a repeat as many copies as were asked for."""
        number = self.unroll[group.name]
        first = self.result.questions.index(group.members[0])
        originals = self.result.questions[first:]
        del self.result.questions[first:]
        names = {question.name for question in originals}
        copied = {question.section for question in originals}
        sections = [section for section in self.result.sections if section.key in copied and section.key.split("/")[-1:] != [""]]
        for copy in range(1, number + 1):
            ours = {name: f"{name}_{copy}" for name in names}
            for section in sections:
                text = {language: f"{words} {copy}" for language, words in section.text.items()}
                self.result.sections.append(ForeignSection(key=f"{section.key}#{copy}", text=text, place=section.place))
            self.result.questions += [_copy(question, ours, copy, originals[0].name) for question in originals]
        for section in sections:
            self.result.sections.remove(section)
        self.result.left_out -= names
        self.report.add(
            "changed", "unrolled", group.place, f'the group "{group.name}" became {number} copies of {len(originals)} questions'
        )

    # questions

    def path(self, name: str) -> tuple[str, ...]:
        return (*(group.name for group in self.groups), name)

    def condition(self, dialect: Dialect, source: str, line: Line, column: str) -> Condition | None:
        """What a cell says, its paths followed from its row. One to a later row keeps its last name, where no earlier row has it."""
        found = parser.read(dialect, source, line.place(column))
        if found is None or found.node is None:
            return found
        names: dict[str, str] = {}
        for ref in refs(found.node):
            if ref.path:
                end = _followed(self.path(line.cells.get("name", "")), ref.name)
                known = self.name_at.get(end)
                names[ref.name] = known or (end[-1] if end and end[-1] not in self.name_at.values() else ref.name)
        return Condition(found.source, found.place, renamed(found.node, names))

    def rules(self, line: Line) -> tuple[Condition, ...]:
        source = line.cells.get("relevant", "")
        if source.strip().lower() in ("true", "yes"):
            return ()
        if parser.curly(source):
            self.report.add("dropped", "curly", line.place("relevant"), f"curly quotes in {quote(source)} are read as straight ones")
        found = self.condition(XLSFORM, "false()" if source.strip().lower() == "no" else source, line, "relevant")
        return (found,) if found else ()

    def question(self, line: Line, written: str, kind: str) -> None:
        cells = line.cells
        name = self.reading.unique(cells.get("name", ""), f"row_{line.number}")
        self.name_at[self.path(cells.get("name", ""))] = name
        select = _SELECT.fullmatch(written)
        place = line.place("type")
        if kind in _NOT_ASKED or (select and select["file"]) or kind.split("_from_file")[0] != kind:
            what = _NOT_ASKED.get(kind, "a choice from a file")
            if select and select["file"]:
                self.reading.refuse(
                    name, "list-missing", place, f"the options of {name} stand in the file {select['list']}", "write them out"
                )
            else:
                self.reading.refuse(
                    name,
                    "kind-refused",
                    place,
                    f"{name} asks for {what}; no places, files, pictures or times are asked here. It is left out",
                )
            return
        if kind in ("hidden", "xml_external", "entity", "save_to") or kind.startswith("audio"):
            self.result.left_out.add(name)
            self.report.add("dropped", "default-dropped", place, f"{name} is hidden and asks nothing; it is left out")
            return
        if kind in ("acknowledge", "trigger"):
            message = f"{quote(next(iter(self.texts(line, 'label').values()), name))} is a tick and no question: put its words into notice"
            self.reading.refuse(name, "consent", place, message)
            return
        text, help_ = self.texts(line, "label"), self.help(line)
        question = ForeignQuestion(
            place=place,
            name=name,
            kind="short_text",
            text=text,
            help=help_,
            section=self.groups[-1].key if self.groups else "",
            rules=(*(self.groups[-1].rules if self.groups else ()), *self.rules(line)),
            kept=self.kept.get(name, {}),
        )
        appearance = cells.get("appearance", "").lower()
        if select:
            self.select(question, select, line, appearance)
            if not question.options:
                return
        elif kind == "range":
            _range(question, line)
        elif kind in _KINDS:
            question.kind = cast("Any", _KINDS[kind])
        else:
            self.reading.refuse(
                name, "kind-refused", place, f"{name} is a {quote(written)}, which is not asked here. It is left out", askable=True
            )
            return
        self.finish(question, line, kind, appearance)
        if not text and question.kind == "note":
            return
        if "soft_check" in question.kept or (self.ours and question.kind == "computed"):
            return
        if "introduction" in question.kept:
            self.result.introduction = text
            return
        if not text and question.kind != "computed" and not self.ours:
            self.report.add("dropped", "no-text", place, f"{name} has no label: its name stands for it", of=name)
        self.result.questions.append(question)
        if self.groups:
            self.groups[-1].members.append(question)

    def finish(self, question: ForeignQuestion, line: Line, kind: str, appearance: str) -> None:
        cells, place = line.cells, question.place
        match question.kind:
            case "short_text":
                if "multiline" in appearance:
                    question.kind = "long_text"
                if kind in ("tel", "phone_number"):
                    question.pattern = "telephone"
                if kind == "email_address":
                    question.pattern = "email"
            case "date":
                if "month-year" in appearance:
                    question.precision = "month"
                elif "year" in appearance:
                    question.precision = "year"
            case "single" if "likert" in appearance:
                question.ordered = True
            case "computed":
                question.formula = self.condition(XLSFORM, cells.get("calculation", ""), line, "calculation")
                return
            case _:
                pass
        self.required(question, line)
        self.constraint(question, line)
        if cells.get("default") and question.kind != "note":
            message = f"nothing is filled in beforehand: the value {quote(cells['default'])} of {question.name} is left out"
            self.report.add("dropped", "default-dropped", line.place("default"), message)
        if cells.get("calculation") and question.kind != "note":
            self.report.add(
                "changed", "default-dropped", place, f"the calculation that fills in {question.name} is left out", of=question.name
            )
        if any(column in cells for column in ("image", "audio", "video")):
            self.report.add("dropped", "media", place, f"pictures and sounds of {question.name} are left out")
        if cells.get("constraint_message"):
            self.report.add(
                "dropped", "message-dropped", line.place("constraint_message"), f"errors of {question.name} are said in our own words"
            )

    def help(self, line: Line) -> Texts:
        hints, guidance = self.texts(line, "hint"), self.texts(line, "guidance_hint")
        return {language: "\n".join(filter(None, (hints.get(language), guidance.get(language)))) for language in {**hints, **guidance}}

    def required(self, question: ForeignQuestion, line: Line) -> None:
        written = line.cells.get("required", "").strip()
        if written.lower() in _YES:
            question.required = question.kind != "note"
        elif written.lower() not in _NO:
            question.required_if = self.condition(XLSFORM, written, line, "required")

    def constraint(self, question: ForeignQuestion, line: Line) -> None:
        source = line.cells.get("constraint", "")
        found = self.condition(XLSFORM, source, line, "constraint")
        if found is None or question.kind == "note":
            return
        step = Decimal("0.01") if question.kind == "numeric" else Decimal(1)
        read_ = limits(found.node, step) if found.node is not None else Limits(rest=[Literal("")], specials=[], exclusive=[])
        if not _take(question, read_):
            read_.rest.append(Literal(""))
        if read_.pattern:
            known = _pattern(question, read_.pattern)
            if not known:
                message = f"the pattern of {question.name} is not checked: {quote(source)}"
                self.report.add("changed", "pattern-lost", line.place("constraint"), message, of=question.name)
        if read_.rest:
            reason = f": {found.reason}" if found.reason else ""
            message = f"the check {quote(source)} of {question.name} is left out, or a part of it{reason}"
            self.report.add("changed", "check-dropped", line.place("constraint"), message, of=question.name)

    def select(self, question: ForeignQuestion, select: re.Match[str], line: Line, appearance: str) -> None:
        kind, name = select["kind"].lower().replace(" ", "_"), select["list"].strip()
        question.kind = "ranking" if "rank" in kind else "multiple" if "multiple" in kind or "all" in kind or kind == "select" else "single"
        if name not in self.lists:
            self.reading.refuse(
                question.name,
                "list-missing",
                question.place,
                f"the list {name} of {question.name} is not in choices",
                "write its options out",
            )
            return
        column = line.cells.get("choice_filter", "")
        condition = self.condition(CHOICE_FILTER, column, line, "choice_filter")
        for entry, option in self.lists[name]:
            shown = None
            if condition is not None:
                node = _filled_in(condition.node, entry.cells) if condition.node is not None else None
                shown = Condition(column, condition.place, node, condition.reason)
            question.options.append(ForeignOption(code=option.code, text=option.text, place=option.place, show_if=shown))
        parameters = line.cells.get("parameters", "")
        if re.search(r"randomize\s*=\s*true", parameters, re.IGNORECASE):
            question.randomise_options = True
        if select["other"] and not any(option.code == "other" for option in question.options):
            known = [language for language in self.result.languages if language in OTHER_WORDS]
            text = {language: OTHER_WORDS[language] for language in known} or {self.source: "Other"}
            question.options.append(
                ForeignOption(code="other", text=text, place=question.place, specify=True, text_name=f"{question.name}_other")
            )

    # grids

    def shares(self, group: _Group) -> None:
        """A total that is shared out among rows, as an export of ours writes it."""
        at = self.result.questions.index(group.members[0])
        del self.result.questions[at : at + len(group.members)]
        rows = [ForeignRow(code=str(question.kept["row"]), text=question.text, aliases=(question.name,)) for question in group.members]
        most = group.members[0].max
        self.result.questions.append(
            ForeignQuestion(
                place=group.place,
                name=self.reading.unique(group.name, group.name),
                kind="constant_sum",
                text=group.text,
                section=group.key,
                rules=group.rules,
                required=group.members[0].required,
                rows=rows,
                total=int(most) if isinstance(most, Decimal) else None,
                kept=self.kept.get(group.name, {}),
            )
        )

    def untabled(self, group: _Group) -> None:
        """The questions of a table that cannot be one question stand in a section of its name."""
        if not group.text or not group.members:
            return
        key = f"{group.key}/{group.name}" if group.key else group.name
        self.result.sections.append(ForeignSection(key=key, text=group.text, place=group.place))
        for question in group.members:
            question.section = key

    def table(self, group: _Group) -> None:
        """Turns the choices of one list in a table into one question with rows."""
        if self.ours and group.members and all(question.kind == "integer" for question in group.members):
            self.shares(group)
            return
        listed = [question for question in group.members if question.kind == "single"]
        heads = [question for question in listed if not question.text and len(listed) > 1 and question is listed[0]]
        members = [question for question in listed if question not in heads]
        same = [[option.code for option in question.options] for question in members]
        marked = bool(members) and all("row" in question.kept for question in members)
        fitting = marked or (
            len(members) > 1
            and all(codes == same[0] for codes in same)
            and all(question.rules == members[0].rules or question.rules[: len(group.rules)] == group.rules for question in members)
            and len({question.required for question in members}) == 1
            and not any(option.show_if for question in members for option in question.options)
        )
        if not fitting:
            self.untabled(group)
            return
        at = self.result.questions.index(listed[0])
        matrix = ForeignQuestion(
            place=group.place,
            name=self.reading.unique(group.name, group.name),
            kind="matrix",
            text=group.text or {self.source: group.name},
            help=group.help,
            section=group.key,
            rules=group.rules,
            required=members[0].required,
            options=members[0].options,
            ordered=any(question.ordered for question in members) or None,
            rows=[
                ForeignRow(
                    code=str(question.kept.get("row", question.name)),
                    text=question.text,
                    show_if=question.rules[-1] if len(question.rules) > len(group.rules) else None,
                    aliases=(question.name,),
                )
                for question in members
            ],
            kept=self.kept.get(group.name, {}),
        )
        self.result.questions = [question for question in self.result.questions if question not in listed]
        self.result.questions.insert(min(at, len(self.result.questions)), matrix)
        if self.groups:
            self.groups[-1].members.append(matrix)
        if not matrix.kept:
            self.report.add(
                "dropped", "grid", group.place, f'the {len(members)} questions of the table "{group.name}" became one with rows'
            )


def _take(question: ForeignQuestion, found: Limits) -> bool:
    """Gives a question its limits; says whether all of them fit its kind."""
    numbers = question.kind in ("integer", "numeric")
    days = question.kind == "date"
    bounds = [bound for bound in (found.min, found.max) if bound is not None]
    fits = all(isinstance(bound, Decimal) if numbers else isinstance(bound, str) and days for bound in bounds)
    if fits:
        question.min = question.min if found.min is None else found.min
        question.max = question.max if found.max is None else found.max
        question.specials = tuple(Special(value) for value in dict.fromkeys(found.specials))
    if question.kind == "multiple":
        question.min_choices = found.min_choices if found.min_choices is None else max(found.min_choices, 1)
        question.max_choices = found.max_choices
        for option in question.options:
            option.exclusive = option.exclusive or option.code in found.exclusive
    if found.max_chars is not None and question.kind in ("short_text", "long_text"):
        question.max_chars = found.max_chars
        if question.kind == "short_text" and found.max_chars > 1_000:
            question.kind = "long_text"
    chosen = found.min_choices is not None or found.max_choices is not None or bool(found.exclusive)
    return fits and (question.kind == "multiple" or not chosen) and (found.max_chars is None or question.max_chars is not None)


def _pattern(question: ForeignQuestion, pattern: str) -> bool:
    """A pattern that stands for a kind of text is known by what it asks for."""
    if question.kind != "short_text":
        return False
    if "@" in pattern:
        question.pattern = "email"
    elif re.fullmatch(r"[\^$0-9+\[\]{},()?\\d \-|]+", pattern) and re.search(r"(?i)phone|tel|mobile|contact|whatsapp", question.name):
        question.pattern = "telephone"
    return bool(question.pattern)


def _range(question: ForeignQuestion, line: Line) -> None:
    given = dict(re.findall(r"(start|end|step)\s*=\s*(-?[0-9.]+)", line.cells.get("parameters", "")))
    try:
        start, end, step = (Decimal(given.get(key, default)) for key, default in (("start", "1"), ("end", "10"), ("step", "1")))
    except InvalidOperation:
        start, end, step = Decimal(1), Decimal(10), Decimal(1)
    whole = step == step.to_integral_value() and start == start.to_integral_value()
    question.kind = "integer" if whole else "numeric"
    question.min, question.max = min(start, end), max(start, end)
    if not whole:
        question.decimals = max(0, -int(step.normalize().as_tuple().exponent))


def _followed(start: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Where a path leads that is written at `start`; an absolute one begins with the form."""
    parts = [] if path.startswith("/") else list(start)
    for step in path.split("/")[2:] if path.startswith("/") else path.split("/"):
        if step == "..":
            del parts[-1:]
        elif step != ".":
            parts.append(step)
    return tuple(parts)


def _filled_in(node: Node, cells: dict[str, str]) -> Node:
    """The filter for one option: the columns of the sheet have its values, and questions keep their names."""
    match node:
        case Ref():
            if node.name.startswith("${"):
                return Ref(node.name[2:-1].strip())
            return Literal(cells.get(node.name.lower(), "")) if not node.path else node
        case Binary():
            return Binary(node.op, _filled_in(node.left, cells), _filled_in(node.right, cells))
        case Negation():
            return Negation(_filled_in(node.inner, cells))
        case Call():
            return Call(node.name, tuple(_filled_in(argument, cells) for argument in node.arguments))
        case _:
            return node


def _copy(question: ForeignQuestion, names: dict[str, str], copy: int, first: str) -> ForeignQuestion:
    """A copy of a question of a repeat. A later copy is asked once the one before has its first answer, or the number says so."""
    rules: list[Condition] = []
    counted = False
    for rule in question.rules:
        match rule.node:
            case Call(name="repeats", arguments=(count,)):
                counted = True
                rules.append(Condition(rule.source, rule.place, Binary(">=", count, Literal(str(copy), number=True))))
            case _:
                rules.append(Condition(rule.source, rule.place, renamed(rule.node, names) if rule.node else None, rule.reason))
    if not counted and copy > 1:
        before = Negation(Call("empty", (Ref(f"{first}_{copy - 1}"),)))
        rules.insert(0, Condition(f"{first} of copy {copy - 1} is answered", question.place, before))
    return msgspec.structs.replace(
        question,
        name=names[question.name],
        section=f"{question.section}#{copy}" if question.section else "",
        text={language: f"{words} ({copy})" for language, words in question.text.items()},
        rules=tuple(rules),
        options=[msgspec.structs.replace(option) for option in question.options],
    )


def _introduction(form: Form) -> None:
    """A note before the first question, shown to everybody, introduces the survey."""
    while form.questions and form.questions[0].kind == "note" and not form.questions[0].rules and not form.questions[0].kept:
        note = form.questions.pop(0)
        languages = {**form.introduction, **note.text}
        form.introduction = {
            language: "\n\n".join(filter(None, (form.introduction.get(language), note.text.get(language)))) for language in languages
        }


def _kept(sheet: Sheet | None) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What an export of ours carries besides: keys of questions by their names, keys of the survey."""
    texts: dict[tuple[str, str], str] = {}
    for _, cells in sheet.rows[1:] if sheet else []:
        if len(cells) >= 3:
            texts[cells[0], cells[1]] = texts.get((cells[0], cells[1]), "") + cells[2]
    questions: dict[str, dict[str, Any]] = {}
    survey: dict[str, Any] = {}
    for (name, key), text in texts.items():
        try:
            value = json.loads(text)
        except ValueError:
            continue
        (questions.setdefault(name, {}) if name else survey)[key] = value
    return questions, survey
