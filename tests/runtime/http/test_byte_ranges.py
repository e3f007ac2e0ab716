"""A range gives exactly the bytes that it names, and one that cannot be read gives all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.problem import Problem
from services.runtime.http.byte_ranges import span

places = st.one_of(st.integers(0, 40), st.just(10**30))


def cut(header: str, size: int) -> list[int] | None:
    """The bytes that are sent; None where the answer is 416."""
    try:
        part = span([header], size)
    except Problem:
        return None
    begin, end = part or (0, size - 1)
    return list(range(begin, end + 1))


@given(places, places, st.integers(0, 30))
def test_from_one_byte_to_another(first: int, last: int, size: int) -> None:
    named = [place for place in range(size) if first <= place <= last]
    assert cut(f"bytes={first}-{last}", size) == (list(range(size)) if last < first else named or None)


@given(places, st.integers(0, 30))
def test_from_one_byte_on(first: int, size: int) -> None:
    assert cut(f"bytes={first}-", size) == ([place for place in range(size) if place >= first] or None)


@given(places, st.integers(0, 30))
def test_the_last_bytes(count: int, size: int) -> None:
    assert cut(f"bytes=-{count}", size) == ([place for place in range(size) if place >= size - count] or None)


@pytest.mark.parametrize(
    "header", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "bytes=0 - 1", "bytes=5-3", "bytes=\xb2-3"]
)
def test_what_is_not_one_range_of_bytes_is_answered_with_everything(header: str) -> None:
    assert span([header], 10) is None


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ([], None),
        ([" bytes=1-2 "], (1, 2)),
        (["Bytes=1-2"], (1, 2)),
        (["bytes=0001-" + "0" * 30_000 + "2"], (1, 2)),
        (["bytes=1-" + "9" * 30_000], (1, 9)),
        (["bytes=0-1", "bytes=2-3"], None),
    ],
)
def test_a_range_as_it_may_be_written(lines: list[str], part: tuple[int, int] | None) -> None:
    assert span(lines, 10) == part


def test_a_range_that_begins_nowhere_near_is_refused_however_long_its_number() -> None:
    with pytest.raises(Problem) as refused:
        span(["bytes=" + "9" * 30_000 + "-"], 10)
    assert (refused.value.code, refused.value.headers) == ("range-unsatisfiable", {"Content-Range": "bytes */10"})
