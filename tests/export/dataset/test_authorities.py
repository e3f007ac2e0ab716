"""A release holds against the public list of local authorities, however few of them answered."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from services.export.protect.anonymise import protect
from services.export.protect.authorities import authorities
from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.measure import measure
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import ProtectionRequest

REFERENCE = Path(__file__).parents[3] / "proto" / "reference"
LISTED = (REFERENCE / "lau_2019_by_population_band.csv").read_text()
COUNTRIES = {line["alpha2"]: line["region_group"] for line in csv.DictReader((REFERENCE / "countries.csv").read_text().splitlines())}
COUNTRY = ValueHierarchy("country", tuple(COUNTRIES), tuple((group,) for group in COUNTRIES.values()))
SIZES = {"p1": "small", "p2": "small", "p3": "small", "p4": "medium", "p5": "medium", "p6": "large", "p7": "large", "p8": "large"}
BAND = ValueHierarchy("population_band", tuple(SIZES), tuple((size,) for size in SIZES.values()))
BOTH = (COUNTRY, BAND)


def test_the_list_holds_every_authority_it_tells_and_says_which_it_does_not() -> None:
    frame = authorities(LISTED, BOTH, 0, 1, 5)
    cells = frame.counts[frame.codes[:, 1] >= 0]
    totals = [int(line["lau_total"]) for line in csv.DictReader(LISTED.splitlines())]
    assert frame.counts.sum() == sum(totals)
    assert (cells == 1).sum() == 32  # so many cells of country and band name one authority each
    assert authorities(LISTED, BOTH, 0, None, 5).counts.sum() == sum(totals)


def test_five_answers_from_the_only_large_city_of_a_country_are_not_told_as_such() -> None:
    vienna = [COUNTRY.values.index("AT"), BAND.values.index("p8")]
    villages = [COUNTRY.values.index("AT"), BAND.values.index("p1")]
    codes = np.array([vienna] * 6 + [villages] * 6)
    open_ = protect(codes, BOTH, [], ProtectionRequest(5))
    assert set(zip(open_.labels(0), open_.labels(1), strict=True)) == {("AT", "p8"), ("AT", "p1")}
    frame = authorities(LISTED, BOTH, 0, 1, 5)
    held = protect(codes, BOTH, [], ProtectionRequest(5, frame=frame))
    found = measure(codes, BOTH, [], held, frame)
    assert found.population is not None
    assert found.population >= 5
    assert ("AT", "p8") not in set(zip(held.labels(0), held.labels(1), strict=True))
    assert any("public list" in reason for reason in held.reasons)


def test_bands_of_another_kind_are_refused() -> None:
    with pytest.raises(Unprotectable, match="not those of the public list"):
        authorities(LISTED, (COUNTRY, ValueHierarchy("staff", ("few", "many"), ((), ()))), 0, 1, 5)
