"""The import map: a file that says what each column of a data file answers. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from deploy.cli.datafile.header import MOST as HEADER_ROWS
from deploy.cli.datafile.reading import FileOptions
from deploy.cli.datafile.separated import SEPARATORS
from deploy.cli.datafile.sheet_layout import Hidden
from deploy.cli.mapping import ColumnMapping, DateOrder, NumberMarks, Text
from proto.authoring import parse
from proto.authoring.faults import AuthoringFault, Faults, TooManyFaults
from proto.authoring.yaml_nodes import Listing, Mapping, Node, Scalar, UnreadableYaml, tree

SEPARATOR = "\n---\n"
"""`platea survey draft` prints the instrument, this, and the map."""
_NUMBERS = frozenset({"place"})
"""Keys whose values are numbers; everything else is text, quoted or not."""


class FileShape(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the file is read: see docs/instrument.md."""

    encoding: str | None = None
    separator: Literal["comma", "semicolon", "tab", "bar", ",", ";", "|"] | None = None
    header: (
        Annotated[tuple[Literal["name", "text", "option", "ignore"], ...], msgspec.Meta(min_length=1, max_length=HEADER_ROWS)] | None
    ) = None
    sheet: str | None = None
    hidden: Hidden | None = None


class LanguageColumn(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    column: str
    codes: dict[str, Text] = {}


class WeightColumn(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What each row weighs. `missing`, `numbers`: as in the whole map, for this column."""

    column: str
    missing: tuple[Text, ...] = ()
    numbers: NumberMarks | None = None


class RowChoice(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`keep`: rows with other cells in these columns are left out. `identity`: the columns by which a row is known again."""

    keep: dict[str, tuple[Text, ...]] = {}
    identity: tuple[str, ...] = ()


class ImportMap(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Format 2. Format 1 has `survey`, `columns` and a list `ignored`, and says the same as before."""

    format: Literal["platea-import/1", "platea-import/2"]
    survey: str
    columns: dict[str, ColumnMapping]
    file: FileShape = FileShape()
    numbers: NumberMarks | None = None
    dates: DateOrder | None = None
    missing: tuple[Text, ...] = ()
    apart: dict[str, Text] = {}
    language: LanguageColumn | None = None
    weight: WeightColumn | None = None
    rows: RowChoice = RowChoice()
    ignored: tuple[str, ...] | dict[str, Text] = ()

    @property
    def options(self) -> FileOptions:
        sign = self.file.separator
        return FileOptions(
            self.file.encoding,
            None if sign is None else SEPARATORS.get(sign, sign),
            self.file.header,
            self.file.sheet,
            self.numbers.decimal if self.numbers else ".",
            self.file.hidden,
        )

    def beside(self) -> set[str]:
        """Columns of the file that the map speaks of without sending them to a question."""
        apart = [said.column for said in (self.language, self.weight) if said is not None]
        return {*self.ignored, *self.rows.keep, *self.rows.identity, *apart}


def read(text: str, name: str, offset: int = 0) -> ImportMap | list[AuthoringFault]:
    """The map, or its faults. `offset`: lines of the file before the text."""
    faults = Faults(name)
    try:
        found = parse.read(ImportMap, _as_text(tree(text)), faults, ())
    except UnreadableYaml as unreadable:
        return [AuthoringFault(name, unreadable.line + offset, "", unreadable.message)]
    except TooManyFaults:
        found = None
    if found is None or faults.found:
        return [msgspec.structs.replace(fault, line=fault.line + offset) for fault in faults.found]
    return found


def _as_text(node: Node, number: bool = False) -> Node:
    """Every value as text, whether quoted or not: in a map, yes, 1 and 2026-01-01 are cells and codes."""
    match node:
        case Scalar():
            return node if number else msgspec.structs.replace(node, quoted=True)
        case Listing():
            return msgspec.structs.replace(node, items=[_as_text(item) for item in node.items])
        case Mapping():
            entries = [(msgspec.structs.replace(key, quoted=True), _as_text(value, key.text in _NUMBERS)) for key, value in node.entries]
            return msgspec.structs.replace(node, entries=entries)
