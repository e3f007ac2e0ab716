"""Entity tags are compared as RFC 9110 says, and a list is read as a list, not searched for a piece of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.conditional import matches, not_modified, range_is_current

opaque = st.text(
    st.characters(codec="latin-1", min_codepoint=0x21, exclude_characters='"\x7f', exclude_categories=["Cc", "Zs"]), max_size=6
)
tags: st.SearchStrategy[str] = st.builds("{}{}".format, st.sampled_from(["", "W/"]), opaque.map('"{}"'.format))
between = st.sampled_from([",", ", ", " ,", "\t,  ", ",,", ", ,"])


def bare(tag: str) -> str:
    return tag.removeprefix("W/")


@st.composite
def written(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Tags, and the lines of a header that lists them."""
    listed: list[str] = draw(st.lists(tags, min_size=1, max_size=5))
    lines: list[str] = [listed[0]]
    for tag in listed[1:]:
        if draw(st.booleans()):
            lines.append(tag)
        else:
            lines[-1] += draw(between) + tag
    return listed, lines


@given(written(), tags)
def test_a_client_has_what_its_list_names_weak_or_strong(header: tuple[list[str], list[str]], etag: str) -> None:
    listed, lines = header
    assert not_modified(lines, etag) is (bare(etag) in {bare(tag) for tag in listed})
    assert all(not_modified(lines, tag) for tag in listed)


@given(written(), tags)
def test_a_change_goes_ahead_for_a_strong_tag_of_the_list_only(header: tuple[list[str], list[str]], etag: str) -> None:
    listed, lines = header
    assert matches(lines, etag) is (etag in listed and not etag.startswith("W/"))


@pytest.mark.parametrize(
    ("lines", "has"),
    [
        ([], False),
        ([""], False),
        (["*"], True),
        ([" * "], True),
        (['"7"'], True),
        (['W/"7"'], True),
        (['w/"7"'], False),
        (["7"], False),
        (['"77"'], False),
        (['"a", "7"'], True),
        (['"a"', 'W/"7"'], True),
        (['"a, "7", b"'], False),
        (['"a,7"'], False),
        (['"a"7"'], False),
        (['"b", *'], False),
    ],
)
def test_what_if_none_match_says(lines: list[str], has: bool) -> None:
    assert not_modified(lines, '"7"') is has


@pytest.mark.parametrize(
    ("lines", "goes"),
    [([], True), ([""], True), (["*"], True), (['"7"'], True), (['"6", "7"'], True), (['W/"7"'], False), (["7"], False), (['"6"'], False)],
)
def test_what_if_match_says(lines: list[str], goes: bool) -> None:
    assert matches(lines, '"7"') is goes


@pytest.mark.parametrize(
    ("lines", "etag", "counts"),
    [
        ([], '"7"', True),
        (['"7"'], '"7"', True),
        (['"6"'], '"7"', False),
        (['W/"7"'], '"7"', False),
        (['W/"7"'], 'W/"7"', False),
        (["Mon, 30 Nov 2026 12:00:00 GMT"], '"7"', False),
        (['"7"', '"7"'], '"7"', False),
    ],
)
def test_a_range_of_what_has_changed_is_not_sent(lines: list[str], etag: str, counts: bool) -> None:
    assert range_is_current(lines, etag) is counts
