"""Texts that show earlier answers: what may be shown, what stays a brace, what readers of data see instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import piping
from tests.builders.fruit import faults, fruit, line_of


@given(st.text(alphabet="{}A0 b", max_size=12))
def test_an_escaped_text_is_read_as_it_was(text: str) -> None:
    assert piping.fill(piping.escape(text), lambda _: "!") == text
    assert not piping.has_stray_brace(piping.escape(text))
    assert not piping.named(piping.escape(text))


@given(st.lists(st.sampled_from(["{A01}", "{B2_x}", "{{", "}}", "}", "a", " "]), max_size=8))
def test_a_text_is_filled_piece_by_piece(pieces: list[str]) -> None:
    whole = {"{A01}": "<A01>", "{B2_x}": "<B2_x>", "{{": "{", "}}": "}", "}": "}", "a": "a", " ": " "}
    lone = [one for one, other in zip([*pieces, ""], ["", *pieces], strict=True) if (one, other) in (("}", "}"), ("}}", "}"))]
    if not lone:  # two that meet are one pair
        assert piping.fill("".join(pieces), lambda id: f"<{id}>") == "".join(whole[piece] for piece in pieces)
        assert piping.named("".join(pieces)) == [piece[1:-1] for piece in pieces if piece in ("{A01}", "{B2_x}")]


def test_readers_see_the_earlier_question_and_the_form_the_text_as_it_was_written() -> None:
    wish, drinks = fruit().question("B01"), fruit().question("A03")
    assert wish.text["en"] == "What is missing in [Where do you get it?]? { }"
    assert wish.help["fr"] == "Outre : [Quel fruit préférez-vous ?]"
    assert wish.piped["text"]["en"] == "What is missing in {A02}? {{ }}"
    assert set(wish.piped) == {"text", "help"}
    assert drinks.piped == {"options/juice": {"en": "Juice of {A01}", "fr": "Jus de {A01}"}}


def test_in_a_file_of_format_1_a_brace_is_a_letter() -> None:
    wish = fruit(("format: platea-instrument/2", "format: platea-instrument/1")).question("B01")
    assert wish.text["en"] == "What is missing in {A02}? {{ }}"
    assert not wish.piped


PLACE = 'en: "You like this: {A01}."'


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (PLACE, 'en: "{A1}"', PLACE, "there is no question A1 (did you mean A01?)"),
        (PLACE, 'en: "{B01}"', PLACE, "the text shows the answer to B01, which is not given yet"),
        (PLACE, 'en: "{A03}"', PLACE, "the answer to A03 cannot be shown (only those to single and multiple choices can)"),
        (PLACE, 'en: "{A01_other}"', PLACE, "the answer to A01_other cannot be shown"),
        (PLACE, 'en: "Code { here"', PLACE, "a brace opens that names no question ({A01} shows the answer to A01; a brace is written {{)"),
        (PLACE, f'en: "{"{A01}" * 11}"', PLACE, "the text shows 11 answers; at most 10 are allowed"),
        ('en: "Which fruit do you like best?"', 'en: "{A01}?"', 'en: "Which', "the text shows the answer to A01, which is not given yet"),
        ('en: "Apple"', 'en: "{A01}"', 'en: "Apple"', "the text shows the answer to A01, which is not given yet"),
        ("    var: bought\n", "    var: bought\n    enabled: false\n", "What is missing", "A02 is not enabled, so nobody answers it"),
        ("    scale: where\n    privacy: {role: insensitive}", "    scale: where\n    privacy: {role: identifying}", "What is missing",
         "the answer to A02 is identifying, so no text shows it"),
        ('en: "Elsewhere"', 'en: "At {A01}"', "What is missing", "the answer to A02 cannot be shown (its options show answers themselves)"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line(old: str, new: str, line: str, said: str) -> None:
    found = faults(old, new)
    at = line_of(line) + ("enabled" in new)
    assert any(fault.startswith(f"fruit.yaml:{at}: {said}") for fault in found), (at, found)
    if line == PLACE:
        assert len(found) == 1, found
