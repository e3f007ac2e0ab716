"""A neutral tree as a questionnaire of the author format, with a report of what is not as it was. Pure."""

from __future__ import annotations

import re
from typing import Any, assert_never

from deploy.cli.exchange.author_yaml import COMMENT
from deploy.cli.exchange.bounds import date_bounds, hierarchy, number_bounds
from deploy.cli.exchange.choices import NEVER, Refused, codes, row_codes, rows, written_options
from deploy.cli.exchange.expressions.formulas import formula
from deploy.cli.exchange.expressions.rules import Rule, all_of, not_of
from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Untranslatable
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow, ForeignSection, Form, Texts
from deploy.cli.exchange.naming import QuestionNames, slug, survey_id
from deploy.cli.exchange.old_names import renamed
from deploy.cli.exchange.report import Report, UnreadableForm, quote
from deploy.cli.exchange.roles import LANGUAGES, guess
from deploy.cli.exchange.scope import Growing, Placed, UntranslatableRule, decimals
from deploy.cli.exchange.settings import settings
from deploy.cli.exchange.texts import Filler
from proto.authoring.placeholders import MOST
from proto.authoring.schema import FORMAT
from proto.piping import escape
from proto.scores import in_order, numeric

Document = dict[str, Any]


def build(form: Form, report: Report, id: str = "") -> Document:
    """The questionnaire as a mapping for YAML; comments stand under `#`."""
    return _Builder(form, report).document(id)


