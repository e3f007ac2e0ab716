"""A parser of conditions, driven by the table of a dialect. Whatever does not parse wholly is refused; nothing is evaluated. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Listed, Literal, Negation, Node, Truth, Untranslatable

LONGEST = 5_000
DEEPEST = 40
_CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "})
_LEVELS = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"=", "!=", "<", "<=", ">", ">=", "contains", "notcontains", "anyof", "allof", "noneof"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/"}),
)
_POSTFIX = frozenset({"empty", "notempty"})


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one tool writes conditions.

    `token` has the groups space, ref, number, text, word and sign. `operators` maps signs and words in small letters to those of the tree,
    "not", "empty" and "notempty" among them; `strangers` says of signs why they are none. `ref` reads a reference, `word` a bare word.
    """

    name: str
    token: re.Pattern[str]
    operators: Mapping[str, str]
    strangers: Mapping[str, str] = {}
    ref: Callable[[str], Node]
    word: Callable[[str], Node]
    text: Callable[[str], Node] = lambda text: Literal(text)
    true_words: frozenset[str] = frozenset()
    false_words: frozenset[str] = frozenset()


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str


def curly(text: str) -> bool:
    """Whether a condition has quotes that a word processor made; they are read as straight ones."""
    return text != text.translate(_CURLY)


def read(dialect: Dialect, text: str, place: str) -> Condition | None:
    """The condition, or None where there is none."""
    if not text.strip():
        return None
    try:
        return Condition(text, place, parse(dialect, text))
    except Untranslatable as refusal:
        return Condition(text, place, None, refusal.reason)


def parse(dialect: Dialect, text: str) -> Node:
    """Raises Untranslatable."""
    if len(text) > LONGEST:
        raise Untranslatable(f"it is longer than {LONGEST:,} characters")
    parser = _Parser(dialect, _tokens(dialect, text.translate(_CURLY)))
    node = parser.binary(0)
    if parser.here is not None:
        raise Untranslatable(f"{parser.here.text} is not understood")
    return node


def _tokens(dialect: Dialect, text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = dialect.token.match(text, at)
        if found is None or found.end() == at:
            raise Untranslatable(f"{text[at : at + 10]!r} is not understood")
        kind = found.lastgroup or ""
        if kind != "space":
            tokens.append(_Token(kind, found[0]))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, dialect: Dialect, tokens: list[_Token]) -> None:
        self.dialect = dialect
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def here(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def operator(self) -> str:
        """The operator that stands here, or nothing."""
        token = self.here
        if token is None or token.kind not in ("sign", "word"):
            return ""
        if token.text in self.dialect.strangers:
            raise Untranslatable(self.dialect.strangers[token.text])
        return self.dialect.operators.get(token.text.lower(), "")

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while (op := self.operator()) in _LEVELS[level] or (level == 2 and op in _POSTFIX):
            self.at += 1
            if op in _POSTFIX:
                left = Call("empty", (left,)) if op == "empty" else Negation(Call("empty", (left,)))
            else:
                left = Binary(op, left, self.binary(level + 1))
        return left

    def unary(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Untranslatable("it is nested too deeply")
        try:
            operator = self.operator()
            if operator == "not":
                self.at += 1
                return Negation(self.unary())
            if operator == "-":
                self.at += 1
                inner = self.unary()
                if isinstance(inner, Literal) and inner.number:
                    return Literal(f"-{inner.text}", number=True)
                raise Untranslatable("a sign before an answer is not understood")
            return self.primary()
        finally:
            self.depth -= 1

    def primary(self) -> Node:
        token = self.here
        if token is None:
            raise Untranslatable("it ends too early")
        self.at += 1
        match token.kind:
            case "ref":
                return self.dialect.ref(token.text)
            case "number":
                return Literal(token.text, number=True)
            case "text":
                return self.dialect.text(token.text[1:-1])
            case "word":
                return self.word(token.text)
            case _ if token.text == "(":
                inner = self.binary(0)
                self.close(")")
                return inner
            case _ if token.text == "[":
                return Listed(self.items("]"))
            case _:
                raise Untranslatable(f"{token.text} is not understood here")

    def word(self, word: str) -> Node:
        if self.here is not None and self.here.text == "(":
            self.at += 1
            return self.called(word, self.items(")"))
        if word.lower() in self.dialect.true_words:
            return Truth(True)
        if word.lower() in self.dialect.false_words:
            return Truth(False)
        return self.dialect.word(word)

    def called(self, name: str, arguments: tuple[Node, ...]) -> Node:
        match name, arguments:
            case "true", ():
                return Truth(True)
            case "false", ():
                return Truth(False)
            case "not", (inner,):
                return Negation(inner)
            case _:
                return Call(name, arguments)

    def items(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.here is not None and self.here.text == end:
            self.at += 1
            return ()
        while True:
            found.append(self.binary(0))
            if self.here is not None and self.here.text == ",":
                self.at += 1
                continue
            self.close(end)
            return tuple(found)

    def close(self, end: str) -> None:
        if self.here is None or self.here.text != end:
            raise Untranslatable("a bracket is not closed" if self.here is None else f"{self.here.text} is not understood here")
        self.at += 1
