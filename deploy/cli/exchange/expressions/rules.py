"""Conditions of other tools as rules of the author format: the same answers meet both. Pure.

A rule is a mapping as an author writes it, or True or False where it holds always or never.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, assert_never
from typing import Literal as Among

import msgspec

from deploy.cli.exchange.expressions.tree import Binary, Call, Listed, Literal, Negation, Node, Ref, Truth, Untranslatable
from proto.authoring.parse import nearest

Rule = dict[str, Any] | bool

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_REFUSED = {
    "regex": "patterns have no rule",
    "regexMatch": "patterns have no rule",
    "contains": "part of a text has no rule",
    "position": "a repeat has no places here",
    "datediff": "a distance of days has no rule",
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A question that conditions can speak of.

    `codes` and `rows` map foreign codes to ours. `step` is the distance of the numbers that can be given.
    """

    id: str
    kind: Among["single", "multiple", "matrix", "ranking", "number", "date", "text", "computed", "shares"]
    codes: Mapping[str, str] = {}
    rows: Mapping[str, str] = {}
    specials: Mapping[str, str] = {}
    step: Decimal = Decimal(1)
    digits: int = 10
    """Characters of a date that is asked for: 4 of a year, 7 of a month, 10 of a day."""
    all_ranked: bool = False
    """Whoever answers a ranking puts all of its options in order."""
    displayed: Mapping[str, Rule] = {}
    """When each option or row is shown, with its question."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition may speak of: questions before it by foreign name. `later` and `refused` hold the names of the others."""

    targets: Mapping[str, Target]
    parts: Mapping[str, tuple[str, str]] = {}
    """Names that stand for a row of a question."""
    later: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    loose: bool = False
    """A number in quotes equals one without."""
    joint: str = ""
    """Parts of questions are written with their question, and this between: `Q1_SQ1`."""
    numbered: Mapping[str, str] = {}
    """Beginnings of references that are numbers, `111X2X3`, and the question of each; what follows is a part."""

    def find(self, ref: Ref) -> tuple[Target, str]:
        """The question and the option or row of it. Raises Untranslatable."""
        if ref.name in self.targets:
            return self.targets[ref.name], ref.part
        if ref.name in self.parts and not ref.part:
            return self.find(Ref(*self.parts[ref.name]))
        if ref.name in self.later:
            raise Untranslatable(f"{ref.name} stands after it")
        if ref.name in self.refused:
            raise Untranslatable(f"{ref.name} is not asked", ref.name)
        if self.joint:
            places = [at for at, sign in enumerate(ref.name) if sign == self.joint]
            for at in reversed(places):
                if ref.name[:at] in self.targets:
                    return self.targets[ref.name[:at]], ref.name[at + 1 :]
                if ref.name[:at] in self.refused:
                    raise Untranslatable(f"{ref.name[:at]} is not asked", ref.name[:at])
        beginning = max((known for known in self.numbered if ref.name.startswith(known)), key=len, default="")
        if beginning:
            return self.find(Ref(self.numbered[beginning], ref.name[len(beginning) :]))
        advice = nearest(ref.name, list(self.targets))
        raise Untranslatable(f"there is no question {ref.name}" + (f" ({advice})" if advice.startswith("did") else ""))


class Translated(msgspec.Struct, frozen=True):
    """`changed`: the rule says the same in another form."""

    rule: Rule
    changed: bool = False


def translate(node: Node, scope: Scope) -> Translated:
    """Raises Untranslatable."""
    translator = _Translator(scope)
    return Translated(translator.rule(node), translator.changed)


def all_of(parts: Sequence[Rule]) -> Rule:
    flat: list[dict[str, Any]] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            flat += part["all"] if set(part) == {"all"} else [part]
    joined: list[dict[str, Any]] = []
    for part in flat:
        if part in joined:
            continue
        partner = next((other for other in joined if _bounds(other, part)), None)
        if partner is None:
            joined.append(part)
        else:
            low, high = (partner, part) if partner["op"] == "at_least" else (part, partner)
            joined[joined.index(partner)] = {"q": part["q"], "op": "between", "value": [*low["value"], *high["value"]]}
    if not joined:
        return True
    return joined[0] if len(joined) == 1 else {"all": joined}


