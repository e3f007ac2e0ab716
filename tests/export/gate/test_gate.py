"""A release goes out only if what is in it was measured and holds; otherwise a sentence says why, and what would help."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace as replace_

from services.export.dataset.profiles import PROFILES
from services.export.dataset.variables import MISSING, WITHHELD, Variable, variables
from services.export.gate import ledger, measuring
from services.export.gate.after import Protected
from services.export.gate.ledger import LedgerKeys, People
from services.export.gate.quasi_identifiers import QuasiIdentifierTable, codes_of
from services.export.gate.refused import ReleaseRefused
from services.export.pipeline import protected_table
from tests.export.tables import every_kind

PUBLIC, SCIENTIFIC = PROFILES["public"], PROFILES["scientific"]
KEYS = LedgerKeys(bytes(32), "every-kind")
COLUMNS = variables(every_kind())
DISTRICTS = ["old", "harbour", "hill"]
AGES = ["16-29", "30-49", "50-64", "65+"]


def people(count: int, first: int = 0) -> People:
    return KEYS.people([uuid.UUID(int=first + n).bytes for n in range(count)])


def answers(count: int, seed: int = 1, **fixed: Any) -> pd.DataFrame:
    """Plain answers at random, but for the columns that are given as one value for all."""
    dice = np.random.default_rng(seed)
    table = {column.name: dice.choice(list(column.labels)[:4], count) for column in COLUMNS}
    return pd.DataFrame(table | {name: np.full(count, value) for name, value in fixed.items()}, dtype="object")


def released(full: pd.DataFrame, columns: list[Variable] = COLUMNS, first: int = 0, **more: Any) -> Protected:
    return protected_table(columns, full, PUBLIC, people(len(full), first), KEYS, **more)


def test_what_goes_out_holds_every_rule_and_the_order_of_arrival_leaves_no_trace() -> None:
    full = answers(200)
    found = released(full)
    assert found.measures.smallest >= PUBLIC.k
    assert all(found.table.groupby(["age", "district"], observed=True).size() >= PUBLIC.k)
    shuffled = np.random.default_rng(9).permutation(200)
    again = protected_table(COLUMNS, full.take(shuffled).reset_index(drop=True), PUBLIC, people(200)[shuffled], KEYS)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert (full["reasons.market"].to_numpy()[found.rows] == found.table["reasons.market"].to_numpy()).all()
    assert (np.diff(found.rows) > 0).mean() < 0.7, "the order of arrival is gone"


@pytest.mark.parametrize(
    ("full", "reason"),
    [
        (answers(19), "There are 19 responses; a public release needs 20. Wait for more."),
        (answers(200, age="16-29", district="old"), "one class"),
        (answers(200, **{column.name: MISSING for column in COLUMNS}), "one class"),
        (answers(200, **{"reasons.market": "1"}), "It would help to leave out reasons.market."),
    ],
    ids=["fewer than k", "one giant class", "only missing", "a sensitive answer that all gave"],
)
def test_what_cannot_be_protected_is_refused_with_a_sentence(full: pd.DataFrame, reason: str) -> None:
    with pytest.raises(ReleaseRefused, match=reason):
        released(full)


def test_a_quasi_identifier_without_hierarchy_is_named() -> None:
    columns = [replace(column, hierarchy=None) if column.name == "district" else column for column in COLUMNS]
    with pytest.raises(ReleaseRefused, match="district has no hierarchy"):
        released(answers(200), columns)


def test_a_survey_without_quasi_identifiers_is_one_class_and_hides_rare_answers() -> None:
    columns = [column for column in COLUMNS if column.role != "quasi_identifier"]
    full = answers(200)
    full.loc[:3, "unit"] = "u200"
    found = released(full, columns)
    assert found.measures.smallest == len(found.table) == 200
    assert "u200" not in set(found.table["unit"])
    assert (found.table["unit"] == WITHHELD).sum() >= PUBLIC.k
    with pytest.raises(ReleaseRefused, match=r"It would help to leave out reasons\.market"):
        released(full.assign(**{"reasons.market": "1"}), columns)


def test_who_joins_a_survey_without_quasi_identifiers_comes_in_company() -> None:
    columns, full = [column for column in COLUMNS if column.role != "quasi_identifier"], answers(230)
    first = released(full[:200], columns)
    few, many = (released(full[:count], columns, number=2, book=first.book) for count in (205, 230))
    assert (len(few.table), few.suppressed) == (200, 5)
    assert (len(many.table), many.suppressed) == (230, 0)
    with pytest.raises(ReleaseRefused, match="other quasi-identifiers"):
        released(full, number=2, book=first.book)


def test_a_constant_column_is_released_where_others_tell_enough() -> None:
    found = released(answers(200, district="old"))
    assert set(found.table["district"]) == {"old"}


def test_two_hundred_quasi_identifiers_of_rows_all_unlike_are_refused() -> None:
    district = next(column for column in COLUMNS if column.name == "district")
    columns = [replace(district, name=f"district{n}") for n in range(200)]
    dice = np.random.default_rng(3)
    unique = pd.DataFrame({column.name: dice.choice(DISTRICTS, 25) for column in columns}, dtype="object")
    with pytest.raises(ReleaseRefused, match=r"next to nothing.*declare fewer quasi-identifiers: there are 200"):
        released(unique, columns)


def test_a_table_that_was_not_protected_does_not_pass_the_gate() -> None:
    full = answers(60)
    reading = QuasiIdentifierTable.of(COLUMNS, full, PUBLIC.units)
    rows = np.arange(60)
    back = measuring.read_back(reading, full, rows, 60)
    broken, _ = measuring.weighed(reading, back, measuring.sensitive_back(reading, full, rows, COLUMNS), PUBLIC)
    sizes = full.groupby(["age", "district"]).size()
    assert broken[0].rows == int(sizes[sizes < PUBLIC.k].sum()) > 0
    assert str(broken[0]).startswith("At least 10 people must share all quasi-identifiers")


def test_a_long_table_is_read_without_being_copied() -> None:
    made = {
        column.name: pd.Categorical.from_codes(np.arange(300) % 3, categories=pd.Index(column.codes, dtype="object")) for column in COLUMNS
    }
    full = pd.DataFrame(made, copy=False)
    assert all(np.shares_memory(codes_of(full, column), made[column.name].codes) for column in COLUMNS)
    assert max(codes_of(full, column).itemsize for column in COLUMNS if len(column.codes) < 128) == 1


def test_a_released_value_that_is_not_true_is_found() -> None:
    full = answers(60)
    reading = QuasiIdentifierTable.of(COLUMNS, full, PUBLIC.units)
    wrong = full.assign(district="north" if full["district"][0] != "old" else "south")
    with pytest.raises(ValueError, match="not true"):
        measuring.read_back(reading, wrong, np.arange(60), 60)


def test_rare_answers_are_withheld_and_counted() -> None:
    full = answers(200)
    full.loc[:3, "unit"] = "u200"
    found = released(full)
    assert "u200" not in set(found.table["unit"])
    assert (found.table["unit"] == WITHHELD).sum() >= PUBLIC.k
    assert found.withheld >= PUBLIC.k


@pytest.mark.slow
def test_those_who_are_in_two_releases_keep_their_class_whoever_left_or_came() -> None:
    full = answers(300)
    first = released(full)
    stays = np.arange(300) >= 6
    joined = pd.concat([full[stays], answers(60, 7)], ignore_index=True)
    who = np.concatenate([people(300)[stays], people(60, 1000)])
    stored = ledger.decode(ledger.encode(first.book))
    second = protected_table(COLUMNS, joined, PUBLIC, who, KEYS, 2, stored)
    one = {people(300)[row]: tuple(first.table.loc[at, ["age", "district"]]) for at, row in enumerate(first.rows)}
    two = {who[row]: tuple(second.table.loc[at, ["age", "district"]]) for at, row in enumerate(second.rows)}
    both = one.keys() & two.keys()
    assert len(both) > 200
    assert all(one[each] == two[each] for each in both)
    seen = pd.Series([one[each] for each in both]).value_counts()
    assert seen.min() >= PUBLIC.k, "the intersection of both releases"
    book = ledger.decode(ledger.encode(second.book))
    assert not {each for each in people(6).tolist() if each in book.people}, "who withdrew is forgotten"
    again = protected_table(COLUMNS, joined, PUBLIC, who, KEYS, 2, book)
    pd.testing.assert_frame_equal(again.table, second.table)
    third = protected_table(COLUMNS, joined, PUBLIC, who, KEYS, 3, book)
    assert len(third.table) >= len(second.table)


@pytest.mark.slow
def test_releases_of_both_profiles_hold_together_and_each_is_built_again_to_the_same_bytes() -> None:
    full, who = answers(260, 4), people(260)
    book: ledger.StoredLedger | None = None
    looks = list[dict[bytes, tuple[str, ...]]]()
    made = list[tuple[Any, ...]]()
    for number, profile in enumerate((PUBLIC, SCIENTIFIC, PUBLIC, SCIENTIFIC), 1):
        if number == 3:
            stays = np.arange(260) >= 9
            full = pd.concat([full[stays], answers(80, 8)], ignore_index=True)
            who = np.concatenate([who[stays], people(80, 1000)])
        found = protected_table(COLUMNS, full, profile, who, KEYS, number, book)
        book = ledger.decode(ledger.encode(found.book))
        again = protected_table(COLUMNS, full, profile, who, KEYS, number, book)
        pd.testing.assert_frame_equal(again.table, found.table)
        looks.append({who[row]: tuple(found.table.loc[at, ["age", "district"]]) for at, row in enumerate(found.rows)})
        made.append((full, profile, who, number, found.table))
    for full, profile, who, number, table in made[2:]:  # nobody left since, so that all who were in it are known
        pd.testing.assert_frame_equal(protected_table(COLUMNS, full, profile, who, KEYS, number, book).table, table)
    for some in (some for many in (2, 3, 4) for some in combinations(range(4), many)):
        together = set.intersection(*(set(looks[place]) for place in some))
        seen = pd.Series([tuple(looks[place][each] for place in some) for each in together]).value_counts()
        assert len(together) > 200
        assert seen.min() >= (SCIENTIFIC.k if {1, 3} & set(some) else PUBLIC.k)


def test_a_scientific_release_may_come_first_and_small() -> None:
    full = answers(15)
    first = protected_table(COLUMNS, full, SCIENTIFIC, people(15), KEYS)
    assert first.measures.smallest >= SCIENTIFIC.k
    with pytest.raises(ReleaseRefused, match="15 responses"):
        released(full, number=2, book=first.book)


def test_a_book_of_public_releases_alone_goes_on_and_one_that_is_emptied_says_why() -> None:
    full = answers(100)
    first = released(full)
    former = replace_(first.book, narrowed=b"", narrow=b"", narrow_nodes=b"")
    second = protected_table(COLUMNS, full, SCIENTIFIC, people(100), KEYS, 2, former)
    assert second.suppressed == 0
    with pytest.raises(ReleaseRefused, match="a ledger for each profile"):
        ledger.decode(b"")


def test_the_ledger_names_nobody_and_needs_its_key() -> None:
    full = answers(100)
    book = released(full).book
    body = ledger.encode(book)
    assert not any(uuid.UUID(int=n).bytes in body or str(uuid.UUID(int=n)).encode() in body for n in range(1, 100))
    with pytest.raises(ReleaseRefused, match="key"):
        protected_table(COLUMNS, full, PUBLIC, people(100), LedgerKeys(bytes([1] * 32), "every-kind"), 2, book)


def test_where_too_many_withdrew_the_next_release_is_refused_with_the_reason() -> None:
    full = answers(60)
    first = released(full)
    left = np.arange(60) % 3 == 0
    with pytest.raises(ReleaseRefused, match=r"fewer than 10 are left|Nobody of"):
        protected_table(COLUMNS, full[left].reset_index(drop=True), PUBLIC, people(60)[left], KEYS, 2, first.book)


def test_other_quasi_identifiers_than_before_are_refused() -> None:
    full = answers(100)
    book = released(full).book
    fewer = [column for column in COLUMNS if column.name != "age"]
    with pytest.raises(ReleaseRefused, match="other quasi-identifiers"):
        released(full, fewer, number=2, book=book)
