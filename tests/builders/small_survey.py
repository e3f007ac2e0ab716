"""Respondents, drawn at random, of a small survey with every kind of question."""

from __future__ import annotations

import hashlib
import math
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_state import PublishedState, next_edition
from services.analysis.state.fold import Folder
from services.analysis.state.state import State

Answers = dict[str, Any]
SPECIAL = (i.Option("dk", {"en": "Not known"}), i.Option("many", {"en": "Too many"}))
REGIONS = {"a": "north", "b": "east", "c": "south", "d": "south"}


def options(codes: str, exclusive: str = "") -> tuple[i.Option, ...]:
    return tuple(i.Option(code, {"en": f"Option {code}"}, exclusive=code in exclusive) for code in codes)


def _question(id: str, **more: Any) -> dict[str, Any]:
    given = {"id": id, "var": id.lower(), "section": "S", "text": {"en": f"Question {id}"}, "privacy": i.Privacy("insensitive")}
    return given | {"stats": ("count", "share", "crosstab")} | more


@cache
def survey(minimum: int = 10) -> Instrument:
    bands = (i.Band("0", 0, 0), i.Band("1-4", 1, 4), i.Band("5+", 5))
    likert = tuple(i.Option(code, {"en": code}) for code in ("1", "2", "3", "4", "5", "dk"))
    rows = (i.Row("x", {"en": "Row x"}), i.Row("y", {"en": "Row y"}))
    parts = (i.Band("0", 0, 0), i.Band("1-9", 1, 9), i.Band("10", 10, 10))
    place = i.Privacy("quasi_identifier", hierarchy="place")
    return Instrument(
        id="small",
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "A small survey"},
        sections=(i.Section("S", {"en": "Section"}),),
        questions=(
            i.Single(**_question("Place", options=options("abcd"), privacy=place, required=True)),
            i.Single(**_question("Use", options=options("yn"))),
            i.Multiple(**_question("Why", options=options("pqrz", "z"), show_if=i.Rule(q="Use", op="in", value=("y",)))),
            i.Matrix(**_question("Agree", options=likert, rows=rows, ordered=True)),
            i.Ranking(**_question("Rank", options=options("klmn"), rank_count=3)),
            i.Integer(**_question("Count", min=0, max=9, bands=bands, special=SPECIAL)),
            i.Numeric(**_question("Cost", min=0, max=9, decimals=2, bands=bands)),
            i.Date(**_question("Since", bands=(i.Band("to 2019", 1900, 2019), i.Band("2020+", 2020)), special=SPECIAL)),
            i.ConstantSum(**_question("Split", rows=rows, total=10, bands=parts, stats=("count", "mean", "crosstab"))),
            i.ShortText(**_question("Word")),
        ),
        derived=(i.Derived("uses", i.Rule(q="Use", op="in", value=("y",)), {"1": {"en": "Uses"}, "0": {"en": "Does not"}}),),
        strata=("place.region", "uses"),
        hierarchies={"place": i.Hierarchy(("place", "region", "*"), table={code: (region,) for code, region in REGIONS.items()})},
        policy=i.Policy(minimum=minimum),
    )


@cache
def by_level() -> Instrument:
    """The survey with a computed value, by which figures are broken down."""
    bands = (i.Band("1-2.49", 1, 2.49), i.Band("2.5-3.49", 2.5, 3.49), i.Band("3.5-5", 3.5, 5))
    value = i.Computed(**_question("Level", min=1, max=5, decimals=2, bands=bands, op="mean", of=("Agree",)))
    whole = survey()
    return replace(whole, questions=(*whole.questions, value), strata=(*whole.strata, "level"))


@cache
def book(minimum: int = 10) -> CodeBook:
    return CodeBook(Reader(survey(minimum)))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_level = _maybe(st.sampled_from(["1", "2", "3", "4", "5", "dk"]))


