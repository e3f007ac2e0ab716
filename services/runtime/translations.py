"""Catalogues of translations: one YAML file for each language in the folder `strings` of a package."""

from __future__ import annotations

from importlib import resources
from typing import TypeVar

import msgspec
import yaml

SOURCE = "en"
"""The language that all others are translated from."""


class Translations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every file begins with: the language's tag, and its own name for itself."""

    language: str
    native: str


C = TypeVar("C", bound=Translations)


def load(package: str, kind: type[C]) -> dict[str, C]:
    """A package's catalogues by language: the source language first, then by name. Raises ValueError where a file has another shape."""
    files = [file for file in (resources.files(package) / "strings").iterdir() if file.name.endswith(".yaml")]
    catalogues = [msgspec.convert(yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader), kind) for file in files]
    catalogues.sort(key=lambda catalogue: (catalogue.language != SOURCE, catalogue.native.casefold()))
    return {catalogue.language: catalogue for catalogue in catalogues}
