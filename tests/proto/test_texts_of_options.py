"""An option that opens a text, a note between questions: what authors write, what it becomes, what counts."""

from __future__ import annotations

import pytest

from proto import instrument as instruments
from proto.answers import Reader
from proto.instrument import Note, OptionRef, Rule, ShortText
from tests.builders.fruit import faults, fruit

TODAY = "2026-11-30"
FRUIT = fruit()
READER = Reader(FRUIT)


def faults_of(answers: dict[str, object]) -> list[tuple[str, str]]:
    struct, refused = READER.convert(answers)
    return [(fault.pointer, fault.code) for fault in refused or READER.check(struct, TODAY)]


def test_an_option_that_opens_a_text_becomes_a_question_of_its_own() -> None:
    assert [question.id for question in FRUIT.questions] == ["A01", "A01_other", "A02", "A02_else", "A03", "B01", "B02"]
    text, other = FRUIT.question("A01_other"), FRUIT.question("A02_else")
    assert isinstance(text, ShortText)
    assert isinstance(other, ShortText)
    assert (text.var, text.section, text.max_chars, text.required) == ("favourite_other", "A", 20, True)
    assert text.text == {
        "en": "Which fruit do you like best? \u2013 Another: please say which",
        "fr": "Quel fruit préférez-vous ? \u2013 Un autre : lequel ?",
    }
    assert (text.privacy.role, text.specifies) == ("free_text", OptionRef("A01", "other"))
    assert text.show_if == Rule(q="A01", op="in", value=("other",))
    assert (other.max_chars, other.required, other.specifies) == (200, False, OptionRef("A02", "else"))
    assert other.show_if == Rule(q="A02", op="any_in", value=("else",))


def test_a_text_without_its_option_is_refused_like_any_hidden_question() -> None:
    assert faults_of({"A01": "other", "A01_other": "Quince"}) == []
    assert faults_of({"A01": "other"}) == [("/answers/A01_other", "required")]
    assert faults_of({"A01": "apple", "A01_other": "Quince"}) == [("/answers/A01_other", "hidden")]
    assert faults_of({"A01": "apple", "A02": ["shop"], "A02_else": "Garden"}) == [("/answers/A02_else", "hidden")]
    assert faults_of({"A01": "apple", "A02": ["shop", "else"], "A02_else": "Garden"}) == []


def test_notes_stand_apart_from_what_is_answered() -> None:
    assert FRUIT.notes == (
        Note("N0", "A", {"en": "Welcome.\nTake your time.", "fr": "Bienvenue.\nPrenez votre temps."}, "A01"),
        Note(
            "N1",
            "A",
            {"en": "Apples and pears <grow> here.", "fr": "Pommes et poires <poussent> ici."},
            "A02",
            Rule(q="A01", op="in", value=("apple", "pear")),
        ),
        Note(
            "N2",
            "A",
            {
                "en": "You like this: [Which fruit do you like best?].",
                "fr": "Vous aimez ceci : [Quel fruit préférez-vous ?].",
            },
            piped={"text": {"en": "You like this: {A01}.", "fr": "Vous aimez ceci : {A01}."}},
        ),
    )
    assert faults_of({"A01": "apple", "N0": "x"}) == [("/answers/N0", "unknown-question")]
    assert instruments.decode(instruments.encode(FRUIT)) == FRUIT


def test_a_note_waits_for_the_next_question_that_is_enabled() -> None:
    without = fruit(("    var: bought\n", "    var: bought\n    enabled: false\n"), ("missing in {A02}", "missing"), ("dans {A02} ?", " ?"))
    assert [(note.id, note.before) for note in without.notes] == [("N0", "A01"), ("N1", "A03"), ("N2", "")]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("    type: single", "    type: ranking\n    rank_count: 1", 24, "the option other of A01 cannot open a text"),
        ("    var: bought", "    var: favourite_other", 33, "the variable favourite_other is used twice"),
        ("  - id: A02", "  - id: A01_other", 32, "the question id A01_other is used twice"),
        ("specify: {max_chars: 20, required: true}", "specify: {max_chars: 20000}", 23, "20000 is out of bounds (from 1 to 1,000)"),
        ("specify: {max_chars: 20, required: true}", "specify: yes please", 23, "'yes please' is neither true nor false"),
        ("id: N2, type: note, section: A", "id: N2, type: note, section: C", 47, "there is no section C"),
        (
            "id: N0, type: note, section: A",
            "id: N0, type: note, section: B",
            13,
            "the note N0 does not stand among the questions of section B",
        ),
        ("id: N2,", "id: N0,", 47, "the question id N0 is used twice"),
        ("value: [apple, pear]", "value: [apple, peach]", 30, "A01 has no code peach"),
        ("q: A01, op: in, value: [apple, pear]", "q: A02, op: any_in, value: [shop]", 30, "the rule points to its own question"),
        ("q: A01, op: in, value: [apple, pear]", "q: B01, op: answered", 30, "the rule points forward, to B01"),
    ],
)
def test_each_fault_is_told_with_its_line(old: str, new: str, line: int, said: str) -> None:
    assert any(fault.startswith(f"fruit.yaml:{line}: {said}") for fault in faults(old, new)), faults(old, new)