@st.composite
def respondent(draw: st.DrawFn) -> Answers:
    given = {
        "Place": draw(st.sampled_from("aaaabbcd")),
        "Use": draw(_maybe(st.sampled_from("yyn"))),
        "Agree": {row: level for row in "xy" if (level := draw(_level))} or None,
        "Rank": draw(_maybe(st.permutations("klmn").map(lambda p: p[:3]))),
        "Count": draw(_maybe(st.integers(0, 9) | st.sampled_from(["dk", "many"]))),
        "Cost": draw(_maybe(st.integers(0, 900).map(lambda n: n / 100))),
        "Since": draw(_maybe(st.sampled_from(["2001-05", "2019-12", "2020-01", "2026-11", "dk", "many"]))),
        "Split": draw(_maybe(st.integers(0, 10).map(lambda share: {"x": share, "y": 10 - share}))),
        "Word": draw(_maybe(st.just("word"))),
    }
    if given["Use"] == "y":
        given["Why"] = draw(_maybe(st.just(["z"]) | st.lists(st.sampled_from("pqr"), min_size=1, unique=True)))
    return {id: value for id, value in given.items() if value is not None}


def respondents(fewest: int = 0, most: int = 40) -> st.SearchStrategy[list[Answers]]:
    return st.lists(respondent(), min_size=fewest, max_size=most)


def state_of(people: list[Answers], of: CodeBook | None = None) -> State:
    codebook = of or book()
    reader, folder = Reader(codebook.instrument), Folder(codebook)
    state = folder.empty()
    structs = []
    for number, answers in enumerate(people):
        struct, faults = reader.convert(answers)
        assert not faults
        assert not reader.check(struct, "2026-11-22")
        structs.append((hashlib.sha256(b"%d" % number).hexdigest()[:32], struct))
    folder.fold(state, structs)
    return state


def crowd(seed: int, size: int) -> list[Answers]:
    """Many respondents at once. Each crowd has its own habits, so that some cells are crowded and some nearly empty."""
    draw = Random(seed)
    left_out = draw.choice([0, 0, 0.03, 0.1, 0.3])
    skew = draw.uniform(0.3, 3)

    def pick(codes: str) -> str:
        return draw.choices(codes, [math.exp(-skew * i) for i in range(len(codes))])[0]

    def one() -> Answers:
        given: Answers = {
            "Place": pick("abcd"),
            "Use": pick("yn"),
            "Rank": sorted(draw.sample("klmn", 3), key=lambda _: draw.random() ** skew),
        }
        given["Agree"] = {row: level for row in "xy" if (level := pick("234") if draw.random() < 0.8 else draw.choice("15"))}
        given |= {"Count": int(9 * draw.random() ** (2 * skew)), "Cost": int(900 * draw.random()) / 100, "Word": "word"}
        share = min(given["Count"], 8) + 2 * (given["Place"] == "a")
        given["Split"] = {"x": share, "y": 10 - share}
        given["Count"] = {7: "dk", 8: "many"}.get(given["Count"], given["Count"])
        given["Since"] = draw.choice(["2001-05", "2019-12", "2020-01", "2026-11"])
        given = {id: value for id, value in given.items() if id == "Place" or draw.random() >= left_out}
        if given.get("Use") == "y" and draw.random() >= left_out:
            given["Why"] = ["z"] if draw.random() < 0.1 else sorted({pick("pqr") for _ in range(draw.randint(1, 3))})
        return given

    return [one() for _ in range(size)]


def crowds(fewest: int, most: int) -> st.SearchStrategy[list[Answers]]:
    return st.builds(crowd, st.integers(0, 2**32), st.integers(fewest, most))


KEY = b"k" * 32


def released(people: list[Answers], *earlier: int, of: CodeBook | None = None, key: bytes = KEY) -> PublishedState:
    """What stands released of these people, after releases of the first so many of them, each with new tables."""
    codebook, found = of or book(), None
    folder, noise = Folder(codebook), Noise(key, codebook.instrument.id)
    for revision, size in enumerate((*earlier, len(people)), 1):
        marks, as_of = found.marks if found else Marks(), f"2026-11-22T14:05:{revision % 60:02d}Z"
        found = next_edition(folder, state_of(people[:size], codebook), found, marks, Due(True, True), noise, revision, 0.0, as_of)
    assert found is not None
    return found
