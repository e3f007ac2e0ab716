"""Which questions a condition can speak of while a questionnaire is rewritten from its first question to its last. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec

from deploy.cli.exchange.expressions.rules import Rule, Scope, Target, all_of, translate
from deploy.cli.exchange.expressions.tree import Condition, Untranslatable
from deploy.cli.exchange.model import ForeignQuestion, Form


class UntranslatableRule(Exception):
    """A condition without an equal. `needs`: the foreign name of the question that is not asked."""

    def __init__(self, condition: Condition, reason: str, needs: str = "", unknown_code: bool = False) -> None:
        super().__init__(reason)
        self.unknown_code = unknown_code
        self.condition = condition
        self.reason = reason
        self.needs = needs


class Growing:
    """The questions so far. Those that are not enabled are known by name only."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._targets: dict[str, Target] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._refused: set[str] = set(form.left_out)
        self._later: set[str] = {name for question in form.questions for name in _called(question)}
        self.changed = False

    def scope(self) -> Scope:
        return Scope(
            targets=self._targets,
            parts=self._parts,
            later=frozenset(self._later),
            refused=frozenset(self._refused),
            loose=self._form.loose,
            joint=self._form.joint,
            numbered=self._form.numbered,
        )

    def refuse(self, question: ForeignQuestion) -> None:
        names = _called(question)
        self._later -= names
        self._refused |= names

    def add(
        self,
        question: ForeignQuestion,
        id: str,
        codes: Mapping[str, str],
        rows: Mapping[str, str],
        entry: Mapping[str, Any] | None = None,
    ) -> None:
        """`entry`: the question as it was written, if its options and rows can be spoken of as shown or not."""
        names = {question.name, *question.aliases}
        self._later -= _called(question)
        called = dict(codes) | {alias: codes[option.code] for option in question.options for alias in option.aliases}
        self._parts |= {alias: (question.name, row.code) for row in question.rows for alias in row.aliases}
        target = _target(question, id, called, rows)
        if target is not None and entry is not None:
            whole = entry.get("rank_count") == len(question.options)
            target = msgspec.structs.replace(target, displayed=_displayed(question, entry, codes, rows), all_ranked=whole)
        for name in names:
            if target is not None:
                self._targets[name] = target
            else:
                self._refused.add(name)

    def rule(self, conditions: Iterable[Condition]) -> Rule:
        """Raises UntranslatableRule."""
        scope = self.scope()
        parts: list[Rule] = []
        for condition in conditions:
            if condition.node is None:
                raise UntranslatableRule(condition, condition.reason)
            try:
                translated = translate(condition.node, scope)
            except Untranslatable as refusal:
                raise UntranslatableRule(condition, refusal.reason, refusal.needs, refusal.unknown_code) from None
            self.changed = self.changed or translated.changed
            parts.append(translated.rule)
        rule = all_of(parts)
        if _values(rule) & {"today"}:
            raise UntranslatableRule(next(iter(conditions)), "the day of answering has no rule")
        return rule


def _displayed(question: ForeignQuestion, entry: Mapping[str, Any], codes: Mapping[str, str], rows: Mapping[str, str]) -> dict[str, Rule]:
    """When each option and row is shown, by its foreign code and its aliases; one that was left out never is."""
    own: Rule = entry.get("show_if", True)
    found: dict[str, Rule] = {}
    for parts, ours, key in ((question.rows, rows, "rows"), (question.options, codes, "options")):
        shown = {part["code"]: part.get("show_if", True) for part in entry.get(key, [])}
        for part in parts:
            rule = all_of([own, shown.get(ours[part.code], False)])
            found |= dict.fromkeys([part.code, *part.aliases], rule)
    return found


def _called(question: ForeignQuestion) -> set[str]:
    """The names by which conditions call a question or one of its rows."""
    return {question.name, *question.aliases, *(alias for row in question.rows for alias in row.aliases)}


def _values(rule: Rule) -> set[Any]:
    """What a rule compares answers with."""
    if isinstance(rule, bool):
        return set()
    inner = [*rule.get("all", []), *rule.get("any", []), *([rule["not"]] if "not" in rule else [])]
    return {*rule.get("value", []), *(value for part in inner for value in _values(part))}


def _target(question: ForeignQuestion, id: str, codes: Mapping[str, str], rows: Mapping[str, str]) -> Target | None:
    own = cast("list[dict[str, Any]]", question.kept.get("special") or [])
    specials = special_codes(question) | {str(special["code"]): str(special["code"]) for special in own}
    match question.kind:
        case "single" | "multiple" | "matrix" | "ranking":
            return Target(id=id, kind=question.kind, codes=codes, rows=rows)
        case "integer":
            return Target(id=id, kind="number", specials=specials)
        case "numeric":
            return Target(id=id, kind="number", specials=specials, step=Decimal(10) ** -decimals(question))
        case "date":
            return Target(id=id, kind="date", specials=specials, digits={"day": 10, "month": 7, "year": 4}[question.precision])
        case "short_text" | "long_text":
            return Target(id=id, kind="text")
        case "computed":
            return Target(id=id, kind="computed")
        case "constant_sum":
            return Target(id=id, kind="shares", rows=rows)
        case "note":
            return None


def special_codes(question: ForeignQuestion) -> dict[str, str]:
    """Our code for each value beside the range of a number or date."""
    codes = ("dk", "pnts", "na")
    values = dict.fromkeys(special.value for special in question.specials)
    return {value: codes[place] if place < len(codes) else f"special_{place}" for place, value in enumerate(values)}


def decimals(question: ForeignQuestion) -> int:
    """Decimal places of a number: as the source says, or two."""
    return 2 if question.decimals is None else min(max(question.decimals, 0), 4)


class Placed(msgspec.Struct, frozen=True):
    """A question that was written. `closed`: later texts may show its answer."""

    id: str
    enabled: bool
    closed: bool
