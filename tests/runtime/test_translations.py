"""The catalogues of a package are found, first English, which all others are translated from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from services.runtime.translations import Translations, load

PACKAGES = ("services.intake.form", "services.analysis.dashboard", "services.export.http")


class Strings(Translations, frozen=True, forbid_unknown_fields=True):
    strings: dict[str, str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "phrases" / "strings"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "README.md").write_text("Not a catalogue.")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "phrases", raising=False)
    return folder


def write(folder: Path, language: str, native: str, more: str = "") -> None:
    (folder / f"{language}.yaml").write_text(f"language: {language}\nnative: {native}\nstrings: {{name: {native}}}\n{more}", "utf-8")


def test_catalogues_come_with_the_source_first_and_then_by_name(package: Path) -> None:
    for language, native in (("sv", "Svenska"), ("bg", "Български"), ("en", "English"), ("es", "Español")):
        write(package, language, native)
    found = load("phrases", Strings)
    assert [(language, each.native, each.strings) for language, each in found.items()] == [
        (language, native, {"name": native})
        for language, native in (("en", "English"), ("es", "Español"), ("sv", "Svenska"), ("bg", "Български"))
    ]


def test_a_file_of_another_shape_is_refused(package: Path) -> None:
    write(package, "en", "English", "string: {}\n")
    with pytest.raises(ValueError, match="string"):
        load("phrases", Strings)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_file_has_the_language_that_its_name_says(package: str) -> None:
    class Any(Translations, frozen=True, forbid_unknown_fields=False):
        pass

    folder = Path(__file__).resolve().parents[2].joinpath(*package.split("."), "strings")
    assert set(load(package, Any)) == {path.stem for path in folder.glob("*.yaml")}
