"""Reads a Qualtrics survey, .qsf. There is no public specification: what stands here was learnt from published files. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from deploy.cli.exchange.expressions.tree import NO_ANSWER, Binary, Call, Condition, Listed, Literal, Negation, Node, Ref, Untranslatable
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow, ForeignSection, Form, Texts
from deploy.cli.exchange.reading import Reading, fold_specify, local_time
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.texts import plain, tag

Payload = dict[str, Any]
MOST_CELLS = 20
DEEPEST = 30
_SINGLE = frozenset({"SAVR", "SAHR", "SACOL", "DL", "SB", "NPS"})
_NOT_ASKED = {
    "FileUpload": "a file", "HotSpot": "a place in a picture", "HeatMap": "a place in a picture", "Draw": "a drawing",
    "Captcha": "a captcha",
    "GAP": "words in gaps", "PGR": "groups to sort into", "DD": "a list in several steps", "Highlight": "parts of a text",
    "SS": "a graphic", "TreeTesting": "a path in a tree", "Video": "a film",
}  # fmt: skip


def read(content: bytes, file: str, report: Report, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """Raises UnreadableForm."""
    try:
        root = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableForm("it is no JSON", "Export the survey from Qualtrics again.") from None
    if not isinstance(root, dict) or not isinstance(cast("Payload", root).get("SurveyElements"), list):
        raise UnreadableForm("it has no SurveyElements", "Export the survey from Qualtrics again.")
    return _QualtricsReader(cast("Payload", root), file, report, languages).form()


class _QualtricsReader:
    def __init__(self, root: Payload, file: str, report: Report, said: dict[str, str]) -> None:
        self.file = file
        self.report = report
        self.said = said
        entry = _mapping(root.get("SurveyEntry"))
        elements = [_mapping(element) for element in cast("list[Any]", root["SurveyElements"])]
        self.payloads = {
            str(element.get("PrimaryAttribute")): _mapping(element.get("Payload")) for element in elements if element.get("Element") == "SQ"
        }
        self.blocks = _blocks(elements)
        flows = [_mapping(element.get("Payload")) for element in elements if element.get("Element") == "FL"]
        self.flow = flows[0] if flows else _mapping(None)
        self.source = tag(str(entry.get("SurveyLanguage", "EN")).lower(), said) or "en"
        spoken = {key for payload in self.payloads.values() for key in _mapping(payload.get("Language"))}
        tags = [found for key in sorted(spoken) if (found := tag(key.lower(), said))]
        name = str(entry.get("SurveyName", "")) or file.rsplit(".", 1)[0]
        self.result = Form(
            format="qualtrics",
            file=file,
            name=name,
            title={self.source: name},
            language=self.source,
            languages=list(dict.fromkeys([self.source, *tags])),
            loose=True,
            piped=r"\$\{q://(QID\d+)/[^}]*\}|\$\{([^}]+)\}",
            sections=[],
            questions=[],
            left_out=set(),
        )
        if entry.get("SurveyDescription"):
            self.result.introduction = {self.source: plain(str(entry["SurveyDescription"]))}
        self.result.opens = local_time(str(entry.get("SurveyStartDate") or ""))
        self.result.closes = local_time(str(entry.get("SurveyExpirationDate") or ""))
        for element in elements:
            if element.get("Element") in ("QO", "QG"):
                name = str(_mapping(element.get("Payload")).get("Name") or element.get("PrimaryAttribute") or "")
                message = f"the quota {quote(name)} is left out: write it under quotas by hand"
                report.add("review", "quota", f"{file}:{element.get('PrimaryAttribute', 'quota')}", message)
            elif element.get("Element") == "SCO" and _mapping(element.get("Payload")).get("ScoringCategories"):
                report.add("review", "scores", file, "answers are scored in the source: write score beside the options")
            elif element.get("Element") == "SO" and _mapping(element.get("Payload")).get("EOSMessage"):
                report.add("dropped", "end-text", file, "the words after sending have no place here")
        self.reading = Reading(self.result, report)
        self.shown: set[str] = set()

    def form(self) -> Form:
        if self.flow:
            self.flowing(_listed(self.flow.get("Flow")), (), 0)
        else:
            for block in self.blocks:
                self.block(block, ())
        if not self.result.questions:
            raise UnreadableForm("it asks nothing that can be asked here")
        fold_specify(self.result, self.report)
        return self.result

    # flow and blocks

    def flowing(self, flow: list[Payload], rules: tuple[Condition, ...], depth: int) -> None:
        if depth > DEEPEST:
            raise UnreadableForm("its flow is nested too deeply")
        for step in flow:
            place = f"{self.file}:{step.get('FlowID', 'flow')}"
            match step.get("Type"):
                case "Block" | "Standard":
                    if block := self.blocks.get(str(step.get("ID"))):
                        self.block(str(step.get("ID")), rules, block)
                case "Branch":
                    condition = self.logic(step.get("BranchLogic"), place)
                    self.flowing(_listed(step.get("Flow")), (*rules, condition) if condition else rules, depth + 1)
                case "EndSurvey" if rules:
                    message = f"the survey ends early where {quote(rules[-1].source)}: what follows is asked of everybody"
                    self.report.add("review", "end-refused", place, message, "write show_if for what follows, or a quota")
                case "BlockRandomizer" | "Randomizer":
                    self.report.add("changed", "order-fixed", place, "blocks stand in one order for all")
                    self.flowing(_listed(step.get("Flow")), rules, depth + 1)
                case "Group":
                    self.flowing(_listed(step.get("Flow")), rules, depth + 1)
                case "EmbeddedData" | "WebService" | "Authenticator":
                    self.report.add("dropped", "meta-dropped", place, f"{step['Type']}: nothing is recorded but answers")
                    if step["Type"] == "Authenticator":
                        self.flowing(_listed(step.get("Flow")), rules, depth + 1)
                case _:
                    pass

    def block(self, id: str, rules: tuple[Condition, ...], block: Payload | None = None) -> None:
        block = block or self.blocks[id]
        if block.get("Type") == "Trash" or id in self.shown:
            return
        self.shown.add(id)
        title = plain(str(block.get("Description", ""))) or "Questions"
        self.result.sections.append(ForeignSection(key=id, text={self.source: title}, place=f"{self.file}:{id}"))
        entries = [entry for entry in _listed(block.get("BlockElements")) if entry.get("Type") == "Question"]
        order = [str(entry.get("QuestionID")) for entry in entries]
        jumps: list[tuple[Condition, int, int]] = []
        for place, entry in enumerate(entries):
            payload = self.payloads.get(order[place])
            if payload is None:
                continue
            passed = tuple(condition for condition, start, end in jumps if start < place < end)
            self.question(payload, order[place], id, (*rules, *passed))
            for skip in [*_listed(entry.get("SkipLogic")), *_listed(payload.get("SkipLogic"))]:
                self.skip(skip, place, order, jumps)
        if _mapping(block.get("Options")).get("Looping") not in (None, "None", ""):
            self.report.add("review", "repeat", f"{self.file}:{id}", f"the block {quote(title)} is asked again and again; here once")

    def skip(self, skip: Payload, place: int, order: list[str], jumps: list[tuple[Condition, int, int]]) -> None:
        where, target = f"{self.file}:{order[place]}", str(skip.get("SkipToDestination", ""))
        locator, operator = str(skip.get("ChoiceLocator") or skip.get("Locator") or ""), str(skip.get("Condition", ""))
        source = f"{locator} {operator}"
        if target == "ENDOFSURVEY":
            self.report.add(
                "review", "end-refused", where, f"the survey ends early after {order[place]}: what follows is asked of everybody"
            )
            return
        end = len(order) if target == "ENDOFBLOCK" else order.index(target) if target in order else -1
        if end <= place:
            self.report.add("review", "skip-turned", where, f"the jump from {order[place]} to {quote(target)} is left out")
            return
        try:
            condition = Condition(source, where, Negation(_located(locator, operator, None)))
        except Untranslatable as refusal:
            condition = Condition(source, where, None, refusal.reason)
        jumps.append((condition, place, end))
        if end > place + 1:
            message = f"the jump from {order[place]} became a rule of {', '.join(order[place + 1 : end])}"
            self.report.add("dropped", "skip-turned", where, message)

    # conditions

    def logic(self, logic: Any, place: str) -> Condition | None:
        """The condition of a question, a choice or a branch; expressions are joined from left to right."""
        groups = [_mapping(group) for key, group in _mapping(logic).items() if key.isdecimal()]
        if not groups:
            return None
        source = plain(" ".join(str(expression.get("Description", "")) for group in groups for expression in _expressions(group)))
        try:
            whole: Node | None = None
            for group in groups:
                part: Node | None = None
                for expression in _expressions(group):
                    node = _expression(expression)
                    op = str(expression.get("Conjuction") or expression.get("Conjunction") or "And").lower()
                    part = node if part is None else Binary("or" if op == "or" else "and", part, node)
                if part is not None:
                    op = "and" if str(group.get("Type", "")).lower().startswith("and") else "or"
                    whole = part if whole is None else Binary(op, whole, part)
            return None if whole is None else Condition(source, place, whole)
        except Untranslatable as refusal:
            return Condition(source, place, None, refusal.reason)

    # questions

    def question(self, payload: Payload, qid: str, key: str, rules: tuple[Condition, ...]) -> None:
        name = self.reading.unique(str(payload.get("DataExportTag") or qid), qid)
        place = f"{self.file}:{qid} ({name})"
        settings = _mapping(_mapping(payload.get("Validation")).get("Settings"))
        own = self.logic(payload.get("DisplayLogic"), place)
        question = ForeignQuestion(
            place=place,
            name=name,
            kind="short_text",
            text=self.texts(payload, "QuestionText") or {self.source: name},
            section=key,
            required=settings.get("ForceResponse") == "ON",
            asked_softly=settings.get("ForceResponse") == "RequestResponse" or settings.get("ForceResponseType") == "RequestResponse",
            rules=(*rules, *((own,) if own else ())),
            aliases=(qid,),
        )
        if dynamic := _mapping(payload.get("DynamicChoices")).get("Locator"):
            reason = "its choices are those that an earlier question lets through"
            question.rules = (*question.rules, Condition(str(dynamic), place, None, reason))
        if any(value for value in _keyed(payload.get("DefaultChoices")).values()):
            self.report.add("dropped", "default-dropped", place, f"nothing is filled in beforehand: the value of {name} is left out")
        if _mapping(settings.get("CustomValidation")).get("Logic"):
            self.report.add("changed", "check-dropped", place, f"the check of {name} by an expression is left out", of=name)
        for made in self.made(question, payload, settings):
            if payload.get("Randomization") and _mapping(payload["Randomization"]).get("Type") in ("All", "Subset"):
                made.randomise_rows, made.randomise_options = bool(made.rows), bool(made.options) and not made.rows
            self.result.questions.append(made)

    def texts(self, payload: Payload, field: str) -> Texts:
        found = {self.source: plain(str(payload.get(field, "")))}
        for key, translated in _mapping(payload.get("Language")).items():
            language = tag(key.lower(), self.said)
            if language and _mapping(translated).get(field):
                found[language] = plain(str(_mapping(translated)[field]))
        return {language: text for language, text in found.items() if text}

    def labels(self, payload: Payload, field: str) -> dict[str, Texts]:
        """The texts of choices or answers by their ids, in the order they are shown."""
        given = _keyed(payload.get(field))
        order = [str(id) for id in cast("list[Any]", payload.get(f"{field[:-1]}Order") or []) if str(id) in given]
        found: dict[str, Texts] = {}
        for id in order or list(given):
            texts = {self.source: plain(str(_mapping(given[id]).get("Display", ""))) or id}
            for key, translated in _mapping(payload.get("Language")).items():
                language, word = tag(key.lower(), self.said), _keyed(_mapping(translated).get(field)).get(id)
                if language and _mapping(word).get("Display"):
                    texts[language] = plain(str(_mapping(word)["Display"]))
            found[id] = texts
        return found

    def options(self, payload: Payload, field: str, place: str) -> list[ForeignOption]:
        recodes = _mapping(payload.get("RecodeValues"))
        given = _keyed(payload.get(field))
        codes = [str(recodes.get(id, id)) for id in self.labels(payload, field)]
        found: list[ForeignOption] = []
        for id, texts in self.labels(payload, field).items():
            entry, code = _mapping(given[id]), str(recodes.get(id, id))
            found.append(
                ForeignOption(
                    code=id if codes.count(code) > 1 else code,
                    text=texts,
                    place=place,
                    exclusive=str(entry.get("ExclusiveAnswer", "")).lower() == "true",
                    specify=str(entry.get("TextEntry", "")).lower() == "true",
                    text_name=f"{payload.get('DataExportTag')}_{id}_TEXT",
                    show_if=self.logic(entry.get("DisplayLogic"), place),
                    aliases=(f"id:{id}",),
                )
            )
        if any(codes.count(code) > 1 for code in codes):
            self.report.add("changed", "recode-twice", place, "two choices have one recoded value: the ids of the choices are the codes")
        return found

    def rows(self, payload: Payload, field: str = "Choices") -> list[ForeignRow]:
        given, tags = _keyed(payload.get(field)), _mapping(payload.get("ChoiceDataExportTags"))
        found: list[ForeignRow] = []
        for id, texts in self.labels(payload, field).items():
            show = self.logic(_mapping(given[id]).get("DisplayLogic"), self.file)
            row = _row(str(payload.get("QuestionID", "")), id)
            found.append(ForeignRow(code=str(tags.get(id) or id), text=texts, show_if=show, aliases=(row,)))
        return found

    def made(self, question: ForeignQuestion, payload: Payload, settings: Payload) -> Iterator[ForeignQuestion]:
        kind, selector, sub = (str(payload.get(key, "")) for key in ("QuestionType", "Selector", "SubSelector"))
        place = question.place
        if kind in _NOT_ASKED:
            self.reading.refuse(
                question.name,
                "kind-refused",
                place,
                f"{question.name} asks for {_NOT_ASKED[kind]}, which is not asked here. It is left out",
            )
            return
        match kind:
            case "DB":
                question.kind, question.required, question.asked_softly = "note", False, False
                yield question
            case "Meta" | "Timing":
                self.report.add("dropped", "meta-dropped", place, f"{question.name}: neither times nor devices of respondents are recorded")
                self.result.left_out |= {question.name, *question.aliases}
            case "MC":
                yield self.choice(question, payload, selector, settings)
            case "Matrix":
                yield from self.matrix(question, payload, selector, sub)
            case "SBS":
                yield from self.beside(question, payload)
            case "TE":
                yield from self.text(question, payload, selector, settings)
            case "Slider":
                yield from self.sliders(question, payload)
            case "RO":
                question.kind, question.options = "ranking", self.options(payload, "Choices", place)
                yield question
            case "CS":
                yield from self.sum(question, payload, settings)
            case _:
                message = f"{question.name} is of the type {quote(kind)}, which is not asked here. It is left out"
                self.reading.refuse(question.name, "kind-refused", place, message, askable=True)

    def choice(self, question: ForeignQuestion, payload: Payload, selector: str, settings: Payload) -> ForeignQuestion:
        question.kind = "single" if selector in _SINGLE else "multiple"
        question.options = self.options(payload, "Choices", question.place)
        question.ordered = True if selector == "NPS" else None
        if question.kind == "multiple":
            question.min_choices, question.max_choices = _whole(settings.get("MinChoices")), _whole(settings.get("MaxChoices"))
        return question

    def part(self, question: ForeignQuestion, name: str, text: Texts, kind: Any) -> ForeignQuestion:
        self.report.add("changed", "split", question.place, f"{question.name} became a question for each of its parts", of=question.name)
        self.result.left_out |= {question.name, *question.aliases}
        whole = question.text
        return ForeignQuestion(
            place=question.place,
            name=self.reading.unique(f"{question.name}_{name}", name),
            kind=kind,
            text={language: f"{whole.get(language) or next(iter(whole.values()))}: {words}" for language, words in text.items()},
            section=question.section,
            rules=question.rules,
            required=question.required,
            asked_softly=question.asked_softly,
        )

    def matrix(self, question: ForeignQuestion, payload: Payload, selector: str, sub: str) -> Iterator[ForeignQuestion]:
        rows, answers = self.rows(payload), self.options(payload, "Answers", question.place)
        if selector == "TE" or sub in ("Short", "Medium", "Long", "Essay"):
            if len(rows) * len(answers) > MOST_CELLS:
                message = f"{question.name} has {len(rows) * len(answers)} cells to write in; at most {MOST_CELLS} become questions"
                self.reading.refuse(question.name, "too-many-cells", question.place, message, askable=True)
                return
            for row in rows:
                for answer in answers:
                    text = {language: f"{words} – {answer.text.get(language, answer.code)}" for language, words in row.text.items()}
                    part = self.part(question, f"{row.code}_{answer.code}", text, "short_text")
                    part.rules = (*part.rules, *(shown for shown in (row.show_if, answer.show_if) if shown))
                    yield part
        elif sub in ("MultipleAnswer", "DND"):
            for row in rows:
                part = self.part(question, row.code, row.text, "multiple")
                part.options = self.options(payload, "Answers", question.place)
                part.rules = (*part.rules, *((row.show_if,) if row.show_if else ()))
                part.aliases = row.aliases
                yield part
        else:
            question.kind, question.rows, question.options = "matrix", rows, answers
            for option in question.options:
                option.specify = False
            question.ordered = True if selector == "Likert" and sub == "SingleAnswer" else None
            if any(str(_mapping(entry).get("TextEntry", "")).lower() == "true" for entry in _keyed(payload.get("Choices")).values()):
                self.report.add(
                    "changed", "specify", question.place, f"the text behind a row of {question.name} is left out", of=question.name
                )
            yield question

    def shown_by(self, payload: Payload, id: str, place: str) -> tuple[Condition, ...]:
        """The rule of one choice."""
        found = self.logic(_mapping(_keyed(payload.get("Choices")).get(id)).get("DisplayLogic"), place)
        return (found,) if found else ()

    def beside(self, question: ForeignQuestion, payload: Payload) -> Iterator[ForeignQuestion]:
        for number, column in _keyed(payload.get("AdditionalQuestions")).items():
            id = f"{payload.get('QuestionID')}#{number}"
            inner = {**_mapping(column), "Choices": payload.get("Choices"), "ChoiceOrder": payload.get("ChoiceOrder"), "QuestionID": id}
            part = self.part(question, number, self.texts(inner, "QuestionText") or {self.source: number}, "matrix")
            part.aliases = (id,)
            own = self.logic(_mapping(column).get("DisplayLogic"), question.place)
            part.rules = (*part.rules, *((own,) if own else ()))
            yield from self.matrix(part, inner, str(inner.get("Selector", "")), str(inner.get("SubSelector", "")))

    def text(self, question: ForeignQuestion, payload: Payload, selector: str, settings: Payload) -> Iterator[ForeignQuestion]:
        if selector == "FORM":
            for id, label in self.labels(payload, "Choices").items():
                part = self.part(question, id, label, "short_text")
                part.rules = (*part.rules, *self.shown_by(payload, id, question.place))
                yield part
            return
        question.kind = "long_text" if selector in ("ML", "ESTB") else "short_text"
        content = str(settings.get("ContentType", ""))
        details = _mapping(settings.get(content)) if content else {}
        match content:
            case "ValidNumber":
                places = _whole(details.get("NumDecimals"))
                question.kind, question.decimals = ("numeric", places) if places else ("integer", None)
                question.min, question.max = _decimal(details.get("Min")), _decimal(details.get("Max"))
            case "ValidDate":
                question.kind = "date"
            case "ValidEmail":
                question.pattern = "email"
            case "ValidPhone":
                question.pattern = "telephone"
            case _:
                longest = _whole(settings.get("TotalChars") or settings.get("MaxChars"))
                question.max_chars = longest
                if question.kind == "short_text" and (longest or 0) > 1_000:
                    question.kind = "long_text"
        yield question

    def sliders(self, question: ForeignQuestion, payload: Payload) -> Iterator[ForeignQuestion]:
        configuration = _mapping(payload.get("Configuration"))
        labels = self.labels(payload, "Choices")
        low, high = _decimal(configuration.get("CSSliderMin")) or Decimal(0), _decimal(configuration.get("CSSliderMax")) or Decimal(100)
        if payload.get("Labels"):
            self.report.add(
                "changed", "ends-lost", question.place, f"the words along the slider {question.name} are left out", of=question.name
            )
        for id, label in labels.items():
            part = self.part(question, id, label, "integer") if len(labels) > 1 else question
            part.rules = (*part.rules, *self.shown_by(payload, id, question.place))
            part.kind, part.min, part.max = "integer", min(low, high), max(low, high)
            yield part

    def sum(self, question: ForeignQuestion, payload: Payload, settings: Payload) -> Iterator[ForeignQuestion]:
        total = _whole(settings.get("ChoiceTotal"))
        if total:
            question.kind, question.total, question.rows = "constant_sum", total, self.rows(payload)
            yield question
            return
        for id, label in self.labels(payload, "Choices").items():
            part = self.part(question, id, label, "integer")
            part.rules = (*part.rules, *self.shown_by(payload, id, question.place))
            part.min, part.max = Decimal(0), Decimal(total or 100)
            yield part


def _blocks(elements: list[Payload]) -> dict[str, Payload]:
    found: dict[str, Payload] = {}
    for element in elements:
        if element.get("Element") == "BL":
            for block in _keyed(element.get("Payload")).values():
                found[str(_mapping(block).get("ID"))] = _mapping(block)
    return found


def _expressions(group: Payload) -> list[Payload]:
    return [_mapping(expression) for key, expression in group.items() if key.isdecimal()]


def _expression(expression: Payload) -> Node:
    """What stands in no answer becomes a function without an equal: the other side of an "or" may still decide."""
    kind = str(expression.get("LogicType", ""))
    if kind != "Question":
        return Call(NO_ANSWER, (Literal(kind),))
    locator = str(expression.get("ChoiceLocator") or expression.get("LeftOperand") or "")
    return _located(locator, str(expression.get("Operator", "")), expression.get("RightOperand"))


def _row(question: str, id: str) -> str:
    """How conditions call a row."""
    return f"{question}/{id}"


def _located(locator: str, operator: str, right: Any) -> Node:
    """The test on what a locator such as `q://QID1/SelectableChoice/2` names. Raises Untranslatable."""
    found = re.fullmatch(r"q://(QID\d+(?:#\d+)?)/(\w+)(?:/([\w~]+))?(?:/([\w~]+))?", locator.replace("%23", "#"))
    if found is None:
        raise Untranslatable("it names no question")
    name, what, first, second = found.groups()
    holds = not operator.startswith("Not")
    if what in ("SelectableChoice", "SelectableAnswer") and first:
        match operator:
            case "Selected" | "NotSelected" if second:
                return _meant(Binary("anyof", Ref(_row(name, first)), Listed((Literal(f"id:{second}"),))), holds)
            case "Selected" | "NotSelected":
                return _meant(Call("selected", (Ref(name), Literal(f"id:{first}"))), holds)
            case "Displayed" | "NotDisplayed" if not second:
                row = what == "SelectableChoice"
                return _meant(Call("displayed", (Ref(name), Literal(f"id:{first}"), Literal(_row(name, first) if row else ""))), holds)
            case _:
                pass
    if what in ("ChoiceTextEntryValue", "ChoiceNumericEntryValue", "QuestionText") and not first:
        if operator in _COMPARED and right is not None:
            return Binary(_COMPARED[operator], Ref(name), Literal(str(right), number=True))
        if operator in ("Empty", "NotEmpty"):
            return _meant(Call("empty", (Ref(name),)), holds)
    raise Untranslatable(f"{operator or 'this'} has no rule")


def _meant(node: Node, holds: bool) -> Node:
    return node if holds else Negation(node)


_COMPARED = {
    "EqualTo": "=",
    "NotEqualTo": "!=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}


def _mapping(value: Any) -> Payload:
    return cast("Payload", value) if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Payload]:
    items = cast("list[Any]", value) if isinstance(value, list) else list(_mapping(value).values())
    return [cast("Payload", item) for item in items if isinstance(item, dict)]


def _keyed(value: Any) -> dict[str, Any]:
    """An object by its keys, a list by places counted from 1, as Qualtrics does."""
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(cast("list[Any]", value), 1) if item is not None}
    return _mapping(value)


def _whole(value: Any) -> int | None:
    number = _decimal(value)
    return None if number is None else int(number)


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None
