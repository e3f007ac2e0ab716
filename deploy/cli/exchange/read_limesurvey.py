"""Reads the structure of a LimeSurvey survey, group or question: .lss, .lsg, .lsq. Pure.

Texts stand in tables of their own or beside what they belong to; what the file has decides, not its number.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from deploy.cli.exchange.expressions import parser
from deploy.cli.exchange.expressions.dialects import LIMESURVEY
from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Literal, Negation, Node, Ref
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignQuota, ForeignRow, ForeignSection, Form, Texts
from deploy.cli.exchange.reading import OTHER_WORDS, Reading, fold_specify, local_time
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.texts import plain, tag

Record = dict[str, str]
MOST_CELLS = 20
_FIXED: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "Y": (("Y", {"en": "Yes", "fr": "Oui", "de": "Ja", "es": "Sí"}), ("N", {"en": "No", "fr": "Non", "de": "Nein", "es": "No"})),
    "G": (
        ("F", {"en": "Female", "fr": "Femme", "de": "Weiblich", "es": "Mujer"}),
        ("M", {"en": "Male", "fr": "Homme", "de": "Männlich", "es": "Hombre"}),
    ),
    "C": (
        ("Y", {"en": "Yes", "fr": "Oui", "de": "Ja", "es": "Sí"}),
        ("U", {"en": "Uncertain", "fr": "Incertain", "de": "Unsicher", "es": "Dudoso"}),
        ("N", {"en": "No", "fr": "Non", "de": "Nein", "es": "No"}),
    ),
    "E": (
        ("I", {"en": "Increase", "fr": "Augmenter", "de": "Zunahme", "es": "Aumentar"}),
        ("S", {"en": "Same", "fr": "Sans changement", "de": "Gleich", "es": "Igual"}),
        ("D", {"en": "Decrease", "fr": "Diminuer", "de": "Abnahme", "es": "Disminuir"}),
    ),
}  # fmt: skip


def read(content: bytes, file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """Raises UnreadableForm."""
    return _LimesurveyReader(_root(content), file, report, languages).form()


def _root(content: bytes) -> Any:
    import defusedxml.ElementTree
    from defusedxml import DefusedXmlException

    try:
        root: Any = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise UnreadableForm("it declares a document type or entities, which a survey's file never does") from None
    except Exception:  # a parser of XML raises what its own library knows
        raise UnreadableForm("it is no well-formed XML", "Export the survey as .lss again.") from None
    kind = (root.findtext("LimeSurveyDocType") or "").strip()
    if kind not in ("Survey", "Group", "Question"):
        raise UnreadableForm("this is no LimeSurvey structure: LimeSurveyDocType is missing", "Export the survey as .lss.")
    return root


class _LimesurveyReader:
    def __init__(self, root: Any, file: str, report: Report, said: dict[str, str]) -> None:
        self.file = file
        self.report = report
        self.tables = {str(table.tag): _records(table) for table in root}
        self.kind = (root.findtext("LimeSurveyDocType") or "").strip()
        spoken = [(element.text or "").strip() for element in root.findall("languages/language")]
        survey: Record = next(iter(self.tables.get("surveys", [])), cast("Record", {}))
        self.survey = survey
        first = survey.get("language") or next(iter(spoken), "en")
        ordered = [first, *survey.get("additional_languages", "").split(), *spoken]
        self.tags = {name: found for name in dict.fromkeys(ordered) if (found := tag(name, said))}
        self.source = self.tags.get(first, "en")
        settings = self.tables.get("surveys_languagesettings", [])
        titles = self.of(settings, "surveyls_title")
        self.result = Form(
            format="limesurvey",
            file=file,
            name="",
            title=titles or {self.source: file.rsplit(".", 1)[0]},
            language=self.source,
            languages=list(dict.fromkeys([self.source, *self.tags.values()])),
            introduction=self.introduction(settings),
            loose=True,
            joint="_",
            piped=r"\{(?:INSERTANS:)?([A-Za-z0-9_]+?)(?:\.shown|\.NAOK|\.value)?\}",
            sections=[],
            questions=[],
            left_out=set(),
            fragment=self.kind != "Survey",
        )
        self.reading = Reading(self.result, report)
        self.attributes = self._attributes()
        self.row_of: dict[str, str] = {}
        """The row of a question that became questions, by the name of each."""
        self.answers = self._by("answers", "qid")
        self.subquestions = self._by("subquestions", "parent_qid")
        self.defaults = {record.get("qid", "") for record in self.tables.get("defaultvalues", [])}
        self.numbered: dict[str, str] = {}
        self.settings(settings)

    def settings(self, texts: list[Record]) -> None:
        """What holds for the whole survey."""
        survey, result = self.survey, self.result
        result.opens, result.closes = local_time(survey.get("startdate", "")), local_time(survey.get("expires", ""))
        result.notice = self.of(texts, "surveyls_policy_notice")
        result.invited = survey.get("usetokens") == "Y"
        result.listed = survey.get("listpublic") != "N"
        result.one_question_per_page = survey.get("format") == "S"
        if self.of(texts, "surveyls_endtext") or self.of(texts, "surveyls_url"):
            self.report.add("dropped", "end-text", self.file, "the words and the page after sending have no place here")

    # tables

    def _by(self, table: str, key: str) -> dict[str, list[Record]]:
        """Records by a key, one for each code and scale, in order; texts of other languages are looked up."""
        found: dict[str, list[Record]] = {}
        seen: set[tuple[str, str, str]] = set()
        records = sorted(self.tables.get(table, []), key=lambda record: _number(record.get("sortorder") or record.get("question_order")))
        for record in records:
            mark = (record.get(key, ""), record.get("code") or record.get("title", ""), record.get("scale_id", "0"))
            if mark not in seen:
                seen.add(mark)
                found.setdefault(record.get(key, ""), []).append(record)
        return found

    def _attributes(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for record in self.tables.get("question_attributes", []):
            if record.get("value") and (not record.get("language") or self.tags.get(record["language"]) == self.source):
                found.setdefault(record.get("qid", ""), {})[record.get("attribute", "")] = record["value"]
        return found

    def of(self, records: list[Record], field: str, language: str = "language") -> Texts:
        texts: Texts = {}
        for record in records:
            name = record.get(language) or record.get("surveyls_language", "")
            words = plain(record.get(field, ""))
            if words and name in self.tags:
                texts.setdefault(self.tags[name], words)
            elif words and not name:
                texts.setdefault(self.source, words)
        return texts

    def texts(self, table: str, record: Record, key: str, field: str) -> Texts:
        """A text of a record in all languages: out of its table of texts, or out of the rows of the table itself."""
        own = self.tables.get(f"{table[:-1]}_l10ns", [])
        if table == "subquestions":
            own = self.tables.get("question_l10ns", [])
        if own:
            return self.of([text for text in own if text.get(key) == record.get(key)], field)
        if key == "aid":
            same = [
                text
                for text in self.tables.get(table, [])
                if (text.get("qid"), text.get("code"), text.get("scale_id", "0"))
                == (record.get("qid"), record.get("code"), record.get("scale_id", "0"))
            ]
        else:
            same = [text for text in self.tables.get(table, []) if text.get(key) == record.get(key)]
        return self.of(same, field)

    def introduction(self, settings: list[Record]) -> Texts:
        described, welcome = self.of(settings, "surveyls_description"), self.of(settings, "surveyls_welcometext")
        languages = dict.fromkeys([*described, *welcome])
        return {language: "\n\n".join(filter(None, (described.get(language), welcome.get(language)))) for language in languages}

    # groups and questions

    def form(self) -> Form:
        groups = self._by_id("groups", "gid", "group_order")
        questions = self._by_id("questions", "qid", "question_order")
        for record in questions.values():
            self.numbered[f"{record.get('sid')}X{record.get('gid')}X{record.get('qid')}"] = record.get("title", "")
        self.result.numbered = self.numbered
        for gid, group in (groups or {"": cast("Record", {})}).items():
            self.group(gid, group, [question for question in questions.values() if question.get("gid") == gid or not groups])
        self.quotas()
        if not self.result.questions:
            raise UnreadableForm("it asks nothing that can be asked here")
        fold_specify(self.result, self.report)
        return self.result

    def _by_id(self, table: str, key: str, order: str) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for record in sorted(self.tables.get(table, []), key=lambda record: _number(record.get(order))):
            if record.get("parent_qid", "0") in ("0", "") or table != "questions":
                found.setdefault(record.get(key, ""), record)
        return found

    def group(self, gid: str, group: Record, questions: list[Record]) -> None:
        title = self.texts("groups", group, "gid", "group_name") if group else {}
        place = f"{self.file}:group {gid}"
        self.result.sections.append(ForeignSection(key=f"g{gid}", text=title or self.result.title, place=place))
        found = self.condition(group.get("grelevance", ""), place)
        rules = (found,) if found else ()
        described = self.texts("groups", group, "gid", "description") if group else {}
        if described:
            name = self.reading.unique(f"group_{gid}_text", "text")
            self.result.questions.append(
                ForeignQuestion(place=place, name=name, kind="note", text=described, section=f"g{gid}", rules=rules)
            )
        if group.get("randomization_group"):
            self.report.add(
                "changed", "order-fixed", place, f"the group {quote(next(iter(title.values()), gid))} stands in one place for all"
            )
        for record in questions:
            self.question(record, f"g{gid}", rules)

    def condition(self, source: str, place: str) -> Condition | None:
        plain_source = source.strip()
        return None if plain_source in ("", "1") else parser.read(LIMESURVEY, plain_source, place)

    def question(self, record: Record, key: str, rules: tuple[Condition, ...]) -> None:
        kind, name = record.get("type", ""), self.reading.unique(record.get("title", ""), f"q{record.get('qid')}")
        place = f"{self.file}:question {name}"
        attributes = self.attributes.get(record.get("qid", ""), {})
        own = self.condition(record.get("relevance", ""), place)
        question = ForeignQuestion(
            place=place,
            name=name,
            kind="short_text",
            text=self.texts("questions", record, "qid", "question"),
            help=self.texts("questions", record, "qid", "help"),
            section=key,
            required=record.get("mandatory") == "Y",
            asked_softly=record.get("mandatory") == "S",
            enabled=attributes.get("hidden") != "1",
            rules=(*rules, *((own,) if own else ())),
            identifying=record.get("encrypted") == "Y",
        )
        if not question.text and kind not in ("*",):
            question.text = {self.source: name}
        before = len(self.result.questions)
        self.result.questions += list(self.made(question, record, kind, attributes))
        for made in self.result.questions[before:]:
            self.common(made, attributes, record)

    def common(self, question: ForeignQuestion, attributes: dict[str, str], record: Record) -> None:
        if question.kind == "multiple":
            question.min_choices = _whole(attributes.get("min_answers")) or None
            question.max_choices = _whole(attributes.get("max_answers")) or None
            alone = set(attributes.get("exclude_all_others", "").split(";"))
            for option in question.options:
                option.exclusive = option.code in alone
        if attributes.get("random_order") == "1":
            question.randomise_rows = bool(question.rows)
            question.randomise_options = not question.rows and bool(question.options)
        for key in ("array_filter", "array_filter_exclude"):
            if attributes.get(key):
                self.filter(question, key, attributes[key])
        if question.kind in ("integer", "numeric") and (unit := plain(attributes.get("suffix") or attributes.get("prefix") or "")):
            question.unit = {self.source: unit}
        if attributes.get("random_group"):
            self.report.add("changed", "order-fixed", question.place, f"{question.name} stands in one place for all", of=question.name)
        if _whole(attributes.get("time_limit")):
            self.report.add("dropped", "setting", question.place, f"answering {question.name} has no time limit")
        if record.get("qid", "") in self.defaults:
            message = f"nothing is filled in beforehand: the value of {question.name} is left out"
            self.report.add("dropped", "default-dropped", question.place, message)
        if record.get("preg"):
            self.report.add(
                "changed",
                "pattern-lost",
                question.place,
                f"the pattern of {question.name} is not checked: {quote(record['preg'])}",
                of=question.name,
            )
        for key in ("em_validation_q", "em_validation_sq"):
            if attributes.get(key):
                message = f"the check {quote(attributes[key])} of {question.name} is left out"
                self.report.add("changed", "check-dropped", question.place, message, of=question.name)

    def filter(self, question: ForeignQuestion, key: str, sources: str) -> None:
        """Shows of a question what was chosen, or what was not, in all earlier ones that are named. What one of them lacks it lets pass."""
        names = [name for name in re.split(r"[;,\s]+", sources) if name]

        def condition(code: str) -> Condition | None:
            fields = [found for name in names if (found := self.filtering_fields(name, code))]
            empty = [_joined("and", [Call("empty", (ref,)) for ref in found]) for found in fields]
            parts: list[Node] = [Negation(part) if key == "array_filter" else part for part in empty]
            return Condition(f"{key}: {sources}", question.place, _joined("and", parts)) if parts else None

        if len(names) > 1:
            message = f"{question.name} is filtered by {', '.join(names)}: what is shown has to pass all of them"
            self.report.add("review", "filter", question.place, message, of=question.name)
        if question.name in self.row_of and (own := condition(self.row_of[question.name])):
            question.rules = (*question.rules, own)
        parts = question.rows if question.kind in ("matrix", "constant_sum") else question.options
        for part in parts if question.kind in ("matrix", "constant_sum", "multiple", "ranking") else []:
            if own := condition(part.code):
                part.show_if = _both(part.show_if, own)

    def filtering_fields(self, name: str, code: str) -> list[Ref]:
        """The fields of a question that filters others in which its row or option of this code is answered; none where it has no such."""
        asked = self.tables.get("questions", [])
        record = next((record for record in asked if record.get("title") == name and record.get("parent_qid", "0") in ("0", "")), None)
        if record is None:
            return [Ref(name)]
        kind, qid = record.get("type", ""), record.get("qid", "")
        subs = self.subquestions.get(qid, [])
        parts = self.answers.get(qid, subs) if kind == "R" else subs
        known = {part.get("code") or part.get("title", "") for part in parts if part.get("scale_id", "0") == "0"}
        if code not in known | ({"other", "other_"} if record.get("other") == "Y" else set[str]()):
            return []
        columns = [""]
        if kind in (":", ";") and self.attributes.get(qid, {}).get("multiflexible_checkbox") != "1":
            columns = [f"_{sub.get('title')}" for sub in subs if sub.get("scale_id", "0") == "1"]
        scales = ("_1", "_2") if kind == "1" else ("",)
        return [Ref(f"{name}{scale}_{code}{column}") for scale in scales for column in columns]

    # kinds

    def made(self, question: ForeignQuestion, record: Record, kind: str, attributes: dict[str, str]) -> Iterator[ForeignQuestion]:
        subs = self.subquestions.get(record.get("qid", ""), [])
        match kind:
            case "X":
                question.kind, question.required, question.asked_softly = "note", False, False
                yield question
            case "*":
                question.kind = "computed"
                equation = attributes.get("equation", "") or next(iter(question.text.values()), "")
                question.formula = parser.read(LIMESURVEY, equation.strip().strip("{}"), question.place)
                yield question
            case "S" if attributes.get("numbers_only") == "1":
                yield _numbered(question, attributes)
            case "S" | "T" | "U":
                question.kind = "short_text" if kind == "S" else "long_text"
                question.max_chars = _whole(attributes.get("maximum_chars")) or None
                if question.kind == "short_text" and (question.max_chars or 0) > 1_000:
                    question.kind = "long_text"
                yield question
            case "N":
                yield _numbered(question, attributes)
            case "D":
                yield from self.date(question, attributes)
            case "L" | "!" | "O":
                question.kind, question.options = "single", self.options(record, "0")
                self.other(question, record, attributes)
                yield question
                if kind == "O":
                    self.report.add(
                        "changed",
                        "split",
                        question.place,
                        f"{question.name} became two questions, the choice and its comment",
                        of=question.name,
                    )
                    yield ForeignQuestion(
                        place=question.place,
                        name=f"{question.name}_comment",
                        kind="long_text",
                        text=question.text,
                        section=question.section,
                        rules=question.rules,
                    )
            case "5":
                question.kind, question.ordered = "single", True
                question.options = [ForeignOption(code=str(n), text={self.source: str(n)}, place=question.place) for n in range(1, 6)]
                yield question
            case "Y" | "G":
                question.kind, question.options = "single", self.fixed(kind, question.place)
                yield question
            case "M" | "P":
                question.kind = "multiple"
                question.options = [
                    ForeignOption(
                        code=sub.get("title", ""),
                        text=self.sub_text(sub),
                        place=question.place,
                        specify=kind == "P",
                        text_name=f"{question.name}_{sub.get('title')}comment",
                        show_if=self.condition(sub.get("relevance", ""), question.place),
                    )
                    for sub in subs
                ]
                self.other(question, record, attributes)
                yield question
            case "R":
                question.kind, question.options = "ranking", self.options(record, "0")
                question.options = question.options or [
                    ForeignOption(code=sub.get("title", ""), text=self.sub_text(sub), place=question.place) for sub in subs
                ]
                question.rank_count = _whole(attributes.get("max_answers")) or None
                yield question
            case "F" | "H" | "A" | "B" | "C" | "E" | "1":
                yield from self.matrix(question, record, kind, subs, attributes)
            case ":" | ";":
                yield from self.cells(question, kind, subs, attributes)
            case "K" | "Q":
                yield from self.fields(question, kind, subs, attributes)
            case "|":
                self.reading.refuse(
                    question.name,
                    "kind-refused",
                    question.place,
                    f"{question.name} asks for a file, which is not asked here. It is left out",
                )
            case "I":
                self.reading.refuse(
                    question.name, "kind-refused", question.place, f"{question.name} switches the language, which the page does itself"
                )
            case _:
                message = f"{question.name} is of the type {quote(kind)}, which is not asked here. It is left out"
                self.reading.refuse(question.name, "kind-refused", question.place, message, askable=True)

    def sub_text(self, sub: Record) -> Texts:
        found = self.texts("subquestions", sub, "qid", "question")
        return {language: words.split("|")[0].strip() or words for language, words in found.items()} or {self.source: sub.get("title", "")}

    def options(self, record: Record, scale: str) -> list[ForeignOption]:
        found: list[ForeignOption] = []
        for answer in self.answers.get(record.get("qid", ""), []):
            if answer.get("scale_id", "0") != scale:
                continue
            score = _decimal(answer.get("assessment_value"))
            text = self.texts("answers", answer, "aid", "answer") or {self.source: answer.get("code", "")}
            place = f"{self.file}:question {record.get('title')}"
            found.append(ForeignOption(code=answer.get("code", ""), text=text, place=place, score=score if score else None))
        if not any(option.score for option in found):
            for option in found:
                option.score = None
        return found

    def fixed(self, kind: str, place: str) -> list[ForeignOption]:
        return [
            ForeignOption(code=code, text={language: words.get(language, words["en"]) for language in self.result.languages}, place=place)
            for code, words in _FIXED[kind]
        ]

    def other(self, question: ForeignQuestion, record: Record, attributes: dict[str, str]) -> None:
        if record.get("other") != "Y":
            return
        said = attributes.get("other_replace_text", "")
        text = {self.source: plain(said)} if said else {language: OTHER_WORDS.get(language, "Other") for language in self.result.languages}
        code = "other" if not any(option.code == "other" for option in question.options) else "other_"
        question.options.append(
            ForeignOption(code=code, text=text, place=question.place, specify=True, text_name=f"{question.name}_other", aliases=("-oth-",))
        )

    def date(self, question: ForeignQuestion, attributes: dict[str, str]) -> Iterator[ForeignQuestion]:
        question.kind = "date"
        shape = attributes.get("date_format", "").lower()
        if shape and "d" not in shape and ("h" in shape or "i" in shape):
            message = f"{question.name} asks for a time of day, which is not asked here. It is left out"
            self.reading.refuse(question.name, "kind-refused", question.place, message)
            return
        if shape and "d" not in shape:
            question.precision = "month" if "m" in shape else "year"
        elif "h" in shape:
            self.report.add(
                "changed", "step-lost", question.place, f"{question.name} asks for a day, no longer for a time", of=question.name
            )
        question.min, question.max = _day(attributes.get("date_min", "")), _day(attributes.get("date_max", ""))
        yield question

    def matrix(
        self, question: ForeignQuestion, record: Record, kind: str, subs: list[Record], attributes: dict[str, str]
    ) -> Iterator[ForeignQuestion]:
        rows = [
            ForeignRow(code=sub.get("title", ""), text=self.sub_text(sub), show_if=self.condition(sub.get("relevance", ""), question.place))
            for sub in subs
        ]
        question.kind, question.rows = "matrix", rows
        match kind:
            case "A" | "B":
                question.ordered = True
                last = 5 if kind == "A" else 10
                question.options = [
                    ForeignOption(code=str(n), text={self.source: str(n)}, place=question.place) for n in range(1, last + 1)
                ]
            case "C" | "E":
                question.options = self.fixed(kind, question.place)
            case "1":
                yield from self.dual(question, record, attributes)
                return
            case _:
                question.options = self.options(record, "0")
        yield question

    def dual(self, question: ForeignQuestion, record: Record, attributes: dict[str, str]) -> Iterator[ForeignQuestion]:
        self.report.add(
            "changed", "split", question.place, f"{question.name} became a question for each of its two scales", of=question.name
        )
        self.result.left_out.add(question.name)
        for place, scale in enumerate(("0", "1")):
            head = plain(attributes.get("dualscale_headerA" if scale == "0" else "dualscale_headerB", ""))
            yield ForeignQuestion(
                place=question.place,
                name=f"{question.name}_{place + 1}",
                kind="matrix",
                text={language: f"{words}: {head}" if head else words for language, words in question.text.items()},
                help=question.help,
                section=question.section,
                rules=question.rules,
                required=question.required,
                rows=[ForeignRow(code=row.code, text=row.text, show_if=row.show_if) for row in question.rows],
                options=self.options(record, scale),
                enabled=question.enabled,
            )

    def cells(self, question: ForeignQuestion, kind: str, subs: list[Record], attributes: dict[str, str]) -> Iterator[ForeignQuestion]:
        """LimeSurvey shows all columns, whatever stands in their `relevance`."""
        rows = [sub for sub in subs if sub.get("scale_id", "0") == "0"]
        columns = [sub for sub in subs if sub.get("scale_id", "0") == "1"]
        ticked = kind == ":" and attributes.get("multiflexible_checkbox") == "1"
        if not ticked and len(rows) * len(columns) > MOST_CELLS:
            message = f"{question.name} has {len(rows) * len(columns)} cells to write in; at most {MOST_CELLS} become questions"
            self.reading.refuse(question.name, "too-many-cells", question.place, message, askable=True)
            return
        self.report.add("changed", "split", question.place, f"{question.name} became a question for each of its parts", of=question.name)
        self.result.left_out.add(question.name)
        for row in rows:
            if ticked:
                part = self.part(question, row, self.sub_text(row), "multiple")
                part.options = [
                    ForeignOption(
                        code=column.get("title", ""),
                        text=self.sub_text(column),
                        place=question.place,
                    )
                    for column in columns
                ]
                yield part
                continue
            for column in columns:
                text = {language: f"{words} – {self.sub_text(column).get(language, '')}" for language, words in self.sub_text(row).items()}
                part = self.part(question, row, text, "integer" if kind == ":" else "short_text", f"_{column.get('title')}")
                if kind == ":":
                    part.min = _decimal(attributes.get("multiflexible_min")) or Decimal(1)
                    part.max = _decimal(attributes.get("multiflexible_max")) or Decimal(10)
                yield part

    def part(self, question: ForeignQuestion, sub: Record, text: Texts, kind: Any, ending: str = "") -> ForeignQuestion:
        name = f"{question.name}_{sub.get('title')}{ending}"
        self.row_of[name] = sub.get("title", "")
        return ForeignQuestion(
            place=question.place,
            name=name,
            kind=kind,
            text={language: f"{question.text.get(language, '')}: {words}".removeprefix(": ") for language, words in text.items()},
            help=question.help,
            section=question.section,
            rules=(*question.rules, *self.own(sub, question)),
            required=question.required,
            enabled=question.enabled,
        )

    def own(self, sub: Record, question: ForeignQuestion) -> tuple[Condition, ...]:
        """The rule of a field, which calls the fields beside it `self.sq_` and their code."""
        source = re.sub(r"\bself\.sq_(?=\w)", f"{question.name}_", sub.get("relevance", ""))
        found = self.condition(source, question.place)
        return (found,) if found else ()

    def fields(self, question: ForeignQuestion, kind: str, subs: list[Record], attributes: dict[str, str]) -> Iterator[ForeignQuestion]:
        total = _decimal(attributes.get("equals_num_value"))
        if kind == "K" and total is not None and total == int(total):
            question.kind, question.total = "constant_sum", int(total)
            question.rows = [
                ForeignRow(
                    code=sub.get("title", ""),
                    text=self.sub_text(sub),
                    show_if=self.condition(sub.get("relevance", ""), question.place),
                )
                for sub in subs
            ]
            yield question
            return
        self.report.add(
            "changed", "split", question.place, f"{question.name} became a question for each of its {len(subs)} fields", of=question.name
        )
        self.result.left_out.add(question.name)
        for sub in subs:
            part = self.part(question, sub, self.sub_text(sub), "short_text")
            yield _numbered(part, attributes) if kind == "K" else part

    def quotas(self) -> None:
        """Members of one question are alternatives; several questions must all meet."""
        titles = {record.get("qid", ""): (record.get("title", ""), record.get("type", "")) for record in self.tables.get("questions", [])}
        for quota in self.tables.get("quota", []):
            id, name = quota.get("id", ""), quota.get("name", "")
            place = f"{self.file}:quota {id}"
            if quota.get("active") == "0":
                self.report.add("dropped", "quota", place, f"the quota {quote(name)} is not active in the source")
                continue
            asked: dict[str, list[Node]] = {}
            for member in self.tables.get("quota_members", []):
                if member.get("quota_id") == id:
                    title, kind = titles.get(member.get("qid", ""), ("", ""))
                    asked.setdefault(title, []).append(_counted(title, kind, member.get("code", "")))
            texts = [text for text in self.tables.get("quota_languagesettings", []) if text.get("quotals_quota_id") == id]
            if any(text.get("quotals_url") for text in texts):
                self.report.add("dropped", "end-text", place, "no other page is opened where a quota is full")
            either = [_joined("or", tests) for tests in asked.values()]
            self.result.quotas.append(
                ForeignQuota(
                    name=name,
                    place=place,
                    limit=_whole(quota.get("qlimit")),
                    text=self.of(texts, "quotals_message", "quotals_language"),
                    rules=tuple(Condition(name, place, test) for test in either),
                )
            )


def _counted(title: str, kind: str, code: str) -> Node:
    """The answer that a quota counts: a code, the option of several, or row and code of a grid, such as SQ001-3."""
    match kind:
        case "M" | "P":
            return Binary("=", Ref(f"{title}_{code}"), Literal("Y"))
        case "A" | "B":
            row, _, value = code.rpartition("-")
            return Binary("=", Ref(f"{title}_{row}"), Literal(value))
        case _:
            return Binary("=", Ref(title), Literal(code))


def _joined(op: str, parts: Sequence[Node]) -> Node:
    return functools.reduce(lambda one, other: Binary(op, one, other), parts)


def _both(one: Condition | None, other: Condition) -> Condition:
    """A condition that was there, and another one."""
    if one is None:
        return other
    node = Binary("and", one.node, other.node) if one.node is not None and other.node is not None else None
    return Condition(f"{one.source} and {other.source}", one.place, node, one.reason or other.reason)


def _numbered(question: ForeignQuestion, attributes: dict[str, str]) -> ForeignQuestion:
    low, high = _decimal(attributes.get("min_num_value_n")), _decimal(attributes.get("max_num_value_n"))
    whole = attributes.get("num_value_int_only") == "1"
    question.kind, question.min, question.max = "integer" if whole else "numeric", low, high
    return question


def _records(table: Any) -> list[Record]:
    return [{str(cell.tag): (cell.text or "") for cell in row} for row in table.findall("rows/row")]


def _number(text: str | None) -> int:
    found = re.fullmatch(r"-?\d{1,9}", (text or "").strip())
    return int(found[0]) if found else 0


def _whole(text: str | None) -> int:
    return _number(text)


def _decimal(text: str | None) -> Decimal | None:
    try:
        number = Decimal((text or "").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _day(text: str) -> str | None:
    found = re.match(r"\d{4}-\d{2}-\d{2}", text.strip())
    return "today" if text.strip().lower() in ("today", "now", "+0 day") else found[0] if found else None
