"""What must hold of rules: they speak of earlier questions, of codes that exist, with operations that fit, and can hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from proto.authoring.desugar import rule as resolved_rule
from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.question_checks import real_date
from proto.authoring.rule_satisfiability import Reach
from proto.authoring.schema import AuthoredChoice, AuthoredConstantSum, AuthoredMatrix, AuthoredQuestion, AuthoredSurvey
from proto.comparisons import COMPARING, WITH_ANSWERS, is_date, order
from proto.instrument import (
    AnyQuestion,
    Closed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Measured,
    Multiple,
    Number,
    Numeric,
    Ranking,
    Rule,
    ShortText,
    Single,
)
from proto.parts import together

_OPERATIONS = {"in": "single", "not_in": "single", "any_in": "multiple", "any_row_in": "matrix"}
"""The tests on codes, and the type of question that each is for; `in` and `not_in` also for special values."""


def _operations(question: AnyQuestion) -> tuple[str, ...]:
    """The tests on codes that fit a question."""
    match question:
        case Single():
            return "in", "not_in"
        case Multiple():
            return ("any_in",)
        case Matrix():
            return ("any_row_in",)
        case Integer() | Numeric() | Date():
            return ("in", "not_in") if question.special else ()
        case Ranking() | ConstantSum() | ShortText() | LongText():
            return ()
        case _:
            assert_never(question)


class RuleChecks:
    """Adds to `faults` what is wrong with the rules of questions, derived variables, soft checks and quotas."""

    def __init__(self, survey: AuthoredSurvey, instrument: Instrument, position: Mapping[str, int], faults: Faults) -> None:
        self.survey = survey
        self.instrument = instrument
        self.position = position
        self.faults = faults
        self.derived = {derived.id: derived for derived in instrument.derived}

    def check(self) -> None:
        before = len(self.faults.found)
        shown: list[tuple[Rule, Path, str]] = []
        for derived, resolved in zip(self.survey.derived, self.instrument.derived, strict=True):
            self._rule(resolved.rule, (*self.faults.place(derived), "rule"), None, derived=True)
        for check, resolved in zip(self.survey.soft_checks, self.instrument.soft_checks, strict=True):
            path = (*self.faults.place(check), "when")
            self._rule(resolved.when, path, None)
            shown.append((resolved.when, path, f"the soft check {check.id}"))
        for section in self.survey.sections:
            if section.show_if is not None:
                path, own = (*self.faults.place(section), "show_if"), resolved_rule(section.show_if)
                first = (index for index, question in enumerate(self.survey.questions) if question.section == section.id)
                self._rule(own, path, next(first, None))
                shown.append((own, path, f"the section {section.id}"))
        for quota, resolved in zip(self.survey.quotas, self.instrument.quotas, strict=True):
            path = (*self.faults.place(quota), "when")
            self._rule(resolved.when, path, None)
            shown.append((resolved.when, path, f"the text of the quota {quota.id}"))
        for index, (written, question) in enumerate(zip(self.survey.questions, self.instrument.questions, strict=True)):
            if written.show_if is not None and question.show_if is not None:
                path = (*self.faults.place(written), "show_if")
                self._rule(resolved_rule(written.show_if), path, index)
                shown.append((question.show_if, path, f"the {'required ' if question.required else ''}question {question.id}"))
            shown += self._parts(written, question, index)
        for (index, written), note in zip(self.survey.notes, self.instrument.notes, strict=True):
            if written.show_if is not None and note.show_if is not None:
                path = (*self.faults.place(written), "show_if")
                self._rule(resolved_rule(written.show_if), path, index)
                shown.append((note.show_if, path, f"the note {note.id}"))
        if len(self.faults.found) == before and not any(self.faults.touched((part,)) for part in ("questions", "derived", "scales")):
            reach = Reach(self.instrument)
            for condition, path, what in shown:
                if not reach.can_hold(condition):
                    self.faults.add(path, f"{what} can never be shown: its rule never holds")

    def _parts(self, written: AuthoredQuestion, question: AnyQuestion, index: int) -> Iterator[tuple[Rule, Path, str]]:
        """Checks the rules of options and rows; returns what must be possible: that both question and part are shown."""
        options = written.options if isinstance(written, AuthoredChoice) else ()
        if isinstance(written, AuthoredChoice) and written.scale is not None:
            options = self.survey.scales.get(written.scale, ())
        rows = written.rows if isinstance(written, AuthoredMatrix | AuthoredConstantSum) else ()
        ruled = [part for part in (*options, *rows) if part.show_if is not None]
        for part in ruled:
            path = (*self.faults.place(part), "show_if")
            if isinstance(question, ConstantSum):
                self.faults.add(path, f"the rows of {question.id} share out a total, so all of them are there", "a rule of the question")
                continue
            if isinstance(question, Matrix) and part in options:
                self.faults.add(path, f"the options of {question.id} belong to all its rows", "a matrix has rules of rows")
                continue
            own = resolved_rule(part.show_if) if part.show_if is not None else Rule()
            self._rule(own, path, index)
            rule = together(resolved_rule(written.show_if) if written.show_if is not None else None, own)
            yield rule or own, path, f"{part.code} of {question.id}"
        most = question.rank_count if isinstance(question, Ranking) else question.min_choices if isinstance(question, Multiple) else 0
        always = len(options) - len(ruled)
        if ruled and most > max(1, always):
            message = f"{question.id} wants {most} options, and only {always} are there for everybody"
            self.faults.add(self.faults.place(written), message, "options with a rule may be missing")

    def _rule(self, rule: Rule, path: Path, before: int | None, derived: bool = False) -> None:
        """`before` is the position of the question that the rule shows: all it speaks of must come earlier."""
        forms = [rule.q is not None or rule.op is not None, bool(rule.all), bool(rule.any), rule.not_ is not None]
        if self.faults.touched(path) and not any(forms):
            return
        if sum(forms) != 1:
            self.faults.add(path, "a rule is one test with q and op, or one of all, any, not")
            return
        for key, children in (("all", rule.all), ("any", rule.any)):
            for index, child in enumerate(children):
                self._rule(child, (*path, key, index), before, derived)
        if rule.not_ is not None:
            self._rule(rule.not_, (*path, "not"), before, derived)
        if not forms[0]:
            return
        if rule.q is None or rule.op is None:
            missing = "q" if rule.q is None else "op"
            if not self.faults.touched((*path, missing)):
                self.faults.add(path, f"the test lacks {missing}", "for example {q: A01, op: answered}")
        elif rule.op != "derived":
            self._test(rule, rule.op, rule.q, path, before)
        elif derived:
            self.faults.add(path, "a derived variable is computed from answers, not from another derived variable")
        else:
            self._derived(rule, rule.q, path, before)

    def _derived(self, rule: Rule, name: str, path: Path, before: int | None) -> None:
        known = self.derived.get(name)
        if known is None:
            self.faults.add((*path, "q"), f"there is no derived variable {name}", nearest(name, list(self.derived)))
            return
        if not rule.value or not set(rule.value) <= {"0", "1"}:
            self.faults.add((*path, "value"), 'the value of a derived variable is "1" or "0"')
        if rule.rows:
            self.faults.add((*path, "rows"), "rows belong to any_row_in")
        for id in sorted(_mentioned(known.rule)):
            self._earlier(id, (*path, "q"), before)

    def _earlier(self, id: str, path: Path, before: int | None) -> None:
        if before is not None and self.position.get(id, -1) >= before:
            where = "to its own question" if self.position[id] == before else f"forward, to {id}"
            self.faults.add(path, f"the rule points {where}", "a question can depend on earlier ones only")

    def _test(self, rule: Rule, op: str, id: str, path: Path, before: int | None) -> None:
        position = self.position.get(id)
        if position is None:
            if id not in self.faults.lost:
                self.faults.add((*path, "q"), f"there is no question {id}", nearest(id, list(self.position)))
            return
        written, question = self.survey.questions[position], self.instrument.questions[position]
        place = self.faults.place(written)
        self._earlier(id, (*path, "q"), before)
        if not written.enabled:
            self.faults.add((*path, "q"), f"{id} is not enabled, so nobody answers it")
        if rule.rows and op != "any_row_in":
            self.faults.add((*path, "rows"), "rows belong to any_row_in")
        if rule.other is not None and op not in WITH_ANSWERS:
            self.faults.add((*path, "other"), f"other belongs to {' and '.join(WITH_ANSWERS)}")
        if op in COMPARING:
            self._comparison(rule, op, question, path, before)
            return
        if op == "answered":
            if rule.value:
                self.faults.add((*path, "value"), "answered takes no value")
            return
        if op not in _operations(question):
            self._unfit(op, question, (*path, "op"))
            return
        if not rule.value and not self.faults.touched((*path, "value")):
            self.faults.add(path, f"{op} needs a value", "a list of codes")
        if isinstance(question, Measured):
            self._known(rule.value, [option.code for option in question.special], f"{id} has no special value", (*path, "value"))
        if isinstance(question, Closed) and question.options and not self.faults.touched((*place, "options")):
            self._known(rule.value, [option.code for option in question.options], f"{id} has no code", (*path, "value"))
        if isinstance(question, Matrix) and not self.faults.touched((*place, "rows")):
            self._known(rule.rows, [row.code for row in question.rows], f"{id} has no row", (*path, "rows"))

    def _unfit(self, op: str, question: AnyQuestion, path: Path) -> None:
        if op in ("in", "not_in") and isinstance(question, Measured):
            message = f"{op} asks for special values, and {question.id} has none"
        else:
            message = f"{op} is for questions of type {_OPERATIONS[op]}, and {question.id} is none"
        self.faults.add(path, message, _fitting(question))

    def _comparison(self, rule: Rule, op: str, question: AnyQuestion, path: Path, before: int | None) -> None:
        if not isinstance(question, Number | Date | Multiple):
            message = f"{op} compares numbers, dates and how many were chosen, and {question.id} is none of these"
            self.faults.add((*path, "op"), message, _fitting(question))
        elif op in WITH_ANSWERS:
            self._two_answers(rule, op, question, path, before)
        elif len(rule.value) != (needed := 2 if op == "between" else 1):
            if not self.faults.touched((*path, "value")):
                self.faults.add((*path, "value"), f"{op} needs {'two values' if needed == 2 else 'one value'}", _example(question, needed))
        elif all(self._comparable(value, question, (*path, "value")) for value in rule.value) and order(rule.value[0], rule.value[-1]) == 1:
            self.faults.add((*path, "value"), f"{rule.value[0]} comes after {rule.value[-1]}", "the lower end comes first")

    def _comparable(self, value: str | float, question: AnyQuestion, path: Path) -> bool:
        if not isinstance(question, Date):
            if isinstance(value, str):
                self.faults.add(path, f"{value[:60]!r} is not a number", "write it without quotes")
            return not isinstance(value, str)
        if not isinstance(value, str) or not is_date(value) or not real_date(value):
            self.faults.add(path, f"{value!r} is not a date", _example(question, 1))
        elif len(value) > question.length:
            self.faults.add(path, f"{value} tells more than a {question.precision}, which {question.id} asks for")
        else:
            return True
        return False

    def _two_answers(self, rule: Rule, op: str, question: AnyQuestion, path: Path, before: int | None) -> None:
        if rule.value:
            self.faults.add((*path, "value"), f"{op} takes no value", "it compares with the answer to other")
        if rule.other is None:
            if not self.faults.touched((*path, "other")):
                self.faults.add(path, f"{op} needs other", f"for example {{q: {question.id}, op: {op}, other: A02}}")
            return
        position = self.position.get(rule.other)
        if position is None:
            if rule.other not in self.faults.lost:
                self.faults.add((*path, "other"), f"there is no question {rule.other}", nearest(rule.other, list(self.position)))
            return
        self._earlier(rule.other, (*path, "other"), before)
        if not self.survey.questions[position].enabled:
            self.faults.add((*path, "other"), f"{rule.other} is not enabled, so nobody answers it")
        other = self.instrument.questions[position]
        if isinstance(question, Date) != isinstance(other, Date) or not isinstance(other, Number | Date | Multiple):
            self.faults.add(
                (*path, "other"), f"{question.id} and {rule.other} cannot be compared", "numbers with numbers, dates with dates"
            )
        elif rule.other == question.id:
            self.faults.add((*path, "other"), f"{question.id} is compared with itself")

    def _known(self, names: tuple[str | float, ...], known: list[str], message: str, path: Path) -> None:
        for place, name in enumerate(names):
            if not isinstance(name, str):
                self.faults.add((*path, place), f"{name} is not read as text", f'write it in quotes: "{name}"')
            elif name not in known:
                self.faults.add(path, f"{message} {name[:60]}", nearest(name, known))


def _mentioned(rule: Rule) -> set[str]:
    inner = [*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])]
    own: set[str] = {rule.q} if rule.q else set()
    own |= {rule.other} if rule.other else set()
    return own.union(*(_mentioned(part) for part in inner))


def _fitting(question: AnyQuestion) -> str:
    comparing = COMPARING if isinstance(question, Number | Date | Multiple) else ()
    return f"fitting: {', '.join([*_operations(question), *comparing, 'answered'])}"


def _example(question: AnyQuestion, needed: int) -> str:
    one, other = ('"2026-01"', '"2026-11"') if isinstance(question, Date) else ("1", "5")
    return f"for example value: {one if needed == 1 else f'[{one}, {other}]'}"
