"""A real survey of 1,001 people: every two-way table equals pandas, and Age by Q14 weighted to given ages equals statsmodels."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import hashlib
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import chi2_contingency
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from deploy.cli.datafile.reading import read_sheet
from deploy.cli.drafting.draft import draft
from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument, Integer, Margin, Multiple, Portion, Single
from services.analysis.publish import exact_view
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from services.analysis.statistics import weighted_tables

SURVEY = Path(__file__).parents[3] / "shared" / "data" / "bc-ai-survey.csv"

pytestmark = pytest.mark.skipif(not SURVEY.exists(), reason="the real survey's data are not beside this checkout (../shared/data)")


@cache
def survey() -> tuple[CodeBook, State, dict[str, pd.DataFrame]]:
    """Its code book and state, and of each closed question who gave which answer, by pandas alone."""
    raw = pd.read_csv(SURVEY, dtype=str, keep_default_na=False, encoding="utf-8-sig").apply(lambda column: column.str.strip())
    text, mapping = draft(read_sheet(SURVEY.read_bytes()), SURVEY.name)
    read = author.read(text, SURVEY.name, lambda name: "")
    assert isinstance(read, Instrument)
    answers: list[dict[str, Any]] = [{} for _ in range(len(raw))]
    given: dict[str, pd.DataFrame] = {}
    for column, entry in yaml.safe_load(mapping)["columns"].items():
        question = read.question(entry["question"])
        codes = {label.strip(): code for label, code in entry.get("codes", {}).items()}
        frame = given.setdefault(question.id, pd.DataFrame(index=raw.index))
        for code in codes.values():
            frame[code] = frame.get(code, False) | (raw[column].map(codes) == code)
        if isinstance(question, Integer):
            for band in question.bands:
                frame[band.code] = raw[column].astype(int).between(band.lower, band.upper or np.inf)
        for answer, cell in zip(answers, raw[column], strict=True):
            if isinstance(question, Single) and cell:
                answer[question.id] = codes[cell]
            elif isinstance(question, Multiple) and cell:
                answer.setdefault(question.id, []).append(codes[cell])
            elif isinstance(question, Integer) and cell:
                answer[question.id] = int(cell)
    age = given["Age"].sum()
    margin = Margin("Age", {"en": "Given ages"}, tuple(Portion(code, (place + 1) / 100) for place, code in enumerate(age.index)))
    whole = sum(portion.share for portion in margin.portions)
    margin = Margin("Age", margin.source, tuple(Portion(portion.code, portion.share / whole) for portion in margin.portions))
    book = CodeBook(Reader(msgspec.structs.replace(read, margins=(margin,))))
    reader, folder = Reader(book.instrument), Folder(book)
    state = folder.empty()
    folder.fold(state, [(hashlib.sha256(b"%d" % i).hexdigest()[:32], reader.convert(one)[0]) for i, one in enumerate(answers)])
    return book, state, {id: frame.astype(float) for id, frame in given.items() if len(frame.columns)}


def test_every_two_way_table_of_a_real_survey_equals_pandas_and_scipy() -> None:
    book, state, given = survey()
    compared = 0
    for one, other in combinations(given, 2):
        table = exact_view.table(book, state, one, other, revision=1, as_of="now")
        rows, columns = given[one], given[other]
        counts = rows.T @ columns
        answered = rows.T @ (columns.sum(axis=1) > 0).astype(float)
        pairs, of = counts.to_dict("index"), answered.to_dict()
        for row, line in table.cells.items():
            for column, cell in line.items():
                assert cell.n == pairs[row][column], (one, other, row, column)
                assert cell.share == (pairs[row][column] / of[row] if of[row] else None)
                compared += 1
        assert table.association is not None
        if (rows.sum(axis=1) <= 1).all() and (columns.sum(axis=1) <= 1).all() and table.association.chi2 is not None:
            kept = counts.loc[counts.sum(axis=1) > 0, counts.sum(axis=0) > 0]
            oracle = chi2_contingency(kept, correction=False)
            assert table.association.chi2 == pytest.approx(oracle.statistic)
            assert table.association.p == pytest.approx(oracle.pvalue, rel=1e-6, abs=1e-12)
    assert compared > 10_000


def test_age_by_q14_weighted_to_given_ages_equals_statsmodels() -> None:
    book, state, given = survey()
    q14 = next(id for id in given if id.startswith("Q14"))
    snapshot = exact_view.snapshot(book, state, revision=1, as_of="now")
    assert snapshot.weighting is not None
    groups = snapshot.weighting.groups["Age"]
    shares = {portion.code: portion.share for portion in book.instrument.margins[0].portions}
    weights = pd.Series(0.0, index=given["Age"].index)
    for group in groups:
        members = given["Age"][list(group)].sum(axis=1) > 0
        weights[members] = sum(shares[code] for code in group) * len(weights) / members.sum()
    for table, row, column in (
        (weighted_tables.exact(exact_view.table(book, state, "Age", q14, revision=1, as_of="now"), book, state), "Age", q14),
        (weighted_tables.exact(exact_view.table(book, state, q14, "Age", revision=1, as_of="now"), book, state), q14, "Age"),
    ):
        answered = given[column].sum(axis=1) > 0
        for code, line in table.cells.items():
            of = answered & (given[row][code] > 0)
            for to, cell in line.items():
                if not of.any():
                    assert cell.weighted is None
                    continue
                oracle = DescrStatsW(given[column][to][of], weights[of])
                n_eff = weights[of].sum() ** 2 / (weights[of] ** 2).sum()
                assert cell.weighted is not None
                assert cell.weighted.share == pytest.approx(oracle.mean, abs=1e-12)
                assert cell.weighted.ci95 == pytest.approx(proportion_confint(oracle.mean * n_eff, n_eff, method="wilson"), abs=1e-9)
        both = answered & (given[row].sum(axis=1) > 0)
        for to, found in table.total.items():
            assert found.share == pytest.approx(DescrStatsW(given[column][to][both], weights[both]).mean, abs=1e-12)