class _Builder:
    def __init__(self, form: Form, report: Report) -> None:
        self.form = form
        self.report = report
        self.languages = form.languages or [form.language]
        self.here: ForeignQuestion | None = None
        self.fill = Filler(self.languages, form.language, self.piped)
        self.names = QuestionNames()
        self.growing = Growing(form)
        self.placed: dict[str, Placed] = {}
        self.entries: dict[str, Document] = {}
        self.called: dict[str, str] = {}
        self.role_of: dict[str, str] = {}
        self.roots: dict[str, str] = {}
        self.dependents: dict[str, list[str]] = {}
        self.reasons: dict[str, tuple[str, str, str]] = {}
        self.filtered: dict[str, tuple[str, str, str, str]] = {}
        self.hierarchies: dict[str, Any] = {}
        self.soft: list[Document] = []
        self.computed: list[Document] = []
        self.sections: list[Document] = []
        self.section_of: dict[str, str] = {}
        self.used: set[str] = set()
        self.notes: set[str] = set()

    def document(self, id: str) -> Document:
        form, kept = self.form, dict(self.form.kept)
        id = id or str(kept.pop("id", ""))
        kept.pop("id", None)
        title = self.fill(form.title, form.name or "Survey")
        introduction = self.fill(form.introduction)
        questions = [entry for question in form.questions if (entry := self.entry(question)) is not None]
        self.tell_rules()
        for check in form.soft_checks:
            self.soft_check(check.name, check.place, [check.when], check.text)
        if not form.ours and not any(language.partition("-")[0] in LANGUAGES for language in self.languages):
            message = f"no words of persons are known in {', '.join(self.languages)}: roles are guessed by kinds alone"
            self.report.add("review", "role-words", form.file, message)
        whole = settings(form, self.report, self.growing, self.fill, self.role_of)
        for language, count in self.fill.missing.items():
            message = f"{count} text{'s' if count != 1 else ''} {'are' if count != 1 else 'is'} missing in {language}"
            self.report.add("review", "untranslated", form.file, message, f"those in {form.language} stand in")
        document: Document = {
            "format": FORMAT,
            "id": id or survey_id(form.name, *form.title.values(), form.file.rsplit(".", 1)[0]),
            "version": "0.1.0",
            "source_language": form.language,
            "languages": self.languages,
            "title": title,
        }
        if introduction:
            document["introduction"] = introduction
        document |= whole
        if self.hierarchies:
            document["hierarchies"] = self.hierarchies
        if not any(entry.get("enabled", True) and entry["type"] != "note" for entry in questions):
            raise UnreadableForm("it asks nothing that can be asked here")
        document["sections"] = _inhabited(self.sections, questions) if "sections" not in kept else []
        document["questions"] = questions
        if self.computed:
            document["computed"] = self.computed
        if self.soft:
            document["soft_checks"] = self.soft
        self.count(questions)
        self.mark(document)
        return _in_order(_over(document, kept), _ORDER)

    # texts

    def piped(self, text: str) -> str:
        """The text with what shows an earlier answer; where that cannot be shown, three dots stand."""
        if not self.form.piped:
            return escape(text)

        def shown(match: re.Match[str]) -> str:
            name = next(group for group in match.groups() if group)
            placed = self.placed.get(name) or self.placed.get(self.called.get(name, ""))
            if placed is not None and placed.enabled and placed.closed and len(names) < MOST:
                names.append(placed.id)
                return f"{{{placed.id}}}"
            here = self.here
            place, of = (here.place, here.name) if here else (self.form.file, "")
            self.report.add("review", "piping-refused", place, f"the text shows {quote(match[0])}, which cannot be shown here", of=of)
            return "…"

        names: list[str] = []
        parts: list[str] = []
        end = 0
        for match in re.finditer(self.form.piped, text):
            parts += [escape(text[end : match.start()]), shown(match)]
            end = match.end()
        return "".join([*parts, escape(text[end:])])

    # questions

    def entry(self, question: ForeignQuestion) -> Document | None:
        self.here = question
        match question.kind:
            case "note":
                return self.note(question)
            case "computed":
                self.compute(question)
                return None
            case _:
                return self.asked(question)

    def asked(self, question: ForeignQuestion) -> Document | None:
        try:
            ours = codes(question, self.report, not self.form.ours) if question.kind in ("single", "multiple", "matrix", "ranking") else {}
            row_names = row_codes(question) if question.kind in ("matrix", "constant_sum") else {}
        except Refused as refusal:
            self.report.add("refused", refusal.key, question.place, f"{refusal}; it is left out", refusal.advice, question.name)
            self.growing.refuse(question)
            return None
        id, var = self.names.of(question.name)
        kept = dict(question.kept)
        id, var = str(kept.pop("id", id)), str(kept.pop("var", var))
        rule, enabled = self.shown(question)
        entry: Document = {
            "id": id,
            "var": var,
            "section": kept.pop("section", None) or self.section(question.section),
            "type": question.kind,
        }
        comments = [f"was: {' '.join(question.name.split())[:80]}"] if question.name not in (id, var) else []
        if question.required and enabled:
            entry["required"] = True
        if not enabled or not question.enabled:
            entry["enabled"] = False
        if isinstance(rule, dict):
            entry["show_if"] = rule
        entry["text"] = self.fill(question.text, question.name)
        help = self.fill(question.help)
        if help:
            entry["help"] = help
        entry |= self.own(question, ours, row_names)
        if question.name in self.filtered and enabled:
            place, what, source, reason = self.filtered[question.name]
            message = f"{what} is shown by {quote(source)}: {reason}. {question.name} is imported as not enabled"
            self.report.add("refused", "filter-refused", place, message, of=question.name)
            entry.pop("required", None)
            entry = {**entry, "enabled": False}
            enabled = False
        comments += self.privacy(question, entry)
        entry = _in_order(_over(entry, {key: value for key, value in kept.items() if key not in _MARKS}), _FIRST)
        if comments:
            entry[COMMENT] = comments
        self.entries[question.name] = entry
        asked = enabled and question.enabled
        closed = question.kind in ("single", "multiple") and entry.get("privacy", {}).get("role") != "identifying"
        self.placed[question.name] = Placed(id, asked, closed)
        self.called |= dict.fromkeys(question.aliases, question.name)
        if asked:
            self.growing.add(question, id, ours, row_names, entry)
            self.report.names += renamed(question, id, ours, row_names, self.form.format)
        else:
            self.growing.refuse(question)
            self.roots.setdefault(question.name, question.name)
        self.softly(question, rule, id, asked)
        return entry

    def own(self, question: ForeignQuestion, ours: dict[str, str], row_names: dict[str, str]) -> Document:
        """The keys that only this kind of question has."""
        match question.kind:
            case "single" | "multiple" | "matrix" | "ranking":
                return self.closed(question, ours, row_names)
            case "integer" | "numeric":
                entry = number_bounds(question, self.report, self.fill)
                if question.kind == "numeric":
                    entry["decimals"] = decimals(question)
                if question.unit:
                    entry["unit"] = self.fill(question.unit)
                return entry
            case "date":
                return date_bounds(question, self.report, self.fill)
            case "short_text" | "long_text":
                longest = 1_000 if question.kind == "short_text" else 20_000
                entry: Document = {} if question.max_chars is None else {"max_chars": max(1, min(question.max_chars, longest))}
                if question.pattern:
                    entry["pattern"] = question.pattern
                return entry
            case "constant_sum":
                entry = {"rows": rows(question, row_names, self.fill, lambda _: {}), "total": question.total or 100}
                if hidden := next((row for row in question.rows if row.show_if is not None), None):
                    shown = hidden.show_if or Condition("", question.place)
                    reason = "all rows of a sum are asked"
                    self.filtered[question.name] = (question.place, f"the row {hidden.code} of {question.name}", shown.source, reason)
                return entry | ({"unit": self.fill(question.unit)} if question.unit else {})
            case "note" | "computed":
                raise AssertionError(question.kind)
            case _:
                assert_never(question.kind)

    def closed(self, question: ForeignQuestion, ours: dict[str, str], row_names: dict[str, str]) -> Document:
        entry: Document = {}
        if question.kind in ("single", "matrix") and question.ordered:
            if in_order(code for code in ours.values() if code not in ("dk", "na", "pnts")):
                entry["ordered"] = True
            else:
                message = "these options look like a scale, but their codes go neither up nor down"
                self.report.add("review", "ordered?", question.place, message, "write ordered: true and codes in order", question.name)
        if question.kind == "multiple":
            count = len(question.options)
            if question.min_choices is not None and question.min_choices != 1:
                entry["min_choices"] = max(0, min(question.min_choices, count))
            if question.max_choices is not None and question.max_choices < count:
                entry["max_choices"] = max(1, question.max_choices, entry.get("min_choices", 1))
        if question.kind == "ranking":
            entry["rank_count"] = max(1, min(question.rank_count or len(question.options), len(question.options)))
        if question.randomise_options and question.kind != "matrix" and "ordered" not in entry:
            entry["randomise_options"] = True
        if question.kind == "matrix":
            entry["rows"] = rows(question, row_names, self.fill, lambda row: self.row_rule(question, row))
            if question.randomise_rows:
                entry["randomise_rows"] = True
        entry["options"] = written_options(question, ours, self.fill, lambda option: self.option_rule(question, option))
        if not entry["options"]:
            self.nothing(question, "option")
            entry["options"] = written_options(question, ours, self.fill, lambda _: {})
        if question.kind == "matrix" and not entry["rows"]:
            self.nothing(question, "row")
            entry["rows"] = rows(question, row_names, self.fill, lambda _: {})
        if question.kind == "ranking":
            self.ranked(question, entry)
        return entry

    def nothing(self, question: ForeignQuestion, what: str) -> None:
        """Refuses a question of which nobody would see an option or a row."""
        reason = "no answer meets any of them"
        self.filtered.setdefault(question.name, (question.place, f"each {what} of {question.name}", "rules of its own", reason))

    def ranked(self, question: ForeignQuestion, entry: Document) -> None:
        """Only as many places are asked for as there are options that everybody sees."""
        always = sum("show_if" not in option for option in entry["options"])
        if always == 0:
            place, what = question.place, f"each option of {question.name}"
            self.filtered.setdefault(question.name, (place, what, "rules of its own", "somebody might see none of them"))
            for option in entry["options"]:
                del option["show_if"]
        elif always < entry["rank_count"]:
            entry["rank_count"] = always
            message = f"{question.name} asks for the first {always}: so many options everybody sees"
            self.report.add("changed", "rank-approx", question.place, message, of=question.name)

    def option_rule(self, question: ForeignQuestion, option: ForeignOption) -> Document:
        entry: Document = {}
        if option.show_if is not None:
            entry |= self.part_rule(question, option.show_if, f"the option {option.code}")
        if option.specify:
            if question.kind in ("single", "multiple"):
                entry["specify"] = True
            else:
                message = f"the text behind the option {option.code} of {question.name} is left out"
                self.report.add("changed", "specify", question.place, message, of=question.name)
        if option.score is not None:
            message = f"the options of {question.name} are worth something in the source: write score beside them"
            self.report.add("review", "scores", question.place, message, of=question.name)
        return entry

    def row_rule(self, question: ForeignQuestion, row: ForeignRow) -> Document:
        if row.show_if is None:
            return {}
        return self.part_rule(question, row.show_if, f"the row {row.code}")

    def part_rule(self, question: ForeignQuestion, condition: Condition, what: str) -> Document:
        """`show_if` of an option or a row, if it has one; `NEVER` where no answer shows it.

        Where the rule is refused, the question is not asked: nobody sees what was not meant for them.
        """
        rule: Rule = True
        try:
            rule = self.growing.rule([condition])
        except UntranslatableRule as refusal:
            if refusal.unknown_code and isinstance(condition.node, Binary | Call):
                rule = False
            elif question.name not in self.reasons:
                self.filtered[question.name] = (condition.place, f"{what} of {question.name}", condition.source, refusal.reason)
            if rule is not False:
                return {}
        if rule is False:
            message = f"{what} of {question.name} is shown by {quote(condition.source)}, which no answer meets: it is left out"
            self.report.add("review", "never", condition.place, message, of=question.name)
            return {NEVER: True}
        return {"show_if": rule} if isinstance(rule, dict) else {}

    # rules

    def shown(self, question: ForeignQuestion) -> tuple[Rule, bool]:
        """The rule of a question, and whether it can be asked."""
        if "show_if" in question.kept:
            kept: Any = question.kept["show_if"]
            return kept or True, True
        if not question.rules:
            return True, True
        self.report.outcome.rules += 1
        self.growing.changed = False
        try:
            rule = self.growing.rule(question.rules)
        except UntranslatableRule as refusal:
            root = self.roots.get(refusal.needs, refusal.needs)
            self.roots[question.name] = root or question.name
            if root in self.reasons:
                self.dependents.setdefault(root, []).append(question.name)
            self.reasons[question.name] = (refusal.condition.place, refusal.condition.source, refusal.reason)
            return True, False
        self.report.outcome.rules_kept += 1
        if self.growing.changed:
            condition = question.rules[0]
            self.report.add(
                "changed", "rule", condition.place, f"the rule {quote(condition.source)} is written in another form", of=question.name
            )
        if rule is False:
            self.report.add("changed", "never", question.place, f"{question.name} is never shown: enabled: false", of=question.name)
            self.roots[question.name] = question.name
            return True, False
        return rule, True

    def tell_rules(self) -> None:
        """One finding for each refused rule, with all questions that are not asked for its sake."""
        for name, (place, source, reason) in self.reasons.items():
            root = self.roots.get(name, name)
            if root != name and root in self.reasons:
                left = "left out" if name in self.notes else "imported as not enabled"
                message = f"{name} depends on {root}, which is not asked, so it is {left}"
                self.report.add("refused", "depends", place, message, of=name)
                continue
            others = self.dependents.get(name, [])
            left = "left out" if name in self.notes else "imported as not enabled"
            message = f"{name} is shown by {quote(source)}: {reason}. It is {left}"
            message += f", and so {'is' if len(others) == 1 else 'are'} {', '.join(others)}" if others else ""
            self.report.add("refused", "rule-refused", place, message, of=name)

    def softly(self, question: ForeignQuestion, rule: Rule, id: str, asked: bool) -> None:
        """A reminder where the source asks for an answer softly, or under a condition."""
        if not asked or not (question.asked_softly or question.required_if):
            return
        conditions = [question.required_if] if question.required_if else []
        text = question.text or dict.fromkeys(self.languages, question.name)
        absent = not_of({"q": id, "op": "answered"})
        shown = [rule] if isinstance(rule, dict) else []
        if self.soft_check(f"{question.name}_missing", question.place, conditions, text, [*shown, absent]):
            message = f"{question.name} is asked for softly or by a rule: a reminder that does not block stands for it"
            self.report.add("changed", "soft", question.place, message, of=question.name)

    def soft_check(self, name: str, place: str, conditions: list[Condition], text: Texts, besides: list[Rule] | None = None) -> bool:
        try:
            rule = all_of([*(besides or []), self.growing.rule(conditions)])
        except UntranslatableRule as refusal:
            message = f"the check {quote(refusal.condition.source)} is left out: {refusal.reason}"
            self.report.add("changed", "check-dropped", place, message)
            return False
        if not isinstance(rule, dict):
            return False
        taken = {check["id"] for check in self.soft}
        base = (re.sub(r"^[^a-z]+", "", slug(name).lower()) or "check")[:28].rstrip("_")
        id, number = base, 2
        while id in taken:
            id, number = f"{base}_{number}", number + 1
        self.soft.append({"id": id, "when": rule, "text": self.fill(text, name)})
        return True

    # notes and computed values

    def note(self, question: ForeignQuestion) -> Document | None:
        if not any(question.text.values()):
            return None
        self.notes.add(question.name)
        rule, enabled = self.shown(question)
        if not enabled:
            return None
        id, _ = self.names.of(question.name)
        kept = dict(question.kept)
        entry: Document = {"id": kept.pop("id", id), "section": kept.pop("section", None) or self.section(question.section), "type": "note"}
        if isinstance(rule, dict):
            entry["show_if"] = rule
        entry["text"] = self.fill(question.text, question.name)
        return _over(entry, kept)

    def compute(self, question: ForeignQuestion) -> None:
        condition = question.formula or Condition("", question.place, None, "nothing is computed")
        try:
            if condition.node is None:
                raise Untranslatable(condition.reason)
            found = formula(condition.node, self.growing.scope())
        except Untranslatable as refusal:
            self.growing.refuse(question)
            message = f"{question.name} computes {quote(condition.source)}, and is left out: {refusal.reason}"
            self.report.add("dropped", "formula-refused", question.place, message, of=question.name)
            return
        id, var = self.names.of(question.name)
        entry: Document = {"id": id, "var": var, "label": self.fill(question.text, question.name), "op": found.op, "of": list(found.of)}
        roles = {self.role_of.get(part, "insensitive") for part in found.of}
        role = "identifying" if roles & {"identifying", "quasi_identifier"} else "sensitive" if "sensitive" in roles else "insensitive"
        entry |= {"least": found.least, "decimals": 2, "privacy": {"role": role}, COMMENT: ["review: role"]}
        self.report.add("review", "role", question.place, f"the role of {id} is a guess: {role}")
        self.computed.append(entry)
        self.growing.add(question, id, {}, {})

    # sections

    def section(self, key: str) -> str:
        """The id of a section; one that comes a second time, after another, is a section of its own."""
        current = self.sections[-1]["id"] if self.sections else ""
        if self.section_of.get(key) == current and current:
            return current
        source = next((section for section in self.form.sections if section.key == key), ForeignSection(key=key, text=self.form.title))
        base = re.sub(r"^[^A-Za-z]+", "", slug(key))[:56] or "Questions"
        id, number = base, 2
        while id in self.used:
            id, number = f"{base}_{number}", number + 1
        self.used.add(id)
        self.section_of[key] = id
        here, self.here = self.here, None
        text = self.fill(source.text, key or self.form.name or "Questions")
        self.here = here
        self.sections.append({"id": id, "text": text})
        return id

    # privacy

    def privacy(self, question: ForeignQuestion, entry: Document) -> list[str]:
        """Adds role and statistics; returns the comments that ask for a review."""
        if "privacy" in question.kept:
            return []
        role = guess(question)
        privacy: Document = {"role": role}
        comments = ["review: role"]
        if role == "quasi_identifier":
            name, levels = hierarchy(question, entry)
            self.hierarchies[name] = levels
            privacy["hierarchy"] = name
            comments.append('TODO: levels between the answer and "*" in its hierarchy')
        if role == "identifying":
            comments.append("for contact use contact_form; this would never be released")
        entry["privacy"] = privacy
        self.role_of[entry["id"]] = role
        entry["stats"] = _stats(entry)
        self.report.add("review", "role", question.place, f"the role of {entry['id']} is a guess: {role}")
        self.report.roles.setdefault(role, []).append(entry["id"])
        return comments

    def mark(self, document: Document) -> None:
        """Puts every guess into the file, at its question or at the top, where publishing looks for marks."""
        for finding in self.report.findings:
            if finding.level == "review" and finding.key != "role":
                entry = self.entries.get(finding.of, document)
                entry.setdefault(COMMENT, []).append(f"review: {finding.message}")

    def count(self, questions: list[Document]) -> None:
        """How many questions are as they were."""
        outcome, touched = self.report.outcome, self.report.touched()
        enabled = {name for name, placed in self.placed.items() if placed.enabled}
        for question in self.form.questions:
            if question.kind in ("note", "computed"):
                continue
            outcome.asked += 1
            outcome.askable += 1
            levels = touched.get(question.name, set())
            if question.name not in enabled:
                if question.name in self.placed and not question.enabled:
                    outcome.changed += 1
                    outcome.askable -= 1
                else:
                    outcome.refused += 1
                continue
            outcome.enabled += 1
            if levels & {"changed", "review", "refused"}:
                outcome.changed += 1
            else:
                outcome.whole += 1


