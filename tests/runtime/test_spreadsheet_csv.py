"""No cell of a CSV file that leaves is taken for a formula, whoever writes the file."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.datafile.reading import read_sheet
from deploy.cli.datafile.sheet import OURS, CsvRow
from deploy.cli.importing import _csv
from services.runtime.spreadsheet_csv import Writer, guarded, unguarded

ROOT = Path(__file__).resolve().parents[2]
TEXTS = st.text(st.sampled_from("=+-@\t\r\n＝＋－＠' \u3000\xa0a1,.;\"|"), max_size=8) | st.text(max_size=20)


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/C calc'!A0",
        "+1+2",
        "-20--11",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1+A1",
        "－A1",
        "＠x",
        " =1",
        "'=1",
        "\u3000＝1",
    ],
)
def test_a_formula_is_led_by_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a", "1-2", "-5", "+3,5", "-1.5e-3", "12 %", "-12%", "café", "'quoted'", "a=b"])
def test_texts_and_numbers_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


@given(TEXTS)
def test_what_was_guarded_can_be_read_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(guarded(text)).lstrip("'") == text.lstrip("'")


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_row_is_read_back_cell_by_cell(cells: list[str]) -> None:
    written = io.StringIO(newline="")
    Writer(written).writerow([*cells, 3, None])
    (read,) = csv.reader(io.StringIO(written.getvalue(), newline=""))
    assert read == [*map(guarded, cells), "3", ""]


def test_a_rejects_file_is_harmless_in_a_spreadsheet_and_is_imported_as_it_came() -> None:
    row = CsvRow(2, "=1", {"=name": "=cmd|x", "age": "-5", "said": "'quoted"})
    text = _csv([(row, ["=why"])], ["=name", "age", "said"])
    assert "\n2,'=why,,'=cmd|x,-5,'quoted\n" in text
    sheet = read_sheet(text.encode())
    assert sheet.columns == [*OURS, "=name", "age", "said"]
    assert {name: cell for name, cell in (sheet.rows[0].cells or {}).items() if name not in OURS} == row.cells
    other = read_sheet(b"a,b\n'=1,2\n")
    assert other.rows[0].cells == {"a": "'=1", "b": "2"}, "in a file of somebody else an apostrophe is an apostrophe"


def test_there_is_no_other_writer_of_csv() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("proto", "services", "deploy")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter") and getattr(node.value, "id", "") == "csv")
        or (isinstance(node, ast.ImportFrom) and node.module == "csv" and {each.name for each in node.names} & {"writer", "DictWriter"})
        or (isinstance(node, ast.Attribute) and node.attr == "to_csv")
    ]
    assert [place.partition(":")[0] for place in found] == ["services/runtime/spreadsheet_csv.py"]
