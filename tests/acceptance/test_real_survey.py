"""A real survey of 1,001 people, collected elsewhere, as others' programs see it: its figures, what its releases promise."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import asyncio
import json
import re
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pandas as pd
import pyreadstat
import pytest
import yaml
from csvw import CSVW

from proto.author import load
from proto.instrument import Instrument
from services.export.dataset.profiles import PROFILES
from tests.export.judges import haven, judged
from tests.faults.operated import Operated
from tests.faults.respondents import exact

SURVEY = Path(__file__).parents[3] / "shared" / "data" / "bc-ai-survey.csv"

IDENTIFIERS = ("Q1_Location_in_BC", "Age", "Gender", "Education", "HH_Income_Fine_23", "HH_Comp_23")
SENSITIVE = ("Ethnicity_Roll_23", "FirstNation_23", "Q3_AI_affecting_society_feeling", "Q14_Govt_role_in_managing_AI")
DROPPED = ("AgeRollup_Broad", "Year_of_Birth", "FirstNation_23_b", "KidsinHH_23", "KidsinHH_23_b", "KidsinHH_23_c", "HH_Under18_23")
"""What the author of the draft decides: the rest of it says nearly the same again."""

pytestmark = pytest.mark.skipif(not SURVEY.exists(), reason="the real survey's data are not beside this checkout (../shared/data)")


def with_roles(draft: str) -> str:
    """The draft after its author's review: each question with its privacy role."""
    head, *questions = re.split(r"(?m)^(?=  - id: )", draft)
    for place, question in enumerate(questions):
        id = question.split("\n", 1)[0].removeprefix("  - id: ")
        role = "sensitive" if id in SENSITIVE else "identifying" if id in DROPPED else ""
        if role:
            questions[place] = re.sub(r"privacy: \{.*\}", f"privacy: {{role: {role}}}", question)
    return head + "".join(questions)


@dataclass
class Imported:
    """A running stack that holds the survey; `rows` are those of the file, `columns` its import map."""

    stack: Operated
    instrument: Instrument
    rows: pd.DataFrame
    columns: dict[str, Any]
    importing: tuple[str, ...]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    folder = tmp_path_factory.mktemp("real")
    rows = pd.read_csv(SURVEY, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    with Operated(folder) as stack:
        draft = folder / "bc-ai.yaml"
        draft.write_text(with_roles(stack.platea("survey", "draft", str(SURVEY)).stdout), encoding="utf-8")
        instrument = load(draft)
        assert isinstance(instrument, Instrument), instrument
        stack.platea("survey", "publish", str(draft), "--reviewed")
        importing = ("import", instrument.id, str(SURVEY), "--map", str(draft))
        stack.platea(*importing)
        _, mapping = yaml.safe_load_all(draft.read_text(encoding="utf-8"))
        yield Imported(stack, instrument, rows, mapping["columns"], importing)


async def settled(stack: Operated, survey: str, expected: int) -> dict[str, Any]:
    for _ in range(300):
        found = await exact(stack.url, stack.token, survey)
        if found["responses"] == expected:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found['responses']} of {expected} counted")


async def test_every_figure_of_an_imported_survey_equals_pandas_and_importing_again_changes_nothing(imported: Imported) -> None:
    stack, survey, raw = imported.stack, imported.instrument.id, imported.rows
    found = await settled(stack, survey, len(raw))

    compared = 0
    for column, entry in imported.columns.items():
        figures, values = found["questions"][entry["question"]], raw[column].str.strip()
        for label, code in entry.get("codes", {}).items():
            assert figures["cells"][code]["n"] == (values == label.strip()).sum(), (column, label)
            compared += 1
        if column == "Age":
            ages = values.astype(int)
            assert figures["sum"] == ages.sum()
            assert figures["mean"] == pytest.approx(ages.mean(), rel=1e-12)
            assert figures["variance"] == pytest.approx(ages.var(ddof=1), rel=1e-12)
            bands = {code: cell["n"] for code, cell in figures["bands"].items()}
            assert bands == {code: ages.between(*map(int, code.split("-"))).sum() for code in bands}
            compared += 3 + len(bands)
    assert compared > 150

    await asyncio.to_thread(stack.platea, *imported.importing)
    await asyncio.sleep(2)
    again = await exact(stack.url, stack.token, survey)
    assert again["responses"] == len(raw)
    assert again["questions"] == found["questions"]
    await asyncio.to_thread(stack.platea, "recount", survey)


async def test_others_judges_find_in_its_releases_what_they_promise_and_every_program_opens_them(
    imported: Imported, tmp_path: Path
) -> None:
    await settled(imported.stack, imported.instrument.id, len(imported.rows))
    for profile, purpose in (("public", ()), ("scientific", ("--purpose", "To see what it promises"))):
        folder = tmp_path / profile
        arguments = ("release", "create", imported.instrument.id, "--profile", profile, *purpose, "--out", str(folder))
        await asyncio.to_thread(imported.stack.platea, *arguments)
        policy = judged(folder, imported.instrument)
        assert policy["k"] == PROFILES[profile].k
        opened(folder, len(imported.rows))


def opened(folder: Path, responses: int) -> None:
    """Every file holds as many rows and columns as the manifest and the codebook say, and its descriptions are valid."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    csv = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    assert len(csv) == manifest["released"] == responses - manifest["suppressed"]
    for read in (
        pd.read_parquet(folder / "data.parquet"),
        duckdb.sql(f"select * from '{folder / 'data.parquet'}'").df(),
        pd.read_stata(folder / "data.dta"),
        pyreadstat.read_sav(folder / "data.sav", user_missing=True)[0],
        runpy.run_path(str(folder / "read_pandas.py"))["data"],
    ):
        assert read.shape == csv.shape
    script = 's <- read_sav("data.sav", user_na = TRUE); d <- read_dta("data.dta"); source("read.R")'
    script += '; cat(dim(s), dim(d), dim(data), sep = "\\n")'
    assert list(map(int, haven(script, folder))) == [*csv.shape] * 3
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    assert CSVW(str(folder / "data.csv-metadata.json"), validate=True).is_valid
