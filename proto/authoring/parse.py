"""A tree of YAML read into Structs, every misfit told with its place. Pure.

Where a value is missing or misshapen, a stand-in takes its place and the path counts as broken, so the rest of the file
can still be checked.
"""

from __future__ import annotations

import functools
import re
from difflib import get_close_matches
from typing import Any, TypeVar, cast

import msgspec
import msgspec.inspect as kinds

from proto.authoring.faults import Faults, Path
from proto.authoring.yaml_nodes import Listing, Mapping, Node, Scalar

T = TypeVar("T", bound=msgspec.Struct)

TEXTS = "texts"
"""Title of the types that hold one text per language."""

LONGEST_TEXT = 10_000
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]{1,17})?e-?[0-9]{1,2}")
"""YAML readers do not agree on 1e-6; where a number is expected it can only be one."""
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\ud800-\udfff\ufffe\uffff]")


class _Broken:
    pass


_BROKEN = _Broken()


def nearest(word: str, known: list[str]) -> str:
    """Advice for a misspelt word."""
    close = get_close_matches(word[:80], known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(known[:24])}" if known else ""


def read(kind: type[T], node: Node, faults: Faults, languages: tuple[str, ...]) -> T | None:
    """None only where the whole is not a mapping."""
    value = _Reader(faults, languages).value(_described(kind), node, ())
    return None if isinstance(value, _Broken) else cast(T, value)


@functools.cache
def _described(kind: type) -> kinds.Type:
    return kinds.type_info(kind)


