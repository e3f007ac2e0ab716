"""Codes that people write down: what typing may change, and which mistakes show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proto import codes

drawn = st.text(codes.ALPHABET, min_size=1, max_size=29)


@given(drawn)
def test_every_single_mistyped_character_shows(letters: str) -> None:
    code = letters + codes.check(letters)
    assert codes.sound(code)
    for place, right in enumerate(code):
        for wrong in codes.ALPHABET:
            assert codes.sound(code[:place] + wrong + code[place + 1 :]) == (wrong == right)


@given(drawn)
def test_every_swap_of_two_characters_shows(letters: str) -> None:
    code = letters + codes.check(letters)
    for one in range(len(code)):
        for other in range(one + 1, len(code)):
            swapped = [*code]
            swapped[one], swapped[other] = code[other], code[one]
            assert codes.sound("".join(swapped)) == (code[one] == code[other])


@given(drawn, st.data())
def test_two_mistyped_characters_show(letters: str, data: st.DataObject) -> None:
    code = letters + codes.check(letters)
    places = data.draw(st.lists(st.integers(0, len(code) - 1), min_size=2, max_size=2, unique=True))
    typed = [*code]
    for place in places:
        typed[place] = data.draw(st.sampled_from([c for c in codes.ALPHABET if c != code[place]]))
    assert not codes.sound("".join(typed))


@given(drawn)
def test_case_separators_and_look_alikes_make_no_difference(letters: str) -> None:
    code = letters + codes.check(letters)
    shown = codes.grouped(code)
    for typed in (
        shown,
        shown.lower(),
        shown.replace("-", " "),
        shown.replace("-", "\u2013"),
        f"  {code} ",
        shown.replace("0", "O").replace("1", "l"),
        shown.replace("0", "o").replace("1", "I"),
        shown.replace("-", " - "),
    ):
        assert codes.bare(typed) == code


def test_new_codes_are_sound_and_differ() -> None:
    made = [codes.make(26) for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(len(code) == 28 and codes.sound(code) for code in made)
    assert {letter for code in made for letter in code} == set(codes.ALPHABET)


def test_what_is_no_code_is_not_sound() -> None:
    assert not any(codes.sound(text) for text in ("", "0", "00", "000U", "é00", "\u0660\u0661\u0662\u0663"))
