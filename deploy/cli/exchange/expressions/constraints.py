"""What a constraint on an answer says: a range, values beside it, numbers of choices, options that stand alone. Pure.

A constraint speaks of its own answer as `.`; of XLSForm.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from deploy.cli.exchange.expressions.tree import Binary, Call, Literal, Negation, Node, Ref, Truth

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_SELF = Ref(".")


class Limits(msgspec.Struct):
    """What could be read; `rest` holds what could not."""

    min: Decimal | str | None = None
    max: Decimal | str | None = None
    specials: list[str] = []
    min_choices: int | None = None
    max_choices: int | None = None
    max_chars: int | None = None
    exclusive: list[str] = []
    pattern: str = ""
    rest: list[Node] = []


def limits(node: Node, step: Decimal) -> Limits:
    """`step` is the distance of the numbers that can be given."""
    found = Limits(specials=[], exclusive=[], rest=[])
    for part in _parts(node, "and"):
        if not _one(part, found, step):
            found.rest.append(part)
    return found


def _parts(node: Node, op: str) -> list[Node]:
    if isinstance(node, Binary) and node.op == op:
        return [*_parts(node.left, op), *_parts(node.right, op)]
    return [node]


def _one(node: Node, found: Limits, step: Decimal) -> bool:
    match node:
        case Truth(True):
            return True
        case Binary(op="or"):
            return _alternatives(node, found, step)
        case Binary(op="<" | "<=" | ">" | ">=" | "=" | "!=" as op):
            if isinstance(node.left, Literal):
                return _bound(_MIRRORED[op], node.right, node.left, found, step)
            return _bound(op, node.left, node.right, found, step)
        case Negation():
            return _stands_alone(node.inner, found)
        case Call(name="regex", arguments=(Ref("."), Literal() as pattern)):
            found.pattern = pattern.text
            return True
        case Call(name="if", arguments=(condition, then, Truth(True))):
            return _alone_if(condition, then, found)
        case _:
            return False


def _bound(op: str, left: Node, right: Node, found: Limits, step: Decimal) -> bool:
    if left == _SELF:
        return _range(op, right, found, step)
    number = _decimal(right)
    if not isinstance(left, Call) or number is None or left.arguments != (_SELF,):
        return False
    whole = int(number)
    least, most = {">=": (whole, None), ">": (whole + 1, None), "<=": (None, whole), "<": (None, whole - 1), "=": (whole, whole)}.get(
        op, (None, None)
    )
    match left.name:
        case "count-selected":
            found.min_choices = least if least is not None else found.min_choices
            found.max_choices = most if most is not None else found.max_choices
            return least is not None or most is not None
        case "string-length" if most is not None and least is None:
            found.max_chars = most
            return True
        case _:
            return False


def _range(op: str, right: Node, found: Limits, step: Decimal) -> bool:
    day = _day(right)
    if day is not None:
        if op in (">=", ">") and day != "today":
            found.min = day
        elif op in ("<=", "<"):
            found.max = day
        else:
            return False
        return op in (">=", "<=") or day == "today"
    number = _decimal(right)
    if number is None:
        return False
    match op:
        case ">=":
            found.min = _tighter(found.min, number, max)
        case ">":
            found.min = _tighter(found.min, number + step, max)
        case "<=":
            found.max = _tighter(found.max, number, min)
        case "<":
            found.max = _tighter(found.max, number - step, min)
        case "=":
            found.min = found.max = number
        case _:
            return False
    return True


def _tighter(known: Decimal | str | None, number: Decimal, choose: object) -> Decimal:
    if not isinstance(known, Decimal):
        return number
    return max(known, number) if choose is max else min(known, number)


def _alternatives(node: Binary, found: Limits, step: Decimal) -> bool:
    """A range or single values beside it: `. = 99 or . <= 20`; or an option that stands alone."""
    parts = _parts(node, "or")
    if len(parts) == 2:
        for one, other in (parts, parts[::-1]):
            if isinstance(one, Negation) and _alone_if(one.inner, other, found):
                return True
    values: list[str] = []
    ranges: list[Node] = []
    for part in parts:
        match part:
            case Binary(op="=", left=Ref("."), right=Literal() as literal) | Binary(op="=", left=Literal() as literal, right=Ref(".")):
                values.append(literal.text)
            case _:
                ranges.append(part)
    if not values or len(ranges) != 1 or any(_decimal(Literal(value)) is None for value in values):
        return False
    inner = limits(ranges[0], step)
    if inner.rest or inner.specials or (inner.min is None and inner.max is None):
        return False
    found.min, found.max = inner.min, inner.max
    found.specials += [value for value in values if not _within(Decimal(value), inner)]
    return True


def _within(value: Decimal, inner: Limits) -> bool:
    low = not isinstance(inner.min, Decimal) or value >= inner.min
    return low and (not isinstance(inner.max, Decimal) or value <= inner.max)


def _stands_alone(node: Node, found: Limits) -> bool:
    """Of `not(selected(., 'none') and …)` the option that stands beside no other."""
    parts = _parts(node, "and")
    if len(parts) != 2:
        return False
    for one, other in (parts, parts[::-1]):
        code = _selected(one)
        if code and (_more_than_one(other) or all(_selected(part) for part in _parts(other, "or"))):
            found.exclusive.append(code)
            return True
    return False


def _alone_if(condition: Node, then: Node, found: Limits) -> bool:
    """If this option is chosen, it is the only one."""
    code = _selected(condition)
    match then:
        case Binary(op="=" | "<=", left=Call(name="count-selected", arguments=(Ref("."),)), right=Literal(text="1")) if code:
            found.exclusive.append(code)
            return True
        case Binary(op="<", left=Call(name="count-selected", arguments=(Ref("."),)), right=Literal(text="2")) if code:
            found.exclusive.append(code)
            return True
        case _:
            return False


def _selected(node: Node) -> str:
    match node:
        case Call(name="selected", arguments=(Ref("."), Literal() as literal)):
            return literal.text
        case _:
            return ""


def _more_than_one(node: Node) -> bool:
    match node:
        case Binary(op=">" | ">=" as op, left=Call(name="count-selected", arguments=(Ref("."),)), right=Literal() as literal):
            return (op, literal.text) in ((">", "1"), (">=", "2"))
        case _:
            return False


def _decimal(node: Node) -> Decimal | None:
    if not isinstance(node, Literal):
        return None
    try:
        number = Decimal(node.text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _day(node: Node) -> str | None:
    match node:
        case Call(name="today" | "now", arguments=()):
            return "today"
        case Call(name="date", arguments=(Literal() as literal,)):
            return literal.text
        case Literal(number=False) if len(node.text) == 10 and node.text.count("-") == 2:
            return node.text
        case _:
            return None
