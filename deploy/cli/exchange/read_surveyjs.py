"""Reads the JSON of a SurveyJS form. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from deploy.cli.exchange.expressions import parser
from deploy.cli.exchange.expressions.dialects import SURVEYJS
from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Listed, Literal, Negation, Node, Ref
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow, ForeignSection, Form, Texts
from deploy.cli.exchange.reading import OTHER_WORDS, Reading, fold_specify
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.texts import joined, plain, tag

Element = dict[str, Any]
_NOT_ASKED = {
    "file": "a file", "signaturepad": "a signature", "imagemap": "a place in a picture", "microphone": "a sound", "geopoint": "a place",
}  # fmt: skip
_SINGLE = frozenset({"radiogroup", "dropdown", "buttongroup"})
_NOTES = frozenset({"html", "infotext", "helptext"})
_TRUTH = {"true": ("true", "y", "yes", "1", "True"), "false": ("false", "n", "no", "0", "False")}
_WORDS = {
    "other": OTHER_WORDS,
    "none": {"en": "None", "fr": "Aucun", "de": "Keine", "es": "Ninguno"},
    "pnts": {"en": "Refuse to answer", "fr": "Refuse de répondre", "de": "Keine Angabe", "es": "Sin respuesta"},
    "dk": {"en": "Don't know", "fr": "Ne sait pas", "de": "Weiß nicht", "es": "No sabe"},
    "yes": {"en": "Yes", "fr": "Oui", "de": "Ja", "es": "Sí"},
    "no": {"en": "No", "fr": "Non", "de": "Nein", "es": "No"},
}
MOST_CELLS = 20
DEEPEST = 40
_CONSENT = re.compile(r"(?i)\b(i (hereby )?(agree|consent|accept)|terms (of|and)|j'accepte|ich stimme|acepto)\b")

_FILLED = ("defaultValueExpression", "setValueIf", "setValueExpression", "resetValueIf", "correctAnswer")
_SETTINGS = {
    "completedHtmlOnCondition": "the words after sending have no place here",
    "completedBeforeHtml": "a receipt says that somebody has answered before",
    "navigateToUrl": "no other page is opened after sending",
    "navigateToUrlOnCondition": "no other page is opened after sending",
    "maxTimeToFinish": "answering has no time limit",
    "maxTimeToFinishPage": "answering has no time limit",
    "timeLimit": "answering has no time limit",
    "timeLimitPerPage": "answering has no time limit",
    "cookieName": "nothing keeps somebody from answering on another device",
}
"""Settings without an equal that a respondent would notice."""


def read(content: bytes, file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """Raises UnreadableForm."""
    return _SurveyjsReader(_parsed(content), file, report, languages).form()


def _parsed(content: bytes) -> Element:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableForm("it is not UTF-8 text", "Save it as UTF-8.") from None
    try:
        found = json.loads(re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda match: match[1] or "", text, flags=re.DOTALL))
    except RecursionError:
        raise UnreadableForm("it is nested too deeply") from None
    except ValueError as error:
        way_out = "Leave only what stands between the outer braces, and write it as JSON."
        raise UnreadableForm(f"this is no JSON: {str(error).split(':')[0].lower()}", way_out) from None
    root = cast("Element", {"elements": found} if isinstance(found, list) else found if isinstance(found, dict) else {})
    if not {"pages", "elements", "questions"} & set(root):
        raise UnreadableForm("it has no pages, elements or questions", "Save the form's JSON from the editor of SurveyJS.")
    return root


class _SurveyjsReader:
    def __init__(self, root: Element, file: str, report: Report, said: dict[str, str]) -> None:
        self.root = root
        self.file = file
        self.report = report
        self.said = said
        locale = root.get("locale") if isinstance(root.get("locale"), str) else ""
        self.source = tag(str(locale), said) or said.get("default", "") or "en"
        self.kept = cast("dict[str, Any]", root.get("x-platea") or {})
        self.ours = "x-platea" in root
        if "languages" in self.kept.get("survey", {}):
            self.source = self.kept["survey"]["source_language"]
        self.result = Form(
            format="surveyjs",
            file=file,
            name=file.rsplit(".", 1)[0],
            title={},
            language=self.source,
            languages=self.kept.get("survey", {}).get("languages")
            or [self.source, *(found for found in self._tags(root) if found != self.source)],
            loose=True,
            piped=r"\{([A-Za-z_][\w .-]*)\}",
            kept=self.kept.get("survey", {}),
            ours=self.ours,
            sections=[],
            questions=[],
            left_out=set(),
        )
        self.reading = Reading(self.result, report)

    def _tags(self, node: Any, depth: int = 0) -> list[str]:
        """Languages of the texts, in the order they come."""
        found: dict[str, None] = {}
        if isinstance(node, dict) and depth < DEEPEST:
            mapping = cast("Element", node)
            if _is_texts(mapping):
                found |= dict.fromkeys(known for key in mapping if (known := tag(key, self.said)))
            else:
                for key, value in mapping.items():
                    if key != "x-platea":
                        found |= dict.fromkeys(self._tags(value, depth + 1))
        elif isinstance(node, list):
            for value in cast("list[Any]", node):
                found |= dict.fromkeys(self._tags(value, depth + 1))
        return list(found)

    def texts(self, value: Any) -> Texts:
        change = str.strip if self.ours else plain
        if isinstance(value, dict):
            given = {self.source if key == "default" else tag(key, self.said): str(text) for key, text in cast("Element", value).items()}
            return {language: change(text) for language, text in given.items() if language and change(text)}
        return {self.source: change(str(value))} if value not in (None, "") and change(str(value)) else {}

    def html(self, value: Any) -> Texts:
        return {language: plain(words) for language, words in self.texts(value).items()}

    # pages and panels

    def form(self) -> Form:
        root = self.root
        self.result.title = self.texts(root.get("title")) or {self.source: self.file.rsplit(".", 1)[0]}
        self.result.introduction = self.texts(root.get("description"))
        if root.get("completedHtml"):
            self.report.add("dropped", "end-text", self.file, "the words after sending have no place here")
        for place, value in enumerate(_listed(root.get("calculatedValues"))):
            name = str(value.get("name", ""))
            self.result.left_out.add(name)
            source = str(value.get("expression", ""))
            self.report.add("dropped", "formula-refused", f"{self.file}:/calculatedValues/{place}", f"{name} computes {quote(source)}")
        for place, trigger in enumerate(_listed(root.get("triggers"))):
            message = f"the trigger {quote(str(trigger.get('type', '')))} is left out: nothing is skipped or ended but by rules"
            self.report.add("review", "skip-turned", f"{self.file}:/triggers/{place}", message)
        self.settings()
        pages = _listed(root.get("pages"))
        for place, page in enumerate(pages):
            self.panel(page, f"/pages/{place}", "", (), {}, page=True)
        for key in ("elements", "questions"):
            self.elements(_listed(root.get(key)), f"/{key}", "", (), {}, 0)
        if not self.result.questions:
            raise UnreadableForm("it asks nothing that can be asked here")
        self.read_notes()
        fold_specify(self.result, self.report)
        return self.result

    def settings(self) -> None:
        """What the form says of itself besides its questions."""
        root = self.root
        self.result.one_question_per_page = root.get("questionsOnPageMode") == "questionPerPage"
        if root.get("questionsOrder") == "random":
            self.report.add("changed", "order-fixed", self.file, "questions stand in one order for all")
        for key, what in _SETTINGS.items():
            if root.get(key) not in (None, "", 0, [], False):
                self.report.add("dropped", "setting", f"{self.file}:/{key}", f"{key}: {what}")

    def read_notes(self) -> None:
        """A condition that a note has been read holds wherever the note is shown."""
        notes = {question.name: question for question in self.result.questions if question.kind == "note"}
        for question in self.result.questions:
            rules: list[Condition] = []
            for rule in question.rules:
                note = notes.get(rule.node.left.name) if isinstance(rule.node, Binary) and isinstance(rule.node.left, Ref) else None
                if note is None or not isinstance(rule.node, Binary) or (rule.node.op, rule.node.right) != (">", Literal("0", number=True)):
                    rules.append(rule)
                    continue
                rules += note.rules
                message = f"{question.name} follows the note {note.name} once that was read: it is shown wherever the note is"
                self.report.add("review", "read-note", rule.place, message, of=question.name)
            question.rules = tuple(rules)

    def panel(
        self, element: Element, path: str, key: str, rules: tuple[Condition, ...], outer: Texts, page: bool = False, depth: int = 0
    ) -> None:
        title = self.texts(element.get("title"))
        own = (*rules, *self.visible(element, path))
        if title:
            name = str(element.get("name") or path)
            key = f"{key}/{name}" if key else name
            if outer:
                whole = {language: f"{outer.get(language) or next(iter(outer.values()))}: {words}" for language, words in title.items()}
                message = f"section {_first(title)} of {_first(outer)} became {_first(whole)}"
                self.report.add("dropped", "flattened", f"{self.file}:{path}", message)
                title = whole
            self.result.sections.append(ForeignSection(key=key, text=title, place=f"{self.file}:{path}"))
        elif page:
            key = ""
        described = self.texts(element.get("description"))
        if described:
            name = self.reading.unique(f"{element.get('name', 'page')}_description", "description")
            self.result.questions.append(
                ForeignQuestion(place=f"{self.file}:{path}", name=name, kind="note", text=described, section=key, rules=own)
            )
        if element.get("visible") is False and not element.get("visibleIf"):
            own = (*own, Condition("visible: false", f"{self.file}:{path}", parser.parse(SURVEYJS, "false")))
        for field in ("elements", "questions"):
            self.elements(_listed(element.get(field)), f"{path}/{field}", key, own, title or outer, depth + 1)

    def elements(self, elements: list[Element], path: str, key: str, rules: tuple[Condition, ...], outer: Texts, depth: int) -> None:
        if depth > DEEPEST:
            raise UnreadableForm("it is nested too deeply")
        for place, element in enumerate(elements):
            here = f"{path}/{place}"
            if element.get("type") == "panel":
                self.panel(element, here, key, rules, outer, depth=depth)
            else:
                self.element(element, here, key, rules)

    def condition(self, source: object, path: str) -> Condition | None:
        return parser.read(SURVEYJS, str(source or ""), f"{self.file}:{path}")

    def visible(self, element: Element, path: str) -> tuple[Condition, ...]:
        found = self.condition(element.get("visibleIf"), path)
        if element.get("enableIf"):
            message = f"{element.get('name', path)} can be answered where {quote(str(element['enableIf']))}: here it is shown then"
            self.report.add("changed", "rule", f"{self.file}:{path}", message, of=str(element.get("name", "")))
        enabled = self.condition(element.get("enableIf"), path)
        return tuple(condition for condition in (found, enabled) if condition)

    # questions

    def element(self, element: Element, path: str, key: str, rules: tuple[Condition, ...]) -> None:
        kind = str(element.get("type", "text"))
        place = f"{self.file}:{path}"
        name = self.reading.unique(str(element.get("name") or ""), path.strip("/").replace("/", "_"))
        title = self.texts(element.get("title"))
        if kind in _NOT_ASKED:
            self.reading.refuse(name, "kind-refused", place, f"{name} asks for {_NOT_ASKED[kind]}, which is not asked here. It is left out")
            return
        if kind in ("paneldynamic", "matrixdynamic"):
            count = max(1, len(_listed(element.get("templateElements")) or _listed(element.get("columns"))))
            self.result.left_out.add(name)
            self.report.outcome.asked += count
            self.report.outcome.refused += count
            message = f"{name} is asked again and again; here everything is asked once. Its {count} questions are left out"
            self.report.add("refused", "repeat", place, message, "write them out as often as needed")
            return
        if kind == "image":
            self.report.add("dropped", "media", place, f"the picture {name} is left out")
            return
        question = ForeignQuestion(
            place=place,
            name=name,
            kind="short_text",
            text=title or ({} if kind in _NOTES else {self.source: name}),
            help=self.texts(element.get("description")),
            section=key,
            required=element.get("isRequired") is True,
            required_if=self.condition(element.get("requiredIf"), path),
            enabled=not (element.get("visible") is False and not element.get("visibleIf")),
            rules=(*rules, *self.visible(element, path)),
            aliases=(str(element["valueName"]),) if element.get("valueName") not in (None, "", name) else (),
            kept=self.kept.get("questions", {}).get(name, {}),
        )
        for asked in self.made(question, element, kind, path):
            if "soft_check" in asked.kept or (self.ours and asked.kind == "computed"):
                continue
            self.dropped(asked, element)
            self.result.questions.append(asked)

    def dropped(self, question: ForeignQuestion, element: Element) -> None:
        filled = [key for key in _FILLED if element.get(key)]
        if question.kind != "note" and filled:
            message = f"nothing is filled in by rules: {', '.join(filled)} of {question.name} is left out"
            self.report.add("dropped", "default-dropped", question.place, message)
        if question.kind != "note" and element.get("defaultValue") not in (None, "", []):
            message = f"nothing is filled in beforehand: the value {quote(str(element['defaultValue']))} of {question.name} is left out"
            self.report.add("dropped", "default-dropped", question.place, message)

    def made(self, question: ForeignQuestion, element: Element, kind: str, path: str) -> Iterator[ForeignQuestion]:
        """The questions that one element becomes."""
        if kind in _NOTES:
            body = joined([self.texts(element.get("title")), self.html(element.get("html")), self.texts(element.get("body"))], "\n\n")
            question.kind, question.text, question.help, question.required = "note", body, {}, False
            yield question
        elif kind == "expression":
            question.kind, question.formula = "computed", parser.read(SURVEYJS, str(element.get("expression", "")), question.place)
            yield question
        elif kind in ("boolean", "yesno"):
            yield from self.boolean(question, element)
        elif kind == "rating":
            yield self.rating(question, element, path)
        elif kind == "matrix":
            yield from self.matrix(question, element)
        elif kind == "matrixdropdown":
            yield from self.grid(question, element)
        elif kind == "multipletext":
            yield from self.fields(question, element, path)
        elif kind == "slider":
            yield from _slider(question, element)
        elif kind in _SINGLE or kind in ("checkbox", "tagbox", "ranking", "imagepicker"):
            yield from self.closed(question, element, kind, path)
        elif kind in ("text", "comment", "personname", "address", "email"):
            yield from self.text(question, element, kind)
        else:
            message = f"{question.name} is of the type {quote(kind)}, which SurveyJS itself does not have. It is left out"
            self.reading.refuse(question.name, "kind-refused", question.place, message)

    def closed(self, question: ForeignQuestion, element: Element, kind: str, path: str) -> Iterator[ForeignQuestion]:
        multiple = kind in ("checkbox", "tagbox") or (kind == "imagepicker" and element.get("multiSelect") is True)
        question.kind = "multiple" if multiple else "ranking" if kind == "ranking" else "single"
        if element.get("choicesByUrl") or element.get("choicesFromQuestion"):
            message = f"the options of {question.name} stand elsewhere, and no address is fetched"
            self.reading.refuse(question.name, "list-missing", question.place, message, "write them out")
            return
        question.options = self.options(element.get("choices"), element.get("choicesVisibleIf"), path)
        question.randomise_options = element.get("choicesOrder") == "random"
        if kind != "ranking":
            self.added(question, element)
        if not question.options:
            self.reading.refuse(question.name, "no-options", question.place, f"{question.name} has no options", "write them out")
            return
        if multiple:
            question.min_choices = _whole(element.get("minSelectedChoices")) or None
            question.max_choices = _whole(element.get("maxSelectedChoices")) or None
        if kind == "ranking" and element.get("selectToRankEnabled"):
            question.rank_count = _whole(element.get("maxSelectedChoices")) or len(question.options)
        self.validators(question, element)
        yield question
        if element.get("showCommentArea") or element.get("hasComment"):
            yield self.comment(question, element)

    def comment(self, question: ForeignQuestion, element: Element) -> ForeignQuestion:
        name = f"{question.name}-Comment"
        self.report.add(
            "changed", "split", question.place, f"{question.name} became two questions, the choice and its comment", of=question.name
        )
        text = self.texts(element.get("commentText")) or question.text
        return ForeignQuestion(place=question.place, name=name, kind="long_text", text=text, section=question.section, rules=question.rules)

    def options(self, choices: Any, visible: Any, path: str) -> list[ForeignOption]:
        found: list[ForeignOption] = []
        for choice in cast("list[Any]", choices) if isinstance(choices, list) else []:
            entry: Element = cast("Element", choice) if isinstance(choice, dict) else {"value": choice}
            code = _code(entry.get("value"))
            if not code:
                continue
            own = self.condition(entry.get("visibleIf"), path) or self.of_part(visible, code, path)
            found.append(
                ForeignOption(
                    code=code, text=self.texts(entry.get("text")) or {self.source: code}, place=f"{self.file}:{path}", show_if=own
                )
            )
        return found

    def of_part(self, source: Any, code: str, path: str) -> Condition | None:
        """A condition on `item` for one option or row."""
        found = self.condition(source, path)
        return found and Condition(found.source, found.place, _of_item(found.node, code) if found.node else None, found.reason)

    def added(self, question: ForeignQuestion, element: Element) -> None:
        """The options that SurveyJS adds by itself."""
        taken = {option.code for option in question.options}
        for keys, code, text, alias in (
            (("showNoneItem", "hasNone"), "none", "noneText", "none"),
            (("showOtherItem", "hasOther"), "other", "otherText", "other"),
            (("showRefuseItem",), "pnts", "refuseText", "refused"),
            (("showDontKnowItem",), "dk", "dontKnowText", "dontknow"),
        ):
            if any(element.get(key) is True for key in keys) and code not in taken:
                words = self.texts(element.get(text)) or self.words(code)
                question.options.append(
                    ForeignOption(
                        code=code,
                        text=words,
                        place=question.place,
                        exclusive=code != "other" and question.kind == "multiple",
                        specify=code == "other",
                        text_name=f"{question.name}-Comment",
                        aliases=(alias,),
                    )
                )

    def words(self, code: str) -> Texts:
        known = _WORDS[code]
        return {language: known[language] for language in self.result.languages if language in known} or {self.source: known["en"]}

    def boolean(self, question: ForeignQuestion, element: Element) -> Iterator[ForeignQuestion]:
        if question.required and _CONSENT.search(next(iter(question.text.values()), "")):
            message = f"{_first(question.text)} is a tick and no question: put its words into notice"
            self.reading.refuse(question.name, "consent", question.place, message)
            return
        question.kind = "single"
        sides = (("yes", "labelTrue", "valueTrue", "true"), ("no", "labelFalse", "valueFalse", "false"))
        question.options = [
            ForeignOption(
                code=code,
                text=self.texts(element.get(label)) or self.words(code),
                place=question.place,
                aliases=tuple(dict.fromkeys([*_TRUTH[truth], *([_code(element[value])] if value in element else [])])),
            )
            for code, label, value, truth in sides
        ]
        yield question

    def rating(self, question: ForeignQuestion, element: Element, path: str) -> ForeignQuestion:
        question.kind, question.ordered = "single", True
        question.options = self.options(element.get("rateValues"), None, path)
        if not question.options:
            least, most = _whole(element.get("rateMin"), 1), _whole(element.get("rateMax"), 0)
            step = max(1, _whole(element.get("rateStep"), 1))
            most = most or (least + step * (_whole(element.get("rateCount"), 5) - 1))
            question.options = [
                ForeignOption(code=str(n), text={self.source: str(n)}, place=question.place)
                for n in range(least, min(most, least + 100) + 1, step)
            ]
        ends = ((0, "minRateDescription"), (-1, "maxRateDescription"))
        for place, key in ends:
            described = self.texts(element.get(key))
            if described and question.options:
                option = question.options[place]
                option.text = {language: f"{option.text.get(language, option.code)} ({words})" for language, words in described.items()}
        return question

    def rows(self, element: Element) -> list[ForeignRow]:
        found: list[ForeignRow] = []
        for row in cast("list[Any]", element.get("rows") or []):
            entry: Element = cast("Element", row) if isinstance(row, dict) else {"value": row}
            code = _code(entry.get("value"))
            if code:
                shown = self.condition(entry.get("visibleIf"), element.get("name", "")) or self.of_part(
                    element.get("rowsVisibleIf"), code, ""
                )
                found.append(ForeignRow(code=code, text=self.texts(entry.get("text")) or {self.source: code}, show_if=shown))
        return found

    def matrix(self, question: ForeignQuestion, element: Element) -> Iterator[ForeignQuestion]:
        if element.get("cellType") == "checkbox":
            for row in self.rows(element):
                options = self.options(element.get("columns"), element.get("columnsVisibleIf"), question.place)
                yield _shown(self.part(question, row.code, row.text, "multiple", options), row)
            return
        question.options = self.options(element.get("columns"), element.get("columnsVisibleIf"), question.place)
        question.rows = self.rows(element)
        question.randomise_rows = element.get("rowOrder", element.get("rowsOrder")) == "random"
        question.kind = "matrix" if question.rows else "single"
        if not question.options:
            self.reading.refuse(question.name, "no-options", question.place, f"{question.name} has no columns", "write them out")
            return
        every = element.get("isAllRowRequired") is True or element.get("eachRowRequired") is True
        if question.required and not every and question.rows:
            self.report.add(
                "changed", "stricter", question.place, f"every row of {question.name} must be answered, not one alone", of=question.name
            )
        question.required = question.required or every
        yield question

    def part(
        self, question: ForeignQuestion, code: str, text: Texts, kind: Any, options: list[ForeignOption] | None = None
    ) -> ForeignQuestion:
        """A question of its own for one part of another."""
        message = f"{question.name} became a question for each of its parts"
        self.report.add("changed", "split", question.place, message, of=question.name)
        self.result.left_out.add(question.name)
        return ForeignQuestion(
            place=question.place,
            name=self.reading.unique(f"{question.name}.{code}", code),
            kind=kind,
            text=_beside(question.text, text),
            help=question.help,
            section=question.section,
            rules=question.rules,
            required=question.required,
            options=options or [],
            enabled=question.enabled,
        )

    def grid(self, question: ForeignQuestion, element: Element) -> Iterator[ForeignQuestion]:
        rows, columns = self.rows(element), _listed(element.get("columns"))
        cells = [column for column in columns if _cell(column, element) in ("text", "comment")]
        if len(cells) * len(rows) > MOST_CELLS:
            message = f"{question.name} has {len(cells) * len(rows)} cells to write in; at most {MOST_CELLS} become questions"
            self.reading.refuse(question.name, "too-many-cells", question.place, message, askable=True)
            return
        for column in columns:
            name, text = str(column.get("name", "")), self.texts(column.get("title")) or {self.source: str(column.get("name", ""))}
            choices = column.get("choices") or element.get("choices")
            match _cell(column, element):
                case "checkbox":
                    for row in rows:
                        options = self.options(choices, None, question.place)
                        yield _shown(self.part(question, f"{name}.{row.code}", _beside(text, row.text), "multiple", options), row)
                case "text" | "comment" | "expression" as cell:
                    for row in rows:
                        kind = "integer" if column.get("inputType") == "number" else "long_text" if cell == "comment" else "short_text"
                        yield _shown(self.part(question, f"{name}.{row.code}", _beside(text, row.text), kind), row)
                case "boolean":
                    asked = self.part(question, name, text, "matrix")
                    asked.rows = [ForeignRow(code=row.code, text=row.text, show_if=row.show_if) for row in rows]
                    asked.options = [ForeignOption(code=code, text=self.words(code), place=question.place) for code in ("yes", "no")]
                    yield asked
                case _:
                    asked = self.part(question, name, text, "matrix", self.options(choices, None, question.place))
                    asked.rows = [ForeignRow(code=row.code, text=row.text, show_if=row.show_if) for row in rows]
                    asked.required = column.get("isRequired") is True
                    yield asked

    def fields(self, question: ForeignQuestion, element: Element, path: str) -> Iterator[ForeignQuestion]:
        if "total" in question.kept:
            question.kind, question.total = "constant_sum", _whole(question.kept["total"])
            question.rows = [
                ForeignRow(code=str(item["name"]), text=self.texts(item.get("title"))) for item in _listed(element.get("items"))
            ]
            yield question
            return
        for item in _listed(element.get("items")):
            name = str(item.get("name", ""))
            asked = self.part(question, name, self.texts(item.get("title")) or {self.source: name}, "short_text")
            asked.required = item.get("isRequired") is True
            yield from self.text(asked, item, "text")

    def text(self, question: ForeignQuestion, element: Element, kind: str) -> Iterator[ForeignQuestion]:
        input_type = str(element.get("inputType", "text"))
        question.max_chars = _whole(element.get("maxLength")) or None
        question.identifying = kind in ("personname", "address")
        match input_type if kind == "text" else kind:
            case "comment":
                question.kind = "long_text"
            case "number" | "range":
                step = _decimal(element.get("step"))
                whole = step is None or step == step.to_integral_value()
                question.kind = "integer" if whole and element.get("x-decimals") is None else "numeric"
                question.decimals = None if question.kind == "integer" else _places(step)
                question.min, question.max = _decimal(element.get("min")), _decimal(element.get("max"))
            case "date" | "month":
                question.kind, question.precision = "date", "month" if input_type == "month" else "day"
                question.min, question.max = _day(element.get("min")), _day(element.get("max"))
            case "datetime" | "datetime-local" | "time" | "week":
                message = f"{question.name} asks for a time of day, which is not asked here. It is left out"
                self.reading.refuse(question.name, "kind-refused", question.place, message)
                return
            case "email":
                question.pattern = "email"
            case "tel":
                question.pattern = "telephone"
            case _:
                pass
        if question.kind == "short_text" and (question.max_chars or 0) > 1_000:
            question.kind = "long_text"
        self.validators(question, element)
        yield question

    def validators(self, question: ForeignQuestion, element: Element) -> None:
        for validator in _listed(element.get("validators")):
            match validator.get("type"):
                case "numeric" if question.kind in ("integer", "numeric"):
                    question.min = _decimal(validator.get("minValue")) if question.min is None else question.min
                    question.max = _decimal(validator.get("maxValue")) if question.max is None else question.max
                case "numeric" if question.kind == "short_text":
                    question.kind = "integer"
                    question.min, question.max = _decimal(validator.get("minValue")), _decimal(validator.get("maxValue"))
                case "email":
                    question.pattern = "email"
                case "text" if question.kind in ("short_text", "long_text"):
                    question.max_chars = _whole(validator.get("maxLength")) or question.max_chars
                case "answercount" if question.kind == "multiple":
                    question.min_choices = _whole(validator.get("minCount")) or question.min_choices
                    question.max_choices = _whole(validator.get("maxCount")) or question.max_choices
                case "expression" if self.exclusive(question, str(validator.get("expression", ""))):
                    pass
                case _:
                    what = str(validator.get("expression") or validator.get("regex") or validator.get("type"))
                    self.report.add(
                        "changed",
                        "check-dropped",
                        question.place,
                        f"the check {quote(what)} of {question.name} is left out",
                        of=question.name,
                    )

    def exclusive(self, question: ForeignQuestion, source: str) -> bool:
        """An option that stands alone, as an export of ours writes it."""
        found = re.fullmatch(r"\{[^}]+\} notcontains '([^']+)' or \{[^}]+\}\.length = 1", source)
        option = next((option for option in question.options if found and option.code == found[1]), None)
        if option is None:
            return False
        option.exclusive = True
        return True


def _shown(question: ForeignQuestion, row: ForeignRow) -> ForeignQuestion:
    """A question for one row, shown where the row is."""
    question.rules = (*question.rules, *((row.show_if,) if row.show_if else ()))
    return question


def _slider(question: ForeignQuestion, element: Element) -> Iterator[ForeignQuestion]:
    question.kind = "integer"
    question.min, question.max = _decimal(element.get("min", 0)), _decimal(element.get("max", 100))
    if element.get("sliderType") != "range":
        yield question
        return
    for end in ("from", "to"):
        yield ForeignQuestion(
            place=question.place,
            name=f"{question.name}.{end}",
            kind="integer",
            text=_beside(question.text, dict.fromkeys(question.text, end)),
            help=question.help,
            section=question.section,
            rules=question.rules,
            required=question.required,
            min=question.min,
            max=question.max,
        )


def _cell(column: Element, element: Element) -> str:
    kind = str(column.get("cellType") or element.get("cellType") or "dropdown")
    return "dropdown" if kind in ("default", "radiogroup", "tagbox") else kind


def _of_item(node: Node, code: str) -> Node:
    """The condition on `item` for one option."""
    match node:
        case Ref(name="item"):
            return Literal(code)
        case Binary():
            left, right = _of_item(node.left, code), _of_item(node.right, code)
            if isinstance(left, Literal) and isinstance(right, Ref) and node.op in ("anyof", "contains"):
                return Binary("contains", right, left)
            return Binary(node.op, left, right)
        case Negation():
            return Negation(_of_item(node.inner, code))
        case Call():
            return Call(node.name, tuple(_of_item(argument, code) for argument in node.arguments))
        case Listed():
            return Listed(tuple(_of_item(item, code) for item in node.items))
        case _:
            return node


def _is_texts(mapping: Element) -> bool:
    """Whether this is one text in several languages."""
    return (
        bool(mapping)
        and all(isinstance(value, str) for value in mapping.values())
        and all(key == "default" or re.fullmatch(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?", key) for key in mapping)
        and ("default" in mapping or all(tag(key, {}) for key in mapping))
    )


def _beside(whole: Texts, part: Texts) -> Texts:
    languages = dict.fromkeys([*whole, *part])
    first, second = next(iter(whole.values()), ""), next(iter(part.values()), "")
    return {language: f"{whole.get(language, first)}: {part.get(language, second)}" for language in languages}


def _listed(value: Any) -> list[Element]:
    return [cast("Element", item) for item in cast("list[Any]", value) if isinstance(item, dict)] if isinstance(value, list) else []


def _code(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case None:
            return ""
        case _:
            return str(value).strip()


def _whole(value: Any, otherwise: int = 0) -> int:
    number = _decimal(value)
    return otherwise if number is None else int(number)


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _places(step: Decimal | None) -> int | None:
    return None if step is None else max(0, -int(step.normalize().as_tuple().exponent))


def _day(value: Any) -> str | None:
    if value in ("=today()", "today()", "today"):
        return "today"
    found = re.fullmatch(r"(\d{4}-\d{2})(-\d{2})?", value) if isinstance(value, str) else None
    return None if found is None else f"{found[1]}{found[2] or '-01'}"


def _first(texts: Texts) -> str:
    return quote(next(iter(texts.values()), ""))
