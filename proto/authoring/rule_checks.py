"""What must hold of rules: they speak of earlier questions, of codes that exist, with operations that fit, and can hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.rule_satisfiability import Reach
from proto.authoring.schema import AuthoredSurvey
from proto.instrument import Closed, Instrument, Matrix, Multiple, Question, Rule, Single

_OPERATIONS: dict[str, tuple[type[Question], str]] = {
    "in": (Single, "single"),
    "not_in": (Single, "single"),
    "any_in": (Multiple, "multiple"),
    "any_row_in": (Matrix, "matrix"),
}


class RuleChecks:
    """Adds to `faults` what is wrong with the rules of questions, derived variables and soft checks."""

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
        for index, (written, question) in enumerate(zip(self.survey.questions, self.instrument.questions, strict=True)):
            if question.show_if is not None:
                path = (*self.faults.place(written), "show_if")
                self._rule(question.show_if, path, index)
                shown.append((question.show_if, path, f"the {'required ' if question.required else ''}question {question.id}"))
        if len(self.faults.found) == before and not any(self.faults.touched((part,)) for part in ("questions", "derived", "scales")):
            reach = Reach(self.instrument)
            for rule, path, what in shown:
                if not reach.can_hold(rule):
                    self.faults.add(path, f"{what} can never be shown: its rule never holds")

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
        if op == "answered":
            if rule.value:
                self.faults.add((*path, "value"), "answered takes no value")
            return
        kind, name = _OPERATIONS[op]
        if not isinstance(question, kind):
            fitting = [op for op, (fitting_kind, _) in _OPERATIONS.items() if isinstance(question, fitting_kind)]
            advice = f"fitting: {', '.join([*fitting, 'answered'])}"
            self.faults.add((*path, "op"), f"{op} is for questions of type {name}, and {id} is none", advice)
            return
        if not rule.value and not self.faults.touched((*path, "value")):
            self.faults.add(path, f"{op} needs a value", "a list of codes")
        if isinstance(question, Closed) and question.options and not self.faults.touched((*place, "options")):
            self._known(rule.value, [option.code for option in question.options], f"{id} has no code", (*path, "value"))
        if isinstance(question, Matrix) and not self.faults.touched((*place, "rows")):
            self._known(rule.rows, [row.code for row in question.rows], f"{id} has no row", (*path, "rows"))

    def _known(self, names: tuple[str, ...], known: list[str], message: str, path: Path) -> None:
        for name in names:
            if name not in known:
                self.faults.add(path, f"{message} {name[:60]}", nearest(name, known))


def _mentioned(rule: Rule) -> set[str]:
    inner = [*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])]
    own: set[str] = {rule.q} if rule.q else set()
    return own.union(*(_mentioned(part) for part in inner))
