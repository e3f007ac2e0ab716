"""The protecting core: what it promises of every table, against counts by hand."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.protect.anonymise import Result, protect
from services.export.protect.diversity import diverse
from services.export.protect.hierarchy import TOP, ValueHierarchy
from services.export.protect.measure import measure, table_error
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import Closeness, Diversity, Frame, ProtectionRequest, Sensitive
from tests.export import judges

COUNTRY = ValueHierarchy(
    "country",
    ("FR", "BE", "ES", "IT", "PL", "_missing"),
    (("west", "old"), ("west", "old"), ("south", "old"), ("south", "old"), ("east",), ()),
)
AGE = ValueHierarchy(
    "age",
    ("18", "23", "31", "37", "44", "_missing"),
    (("15-24", "15-34"), ("15-24", "15-34"), ("25-34", "15-34"), ("35-44",), ("35-44",), ()),
    (18, 23, 31, 37, 44, math.nan),
)
SEX = ValueHierarchy("sex", ("f", "m"), ((), ()))
ALL = (COUNTRY, AGE, SEX)
ANSWERS = 4

rows = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 1), st.integers(0, ANSWERS - 1)), min_size=6, max_size=80)
kinds = st.sampled_from(["hierarchy", "sets"])


def table(rows: list[tuple[int, ...]]) -> tuple[np.ndarray, list[Sensitive]]:
    whole = np.array(rows, dtype=np.int64)
    return whole[:, :3], [Sensitive("opinion", whole[:, 3], ANSWERS)]


def keys(whole: list[tuple[int, ...]]) -> np.ndarray:
    return np.arange(len(whole)) * 7919 % 1009


def groups(result: Result) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(result.labels(v) for v in range(len(result.values))), strict=True))


@settings(max_examples=40)
@given(rows, kinds, st.integers(2, 6), st.booleans())
def test_nobody_stands_in_a_group_smaller_than_k(rows: list[tuple[int, ...]], kind: str, k: int, even: bool) -> None:
    codes, _ = table(rows)
    result = protect(codes, ALL, [], ProtectionRequest(k, kind, even=even))  # type: ignore[arg-type]
    assert result.kept.all()
    assert min(groups(result).values()) >= k


@settings(max_examples=40)
@given(rows, kinds, st.integers(2, 6), st.booleans())
def test_every_released_value_contains_the_true_one(rows: list[tuple[int, ...]], kind: str, k: int, even: bool) -> None:
    codes, _ = table(rows)
    result = protect(codes, ALL, [], ProtectionRequest(k, kind, even=even))  # type: ignore[arg-type]
    for row in range(len(codes)):
        for v in range(3):
            assert codes[row, v] in result.values[v][result.released[row, v]].members


@settings(max_examples=40)
@given(rows)
def test_only_nodes_of_the_hierarchy_are_released_as_hierarchy(rows: list[tuple[int, ...]]) -> None:
    codes, _ = table(rows)
    result = protect(codes, ALL, [], ProtectionRequest(3))
    for v, hierarchy in enumerate(ALL):
        for row, label in enumerate(result.labels(v)):
            code = int(codes[row, v])
            assert label in (hierarchy.values[code], *hierarchy.above[code], TOP)


@settings(max_examples=40)
@given(rows, kinds, st.randoms())
def test_the_order_of_arrival_leaves_no_trace(rows: list[tuple[int, ...]], kind: str, random: object) -> None:
    codes, sensitive = table(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    request = ProtectionRequest(3, kind, Diversity(2) if len({row[3] for row in rows}) > 1 else None)  # type: ignore[arg-type]
    one = protect(codes, ALL, sensitive, request, keys(rows))
    moved = [Sensitive("opinion", sensitive[0].codes[order], ANSWERS)]
    other = protect(codes[order], ALL, moved, request, keys(rows)[order])
    assert [one.values[v][one.released[row, v]].label for row in order for v in range(3)] == [
        other.values[v][other.released[row, v]].label for row in range(len(rows)) for v in range(3)
    ]


@settings(max_examples=40)
@given(rows, st.sampled_from([Diversity(2), Diversity(1.8, "entropy"), Diversity(2, "recursive", 2.0)]), st.sampled_from([0.0, 0.1]))
def test_every_class_is_as_diverse_as_asked_or_the_table_is_refused(
    rows: list[tuple[int, ...]], wanted: Diversity, suppress: float
) -> None:
    codes, sensitive = table(rows)
    request = ProtectionRequest(3, diversity=wanted, suppress=suppress)
    overall = np.bincount(sensitive[0].codes, minlength=ANSWERS)[None]
    if not diverse(overall, wanted).all():
        with pytest.raises(Unprotectable, match="diverse"):
            protect(codes, ALL, sensitive, request)
        return
    result = protect(codes, ALL, sensitive, request)
    assert (~result.kept).sum() <= suppress * len(rows)
    answers: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for group, answer in zip(zip(*(result.labels(v) for v in range(3)), strict=True), sensitive[0].codes[result.kept], strict=True):
        answers[group].append(int(answer))
    for group in answers.values():
        counts = sorted(Counter(group).values(), reverse=True)
        match wanted.kind:
            case "distinct":
                assert len(counts) >= wanted.l
            case "entropy":
                assert math.exp(-sum(n / len(group) * math.log(n / len(group)) for n in counts)) >= wanted.l - 1e-6
            case "recursive":
                assert counts[0] < wanted.c * sum(counts[int(wanted.l) - 1 :])


@settings(max_examples=40)
@given(rows, st.booleans())
def test_every_class_is_as_close_to_everybody_as_asked(rows: list[tuple[int, ...]], ordered: bool) -> None:
    codes, sensitive = table(rows)
    result = protect(codes, ALL, sensitive, ProtectionRequest(3, closeness=Closeness(0.3, ordered)))
    overall = np.bincount(sensitive[0].codes, minlength=ANSWERS) / len(rows)
    labels = list(zip(*(result.labels(v) for v in range(3)), strict=True))
    for group in set(labels):
        inside = np.array([label == group for label in labels])
        apart = np.bincount(sensitive[0].codes[inside], minlength=ANSWERS) / inside.sum() - overall
        far = sum(abs(apart[: i + 1].sum()) for i in range(ANSWERS)) / (ANSWERS - 1) if ordered else np.abs(apart).sum() / 2
        assert far <= 0.3 + 1e-6


LISTED = np.array([[0, 3], [1, 1], [2, 2], [3, 9], [4, 1], [5, 4]])
"""Units of a public list: three in FR, one in BE, and so on; -1 would be a country that the list does not tell."""


@settings(max_examples=40)
@given(rows)
def test_every_row_is_shared_by_enough_of_the_public_list(rows: list[tuple[int, ...]]) -> None:
    codes, _ = table(rows)
    frame = Frame((0,), LISTED[:, :1], LISTED[:, 1], 4)
    result = protect(codes, ALL, [], ProtectionRequest(2, frame=frame))
    for index in result.released[:, 0]:
        assert sum(int(count) for code, count in LISTED if code in result.values[0][index].members) >= 4
    found = measure(codes, ALL, [], result, frame)
    assert found.population is not None
    assert found.population >= 4


@settings(max_examples=30)
@given(rows, kinds)
def test_measures_equal_counts_by_hand(rows: list[tuple[int, ...]], kind: str) -> None:
    codes, sensitive = table(rows)
    result = protect(codes, ALL, sensitive, ProtectionRequest(3, kind))  # type: ignore[arg-type]
    found = measure(codes, ALL, sensitive, result)
    sizes = groups(result)
    assert (found.smallest, found.classes) == (min(sizes.values()), len(sizes))
    assert found.discernibility == pytest.approx(sum(n * n for n in sizes.values()) / len(rows))
    occurring = [sorted(set(codes[:, v].tolist())) for v in range(3)]
    members = [[[m for m in result.values[v][i].members if m in occurring[v]] for i in result.released[:, v]] for v in range(3)]
    assert found.loss == pytest.approx(np.mean([penalty(ALL[v], each, occurring[v]) for v in range(3) for each in members[v]]))
    assert table_error(codes, ALL, sensitive, result) == pytest.approx(np.mean(list(errors(codes, sensitive[0].codes, members, occurring))))


def penalty(hierarchy: ValueHierarchy, members: list[int], occurring: list[int]) -> float:
    if len(members) == 1:
        return 0
    if not hierarchy.numbers:
        return (len(members) - 1) / (len(occurring) - 1)
    numbers = [hierarchy.numbers[m] for m in members]
    known = [hierarchy.numbers[m] for m in occurring if not math.isnan(hierarchy.numbers[m])]
    return 1 if any(map(math.isnan, numbers)) else (max(numbers) - min(numbers)) / (max(known) - min(known))


def errors(codes: np.ndarray, answers: np.ndarray, members: list[list[list[int]]], occurring: list[list[int]]) -> list[float]:
    """Half the absolute difference of each pair's table, cell by cell."""
    columns = [*codes.T.tolist(), answers.tolist()]
    spread = [*members, [[answer] for answer in answers.tolist()]]
    found: list[float] = []
    for one, other in combinations(range(4), 2):
        cells: defaultdict[tuple[int, int], float] = defaultdict(float)
        for row in range(len(codes)):
            cells[columns[one][row], columns[other][row]] -= 1
            for a in spread[one][row]:
                for b in spread[other][row]:
                    cells[a, b] += 1 / len(spread[one][row]) / len(spread[other][row])
        found.append(sum(abs(x) for x in cells.values()) / len(codes) / 2)
    return found


