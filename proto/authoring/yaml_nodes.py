"""YAML text as a tree in which every value knows its line.

Built from the parser's events without recursion and without the constructors of YAML: a hostile file can neither nest
itself into the ground nor multiply itself with aliases. Anchors, aliases and tags are refused where they stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Literal, cast

import msgspec
import yaml

LONGEST_FILE = 4_000_000
MOST_NODES = 400_000
IMPORT_MAPS = ("platea-import/1", "platea-import/2")
DEEPEST = 40

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_ODD_INDENT = re.compile("^[ \t]*[\u00a0\u2000-\u200b\u202f\u3000]", re.MULTILINE)
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_RESOLVER: Any = yaml.SafeLoader("")

Kind = Literal["text", "number", "truth", "nothing", "unclear"]


class Scalar(msgspec.Struct, frozen=True):
    line: int
    text: str
    quoted: bool
    refusal: str | None = None

    def value(self) -> tuple[Kind, str | int | float | bool | None]:
        """The value of the scalar. "unclear": text for one YAML reader; a date, a truth value or a number for another."""
        if self.quoted:
            return "text", self.text
        tag: str = _RESOLVER.resolve(yaml.ScalarNode, self.text, (True, False)).rpartition(":")[2]
        if tag == "str":
            return "text", self.text
        if tag == "null":
            return "nothing", None
        if tag == "bool" and self.text in ("true", "false"):
            return "truth", self.text == "true"
        if tag == "int" and _INTEGER.fullmatch(self.text):
            return "number", int(self.text)
        if tag == "float" and _DECIMAL.fullmatch(self.text) and math.isfinite(float(self.text)):
            return "number", float(self.text)
        return "unclear", self.text


class Listing(msgspec.Struct, frozen=True):
    line: int
    items: list[Node]
    refusal: str | None = None


class Mapping(msgspec.Struct, frozen=True):
    line: int
    entries: list[tuple[Scalar, Node]]
    refusal: str | None = None


Node = Scalar | Listing | Mapping


class UnreadableYaml(Exception):
    """The text is not one YAML document of bearable size. Carries line and message."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def tree(text: str) -> Node:
    """The document's tree. Raises UnreadableYaml where there is none."""
    if len(text) > LONGEST_FILE:
        raise UnreadableYaml(1, f"the file is longer than {LONGEST_FILE:,} characters")
    try:
        return _tree(text)
    except yaml.MarkedYAMLError as error:
        if odd := _ODD_INDENT.search(text):
            line = text.count("\n", 0, odd.end()) + 1
            raise UnreadableYaml(line, "not YAML: the line begins with a space of another kind, such as one copied from a page") from None
        mark = error.problem_mark or error.context_mark
        raise UnreadableYaml(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise UnreadableYaml(1, "not YAML: it holds characters that no text file may hold") from None


def _tree(text: str) -> Node:
    open_: list[tuple[type[Listing] | type[Mapping], int, str | None, list[Node]]] = []
    documents: list[Node] = []
    nodes = 0
    events = cast("Iterable[Any]", yaml.parse(text, Loader=_LOADER))
    for event in events:
        line: int = event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent() | yaml.AliasEvent():
                quoted = bool(getattr(event, "style", None))  # none or empty where it stands plain
                done: Node = Scalar(line, getattr(event, "value", ""), quoted, _refusal(event))
            case yaml.SequenceStartEvent():
                open_.append((Listing, line, _refusal(event), []))
                done = _NOTHING
            case yaml.MappingStartEvent():
                open_.append((Mapping, line, _refusal(event), []))
                done = _NOTHING
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                kind, line, refusal, children = open_.pop()
                done = Listing(line, children, refusal) if kind is Listing else _mapping(line, children, refusal)
            case _:
                continue
        if len(open_) > DEEPEST:
            raise UnreadableYaml(line, f"nested deeper than {DEEPEST} levels")
        if done is not _NOTHING:
            nodes += 1
            if nodes > MOST_NODES:
                raise UnreadableYaml(line, f"more than {MOST_NODES:,} values")
            (open_[-1][3] if open_ else documents).append(done)
    if not documents:
        raise UnreadableYaml(1, "the file is empty")
    if len(documents) > 1 and not (len(documents) == 2 and _is_import_map(documents[1])):
        raise UnreadableYaml(documents[1].line, "a second document begins here; a file holds one instrument")
    return documents[0]


def _is_import_map(node: Node) -> bool:
    """What `platea survey draft` prints is an instrument and, as a second document, its import map: that one is no fault."""
    return isinstance(node, Mapping) and any(
        key.text == "format" and getattr(value, "text", "") in IMPORT_MAPS for key, value in node.entries
    )


_NOTHING = Scalar(0, "", False)


def _mapping(line: int, children: list[Node], refusal: str | None) -> Mapping:
    entries: list[tuple[Scalar, Node]] = []
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            refusal, key = "a key must be plain text", Scalar(key.line, "", True)
        entries.append((key, value))
    return Mapping(line, entries, refusal)


def _refusal(event: Any) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "aliases are refused; write the value out"
    if event.anchor is not None:
        return "anchors are refused; write the value out where it is used"
    if getattr(event, "tag", None) not in (None, "!"):
        return "tags are refused; write the plain value"
    return None
