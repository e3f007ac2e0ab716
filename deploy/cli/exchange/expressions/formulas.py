"""What other tools compute, as far as it is a sum, a mean, a least or a greatest of numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deploy.cli.exchange.expressions.rules import Scope
from deploy.cli.exchange.expressions.tree import Binary, Call, Literal, Node, Ref, Untranslatable

_FUNCTIONS = {"sum": "sum", "mean": "mean", "avg": "mean", "average": "mean", "min": "min", "max": "max"}


class Formula(msgspec.Struct, frozen=True):
    """`of`: our ids. `least`: how many of them must be known."""

    op: str
    of: tuple[str, ...]
    least: int


def formula(node: Node, scope: Scope) -> Formula:
    """Raises Untranslatable. A sum with + is unknown where one part is; the function `sum` passes over what is absent."""
    match node:
        case Call(name="round", arguments=(inner, *_)):
            return formula(inner, scope)
        case Call(name=name, arguments=arguments) if name in _FUNCTIONS and arguments:
            return Formula(_FUNCTIONS[name], _numbers(arguments, scope), 1)
        case Binary(op="/", left=Binary(op="+") as left, right=Literal() as count):
            of = _numbers(_terms(left), scope)
            if count.text != str(len(of)):
                raise Untranslatable("it divides by another number than that of its parts")
            return Formula("mean", of, len(of))
        case Binary(op="+"):
            of = _numbers(_terms(node), scope)
            return Formula("sum", of, len(of))
        case _:
            raise Untranslatable("only sums, means, least and greatest of numbers are computed here")


def _terms(node: Node) -> list[Node]:
    return [*_terms(node.left), *_terms(node.right)] if isinstance(node, Binary) and node.op == "+" else [node]


def _numbers(parts: Sequence[Node], scope: Scope) -> tuple[str, ...]:
    found: list[str] = []
    for part in parts:
        if not isinstance(part, Ref):
            raise Untranslatable("a part of it is no answer")
        target, row = scope.find(part)
        if row or target.kind != "number" or target.id in found:
            raise Untranslatable(f"{part.name} is no number of its own")
        found.append(target.id)
    return tuple(found)