def test_detail_is_kept_where_groups_are_large_enough() -> None:
    codes = np.array([[0, 0, 0]] * 50 + [[2, 4, 1]] * 50)
    result = protect(codes, ALL, [], ProtectionRequest(5))
    assert set(groups(result)) == {("FR", "18", "f"), ("ES", "44", "m")}


def test_a_rare_row_costs_its_neighbours_little() -> None:
    """Of a hundred equal rows only as many are generalised as the rare one needs for company."""
    codes = np.array([[0, 0, 0]] * 100 + [[1, 0, 0]])
    assert groups(protect(codes, ALL, [], ProtectionRequest(5))) == {("FR", "18", "f"): 96, ("west", "18", "f"): 5}


def test_missing_is_a_value_and_never_a_wildcard() -> None:
    codes = np.array([[0, 0, 0]] * 6 + [[5, 0, 0]] * 2)
    assert groups(protect(codes, ALL, [], ProtectionRequest(3))) == {("FR", "18", "f"): 5, (TOP, "18", "f"): 3}


def test_suppression_is_the_last_resort_and_stays_within_its_share() -> None:
    codes = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1]] * 20 + [[4, 4, 1]] * 3)
    opinion = np.array([0, 1, 2, 3] * 20 + [0, 0, 0])
    mixed = np.concatenate([np.tile(np.repeat([0, 1], 4), 10), [0, 0, 0]])
    sensitive = [Sensitive("opinion", mixed, ANSWERS)]
    assert opinion.shape == mixed.shape
    joined = protect(codes, ALL, sensitive, ProtectionRequest(3, diversity=Diversity(2)))
    assert joined.kept.all()
    left_out = protect(codes, ALL, sensitive, ProtectionRequest(3, diversity=Diversity(2), suppress=0.05))
    assert (~left_out.kept).sum() == 3
    assert any("left out" in reason for reason in left_out.reasons)


