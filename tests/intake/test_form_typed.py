"""What people type into fields comes to mean what they meant."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.languages import choose
from services.intake.pages import typed, words
from services.intake.pages.words import FOLDER, catalogues

MARKS = sorted({words.decimal_mark for words in catalogues().values()})
numbers = st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=2).map(float)


@given(numbers, st.sampled_from(sorted(catalogues())), st.booleans())
def test_a_number_shown_in_a_language_is_read_back_in_it(number: float, language: str, grouped: bool) -> None:
    say = words.words(language)
    assert typed.number(say.number(number, grouped=grouped), say.decimal_mark, 2) == number


@pytest.mark.parametrize(
    ("text", "mark", "decimals", "meant"),
    [
        ("1 250", ",", 0, 1250),
        ("1\u202f250", ",", 0, 1250),
        ("1.250", ",", 0, 1250),
        ("1,250", ".", 0, 1250),
        ("1,250", ",", 0, "1,250"),  # one and a quarter, or a thousand? Better to ask.
        ("12,5", ",", 1, 12.5),
        ("12.5", ",", 1, 12.5),
        ("12,55", ",", 1, "12,55"),
        ("5,0", ",", 0, 5),
        ("1.250,5", ",", 1, 1250.5),
        ("douze", ",", 1, "douze"),
        ("1e9", ".", 1, "1e9"),
        ("9" * 400, ".", 1, "9" * 400),
        ("NaN", ".", 1, "NaN"),
    ],
)
def test_what_could_mean_two_things_stays_as_typed(text: str, mark: str, decimals: int, meant: float | str) -> None:
    assert typed.number(text, mark, decimals) == meant


@given(st.text(max_size=40), st.sampled_from(MARKS), st.integers(0, 3))
def test_any_text_is_a_number_or_stays_what_it_is(text: str, mark: str, decimals: int) -> None:
    found = typed.number(text, mark, decimals)
    assert found == text or not isinstance(found, str)


def test_every_language_has_every_word_and_every_placeholder() -> None:
    source = catalogues()["en"].strings
    forms = {key: _placeholders(value) for key, value in source.items()}
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(catalogues())
    for language, say in catalogues().items():
        assert {key: _placeholders(value) for key, value in say.strings.items()} == forms, language


def test_every_word_is_used() -> None:
    pages = FOLDER.parent
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
