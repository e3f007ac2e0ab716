"""The protecting core of a release, against brute force."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.manifest import Manifest, encode
from services.export.anonymise import TOP, anonymise, class_sizes, generalise
from services.export.variables import MISSING, SKIPPED, Ladder
from services.export.verify import check, describe

COUNTRY: Ladder = [{"FR": "west", "BE": "west", "ES": "south", "IT": "south", "PL": "east"}]
SIZE: Ladder = [{"p1": "small", "p2": "small", "p3": "large"}, {"p1": "any", "p2": "any", "p3": "any"}]
ABSENT = [MISSING, SKIPPED]

rows = st.lists(
    st.tuples(st.sampled_from([*COUNTRY[0], *ABSENT]), st.sampled_from([*SIZE[0], *ABSENT]), st.sampled_from("abc")),
    min_size=5,
    max_size=60,
)


def frame(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["country", "size", "opinion"], dtype="object")


@given(rows, st.integers(2, 5))
def test_nobody_stands_in_a_group_smaller_than_k(rows: list[tuple[str, str, str]], k: int) -> None:
    released = anonymise(frame(rows), {"country": COUNTRY, "size": SIZE}, k).table
    groups = Counter(zip(released["country"], released["size"], strict=True))
    assert all(count >= k for count in groups.values())


@given(rows)
def test_generalised_values_are_true_of_the_rows_they_came_from(rows: list[tuple[str, str, str]]) -> None:
    full = frame(rows)
    protected = anonymise(full, {"country": COUNTRY, "size": SIZE}, 3)
    assert len(protected.table) + protected.suppressed == len(full)
    possible = Counter(protected.table["country"])
    at = protected.levels["country"]
    truth = Counter(generalise(full["country"], COUNTRY, at))
    assert all(count <= truth[value] for value, count in possible.items() if value != TOP)


@given(rows, st.randoms())
def test_the_order_of_arrival_leaves_no_trace(rows: list[tuple[str, str, str]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ladders = {"country": COUNTRY, "size": SIZE}
    pd.testing.assert_frame_equal(anonymise(frame(rows), ladders, 2).table, anonymise(frame(shuffled), ladders, 2).table)


def test_detail_is_kept_where_groups_are_large_enough() -> None:
    full = frame([("FR", "p1", "a")] * 50 + [("ES", "p3", "b")] * 50 + [("PL", "p2", "c")])
    protected = anonymise(full, {"country": COUNTRY, "size": SIZE}, 5)
    assert protected.levels == {"country": 0, "size": 0}
    assert protected.suppressed == 1
    assert set(protected.table["country"]) == {"FR", "ES"}


def test_fewer_than_k_responses_cannot_be_released() -> None:
    with pytest.raises(ValueError, match="4 responses"):
        anonymise(frame([("FR", "p1", "a")] * 4), {"country": COUNTRY}, 5)


def test_class_sizes_equal_a_count_by_hand() -> None:
    full = frame([("FR", "p1", "a"), ("FR", "p1", "b"), ("ES", "p1", "c")])
    assert class_sizes(full, ["country", "size"]).tolist() == [2, 2, 1]


def release(folder: Path) -> None:
    (folder / "data.csv").write_text("a\n1\n")
    manifest = Manifest(1, "s", "1", "public", {"k": 5}, "0", 1, 1, 0, (describe(folder / "data.csv"),))
    (folder / "manifest.json").write_bytes(encode(manifest))


def test_an_untouched_release_verifies(tmp_path: Path) -> None:
    release(tmp_path)
    assert check(tmp_path) == []


def test_every_kind_of_tampering_is_named(tmp_path: Path) -> None:
    release(tmp_path)
    (tmp_path / "data.csv").write_text("a\n2\n")
    assert "SHA-256" in check(tmp_path)[0]
    (tmp_path / "data.csv").write_text("longer than before")
    assert "bytes" in check(tmp_path)[0]
    (tmp_path / "extra.txt").write_text("")
    assert any("extra.txt" in line for line in check(tmp_path))
    (tmp_path / "data.csv").unlink()
    assert any("missing" in line for line in check(tmp_path))
    (tmp_path / "manifest.json").write_text("{")
    assert "cannot be read" in check(tmp_path)[0]


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "release"
    inside.mkdir()
    (tmp_path / "secret").write_text("x")
    manifest = Manifest(1, "s", "1", "public", {}, "0", 1, 1, 0, (describe(tmp_path / "secret").__class__("../secret", 1, "0"),))
    (inside / "manifest.json").write_bytes(encode(manifest))
    assert check(inside) == ["../secret is missing."]
