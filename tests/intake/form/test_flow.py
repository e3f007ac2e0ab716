"""The walk through the Action 3 questionnaire, without any server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.answers import Reader
from proto.instrument import Instrument, Option, Privacy, Rule, Section, Single
from services.intake.form import flow
from services.intake.form.flow import REVIEW, START, FormFlow, FormState, NextPage
from tests.builders.bundled import questionnaire
from tests.proto import test_parts as parts

TODAY = "2026-11-22"


WALK = FormFlow(Reader(questionnaire()))
SECTIONS = [section.id for section in WALK.instrument.sections]
ROWS = [row.code for row in getattr(WALK.reader.questions["B02"], "rows", ())]
A = {"q.A01": ["FR"], "q.A02": ["1"], "q.A04": ["p6"], "q.A05": ["municipality"], "q.A08": ["official"], "q.A09": ["police"]}


def matrix(code: str, **other: str) -> dict[str, list[str]]:
    return {f"q.B02.{row}": [other.get(row, code)] for row in ROWS}


def at_b() -> NextPage:
    view = WALK.begin(FormState("0.1.0"), TODAY)
    view = WALK.turn(view.sheet, "A", "next", A, ".", TODAY)
    assert view.place == "B"
    return view


def shown(view: NextPage) -> list[str]:
    return [question.id for question in WALK.questions(view.place, view.evaluation)]


def test_a_question_that_may_go_either_way_waits_for_what_it_depends_on() -> None:
    assert shown(at_b()) == ["B01", "B02"]


def test_answers_that_open_questions_on_the_page_show_it_again() -> None:
    fields = {"q.B01": ["use"]} | matrix("none", anpr="live")
    view = WALK.turn(at_b().sheet, "B", "next", fields, ".", TODAY)
    assert (view.place, view.opened, view.faults) == ("B", ("B03", "B04", "B05"), ())


def test_non_users_are_asked_why_not_and_skip_what_is_for_users() -> None:
    fields = {"q.B01": ["against"]} | matrix("none")
    view = WALK.turn(at_b().sheet, "B", "next", fields, ".", TODAY)
    assert view.opened == ("B08",)
    view = WALK.turn(view.sheet, "B", "next", fields | {"q.B08": ["rights"]}, ".", TODAY)
    assert view.place == "F"
    assert WALK.turn(view.sheet, "F", "back", {}, ".", TODAY).place == "B"


def test_an_answer_that_closes_a_question_with_an_answer_says_so_once() -> None:
    user = {"q.B01": ["use"], "q.B03": ["terror"], "q.B04": ["3"]}
    view = WALK.turn(at_b().sheet, "B", "next", user | matrix("none", anpr="live"), ".", TODAY)
    view = WALK.turn(view.sheet, "B", "next", user | matrix("none", anpr="live"), ".", TODAY)
    assert view.place == "C"
    view = WALK.turn(view.sheet, "C", "back", {}, ".", TODAY)
    view = WALK.turn(view.sheet, "B", "next", user | matrix("none"), ".", TODAY)
    assert (view.place, view.closed, view.opened) == ("B", ("B03", "B04"), ("B08",))
    view = WALK.turn(view.sheet, "B", "next", user | matrix("none") | {"q.B08": ["cost"]}, ".", TODAY)
    assert view.place == "F"
    assert view.evaluation.dropped == ("B03", "B04")


def test_going_back_keeps_also_what_does_not_fit_and_does_not_complain() -> None:
    fields = {"q.B01": ["use"]} | matrix("none", anpr="live")
    view = WALK.turn(at_b().sheet, "B", "next", fields, ".", TODAY)
    view = WALK.turn(view.sheet, "B", "back", fields | {"q.B04": ["a dozen"]}, ".", TODAY)
    assert (view.place, view.faults, view.sheet.answers["B04"]) == ("A", (), "a dozen")
    view = WALK.turn(view.sheet, "A", "back", A, ".", TODAY)
    assert view.place == START


def test_only_what_was_shown_can_have_been_forgotten() -> None:
    view = WALK.turn(at_b().sheet, "B", "next", {}, ".", TODAY)
    assert {flow.question_of(fault) for fault in view.faults} == {"B01", "B02"}


def test_progress_counts_sections_that_may_still_come() -> None:
    view = at_b()
    assert WALK.progress("B", view.evaluation) == (2, 8)
    fields = {"q.B01": ["against"], "q.B08": ["rights"]} | matrix("none")
    view = WALK.turn(view.sheet, "B", "next", fields, ".", TODAY)
    view = WALK.turn(view.sheet, "B", "next", fields, ".", TODAY)
    assert WALK.progress("F", view.evaluation) == (3, 5)


def test_nobody_reaches_the_review_with_something_missing() -> None:
    forged = FormState("0.1.0", {"A01": "FR"}, tuple(WALK.reader.questions), reviewed=True)
    for go in ("send", "stay", "back", "change.Z01", "nonsense"):
        view = WALK.turn(forged, REVIEW, go, {}, ".", TODAY)
        assert view.place != REVIEW
        assert not view.send


def test_what_a_waiting_answer_hid_is_asked_with_its_own_answer_and_opens_what_follows() -> None:
    """B waits for A and has an answer from before; C is for those without B, and D for some answers to C."""
    options = (Option("x", {"en": "x"}), Option("y", {"en": "y"}))

    def single(id: str, rule: Rule | None = None, required: bool = False) -> Single:
        common: dict[str, Any] = {"id": id, "var": id.lower(), "section": "S", "text": {"en": id}, "privacy": Privacy("insensitive")}
        return Single(**common, options=options, required=required, show_if=rule)

    asked = (
        single("A", required=True),
        single("B", Rule(q="A", op="not_in", value=("y",))),
        single("C", Rule(not_=Rule(q="B", op="answered"))),
        single("D", Rule(q="C", op="in", value=("x",))),
    )
    made = Instrument(
        id="waiting",
        version="1",
        source_language="en",
        languages=("en",),
        title={"en": "W"},
        sections=(Section("S", {"en": "S"}),),
        questions=asked,
    )
    found = FormFlow(Reader(made)).evaluate(FormState("1", {"B": "x", "C": "x", "D": "y"}), TODAY)
    assert (found.shown, found.pending) == (("A", "C", "D"), ("B",))
    assert (found.answers.B, found.answers.C, found.answers.D) == (msgspec.UNSET, "x", "y")


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from([*WALK.reader.questions, "ZZ"]), json, max_size=8),
    st.sampled_from([*SECTIONS, REVIEW, "elsewhere"]),
    st.sampled_from(["next", "back", "stay", "send", "change.B01", "?"]),
)
def test_a_forged_sheet_leads_to_an_ordinary_page(answers: dict[str, Any], place: str, go: str) -> None:
    view = WALK.turn(FormState("0.1.0", answers), place, go, {}, ".", TODAY)
    assert view.place in {START, *SECTIONS}
    assert flow.read(flow.write(view.sheet)) == view.sheet


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"version":1}', '{"version":"0.1.0","more":1}', "[" * 5000])
def test_a_damaged_sheet_is_refused(text: str) -> None:
    with pytest.raises((msgspec.MsgspecError, RecursionError)):
        flow.read(text)


PARTS = FormFlow(parts.READER)
ADULT = {"q.Age": ["30"], "q.Uses": ["a"], "q.Pick": ["a"], "q.Some": ["a", "b"], "q.Rated.a": ["1"], "q.Rated.z": ["2"]}


def test_a_part_that_an_answer_hides_is_dropped_and_told_and_the_rest_stays() -> None:
    view = PARTS.begin(FormState("1.0.0"), TODAY)
    view = PARTS.turn(view.sheet, "A", "next", ADULT, ".", TODAY)
    assert (view.place, view.evaluation.lost) == ("A", {})
    assert view.opened == ("Pick", "Some", "Best", "Rated"), "options and rows that came are shown before the form goes on"
    view = PARTS.turn(view.sheet, "A", "next", ADULT, ".", TODAY)
    assert view.place == REVIEW
    view = PARTS.turn(view.sheet, "A", "next", ADULT | {"q.Age": ["7"], "q.Uses": ["b"], "q.Rated.b": ["1"]}, ".", TODAY)
    assert view.opened == ("Rated",)
    view = PARTS.turn(view.sheet, "A", "next", ADULT | {"q.Age": ["7"], "q.Uses": ["b"], "q.Rated.b": ["1"]}, ".", TODAY)
    assert view.place == REVIEW
    assert view.evaluation.lost == {"Pick": "a", "Some": ["a"], "Rated": {"a": "1"}}
    sent = msgspec.json.decode(PARTS.reader.canonical(view.evaluation.answers))
    assert sent == {"Age": 7, "Uses": ["b"], "Some": ["b"], "Rated": {"b": "1", "z": "2"}}
    assert not PARTS.reader.check(view.evaluation.answers, TODAY)