_ORDER = (
    COMMENT,
    "format", "id", "version", "source_language", "languages", "title", "introduction", "definitions", "notice", "data_protection",
    "accessibility", "contact_form", "participation", "opens", "closes", "listed", "licence", "estimated_minutes", "unit_of_response",
    "one_question_per_page", "hierarchies", "sections", "questions", "computed", "derived", "strata", "soft_checks", "quotas", "headlines",
    "margins", "policy",
)  # fmt: skip
_FIRST = ("id", "var", "section", "type", "required", "enabled", "show_if", "text", "help")
_MARKS = frozenset({"row", "specify", "soft_check", "introduction"})
"""What an export of ours notes for its reading back; no keys of the author format."""


def _inhabited(sections: list[Document], questions: list[Document]) -> list[Document]:
    """The sections that ask something; what is not enabled moves to the one before, or to the first."""
    asking = {entry["section"] for entry in questions if entry.get("enabled", True) and entry["type"] != "note"}
    kept = [section for section in sections if section["id"] in asking]
    current = kept[0]["id"]
    for entry in questions:
        if entry["section"] in asking:
            current = entry["section"]
        else:
            entry["section"] = current
    return kept


def _over(made: Document, kept: Document) -> Document:
    """What was made, with the keys that an export of ours kept; None takes a key away."""
    return {key: value for key, value in {**made, **kept}.items() if value is not None}


def _in_order(entry: Document, first: tuple[str, ...]) -> Document:
    return {key: entry[key] for key in dict.fromkeys([*first, *entry]) if key in entry}


def _stats(entry: Document) -> list[str]:
    """What can be published of a question without more decisions of its author."""
    match entry["type"]:
        case "single" | "matrix" if entry.get("ordered") and numeric({o["code"] for o in entry["options"]} - {"dk", "na", "pnts"}):
            return ["count", "share", "mean"]
        case "single" | "multiple" | "matrix":
            return ["count", "share"]
        case "ranking":
            return ["count", "rank_score"]
        case "integer" | "numeric" if "bands" in entry:
            return ["count", "distribution", "mean", "median"]
        case _:
            return ["count"]
