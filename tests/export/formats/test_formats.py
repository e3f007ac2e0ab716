"""Every format of a release holds the same table, says so in the words of its standard, and is the same bytes each time."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import hashlib
import json
import re
import runpy
import shutil
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import frictionless
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest
from csvw import CSVW
from hypothesis import given
from hypothesis import strategies as st

from services.export import formats
from services.export.dataset.naming import LONGEST, RESERVED, short_names
from services.export.dataset.table import LETTERS, NUMBERS, Dataset
from services.export.dataset.variables import MISSING, SKIPPED, WITHHELD
from services.export.formats.spss import cut
from tests.export.judges import haven
from tests.export.tables import PASSAGES, SAID, released

DDI = "{ddi:codebook:2_5}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="module")
def table() -> Dataset:
    return replace(released(), passages=PASSAGES)


@pytest.fixture(scope="module")
def folder(table: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("release")
    formats.write(made, table, lambda share: None)
    return made


@pytest.fixture(scope="module")
def codes(table: Dataset) -> pd.DataFrame:
    """What every format must hold: each cell's code."""
    return pd.DataFrame({c.name: [c.categories[code].code for code in c.codes.tolist()] for c in table.columns}, dtype="object")


def test_the_table_has_every_kind_of_variable_and_no_free_text(table: Dataset) -> None:
    names = [column.name for column in table.columns]
    assert names[:2] == ["age", "district"]
    assert {"reasons.market", "statements.safe", "rank.1", "rank.2", "unit", "since"} < set(names)
    assert not any(name.startswith("wish") for name in names)
    columns = {column.name: column for column in table.columns}
    assert [c.code for c in columns["statements.safe"].categories if c.code != WITHHELD] == ["1", "2", MISSING, SKIPPED, "dk"]
    assert columns["statements.safe"].universe["fr"].startswith("Personnes répondantes qui ont répondu “Marché” ou “Rien” à A3")
    assert columns["age"].universe == {"en": "All respondents", "fr": "Toutes les personnes répondantes"}
    assert columns["statements.light"].label("fr") == "Il y a de la lumière. – Dans quelle mesure ?"
    assert columns["age"].role == "quasi_identifier"


def test_csv_and_parquet_hold_every_cell(folder: Path, codes: pd.DataFrame) -> None:
    csv = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(csv, codes, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "data.parquet").astype("object"), codes, check_dtype=False)
    asked = duckdb.sql(f"select * from '{folder / 'data.parquet'}'").df()
    pd.testing.assert_frame_equal(asked.astype("object"), codes, check_dtype=False)


def test_parquet_names_labels_and_keeps_the_order_of_categories(folder: Path, table: Dataset) -> None:
    schema = pq.read_schema(folder / "data.parquet")
    assert json.loads(schema.metadata[b"platea"])["release"] == 1
    frame = pd.read_parquet(folder / "data.parquet")
    for column in table.columns:
        described = json.loads(schema.field(column.name).metadata[b"platea"])
        assert described["text"] == column.text
        assert [each["labels"] for each in described["categories"]] == [category.labels for category in column.categories]
        assert frame[column.name].cat.categories.tolist() == [category.code for category in column.categories]
        assert frame[column.name].cat.ordered == (column.measure == "ordinal")


def test_spss_holds_every_cell_label_and_missing_code(folder: Path, table: Dataset, codes: pd.DataFrame) -> None:
    frame, found = pyreadstat.read_sav(folder / "data.sav", user_missing=True)
    assert found.number_rows == len(codes) == table.rows
    assert found.column_names == [column.short for column in table.columns]
    for column in table.columns:
        number = {category.code: category.number for category in column.categories}
        assert frame[column.short].tolist() == [number[code] for code in codes[column.name]]
        expected = {category.number: cut(label, 120) for category, label in zip(column.categories, column.shown("en"), strict=True)}
        assert found.variable_value_labels[column.short] == expected
        alike = sum(each.label("en") == column.label("en") for each in table.columns) > 1
        behind = f" [{column.short}]" if alike else ""
        assert found.column_names_to_labels[column.short] == cut(column.label("en"), 255 - len(behind)) + behind
        assert found.variable_measure[column.short] == column.measure
        absent = [category.number for category in column.categories if category.absent]
        ranges = found.missing_ranges.get(column.short, [])
        assert [any(r["lo"] <= n <= r["hi"] for r in ranges) for n in expected] == [n in absent for n in expected]
    blank, _ = pyreadstat.read_sav(folder / "data.sav")
    assert blank.isna().to_numpy().tolist() == codes.isin(list(NUMBERS)).to_numpy().tolist()


