"""Reading files for import: broken rows are told, whole ones are kept."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import mapping, rows
from deploy.cli.answering import Answering
from deploy.cli.datafile.reading import read_sheet
from deploy.cli.datafile.sheet import UnreadableFile
from deploy.cli.mapping import ColumnMapping
from tests.builders.bundled import questionnaire

KEY = b"k" * 64
SURVEY = questionnaire()


def faults(text: str | bytes) -> dict[int, str]:
    sheet = read_sheet(text.encode() if isinstance(text, str) else text)
    return {row.line: row.fault for row in sheet.rows if row.fault}


def cells(text: str | bytes) -> list[dict[str, str]]:
    sheet = read_sheet(text.encode() if isinstance(text, str) else text)
    return [row.cells for row in sheet.rows if row.cells is not None]


words = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)
texts = st.lists(words | st.just("two\nlines") | st.just('say "yes"') | st.just("a, b"), min_size=2, max_size=2)


@given(st.lists(texts, max_size=6), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_writes_is_read_back(table: list[list[str]], separator: str, end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerows([["A", "B"], *table])
    assert [list(row.values()) for row in cells(text.getvalue())] == [[cell.strip() for cell in row] for row in table]


def test_an_open_quote_costs_one_row() -> None:
    text = 'A,B\n1,x\n2,"open\n3,y\n4,"good, quoted"\n5,z\n'
    assert faults(text) == {3: "a quote is opened and not closed"}
    assert [row["A"] for row in cells(text)] == ["1", "3", "4", "5"]


def test_wrong_width_bad_quotes_and_bad_bytes_are_told_with_their_line() -> None:
    text = b'A,B\n1,x,too many\n2\n3,"x"y\n4,\xff\n5,good\n'
    found = faults(text)
    assert found[2] == "the row has 3 cells, the header 2"
    assert found[3] == "the row has 1 cells, the header 2"
    assert found[4].startswith("the quotes are broken")
    assert found[5].startswith("byte 3 of the row is not UTF-8")
    assert cells(text) == [{"A": "5", "B": "good"}]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        sheet = read_sheet(b"A,B\n" + data)
    except UnreadableFile:
        return
    assert all((row.cells is None) == bool(row.fault) for row in sheet.rows)
    rows.read_ndjson(data)


def test_the_same_file_gives_the_same_receipts_in_any_order_and_equal_rows_count_each() -> None:
    def receipts(text: str) -> list[str]:
        return list(rows.receipts(KEY, "s", map(rows.content_of, read_sheet(text.encode()).rows)))

    first = receipts("A,B\n1,x\n2,y\n1,x\n")
    assert len(set(first)) == 3
    assert sorted(receipts("B,A\n x ,1\nx,1\ny,2\n")) == sorted(first)


def test_receipts_cannot_be_found_without_the_key() -> None:
    [mine], [theirs] = (list(rows.receipts(key, "s", [b"row"])) for key in (KEY, b"x" * 64))
    assert mine != theirs
    assert len(mine) == 43  # 256 bits


def read(cells: dict[str, str], columns: dict[str, ColumnMapping] | None = None) -> tuple[dict[str, object], list[str]]:
    return Answering(columns or mapping.from_header(list(cells), SURVEY), SURVEY, [cells]).answers(cells)


def test_columns_are_named_after_questions() -> None:
    cells = {"A01": "FR", "A09": "police;video", "B02.anpr": "live", "B04": "3", "import_line": "7", "language": "fr"}
    answers, reasons = read(cells)
    assert answers == {"A01": "FR", "A09": ["police", "video"], "B02": {"anpr": "live"}, "B04": 3}
    assert not reasons


def test_one_column_per_option_is_understood() -> None:
    answers, reasons = read({"A09.police": "1", "A09.video": "0", "A09.events": "yes", "A09.traffic": "maybe"})
    assert answers == {"A09": ["police", "events"]}
    assert reasons == ["A09.traffic: give 1 or 0"]


def test_a_map_turns_labels_into_codes_and_gathers_columns() -> None:
    columns = {
        "Where": ColumnMapping("A01", codes={"France": "FR"}),
        "Task 1": ColumnMapping("A09", codes={"Police": "police"}),
        "Task 2": ColumnMapping("A09", codes={"Video": "video"}),
    }
    assert read({"Where": "France", "Task 1": "Police", "Task 2": "Video"}, columns) == ({"A01": "FR", "A09": ["police", "video"]}, [])
    assert read({"Where": "Narnia", "Task 1": "", "Task 2": ""}, columns) == ({}, ["Where: 'Narnia' has no code in the map"])


def test_a_key_that_stands_twice_in_a_line_is_told() -> None:
    one, other = rows.read_ndjson(b'{"answers": {"S1": "no", "S1": "yes"}}\n{"answers": {"S1": "no"}, "language": "fr"}\n')
    assert (one.content, one.fault) == (None, "the line has the key 'S1' twice")
    assert other.content == {"answers": {"S1": "no"}, "language": "fr"}
