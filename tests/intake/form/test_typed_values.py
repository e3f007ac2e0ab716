"""What people type into fields comes to mean what they meant."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from proto.instrument import LongText, Numeric, Privacy
from proto.languages import choose
from services.intake.form import typed_values
from services.intake.form.pages import words
from services.intake.form.pages.words import catalogues

MARKS = sorted({words.marks for words in catalogues().values()})
numbers = st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=2).map(float)


@given(numbers, st.sampled_from(sorted(catalogues())), st.booleans())
def test_a_number_shown_in_a_language_is_read_back_in_it(number: float, language: str, grouped: bool) -> None:
    say = words.words(language)
    assert typed_values.number(say.number(number, grouped=grouped), say.marks, 2) == number


@pytest.mark.parametrize(
    ("text", "marks", "decimals", "meant"),
    [
        ("1 250", ",", 0, 1250),
        ("1\u202f250", ",", 0, 1250),
        ("1'250", ",.", 0, 1250),
        ("1.250", ",.", 0, 1250),
        ("1,250", ".,", 0, 1250),
        ("1.250.000", ",", 0, 1_250_000),
        ("1,250", ",.", 0, "1,250"),  # one and a quarter, or a thousand? Better to ask.
        ("1.250", ",", 0, "1.250"),  # French does not write points between thousands
        ("1.250", ",", 3, "1.250"),
        ("1.250", ",.", 3, "1.250"),
        ("1,250", ".,", 3, "1,250"),
        ("1,250", ",.", 3, 1.25),
        ("1.250", ".,", 3, 1.25),
        ("0.250", ",.", 2, "0.250"),  # no thousand begins with a nought
        ("0.250", ",", 3, "0.250"),
        ("0,250", ".,", 2, "0,250"),
        ("0,250", ".,", 3, "0,250"),
        ("0,250", ",.", 3, 0.25),
        ("00,250", ".,", 3, "00,250"),
        ("0,007", ".,", 3, "0,007"),
        ("20 25", ".,", 0, "20 25"),
        ("5 6", ",.", 0, "5 6"),
        ("5'6", ".,", 0, "5'6"),
        ("1 250.500", ",", 3, "1 250.500"),
        ("1.250.5", ",.", 1, "1.250.5"),
        ("\u22125", ",.", 0, -5),
        ("\u2212 1\u202f250", ",", 0, -1250),
        ("\uff11\uff12", ".,", 0, 12),
        ("12,5", ",", 1, 12.5),
        ("12.5", ",", 1, 12.5),
        ("12,55", ",", 1, "12,55"),
        ("5,0", ",", 0, 5),
        ("1.250,5", ",", 1, 1250.5),
        ("1,250.5", ".,", 1, 1250.5),
        ("douze", ",", 1, "douze"),
        ("1e9", ".,", 1, "1e9"),
        ("9" * 400, ".,", 1, "9" * 400),
        ("NaN", ".,", 1, "NaN"),
    ],
)
def test_what_could_mean_two_things_stays_as_typed(text: str, marks: str, decimals: int, meant: float | str) -> None:
    assert typed_values.number(text, marks, decimals) == meant


@pytest.mark.parametrize(("typed_in", "read_in"), [("de", "en"), ("fr", "en"), ("en", "fr"), ("en", "de")])
def test_a_number_that_was_not_read_in_one_language_is_not_read_in_another(typed_in: str, read_in: str) -> None:
    """A German's "2,500" is asked again, also after somebody switched to English, where it would be a thousand."""
    question = Numeric(id="N", var="n", section="A", text={"en": "N"}, privacy=Privacy("insensitive"), min=0, max=9999, decimals=1)
    text = "2.500" if typed_in == "en" else "2,500"
    kept = typed_values.read(question, {"q.N": [text]}, words.words(typed_in).marks)
    assert kept == text
    assert typed_values.read(question, {"q.N": [text]}, words.words(read_in).marks, kept) == text
    assert typed_values.read(question, {"q.N": ["2500"]}, words.words(read_in).marks, kept) == 2500


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u2800", "\u3164", "\u00ad", "\u200f", " \u2060\n", "\u115f\ufe0f"])
def test_what_nobody_can_see_is_no_answer(unseen: str) -> None:
    question = LongText(id="T", var="t", section="A", text={"en": "T"}, privacy=Privacy("free_text"), required=True, stats=())
    assert typed_values.read(question, {"q.T": [unseen]}, ".,") is UNSET
    assert typed_values.read(question, {"q.T": [f"a{unseen}b"]}, ".,") == f"a{unseen}b"


def test_nothing_is_cut_off() -> None:
    question = LongText(id="T", var="t", section="A", text={"en": "T"}, privacy=Privacy("free_text"), max_chars=20_000, stats=())
    text = "a" * 24_993 + "THE END"
    assert typed_values.read(question, {"q.T": [text]}, ".,") == text


@given(st.text(max_size=40), st.sampled_from(MARKS), st.integers(0, 3))
def test_any_text_is_a_number_or_stays_what_it_is(text: str, marks: str, decimals: int) -> None:
    found = typed_values.number(text, marks, decimals)
    assert found == text or not isinstance(found, str)


def test_every_language_has_every_word_and_every_placeholder() -> None:
    source = catalogues()["en"].strings
    forms = {key: _placeholders(value) for key, value in source.items()}
    for language, say in catalogues().items():
        assert {key: _placeholders(value) for key, value in say.strings.items()} == forms, language


def test_every_word_is_used() -> None:
    pages = Path(words.__file__).parents[1]
    code = "".join(path.read_text("utf-8") for path in [*pages.rglob("*.html"), *pages.rglob("*.py")])
    made = ("status_", "lookup_", "contact_", "invitation_", "_title", "_lead", "_or", "_means")
    unused = [key for key in catalogues()["en"].strings if f'"{key}"' not in code and not any(part in key for part in made)]
    assert not unused


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("es", "fr", "es"),
        (None, "fr-BE, en;q=0.8", "fr"),
        (None, "de, es;q=0.3, fr;q=0.7", "fr"),
        ("xx", "", "en"),
        (None, "fr;q=0, es;q=nonsense, *", "en"),
        (None, "fr;q=" + string.digits * 2000, "en"),
    ],
)
def test_readers_get_the_best_language_there_is(asked: str | None, accepted: str, chosen: str) -> None:
    assert choose(["en", "fr", "es"], asked, accepted) == chosen


def _placeholders(value: str | dict[str, str]) -> frozenset[str]:
    texts = [value] if isinstance(value, str) else [value["other"]]
    return frozenset(name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name)