def test_stata_holds_every_cell_label_and_missing_code(folder: Path, table: Dataset, codes: pd.DataFrame) -> None:
    frame, found = pyreadstat.read_dta(folder / "data.dta", user_missing=True)
    assert found.column_names == [column.short for column in table.columns]
    for column in table.columns:
        value: dict[str, Any] = {category.code: category.letter or category.number for category in column.categories}
        assert frame[column.short].tolist() == [value[code] for code in codes[column.name]]
        assert found.variable_value_labels[column.short] == dict(zip(value.values(), column.shown("en"), strict=True))
    labels = [found.column_names_to_labels[column.short] for column in table.columns]
    assert len(set(labels)) == len(labels)
    for label, column in zip(labels, table.columns, strict=True):
        assert len(label) <= 80
        assert column.label("en").startswith(re.sub(rf"…?( \[{column.short}\])?$", "", label))
    blank = pd.read_stata(folder / "data.dta", convert_categoricals=False)
    assert blank.isna().to_numpy().tolist() == codes.isin(list(LETTERS)).to_numpy().tolist()


def test_others_validators_accept_the_descriptions(folder: Path) -> None:
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        described = CSVW(str(folder / "data.csv-metadata.json"), validate=True)
        assert described.is_valid, described.warnings
    assert not [str(each.message) for each in told if "csvw" in str(each.category).lower()]


def test_texts_are_read_as_they_were_written_and_are_described(folder: Path) -> None:
    guarded = [(language, f"'{text}" if text[0] in "=-" else text) for language, text in SAID]
    read = pd.read_csv(folder / "texts.csv", keep_default_na=False)
    assert list(read[["language", "text"]].itertuples(index=False, name=None)) == guarded
    assert set(read["question"]) == {"wish"}
    assert duckdb.sql(f"select text from read_csv('{folder / 'texts.csv'}')").fetchall() == [(text,) for _, text in guarded]
    package = json.loads((folder / "datapackage.json").read_text())
    assert package["resources"][1]["schema"]["fields"][0]["categories"] == [{"value": "wish", "label": "Your wish"}]
    page = (folder / "codebook.html").read_text()
    assert "holds 3 texts" in page
    assert "stopped" not in page, "the codebook tells how many, not what"


def test_without_texts_there_is_no_file_of_them(tmp_path: Path, table: Dataset) -> None:
    formats.write(tmp_path, replace(table, passages=replace(PASSAGES, lines=())), lambda share: None)
    assert not (tmp_path / "texts.csv").exists()
    assert len(json.loads((tmp_path / "datapackage.json").read_text())["resources"]) == 1


@pytest.mark.filterwarnings("always::UserWarning")  # csvw collects its own
def test_a_damaged_cell_fails_both_validators(folder: Path, tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    for name in ("data.csv", "texts.csv", "data.csv-metadata.json", "datapackage.json"):
        shutil.copy(folder / name, tmp_path)
    path = tmp_path / "data.csv"
    head, first, rest = path.read_text().split("\n", 2)
    path.write_text("\n".join([head, first.rsplit(",", 1)[0] + ",nonsense", rest]))
    assert not CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True).is_valid
    errors = frictionless.validate(str(tmp_path / "datapackage.json")).flatten(["type"])
    assert ["constraint-error"] in errors