class _Reader:
    def __init__(self, faults: Faults, languages: tuple[str, ...]) -> None:
        self.faults = faults
        self.languages = languages

    def value(self, kind: kinds.Type, node: Node, path: Path) -> Any:
        self.faults.lines[path] = node.line
        if node.refusal:
            return self.broken(path, node.refusal)
        title, description = "", ""
        while isinstance(kind, kinds.Metadata):
            schema = cast("dict[str, str]", kind.extra_json_schema or {})
            title, description = schema.get("title", title), schema.get("description", description)
            kind = kind.type
        if title == TEXTS:
            return self.texts(node, path)
        if isinstance(kind, kinds.UnionType):
            chosen = self.choose(kind, node, path)
            return _BROKEN if chosen is None else self.value(chosen, node, path)
        if isinstance(kind, kinds.StructType):
            return self.struct(kind, node, path)
        if isinstance(kind, kinds.VarTupleType):
            return self.listing(kind, node, path)
        if isinstance(kind, kinds.DictType):
            return self.mapping(kind, node, path)
        return self.leaf(kind, node, path, description)

    def broken(self, path: Path, message: str, advice: str = "", line: int | None = None) -> _Broken:
        self.faults.broken(path, message, advice, line)
        return _BROKEN

    def choose(self, union: kinds.UnionType, node: Node, path: Path) -> kinds.Type | None:
        """The member of a union that a node of this kind can be: Structs by their tag, else by the kind of node."""
        members = [member for member in union.types if not isinstance(member, kinds.NoneType)]
        tagged = {str(m.tag): m for m in members if isinstance(m, kinds.StructType) and m.tag is not None}
        if tagged and isinstance(node, Mapping):
            field = next(m.tag_field for m in members if isinstance(m, kinds.StructType))
            tag = next((value for key, value in node.entries if key.text == field), None)
            if isinstance(tag, Scalar) and tag.text in tagged:
                return tagged[tag.text]
            name = next((value for key, value in node.entries if key.text == "id"), None)
            if isinstance(name, Scalar):
                self.faults.lost.add(name.text)
            if tag is None:
                self.broken((*path, str(field)), f"the key {field} is missing", f"one of {', '.join(tagged)}", node.line)
            else:
                name_given = tag.text if isinstance(tag, Scalar) else "this"
                self.broken((*path, str(field)), f"{name_given} is not a {field} of question", nearest(name_given, list(tagged)), tag.line)
            return None
        fitting_kinds = {
            Scalar: (kinds.StrType, kinds.IntType, kinds.FloatType, kinds.BoolType, kinds.LiteralType),
            Listing: (kinds.VarTupleType,),
            Mapping: (kinds.DictType, kinds.StructType),
        }
        searched: list[type | tuple[type, ...]] = [fitting_kinds[type(node)]]
        if isinstance(node, Scalar) and (given := node.value())[0] == "number":  # else the first member that is a single value
            searched = [*([kinds.IntType] if isinstance(given[1], int) else []), kinds.FloatType, *searched]
        bare = [(_bare(member), member) for member in members]
        return next((member for kind in searched for inner, member in bare if isinstance(inner, kind)), members[0])

    def struct(self, kind: kinds.StructType, node: Node, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self.broken(path, "a mapping of keys is expected here")
        fields = {field.encode_name: field for field in kind.fields}
        inline = getattr(kind.cls, "inline", None)
        values: dict[str, Any] = {}
        words: list[tuple[Scalar, Node]] = []
        for key, child in self.entries(node, path):
            field = fields.get(key.text)
            if field is not None and field.name != inline:
                value = self.value(field.type, child, (*path, key.text))
                values[field.name] = _stand_in(field) if isinstance(value, _Broken) else value
            elif inline is not None and key.text in self.languages:
                words.append((key, child))
            elif key.text != kind.tag_field:
                known = [name for name in fields if name != inline] + ([kind.tag_field] if kind.tag_field else [])
                known += self.languages if inline is not None else ()
                self.broken((*path, key.text), f"unknown key {key.text[:60]}", nearest(key.text, known), key.line)
        for field in kind.fields:
            if field.name == inline:
                values[field.name] = self.texts(Mapping(node.line, words), path)
            elif field.required and field.name not in values:
                self.broken((*path, field.encode_name), f"the key {field.encode_name} is missing", "", node.line)
                values[field.name] = _stand_in(field)
        value_read = kind.cls(**values)
        self.faults.remember(value_read, path)
        return value_read

    def listing(self, kind: kinds.VarTupleType, node: Node, path: Path) -> Any:
        if not isinstance(node, Listing):
            return self.broken(path, "a list is expected here")
        if kind.max_length is not None and len(node.items) > kind.max_length:
            return self.broken(path, f"{len(node.items):,} entries; at most {kind.max_length:,} are allowed")
        if kind.min_length is not None and len(node.items) < kind.min_length:
            return self.broken(path, f"at least {kind.min_length} {'entry is' if kind.min_length == 1 else 'entries are'} needed")
        items = [self.value(kind.item_type, item, (*path, index)) for index, item in enumerate(node.items)]
        return tuple(item for item in items if not isinstance(item, _Broken))

    def mapping(self, kind: kinds.DictType, node: Node, path: Path) -> Any:
        if not isinstance(node, Mapping):
            return self.broken(path, "a mapping of keys is expected here")
        values: dict[str, Any] = {}
        for key, child in self.entries(node, path):
            name = self.leaf(kinds.StrType(), key, (*path, key.text), "")
            value = self.value(kind.value_type, child, (*path, key.text))
            if not isinstance(value, _Broken) and not isinstance(name, _Broken):
                values[key.text] = value
        return values

    def entries(self, node: Mapping, path: Path) -> list[tuple[Scalar, Node]]:
        """The entries of a mapping, the first of each key."""
        first: dict[str, int] = {}
        unique: list[tuple[Scalar, Node]] = []
        for key, child in node.entries:
            if key.refusal:
                self.broken((*path, key.text), key.refusal, "", key.line)
            elif key.text in first:
                self.broken(
                    (*path, key.text),
                    f"the key {key.text[:60]} stands here a second time",
                    f"the first is in line {first[key.text]}",
                    key.line,
                )
            else:
                first[key.text] = key.line
                unique.append((key, child))
        return unique

    def texts(self, node: Node, path: Path) -> Any:
        """One text for each declared language, and no other."""
        if not isinstance(node, Mapping):
            return self.broken(
                path, "a text per language is expected here", f'for example {{{self.languages[0] if self.languages else "en"}: "…"}}'
            )
        texts_read: dict[str, str] = {}
        for key, child in self.entries(node, path):
            if key.text not in self.languages:
                self.broken(
                    (*path, key.text), f"{key.text[:60]} is not a declared language", nearest(key.text, list(self.languages)), key.line
                )
                continue
            text = self.value(kinds.StrType(min_length=1, max_length=LONGEST_TEXT), child, (*path, key.text))
            texts_read[key.text] = "" if isinstance(text, _Broken) else text
        for language in self.languages:
            if language not in texts_read:
                self.broken((*path, language), f"the text in {language} is missing", "every declared language needs it", node.line)
        return {language: texts_read.get(language, "") for language in self.languages}

    def leaf(self, kind: kinds.Type, node: Node, path: Path, description: str) -> Any:
        if not isinstance(node, Scalar):
            return self.broken(path, f"{description or 'a single value'} is expected here")
        shown = node.text[:60]
        sort, value = node.value()
        match kind:
            case kinds.StrType():
                if sort != "text":
                    return self.broken(path, f"{shown or 'nothing'} is not read as text", f'write it in quotes: "{shown}"')
                assert isinstance(value, str)
                if UNPRINTABLE.search(value):
                    return self.broken(path, "the text holds a control character")
                if kind.pattern is not None and not re.fullmatch(kind.pattern, value):
                    return self.broken(path, f"{shown!r} does not fit", f"expected is {description}")
                if kind.min_length is not None and len(value.strip()) < kind.min_length:
                    return self.broken(path, "the text is empty")
                if len(value) > (kind.max_length or LONGEST_TEXT):
                    return self.broken(path, f"the text is longer than {kind.max_length or LONGEST_TEXT:,} characters")
                return value
            case kinds.LiteralType():
                return (
                    value
                    if sort == "text" and value in kind.values
                    else self.broken(path, f"{shown!r} is not known here", nearest(shown, [str(v) for v in kind.values]))
                )
            case kinds.BoolType():
                return (
                    value
                    if sort == "truth"
                    else self.broken(path, f"{shown!r} is neither true nor false", "write true or false, without quotes")
                )
            case kinds.IntType() | kinds.FloatType():
                if isinstance(kind, kinds.FloatType) and not node.quoted and SCIENTIFIC.fullmatch(node.text):
                    sort, value = "number", float(node.text)
                if sort != "number" or (isinstance(kind, kinds.IntType) and not isinstance(value, int)):
                    return self.broken(
                        path,
                        f"{shown!r} is not {'a whole' if isinstance(kind, kinds.IntType) else 'a'} number",
                        "write it without quotes" if node.quoted else "",
                    )
                assert isinstance(value, int | float)
                if (kind.ge is not None and value < kind.ge) or (kind.le is not None and value > kind.le):
                    return self.broken(path, f"{shown} is out of bounds", f"from {kind.ge:,} to {kind.le:,}")
                return value if isinstance(kind, kinds.IntType) else float(value)
            case _:
                raise AssertionError(f"the author format has no leaf {kind}")


def _bare(kind: kinds.Type) -> kinds.Type:
    while isinstance(kind, kinds.Metadata):
        kind = kind.type
    return kind


def _stand_in(field: kinds.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return _empty(field.type)


def _empty(kind: kinds.Type) -> Any:
    match kind:
        case kinds.Metadata():
            return _empty(kind.type)
        case kinds.UnionType():
            return None if any(isinstance(member, kinds.NoneType) for member in kind.types) else _empty(kind.types[0])
        case kinds.StructType():
            return kind.cls(**{field.name: _stand_in(field) for field in kind.fields if field.required})
        case kinds.LiteralType():
            return kind.values[0]
        case kinds.IntType():
            return 0
        case kinds.FloatType():
            return 0.0
        case kinds.BoolType():
            return False
        case kinds.DictType():
            return {}
        case kinds.VarTupleType():
            return ()
        case _:
            return ""
