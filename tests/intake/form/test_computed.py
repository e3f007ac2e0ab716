"""Computed values in the form: nobody is asked them, questions follow from them, and the page is given what its script needs."""

from __future__ import annotations

from typing import Any

import msgspec

from proto.answers import Reader
from proto.instrument import Computed, Instrument, Integer, LongText, Matrix, Option, Privacy, Row, Rule, Section
from services.intake.form.client_rules import needed
from services.intake.form.flow import REVIEW, FormFlow, FormState

TODAY = "2026-11-22"


def common(id: str, section: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": section, "text": {"en": id}, "privacy": Privacy("insensitive")}


def form(section_of_why: str) -> FormFlow:
    rows = tuple(Row(code, {"en": code}) for code in "ab")
    options = tuple(Option(code, {"en": code}) for code in ("1", "2", "3", "dk"))
    total = Computed(**common("Total", "A"), min=2, max=106, op="sum", of=("Scale", "More"), least=2)
    why = LongText(**common("Why", section_of_why), show_if=Rule(q="Total", op="at_least", value=(5,)))
    return FormFlow(
        Reader(
            Instrument(
                id="form",
                version="1",
                source_language="en",
                languages=("en",),
                title={"en": "Form"},
                sections=(Section("A", {"en": "A"}), Section("B", {"en": "B"})),
                questions=(
                    Matrix(**common("Scale", "A"), rows=rows, options=options, ordered=True, required=True),
                    Integer(**common("More", "A"), min=0, max=100),
                    total,
                    why,
                    Integer(**common("Last", "B"), min=0, max=100),
                ),
            )
        )
    )


FIELDS = {"q.Scale.a": ["3"], "q.Scale.b": ["dk"], "q.More": ["2"]}


def test_a_question_follows_from_a_value_that_is_on_no_page_and_not_sent() -> None:
    walk = form("B")
    view = walk.turn(walk.begin(FormState("1"), TODAY).sheet, "A", "next", FIELDS, ".", TODAY)
    assert [question.id for question in walk.questions("B", view.evaluation)] == ["Why", "Last"]
    view = walk.turn(view.sheet, "B", "next", {"q.Why": ["So."], "q.Last": ["1"]}, ".", TODAY)
    assert view.place == REVIEW
    assert msgspec.json.decode(walk.reader.canonical(view.evaluation.answers)) == {
        "Scale": {"a": "3", "b": "dk"},
        "More": 2,
        "Why": "So.",
        "Last": 1,
    }
    less = walk.turn(view.sheet, "A", "next", FIELDS | {"q.More": ["1"]}, ".", TODAY)
    assert less.evaluation.dropped == ("Why",)


def test_the_page_is_given_the_formula_where_its_answers_decide() -> None:
    walk = form("A")
    asks = walk.asks("A", walk.begin(FormState("1"), TODAY).evaluation)
    assert needed(asks) == {"Scale", "More", "Total", "Why"}
    assert asks["Why"].leans == ("Scale",)
    how = asks["Total"].computed
    assert how is not None
    assert [(item.q, item.row, item.worths) for item in how.items] == [
        ("Scale", "a", {"1": 1, "2": 2, "3": 3}),
        ("Scale", "b", {"1": 1, "2": 2, "3": 3}),
        ("More", "", {}),
    ]