def test_ddi_tells_texts_universes_and_frequencies_in_all_languages(folder: Path, table: Dataset, codes: pd.DataFrame) -> None:
    """DDI's own schema is in no package: `test_judged_by_others` asks it where it is; the order of elements below is the one it demands."""
    root = ElementTree.parse(folder / "codebook.xml").getroot()
    assert (root.tag, root.get("version")) == (f"{DDI}codeBook", "2.5")
    assert [child.tag for child in root] == [f"{DDI}{name}" for name in ("stdyDscr", "fileDscr", "fileDscr", "dataDscr")]
    assert [file.get("URI") for file in root.findall(f"{DDI}fileDscr")] == ["data.csv", "texts.csv"]
    variables = root.findall(f".//{DDI}var")
    assert [variable.get("name") for variable in variables] == list(codes.columns)
    assert len({variable.get("ID") for variable in variables}) == len(variables)
    order = ["labl", "qstn", "invalrng", "universe", "TotlResp", "catgry", "varFormat", "notes"]
    for variable, column in zip(variables, table.columns, strict=True):
        tags = [child.tag.removeprefix(DDI) for child in variable]
        assert tags == sorted(tags, key=order.index)
        assert {q.get(XML_LANG): q.text for q in variable.iter(f"{DDI}qstnLit")} == column.text
        assert {u.get(XML_LANG): u.text for u in variable.findall(f"{DDI}universe")} == column.universe
        told = {c.findtext(f"{DDI}catValu"): int(c.findtext(f"{DDI}catStat") or "") for c in variable.findall(f"{DDI}catgry")}
        assert {code: count for code, count in told.items() if count} == Counter(codes[column.name])
        missing = {c.findtext(f"{DDI}catValu") for c in variable.findall(f"{DDI}catgry") if c.get("missing") == "Y"}
        assert missing == {category.code for category in column.categories if category.absent}


def test_the_script_for_pandas_reads_labels(folder: Path, table: Dataset, codes: pd.DataFrame) -> None:
    read = runpy.run_path(str(folder / "read_pandas.py"))
    for column in table.columns:
        label = {c.code: s for c, s in zip(column.categories, column.shown("en"), strict=True) if not c.absent}
        expected = [label.get(code) for code in codes[column.name]]
        assert [None if value is np.nan else value for value in read["data"][column.name].tolist()] == expected


@pytest.mark.service
def test_the_script_for_r_reads_labels(folder: Path, codes: pd.DataFrame) -> None:
    script = 'source("read.R"); cat(nrow(data), ncol(data), sum(is.na(data)), levels(data$district), sep = "\\n")'
    rows, columns, missing, *levels = haven(script, folder)
    assert (int(rows), int(columns)) == codes.shape
    assert int(missing) == int(codes.isin(list(NUMBERS)).to_numpy().sum())
    assert levels


@pytest.mark.service
@pytest.mark.parametrize(("language", "labels"), [("en", ("Old town", "Harbour", "North")), ("fr", ("Vieille ville", "Port", "Nord"))])
def test_haven_reads_labels_and_reasons_for_missing_answers(
    language: str, labels: tuple[str, ...], table: Dataset, codes: pd.DataFrame, tmp_path: Path
) -> None:
    spoken = replace(table, edition=replace(table.edition, language=language))
    formats.spss.write(tmp_path / "data.sav", spoken)
    formats.stata.write(tmp_path / "data.dta", spoken)
    script = """s <- read_sav("data.sav", user_na = TRUE); d <- read_dta("data.dta"); plain <- read_sav("data.sav")
        cat(dim(s), dim(d), sum(s$statements_safe == -2), sum(na_tag(d$statements_safe) == "s", na.rm = TRUE),
            sum(is.na(plain)), sum(is.na(d)), names(attr(d$district, "labels"))[1], names(attr(s$district, "labels"))[1], sep = "\\n")"""
    *counted, stata, spss = haven(script, tmp_path)
    skipped, absent = int((codes["statements.safe"] == SKIPPED).sum()), int(codes.isin(list(NUMBERS)).to_numpy().sum())
    assert [int(count) for count in counted] == [*codes.shape, *codes.shape, skipped, skipped, absent, absent]
    assert stata in labels
    assert spss in labels