FINE = np.array([[0, 0, 0], [1, 1, 1]] * 5)
SAME = [Sensitive("opinion", np.zeros(10, dtype=np.int64), ANSWERS)]


@pytest.mark.parametrize(
    ("codes", "hierarchies", "sensitive", "request_", "said"),
    [
        (FINE[:4], ALL, [], ProtectionRequest(5), "4 responses"),
        (FINE[:, :0], (), [], ProtectionRequest(5), "No quasi-identifier"),
        (FINE, (*ALL[:2], ValueHierarchy("sex", ("f", "m"), ())), [], ProtectionRequest(5), "sex has no complete hierarchy"),
        (FINE + 1, ALL, [], ProtectionRequest(5), "does not know"),
        (FINE, ALL, SAME, ProtectionRequest(5, diversity=Diversity(2)), "opinion together are not"),
        (FINE, ALL, [], ProtectionRequest(5, closeness=Closeness(0.2)), "at least one sensitive"),
        (FINE, ALL, [], ProtectionRequest(5, frame=Frame((0,), LISTED[:, :1], LISTED[:, 1], 99)), "20 units in all"),
        (FINE, ALL, [], ProtectionRequest(5, "sets", frame=Frame((0,), LISTED[:, :1], LISTED[:, 1], 9)), "kind hierarchy"),
        (FINE, ALL, [], ProtectionRequest(1), "below 2"),
        (FINE, ALL[:2], [], ProtectionRequest(5), "do not fit"),
    ],
)
def test_what_cannot_be_protected_is_refused_with_the_reason(
    codes: np.ndarray, hierarchies: tuple[ValueHierarchy, ...], sensitive: list[Sensitive], request_: ProtectionRequest, said: str
) -> None:
    with pytest.raises(Unprotectable, match=said):
        protect(codes, hierarchies, sensitive, request_)


