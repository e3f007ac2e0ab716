"""A release says what each row weighs, as one of a few classes, protected as its role says, and every format tells which column that is."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import runpy
import uuid
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyreadstat
import pytest

from proto.author import read
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.export import formats
from services.export.dataset.profiles import PROFILES
from services.export.dataset.table import Dataset
from services.export.dataset.variables import MISSING, WITHHELD, Encoder, variables
from services.export.gate.ledger import LedgerKeys
from services.export.pipeline import protected_table
from services.export.release import table_of
from services.export.report.of_release import report_on
from services.export.report.report import ReleasedWeight, ReleaseReport, encode
from services.export.report.sentences import sentences
from tests.export.tables import EVERY_KIND, answers, made

WEIGHT = """
case_weight: {label: {en: "Weight of the panel", fr: "Poids du panel"}, least: 0.25, greatest: 4, classes: 4, privacy: {role: %s}}
"""
CLASSES = {"0.3536": "0.5", "0.7071": "0.5", "1.414": "2", "2.828": "2"}
"""Each class, and the pair that it may be told as."""
PUBLIC = PROFILES["public"]


def panel(role: str, count: int = 400) -> tuple[ReleaseReport, Dataset, list[str]]:
    """A release with its report, and the weight that each row was given."""
    text = EVERY_KIND.replace("platea-instrument/1", "platea-instrument/2") + WEIGHT % role
    instrument = read(text, "panel.yaml", lambda name: "")
    assert isinstance(instrument, Instrument), instrument
    reader, given = answers(instrument, count)
    codes: list[str] = [str(code) for code in np.random.default_rng(1).choice([*CLASSES], count, p=[0.2, 0.4, 0.3, 0.1])]
    for one, code in zip(given, codes, strict=True):
        setattr(one, "Weight", code)  # noqa: B010 - the type knows its fields only when it runs
    columns = variables(instrument)
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add(given)
    original, keys = encoder.table(), LedgerKeys(bytes(32), instrument.id)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(count)])
    protected = protected_table(columns, original, PUBLIC, people, keys)
    table = table_of(1, instrument, columns, protected, PUBLIC, count)
    return report_on(original, table, columns, instrument, protected.reasons, protected.quasi_identifiers), table, codes


def told(table: Dataset) -> dict[str, list[str]]:
    return {column.name: [column.categories[place].code for place in column.codes.tolist()] for column in table.columns}


def test_a_weight_that_is_a_quasi_identifier_is_told_in_groups_of_ten_and_never_untruly() -> None:
    _, table, codes = panel("quasi_identifier")
    found = told(table)
    assert {*found["weight"]} <= {*CLASSES, *CLASSES.values(), WITHHELD}
    assert any(code != WITHHELD for code in found["weight"])
    groups = Counter(zip(found["age"], found["district"], found["weight"], strict=True))
    assert min(groups.values()) >= PUBLIC.k
    given, wider = Counter(codes), Counter(CLASSES[code] for code in codes)
    for code, n in Counter(found["weight"]).items():
        assert code == WITHHELD or n <= given[code] + wider[code], "no more rows have a weight than were given it"


def test_a_weight_that_tells_nothing_of_anybody_is_told_as_its_class() -> None:
    report, table, codes = panel("insensitive")
    found = told(table)["weight"]
    assert {*found} <= {*CLASSES, WITHHELD, MISSING}
    shown = Counter(code for code in found if code in CLASSES)
    assert all(n <= Counter(codes)[code] for code, n in shown.items())
    assert sum(shown.values()) > 0.9 * len(found)
    weights = np.array([float(code) for code in found if code in CLASSES])
    assert isinstance(report.weight, ReleasedWeight)
    assert (report.weight.variable, report.weight.rows) == ("weight", len(weights))
    assert report.weight.worth == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), abs=1e-3)
    assert any(f"worth {report.weight.worth:,.0f} of equal weight" in sentence for sentence in sentences(report))


def test_a_release_without_a_weight_has_the_report_it_had() -> None:
    report = made("social-cohesion", "scientific", 60).report()
    assert b'"weight"' not in encode(report)
    assert not any("weighs" in sentence for sentence in sentences(report))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("release")
    formats.write(made, panel("insensitive")[1], lambda share: None)
    return made


def test_the_codebooks_say_which_variable_is_the_weight(folder: Path) -> None:
    root = ElementTree.parse(folder / "codebook.xml").getroot()
    assert [var.get("name") for var in root.iter("{ddi:codebook:2_5}var") if var.get("wgt") == "wgt"] == ["weight"]
    page = (folder / "codebook.html").read_text("utf-8")
    assert page.count("weight of the row") == 1
    assert "Weight of the panel" in page


def test_the_scripts_read_the_weight_as_a_number(folder: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(folder / "read_pandas.py"))
    assert {*script["weights"].dropna()} == {float(code) for code in CLASSES}
    assert 'weights <- suppressWarnings(as.numeric(codes[["weight"]]))' in (folder / "read.R").read_text("utf-8")
    assert "decode weight, generate(_weight_label)" in (folder / "read.do").read_text("utf-8")
    _, about = pyreadstat.read_sav(folder / "data.sav", metadataonly=True)
    assert {*about.variable_value_labels["weight"].values()} >= {*CLASSES}
