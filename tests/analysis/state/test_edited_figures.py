"""One edit of a questionnaire over stored answers: the figures that stand afterwards, number by number."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import AnyQuestion, Instrument
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally, compare
from services.analysis.state.fold import Folder
from tests.builders.small_survey import survey

PLACE = {"north": ("n1", "n2"), "south": ("s1", "s2")}
SHARED: dict[str, Any] = {"section": "S", "privacy": i.Privacy("insensitive")}


def _options(codes: str) -> tuple[i.Option, ...]:
    return tuple(i.Option(code, {"en": code}) for code in codes.split())


def _rows(codes: str) -> tuple[i.Row, ...]:
    return tuple(i.Row(code, {"en": code}) for code in codes.split())


def _common(id: str, **more: Any) -> dict[str, Any]:
    return {**SHARED, "id": id, "var": id.lower(), "text": {"en": id}, "stats": ("count", "share", "mean"), **more}


QUESTIONS: tuple[AnyQuestion, ...] = (
    i.Single(**_common("D", privacy=i.Privacy("quasi_identifier", "side")), options=_options("n1 n2 s1 s2")),
    i.Matrix(**_common("X"), rows=_rows("safe nice loud"), options=_options("1 2 3")),
    i.Multiple(**_common("M"), options=_options("work fun health")),
    i.Ranking(**_common("R"), options=_options("a b c"), rank_count=2),
    i.Numeric(**_common("P"), min=0, max=100, decimals=2),
    i.Integer(**_common("N"), min=0, max=100),
    i.Date(**_common("T"), precision="day", min="2000-01-01", max="2026-12-31"),
    i.LongText(**_common("L"), max_chars=100),
)
PEOPLE = [
    {"D": "n1", "X": {"safe": "1", "nice": "2", "loud": "1"}, "M": ["work", "health"], "R": ["a", "b"], "P": 0.4, "N": 20, "L": "so it is"},
    {"D": "n2", "X": {"safe": "2", "nice": "3", "loud": "2"}, "M": ["fun"], "R": ["b", "c"], "P": 0.4, "N": 50, "T": "2026-11-22"},
    {"D": "s1", "X": {"safe": "1"}, "M": ["health"], "R": ["c", "a"], "P": 16.24, "N": 3, "T": "2010-06-15", "L": "so"},
    {"D": "s2", "X": {"loud": "3"}, "M": ["work", "fun"], "R": ["a", "c"], "P": 7, "N": 41},
]  # fmt: skip


def _side(places: dict[str, tuple[str, ...]]) -> dict[str, i.Hierarchy]:
    table = {code: (side,) for side, codes in places.items() for code in codes}
    return {"side": i.Hierarchy(("district", "side", "*"), table=table)}


def edition(version: str, questions: tuple[AnyQuestion, ...], sides: dict[str, tuple[str, ...]], unsafe: i.Rule) -> Instrument:
    derived = (replace(survey().derived[0], id="unsafe", rule=unsafe),)
    return replace(
        survey(), version=version, questions=questions, hierarchies=_side(sides), derived=derived, strata=("d.side", "unsafe"), headlines=()
    )


UNSAFE = i.Rule(q="X", op="any_row_in", rows=("safe",), value=("1",))
BEFORE = edition("1.0.0", QUESTIONS, PLACE, UNSAFE)


def _with(id: str, **changed: Any) -> Instrument:
    questions = tuple(replace(question, **changed) if question.id == id else question for question in QUESTIONS)
    return edition("2.0.0", questions, PLACE, UNSAFE)


def _in_place(question: AnyQuestion) -> Instrument:
    return edition("2.0.0", tuple(question if one.id == question.id else one for one in QUESTIONS), PLACE, UNSAFE)


def figures(now: Instrument) -> dict[str, Any]:
    """The exact figures of the second version over answers to the first; a recount of them finds the same."""
    reader, book = Reader(BEFORE), CodeBook(Reader(now))
    folder = Folder(book)
    state = folder.empty()
    stored = [StoredResponse(f"{at:032x}", "1.0.0", json.dumps(one)) for at, one in enumerate(PEOPLE)]
    answered = [(one.id, reader.stored(one.answers)) for one in stored]
    folder.fold(state, answered, 1)
    view = exact_view.snapshot(book, state, revision=0, as_of="")
    tally = Tally(now, lambda _, version: BEFORE if version == "1.0.0" else now)
    tally.add(stored)
    assert compare(view, tally)[1] == []
    folder.fold(state, answered, -1)
    assert state == folder.empty(), "whoever withdrew leaves nothing"
    return msgspec.to_builtins(view)


def at(figures: Any, path: str) -> Any:
    for part in path.split("/"):
        figures = figures.get(part) if isinstance(figures, dict) else figures[int(part)]
    return figures


NUMBER = next(question for question in QUESTIONS if question.id == "N")
AS_DECIMAL = i.Numeric(**_common("N"), min=0, max=100, decimals=1)
AS_WHOLE = i.Integer(**_common("P"), min=0, max=100)
OF_SOUTH = i.Rule(not_=i.Rule(q="D", op="in", value=("n1", "n2")))
EDITS = {
    "nothing": (_with("D"), {"X/rows/safe/answered": 3, "P/sum": 24.04, "N/sum": 114}),
    "a row out": (_with("X", rows=_rows("safe nice")), {"X/rows/safe/answered": 3, "X/rows/nice/answered": 2, "X/rows/safe/cells/1/n": 2}),
    "a row in": (
        _with("X", rows=_rows("safe nice loud dirty")),
        {"X/rows/dirty/nonresponse/asked": 0, "X/rows/dirty/nonresponse/missing": 0, "X/rows/nice/nonresponse/missing": 2},
    ),
    "rows and options in another order": (
        _with("X", rows=_rows("loud safe nice"), options=_options("3 1 2")),
        {"X/rows/safe/cells/1/n": 2, "X/rows/loud/cells/3/n": 1, "X/rows/nice/cells/2/n": 1},
    ),
    "an option of the scale out": (_with("X", options=_options("1 2")), {"X/rows/safe/answered": 3, "X/rows/nice/answered": 1}),
    "an option out": (_with("M", options=_options("work fun")), {"M/cells/work/n": 2, "M/cells/fun/n": 2}),
    "an option that excludes": (
        _with("M", options=(i.Option("work", {"en": "work"}, exclusive=True), *_options("fun health"))),
        {"M/cells/work/n": 2, "M/cells/fun/n": 2, "M/cells/health/n": 2},
    ),
    "one choice at most": (_with("M", max_choices=1), {"M/answered": 4, "M/cells/work/n": 2, "M/cells/health/n": 2}),
    "two choices at least": (_with("M", min_choices=2), {"M/answered": 4, "M/cells/fun/n": 2}),
    "fewer places": (_with("R", rank_count=1), {"R/answered": 4}),
    "more places": (_with("R", rank_count=3), {"R/answered": 4}),
    "a lower maximum": (_with("N", max=40), {"N/answered": 2, "N/sum": 23, "N/mean": 11.5}),
    "whole numbers become decimals": (_in_place(AS_DECIMAL), {"N/answered": 4, "N/sum": 114, "N/mean": 28.5}),
    "decimals become whole numbers": (_in_place(AS_WHOLE), {"P/answered": 1, "P/sum": 7}),
    "fewer decimals": (_with("P", decimals=1), {"P/answered": 3, "P/sum": 7.8}),
    "no decimals": (_with("P", decimals=0), {"P/answered": 1, "P/sum": 7}),
    "more decimals": (_with("P", decimals=3), {"P/answered": 4, "P/sum": 24.04}),
    "days become months": (_with("T", precision="month", min="2000-01", max="2026-12"), {"T/answered": 2}),
    "a later first day": (_with("T", min="2011-01-01"), {"T/answered": 1}),
    "shorter texts": (_with("L", max_chars=3), {"L/answered": 2}),
    # who was asked is told by the version that was answered
    "asked of the north": (_with("M", show_if=i.Rule(q="D", op="in", value=("n1", "n2"))), {"M/answered": 4, "M/cells/health/n": 2}),
    "asked of the south": (_with("M", show_if=OF_SOUTH), {"M/answered": 4, "M/cells/work/n": 2}),
}  # fmt: skip


@pytest.mark.parametrize(("now", "expected"), EDITS.values(), ids=EDITS)
def test_what_an_edit_leaves_of_earlier_answers(now: Instrument, expected: dict[str, Any]) -> None:
    found = figures(now)
    assert found["responses"] == 4
    assert {path: at(found["questions"], path) for path in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("now", "stratum", "expected"),
    [
        (BEFORE, "d.side", {"north": 2, "south": 2}),
        (edition("2.0.0", QUESTIONS, {"north": ("n1", "n2", "s1"), "south": ("s2",)}, UNSAFE), "d.side", {"north": 3, "south": 1}),
        (BEFORE, "unsafe", {"1": 2, "0": 2}),
        (edition("2.0.0", QUESTIONS, PLACE, replace(UNSAFE, rows=("nice",), value=("2",))), "unsafe", {"1": 1, "0": 3}),
        (edition("2.0.0", QUESTIONS, PLACE, replace(UNSAFE, value=("2",))), "unsafe", {"1": 1, "0": 3}),
    ],
    ids=["sides", "a place moved", "unsafe", "another row", "another value"],
)
def test_what_an_edit_makes_of_groups(now: Instrument, stratum: str, expected: dict[str, int]) -> None:
    groups = figures(now)["breakdowns"][stratum]
    assert {group: figure["responses"] for group, figure in groups.items()} == expected


def test_a_place_that_is_taken_out_takes_its_people_out_of_the_sides_alone() -> None:
    now = edition(
        "2.0.0", (replace(QUESTIONS[0], options=_options("n1 s1 s2")), *QUESTIONS[1:]), {"north": ("n1",), "south": ("s1", "s2")}, UNSAFE
    )
    found = figures(now)
    assert {group: figure["responses"] for group, figure in found["breakdowns"]["d.side"].items()} == {"north": 1, "south": 2}
    assert (found["responses"], found["questions"]["D"]["answered"], found["questions"]["N"]["sum"]) == (4, 3, 114)
