"""The import map: a file that says what each column of a data file answers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import yaml

from deploy.cli.console import Trouble
from deploy.cli.mapping import ColumnMapping

SEPARATOR = "\n---\n"
"""`platea survey draft` prints the instrument, this, and the map."""


class ImportMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["platea-import/1"]
    survey: str
    columns: dict[str, ColumnMapping]
    ignored: tuple[str, ...] = ()


def read_map(path: Path) -> dict[str, ColumnMapping]:
    """The map in a file of its own, or the second document of what `platea survey draft` printed. Raises Trouble."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Trouble(f"Cannot read {path}: {error.strerror}.", "Name the import map that `platea survey draft` made.") from None
    except UnicodeDecodeError:
        raise Trouble(f"Cannot read {path}: it is not UTF-8 text.", "Save it as UTF-8.") from None
    try:
        document = yaml.load(text.split(SEPARATOR)[-1], Loader=yaml.CSafeLoader)
        return msgspec.convert(document, ImportMap, strict=False).columns
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise Trouble(f"{path}{place} is not readable YAML.", "Correct it, or make a new one with `platea survey draft`.") from None
    except msgspec.ValidationError as error:
        raise Trouble(f"{path} is not an import map: {error}.", "Correct it, or make a new one with `platea survey draft`.") from None