def _bounds(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.get("q") == other.get("q") and {one.get("op"), other.get("op")} == {"at_least", "at_most"}


def any_of(parts: Sequence[Rule]) -> Rule:
    flat: list[dict[str, Any]] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            flat += part["any"] if set(part) == {"any"} else [part]
    joined: list[dict[str, Any]] = []
    for part in flat:
        if part in joined:
            continue
        same = [other for other in joined if _joins(other, part)]
        if same:
            values = list(dict.fromkeys([*same[0]["value"], *part["value"]]))
            joined[joined.index(same[0])] = {**same[0], "value": values}
        else:
            joined.append(part)
    if not joined:
        return False
    return joined[0] if len(joined) == 1 else {"any": joined}


def _joins(one: dict[str, Any], other: dict[str, Any]) -> bool:
    kept = ("q", "op", "rows")
    return one.get("op") in ("in", "any_in", "any_row_in") and all(one.get(key) == other.get(key) for key in kept)


def not_of(part: Rule) -> Rule:
    if isinstance(part, bool):
        return not part
    return part["not"] if set(part) == {"not"} else {"not": part}


class _Translator:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.changed = False

    def rule(self, node: Node) -> Rule:
        match node:
            case Truth():
                return node.value
            case Negation():
                return not_of(self.rule(node.inner))
            case Binary(op="and"):
                return self.joined(node, all_of, False)
            case Binary(op="or"):
                return self.joined(node, any_of, True)
            case Binary(op="contains" | "notcontains" | "anyof" | "allof" | "noneof"):
                return self.choice(node.op, node.left, node.right)
            case Binary(op="+" | "-" | "*" | "/"):
                raise Untranslatable("it computes")
            case Binary():
                return self.compared(node.op, node.left, node.right)
            case Call():
                return self.called(node)
            case Ref():
                return self.truth(node)
            case Literal():
                if node.number and node.text in ("1", "0"):
                    return node.text == "1"
                raise Untranslatable("it speaks of no answer")
            case Listed():
                raise Untranslatable("a list is no condition")
            case _:
                assert_never(node)

    def joined(self, node: Binary, join: Callable[[Sequence[Rule]], Rule], decisive: bool) -> Rule:
        """Both sides. What one side alone decides needs no equal of the other."""
        parts: list[Rule] = []
        refused: Untranslatable | None = None
        for side in (node.left, node.right):
            try:
                parts.append(self.rule(side))
            except Untranslatable as refusal:
                refused = refused or refusal
        if refused is not None and decisive not in [part for part in parts if isinstance(part, bool)]:
            raise refused
        return decisive if refused is not None else join(parts)

    def found(self, ref: Ref) -> tuple[Target, str]:
        self.changed = self.changed or ref.path
        return self.scope.find(ref)

    def truth(self, ref: Ref) -> Rule:
        target, part = self.found(ref)
        if target.kind == "single" and not part and "true" in target.codes:
            return {"q": target.id, "op": "in", "value": [target.codes["true"]]}
        raise Untranslatable(f"{ref.name} stands without a comparison")

    def called(self, call: Call) -> Rule:
        match call.name, call.arguments:
            case "selected" | "choice", (Ref() as ref, Literal() as literal):
                return self.chosen(ref, [literal])
            case "empty" | "is_empty", (Ref() as ref,):
                return not_of(self.answered(ref))
            case "if" | "iif", (condition, Truth(True), Truth(False)):
                self.changed = True
                return self.rule(condition)
            case "if" | "iif", (condition, Truth(False), Truth(True)):
                self.changed = True
                return not_of(self.rule(condition))
            case "displayed", (Ref() as ref, Literal() as option, Literal() as row):
                return self.displayed(ref, option.text, row.text)
            case "no answer", (Literal() as what,):
                raise Untranslatable(f"it asks about {what.text}, which is no answer")
            case "boolean", (inner,):
                return self.rule(inner)
            case _:
                raise Untranslatable(_REFUSED.get(call.name, f"the function {call.name} has no rule"))

    def answered(self, ref: Ref) -> Rule:
        target, part = self.found(ref)
        if not part or (target.kind == "shares" and part in target.rows):
            return {"q": target.id, "op": "answered"}
        if target.kind == "multiple" and part in target.codes:
            return {"q": target.id, "op": "any_in", "value": [target.codes[part]]}
        if target.kind == "matrix" and part in target.rows:
            return {"q": target.id, "op": "any_row_in", "value": list(dict.fromkeys(target.codes.values())), "rows": [target.rows[part]]}
        if target.kind == "ranking" and part in target.codes and target.all_ranked:
            self.changed = True
            return {"q": target.id, "op": "answered"}
        raise Untranslatable(_no_part(target, part))

    def displayed(self, ref: Ref, option: str, row: str) -> Rule:
        """When an option, or a row of a grid, is shown."""
        target, _ = self.found(ref)
        shown = row if target.kind in ("matrix", "shares") and row else option
        if shown not in target.displayed:
            raise Untranslatable(_no_part(target, shown))
        self.changed = True
        return target.displayed[shown]

    def chosen(self, ref: Ref, literals: Sequence[Literal]) -> Rule:
        target, part = self.found(ref)
        if part:
            raise Untranslatable(f"{part} of {ref.name} is no choice")
        if target.kind not in ("single", "multiple"):
            raise Untranslatable(f"{ref.name} is no choice")
        op = "in" if target.kind == "single" else "any_in"
        return {"q": target.id, "op": op, "value": list(dict.fromkeys(self.code(target, ref, literal) for literal in literals))}

    def choice(self, op: str, left: Node, right: Node) -> Rule:
        if not isinstance(left, Ref):
            raise Untranslatable("it speaks of no answer")
        literals: list[Literal] = []
        for item in right.items if isinstance(right, Listed) else (right,):
            if not isinstance(item, Literal):
                raise Untranslatable("it compares with something that is no code")
            literals.append(item)
        target, part = self.found(left)
        if target.kind == "text":
            raise Untranslatable("part of a text has no rule")
        if part and target.kind == "matrix" and op in ("anyof", "noneof"):
            joined = any_of([self.equal(left, literal) for literal in literals])
            return joined if op == "anyof" else not_of(joined)
        match op:
            case "contains" | "anyof":
                return self.chosen(left, literals)
            case "allof":
                return all_of([self.chosen(left, [literal]) for literal in literals])
            case "notcontains":
                return not_of(self.chosen(left, literals))
            case _ if target.kind == "single":
                rule = self.chosen(left, literals)
                assert isinstance(rule, dict)
                return {**rule, "op": "not_in"}
            case _:
                return not_of(self.chosen(left, literals))

    def compared(self, op: str, left: Node, right: Node) -> Rule:
        if isinstance(left, Literal | Truth) and not isinstance(right, Literal | Truth):
            return self.compared(_MIRRORED[op], right, left)
        match left, right:
            case Literal(), Literal() if op in ("=", "!="):
                return (left.text == right.text) == (op == "=")
            case Ref(), Ref():
                raise Untranslatable("it compares two answers")
            case Ref(), Literal(text="") if op in ("=", "!="):
                return self.answered(left) if op == "!=" else not_of(self.answered(left))
            case Ref(), Truth():
                return self.compared(op, left, Literal("true" if right.value else "false"))
            case Ref(), Literal() if op == "=":
                return self.equal(left, right)
            case Ref(), Literal() if op == "!=":
                return self.unequal(left, right)
            case Ref(), Literal() | Call():
                return self.bounded(op, left, right)
            case Call(name="count-selected" | "countInArray", arguments=(Ref() as ref,)), Literal():
                return self.count(op, ref, right)
            case Call(name="string-length" | "strlen", arguments=(Ref() as ref,)), Literal() if (op, right.text) in _FILLED:
                return self.answered(ref) if _FILLED[op, right.text] else not_of(self.answered(ref))
            case Call(name="coalesce" | "once", arguments=(Ref() as ref, Literal() as other)), Literal() if op == "=":
                self.changed = True
                equal = self.equal(ref, right)
                return equal if other.text != right.text else any_of([equal, not_of(self.answered(ref))])
            case Call(name="selected", arguments=(Ref(), Literal())), Truth() | Literal():
                rule = self.rule(left)
                yes = right.value if isinstance(right, Truth) else right.text in ("1", "true")
                return rule if yes == (op == "=") else not_of(rule)
            case Binary(), _:
                raise Untranslatable("it computes")
            case Call(), _:
                if any(isinstance(argument, Ref) for argument in left.arguments):
                    raise Untranslatable(_REFUSED.get(left.name, f"the function {left.name} has no rule"))
                raise Untranslatable("it speaks of no answer")
            case _, Listed():
                raise Untranslatable("it asks for exactly these choices")
            case _:
                raise Untranslatable("it speaks of no answer")

    def equal(self, ref: Ref, literal: Literal) -> Rule:
        target, part = self.found(ref)
        match target.kind:
            case "single" if not part:
                return {"q": target.id, "op": "in", "value": [self.code(target, ref, literal)]}
            case "multiple" if part:
                return self.ticked(target, part, literal)
            case "multiple":
                raise Untranslatable(f"on several choices = means exactly these; meant may be that {literal.text} is among them")
            case "matrix" if part:
                if part not in target.rows:
                    raise Untranslatable(_no_part(target, part))
                codes = [self.code(target, ref, literal)]
                return {"q": target.id, "op": "any_row_in", "value": codes, "rows": [target.rows[part]]}
            case "number" | "date" if not part and literal.text in target.specials:
                return {"q": target.id, "op": "in", "value": [target.specials[literal.text]]}
            case "number" | "computed" | "date" if not part:
                value = _period(literal, target) or self.amount(target, ref, literal)
                if isinstance(value, str) and len(value) != target.digits:
                    raise Untranslatable(f"{ref.name} is no day")
                return {"q": target.id, "op": "between", "value": [value, value]}
            case "text" if not part:
                raise Untranslatable(f"{ref.name} is a text, which has no codes")
            case _:
                raise Untranslatable(f"{ref.name} has no single answer" if not part else _no_part(target, part))

    def unequal(self, ref: Ref, literal: Literal) -> Rule:
        equal = self.equal(ref, literal)
        assert isinstance(equal, dict)
        unequal: Rule = {**equal, "op": "not_in"} if equal.get("op") == "in" else not_of(equal)
        if ref.strict and equal.get("op") != "any_in":
            return all_of([{"q": self.scope.find(ref)[0].id, "op": "answered"}, unequal])
        return unequal

    def ticked(self, target: Target, part: str, literal: Literal) -> Rule:
        if part not in target.codes:
            raise Untranslatable(_no_part(target, part))
        ticked: Rule = {"q": target.id, "op": "any_in", "value": [target.codes[part]]}
        if literal.text in ("Y", "1", "true"):
            return ticked
        if literal.text in ("0", "N", "false"):
            return not_of(ticked)
        raise Untranslatable(f"{part} is ticked or not; {literal.text} is neither")

    def code(self, target: Target, ref: Ref, literal: Literal) -> str:
        if literal.text in target.codes:
            return target.codes[literal.text]
        if literal.number or self.scope.loose:
            wanted = _decimal(literal.text)
            for code, ours in target.codes.items():
                if wanted is not None and _decimal(code) == wanted:
                    return ours
        advice = nearest(literal.text, list(target.codes))
        reason = f"{ref.name} has no code {literal.text}" + (f" ({advice})" if advice.startswith("did") else "")
        raise Untranslatable(reason, unknown_code=True)

    def amount(self, target: Target, ref: Ref, node: Node) -> int | float | str:
        """What a number or date is compared with."""
        if isinstance(node, Literal) and node.text in target.specials:
            raise Untranslatable(f"{node.text} of {ref.name} stands beside its numbers")
        if target.kind == "date":
            return _day(node)
        value = _decimal(node.text) if isinstance(node, Literal) else None
        if value is None or target.kind not in ("number", "computed"):
            raise Untranslatable(f"{ref.name} is not compared with a number" if value is None else f"{ref.name} is no number")
        return _plain(value)

    def bounded(self, op: str, ref: Ref, node: Node) -> Rule:
        target, part = self.found(ref)
        if part:
            raise Untranslatable(f"a part of {ref.name} is no number")
        if target.kind not in ("number", "date", "computed"):
            raise Untranslatable(f"{ref.name} is no number")
        if (period := _period(node, target)) is not None:
            return {"q": target.id, "op": "at_least" if op in (">", ">=") else "at_most", "value": [_beyond(period, op)]}
        value = self.amount(target, ref, node)
        test: dict[str, Any] = {"q": target.id, "op": "at_least" if op in (">", ">=") else "at_most", "value": [value]}
        if op in ("<=", ">="):
            return {**test, "value": [_cut(value, op, target.digits)]}
        if target.kind == "computed" or value == "today":
            beyond: dict[str, Any] = {"q": target.id, "op": "at_most" if op == ">" else "at_least", "value": [value]}
            return all_of([{"q": target.id, "op": "answered"}, not_of(beyond)])
        if isinstance(value, str):
            moved = datetime.date.fromisoformat(value) + datetime.timedelta(1 if op == ">" else -1)
            return {**test, "value": [_cut(moved.isoformat(), ">=" if op == ">" else "<=", target.digits)]}
        return {**test, "value": [_next(Decimal(str(value)), target.step, op)]}

    def count(self, op: str, ref: Ref, literal: Literal) -> Rule:
        target, part = self.found(ref)
        number = _decimal(literal.text)
        if target.kind != "multiple" or part or number is None or number != int(number):
            raise Untranslatable(f"choices of {ref.name} are not counted")
        whole = int(number)
        match op:
            case ">=" | ">":
                least = whole if op == ">=" else whole + 1
                return True if least <= 0 else {"q": target.id, "op": "at_least", "value": [least]}
            case "<=" | "<":
                least = whole + 1 if op == "<=" else whole
                return False if least <= 0 else not_of({"q": target.id, "op": "at_least", "value": [least]})
            case _:
                none = not_of({"q": target.id, "op": "answered"})
                equal: Rule = none if whole == 0 else {"q": target.id, "op": "between", "value": [whole, whole]}
                return equal if op == "=" else not_of(equal)


_FILLED = {(">", "0"): True, ("!=", "0"): True, (">=", "1"): True, ("=", "0"): False, ("<", "1"): False}


def _no_part(target: Target, part: str) -> str:
    if part in ("other", "comment"):
        return "the text of an option is not asked by a rule"
    return f"{target.id} has no part {part}"


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**15 else None


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _next(value: Decimal, step: Decimal, op: str) -> int | float:
    """The nearest number that can be given above or below one that does not count itself."""
    steps = value / step
    moved = steps.to_integral_value(ROUND_FLOOR) + 1 if op == ">" else steps.to_integral_value(ROUND_CEILING) - 1
    return _plain(moved * step)


def _cut(value: int | float | str, op: str, digits: int) -> int | float | str:
    """A day as the month or year that begins or ends with it."""
    if not isinstance(value, str) or value == "today" or digits == 10:
        return value
    day = datetime.date.fromisoformat(value)
    if op == ">=":
        edge = day.day == 1 and (digits == 7 or day.month == 1)
    else:
        after = day + datetime.timedelta(1)
        edge = after.day == 1 and (digits == 7 or after.month == 1)
    if not edge:
        raise Untranslatable(f"{value} cuts through what is asked for as a {'month' if digits == 7 else 'year'}")
    return value[:digits]


def _period(node: Node, target: Target) -> str | None:
    """The year or month that a date asked for so is compared with."""
    if target.kind != "date" or not isinstance(node, Literal):
        return None
    shape = {4: r"\d{4}", 7: r"\d{4}-(0[1-9]|1[0-2])"}.get(target.digits)
    return node.text if shape and re.fullmatch(shape, node.text) else None


def _beyond(period: str, op: str) -> str:
    """The year or month from which on, or up to which, a comparison holds."""
    if op in (">=", "<="):
        return period
    months = int(period[:4]) * 12 + int(period[5:7] or 1) - 1
    moved = months + (1 if op == ">" else -1) * (1 if len(period) == 7 else 12)
    return f"{moved // 12:04}-{moved % 12 + 1:02}"[: len(period)]


def _day(node: Node) -> str:
    match node:
        case Call(name="today" | "now" | "currentDate", arguments=()):
            return "today"
        case Call(name="date", arguments=(Literal() as inner,)):
            return _day(inner)
        case Literal(text="today"):
            return "today"
        case Literal():
            try:
                return datetime.date.fromisoformat(node.text).isoformat()
            except ValueError:
                raise Untranslatable(f"{node.text} is no day") from None
        case _:
            raise Untranslatable("it compares with something that is no day")