def test_the_page_needs_nothing_from_outside_and_names_every_variable(folder: Path, table: Dataset) -> None:
    page = (folder / "codebook.html").read_text("utf-8")
    assert "<script" not in page
    assert "src=" not in page
    assert all(f'id="{column.name}"' in page for column in table.columns)
    assert "All respondents" in page
    assert "Quel âge avez-vous ?" in page
    assert "creativecommons.org/licenses/by/4.0" in (folder / "LICENSE").read_text("utf-8")


def test_the_same_table_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    formats.write(tmp_path, replace(released(), passages=PASSAGES), lambda share: None)
    for name in (*formats.TEXTS, *formats.WRITERS, formats.PACKAGE):
        assert hashlib.sha256((tmp_path / name).read_bytes()).digest() == hashlib.sha256((folder / name).read_bytes()).digest(), name


def test_no_file_tells_when_it_was_made(folder: Path) -> None:
    year = str(pd.Timestamp.now().year)
    assert all(year.encode() not in (folder / name).read_bytes() for name in (*formats.WRITERS, formats.PACKAGE) if name != "data.parquet")


@pytest.mark.parametrize("count", [10, 65_535, 65_536, 65_537])
def test_rows_are_the_same_on_both_sides_of_a_batch(count: int, tmp_path: Path, table: Dataset) -> None:
    chosen = np.arange(count) % table.rows
    few = [column for column in table.columns if column.name in ("age", "unit", "statements.safe")]
    long = Dataset(table.edition, tuple(replace(column, codes=column.codes[chosen]) for column in few), count)
    formats.spss.write(tmp_path / "data.sav", long)
    formats.stata.write(tmp_path / "data.dta", long)
    spss, _ = pyreadstat.read_sav(tmp_path / "data.sav", user_missing=True)
    stata = pd.read_stata(tmp_path / "data.dta", convert_categoricals=False)
    assert len(spss) == len(stata) == count
    for column in long.columns:
        numbers = np.array([category.number for category in column.categories])[column.codes]
        assert (spss[column.short].to_numpy() == numbers).all()
        assert (stata[column.short].fillna(-1).to_numpy() == np.where(numbers < 0, -1, numbers)).all()


@given(st.lists(st.text("abcXYZ019._+-é", min_size=1, max_size=80), unique=True, max_size=30))
def test_short_names_are_accepted_and_all_different(names: list[str]) -> None:
    short = short_names(names)
    assert list(short) == names
    assert len({name.lower() for name in short.values()}) == len(names)
    for name in short.values():
        assert name[0].isalpha()
        assert name.isascii()
        assert name.replace("_", "a").isalnum()
        assert len(name) <= LONGEST
        assert name.lower() not in RESERVED


@given(st.text(max_size=100), st.integers(8, 40))
def test_a_label_is_cut_between_characters(label: str, longest: int) -> None:
    short = cut(label, longest)
    assert len(short.encode()) <= longest
    assert short == label or (short.endswith("…") and label.startswith(short[:-1]))


def test_a_release_for_research_does_not_carry_the_licence_for_everybody(table: Dataset, tmp_path: Path) -> None:
    formats.write(tmp_path, replace(table, edition=replace(table.edition, profile="scientific")), lambda share: None)
    for name in (*formats.WRITERS, formats.PACKAGE):
        whole = (tmp_path / name).read_bytes()
        assert b"creativecommons" not in whole, name
        assert b"CC-BY" not in whole, name
    for name in ("LICENSE", "codebook.html", "codebook.xml", "datapackage.json"):
        assert "or the stated purpose only" in (tmp_path / name).read_text("utf-8"), name
    assert frictionless.validate(str(tmp_path / "datapackage.json")).valid
    assert CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True).is_valid