def test_odd_tables_are_protected_as_well() -> None:
    """One giant class; only missing; all rows unique; a constant column is named; two hundred columns."""
    assert groups(protect(np.zeros((500, 3), dtype=np.int64), ALL, [], ProtectionRequest(5))) == {("FR", "18", "f"): 500}
    assert groups(protect(np.full((9, 2), 5), ALL[:2], [], ProtectionRequest(5))) == {("_missing", "_missing"): 9}
    unique = ValueHierarchy("id", tuple(map(str, range(100))), ((),) * 100)
    alone = protect(np.arange(100)[:, None], (unique,), [], ProtectionRequest(5))
    assert set(groups(alone)) == {(TOP,)}
    constant = protect(np.stack([np.zeros(40, dtype=np.int64), np.arange(40) % 2], axis=1), (COUNTRY, SEX), [], ProtectionRequest(5))
    assert any("country has the same value" in reason for reason in constant.reasons)
    wide = np.random.default_rng(1).integers(0, 2, (60, 200))
    assert min(groups(protect(wide, (SEX,) * 200, [], ProtectionRequest(5))).values()) >= 5


def test_another_judge_finds_the_same_k_l_and_t(tmp_path: Path) -> None:
    codes, sensitive = table([tuple(row) for row in np.random.default_rng(2).integers(0, [6, 6, 2, ANSWERS], (400, 4)).tolist()])
    names, tables, expected = [h.name for h in ALL], [], []
    for kind in ("hierarchy", "sets"):
        result = protect(codes, ALL, sensitive, ProtectionRequest(4, kind, Diversity(2)))
        found = measure(codes, ALL, sensitive, result)
        path = tmp_path / f"{kind}.csv"
        frame = {h.name: result.labels(v) for v, h in enumerate(ALL)} | {"opinion": sensitive[0].codes[result.kept]}
        pd.DataFrame(frame).to_csv(path, index=False)
        tables.append({"csv": str(path), "identifiers": names, "sensitive": {"opinion": []}})
        expected.append({"k": found.smallest, "l": found.distinct, "t": pytest.approx(found.distance)})
    assert judges.ask("anonymity", tables=tables) == expected
