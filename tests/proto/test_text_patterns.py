"""What a short text may look like: real addresses, numbers and postal codes of Europe pass, slips of the pen do not."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.answers import Reader
from proto.text_patterns import PATTERNS, SOURCES, TextPattern, fits
from tests.builders.fruit import faults, fruit

FITTING: dict[TextPattern, tuple[str, ...]] = {
    "email": ("name@example.eu", "o'brien+x@mail.example.co.uk", "ünal@bücher.example", "a.b@sub.domain.example"),
    "telephone": ("+32 2 123 45 67", "02/123.45.67", "(0)30-1234567", "112 00", "+44 20 7946 0958", "0032\u00a02123\u201345"),
    "postal_code": (
        *("1049", "75007", "SW1A 1AA", "D02 X285", "1069-306", "LV-1050", "VLT 1117", "AD500", "101", "110 00", "2513 AA", "AZ1000"),
    ),
}
WRONG: dict[TextPattern, tuple[str, ...]] = {
    "email": (
        "name",
        "name@example",
        "@example.eu",
        "a@b@example.eu",
        "name@example.e",
        "na me@example.eu",
        "name@.eu",
        "name@example..eu",
    ),
    "telephone": ("1234", "12+345678", "+", "call me", "1234567890123456", "++32 2 123 45 67"),
    "postal_code": ("10", "ABCDE", "1049  BE", "-1049", "1049-", "12345678901", "10_49", ""),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_people_write_fits_and_slips_do_not(pattern: TextPattern) -> None:
    assert [text for text in FITTING[pattern] if not fits(pattern, text)] == []
    assert [text for text in WRONG[pattern] if fits(pattern, text)] == []


@given(st.sampled_from(PATTERNS), st.text(max_size=20))
def test_no_line_break_fits(pattern: TextPattern, text: str) -> None:
    assert not fits(pattern, f"{text}\n")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_long_text_is_judged_at_once(pattern: TextPattern) -> None:
    began = time.process_time()
    for piece in ("a@a.", "a.", "1 ", "a-", "((", "aa", "1"):
        fits(pattern, piece * (1000 // len(piece)) + "!")
    assert time.process_time() - began < 1


def test_the_sources_are_written_so_that_javascript_reads_them_alike() -> None:
    for source in SOURCES.values():
        assert not re.search(r"\(\?[P<#imsx]|\\[AZsSdDwWbB]", source)


def test_a_text_of_another_shape_is_refused_with_its_place() -> None:
    reader = Reader(fruit())
    struct, refused = reader.convert({"A01": "apple", "B02": "nowhere"})
    assert not refused
    assert [(fault.pointer, fault.code) for fault in reader.check(struct, "2026-11-30")] == [("/answers/B02", "bad-pattern")]
    struct, _ = reader.convert({"A01": "apple", "B02": "1049"})
    assert reader.check(struct, "2026-11-30") == []


def test_authors_choose_from_a_closed_list() -> None:
    assert any("'[0-9]+' is not known here" in fault for fault in faults("pattern: postal_code", 'pattern: "[0-9]+"'))
    assert any("5 characters are too few for a email" in f for f in faults("pattern: postal_code", "pattern: email\n    max_chars: 5"))
