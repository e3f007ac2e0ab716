"""What a condition of any tool is read into. Pure."""

from __future__ import annotations

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """A question by its foreign name. `part`: an option or a row of it. `path`: written as a path.

    `strict`: where the question is hidden, the whole condition fails.
    """

    name: str
    part: str = ""
    path: bool = False
    strict: bool = False


class Literal(msgspec.Struct, frozen=True):
    """A constant. `number`: it was written without quotes."""

    text: str
    number: bool = False


class Truth(msgspec.Struct, frozen=True):
    value: bool


class Listed(msgspec.Struct, frozen=True):
    items: tuple[Node, ...]


class Call(msgspec.Struct, frozen=True):
    name: str
    arguments: tuple[Node, ...] = ()


NO_ANSWER = "no answer"
"""The name of a function that asks about what is no answer: a device, a place. Its argument says what."""


class Binary(msgspec.Struct, frozen=True):
    """`op` is one of or, and, =, !=, <, <=, >, >=, +, -, *, /, contains, notcontains, anyof, allof, noneof."""

    op: str
    left: Node
    right: Node


class Negation(msgspec.Struct, frozen=True):
    inner: Node


Node = Ref | Literal | Truth | Listed | Call | Binary | Negation


class Untranslatable(Exception):
    """A condition that has no equal here; the message says why. `needs` is the foreign name of a question that is not asked.

    `unknown_code`: it asks for an answer that nobody can give.
    """

    def __init__(self, reason: str, needs: str = "", unknown_code: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.needs = needs
        self.unknown_code = unknown_code


class Condition(msgspec.Struct, frozen=True):
    """A condition with its place: as it was written, and as it was read. Without `node`, `reason` says why it could not be."""

    source: str
    place: str
    node: Node | None = None
    reason: str = ""


def refs(node: Node) -> tuple[Ref, ...]:
    """The questions that a condition speaks of, in order."""
    match node:
        case Ref():
            return (node,)
        case Listed():
            return tuple(ref for item in node.items for ref in refs(item))
        case Call():
            return tuple(ref for item in node.arguments for ref in refs(item))
        case Binary():
            return (*refs(node.left), *refs(node.right))
        case Negation():
            return refs(node.inner)
        case Literal() | Truth():
            return ()
