"""Strategies that answer an instrument with every type of question, well or badly."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from proto.blank import is_blank
from proto.instrument import (
    ConstantSum,
    Date,
    Derived,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Privacy,
    Ranking,
    Row,
    Rule,
    Section,
    ShortText,
    Single,
)

TODAY = "2026-11-22"
_INSENSITIVE = Privacy("insensitive")


def _options(*codes: str, exclusive: str = "") -> tuple[Option, ...]:
    return tuple(Option(code, {"en": code}, exclusive=code == exclusive) for code in codes)


def _common(id: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": id}, "privacy": _INSENSITIVE}


QUESTIONS = (
    Single(**_common("Q1"), required=True, options=_options("yes", "no", "dk")),
    Multiple(**_common("Q2"), options=_options("a", "b", "c", "none", exclusive="none"), min_choices=1, max_choices=3),
    Matrix(
        **_common("Q3"),
        rows=(Row("row-1", {"en": "1"}), Row("row~/2", {"en": "2"})),
        options=_options("1", "2", "3"),
        show_if=Rule(q="keen", op="derived", value=("1",)),
    ),
    Ranking(**_common("Q4"), options=_options("x", "y", "z"), rank_count=2),
    Integer(**_common("Q5"), min=0, max=100),
    Numeric(**_common("Q6"), min=-1.5, max=1e6, decimals=2),
    Date(**_common("Q7"), min="2000-01"),
    Date(**_common("Q8"), precision="day", min="2000-01-01", max="2030-12-31"),
    ShortText(**_common("Q9"), max_chars=20),
    LongText(**_common("Q10"), max_chars=50, show_if=Rule(q="Q2", op="any_in", value=("c",))),
    Matrix(
        **_common("Q11"),
        rows=(Row("r1", {"en": "1"}), Row("r2", {"en": "2"})),
        options=_options("lo", "hi"),
        required=True,
        show_if=Rule(q="Q1", op="in", value=("no",)),
    ),
    Integer(**_common("Q12"), special=_options("dk", "lots")),
    Numeric(**_common("Q13"), min=0, decimals=1, special=_options("na")),
    Date(**_common("Q14"), precision="year", min="1990", special=_options("never")),
    ConstantSum(**_common("Q15"), rows=(Row("row-1", {"en": "1"}), Row("row~/2", {"en": "2"}), Row("r1", {"en": "3"})), total=20),
)

INSTRUMENT = Instrument(
    id="every-type",
    version="1.0.0",
    source_language="en",
    languages=("en", "fr"),
    title={"en": "Every type"},
    sections=(Section("A", {"en": "A"}),),
    questions=QUESTIONS,
    derived=(Derived("keen", Rule(q="Q1", op="in", value=("yes",))),),
)

_code = st.sampled_from(
    ["lots", "na", "never", "1989", "2026", "yes", "no", "dk", "a", "b", "c", "none", "x", "y", "z", "1", "2", "3", "lo", "hi", "", "nope"]
)
_number = st.one_of(
    st.integers(-5, 120),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**30), 10**30),
    st.decimals(-2, 200, places=2, allow_nan=False).map(float),
)
_leaf = st.one_of(
    _code, _number, st.none(), st.booleans(), st.text(max_size=60), st.sampled_from(["2026-11", "2026-11-22", "2026-02-30", "1999-12"])
)
_value = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["row-1", "row~/2", "r1", "r2", "other"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _seen(text: str) -> bool:
    return not is_blank(text)


def _shared_out(one: int, other: int) -> dict[str, int]:
    """Twenty among three rows."""
    return {"row-1": one, "row~/2": other - one, "r1": 20 - other}


_good: dict[str, st.SearchStrategy[Any]] = {
    "Q1": st.sampled_from(["yes", "no", "dk"]),
    "Q2": st.one_of(st.just(["none"]), st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)),
    "Q3": st.dictionaries(st.sampled_from(["row-1", "row~/2"]), st.sampled_from("123"), min_size=1),
    "Q4": st.permutations(["x", "y", "z"]).map(lambda ranks: ranks[:2]),
    "Q5": st.integers(0, 100),
    "Q6": st.one_of(st.integers(-1, 10**6), st.integers(-150, 10**8).map(lambda cents: cents / 100)),
    "Q7": st.sampled_from(["2000-01", "2026-11", "2011-06"]),
    "Q8": st.sampled_from(["2000-01-01", "2030-12-31", "2024-02-29"]),
    "Q9": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(_seen),
    "Q10": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50).filter(_seen),
    "Q11": st.fixed_dictionaries({"r1": st.sampled_from(["lo", "hi"]), "r2": st.sampled_from(["lo", "hi"])}),
    "Q12": st.integers(-(10**9), 10**9) | st.sampled_from(["dk", "lots"]),
    "Q13": st.integers(0, 10**9) | st.integers(0, 10**6).map(lambda tenths: tenths / 10) | st.just("na"),
    "Q14": st.sampled_from(["1990", "2026", "never"]),
    "Q15": st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda ends: _shared_out(*sorted(ends))),
}


@st.composite
def good_answers(draw: st.DrawFn) -> dict[str, Any]:
    """Answers that fit, skip logic included."""
    answers = {id: draw(strategy) for id, strategy in _good.items() if id == "Q1" or draw(st.booleans())}
    if answers["Q1"] != "yes":
        answers.pop("Q3", None)
    if "c" not in answers.get("Q2", []):
        answers.pop("Q10", None)
    if answers["Q1"] == "no":
        answers.setdefault("Q11", {"r1": "lo", "r2": "hi"})
    else:
        answers.pop("Q11", None)
    return answers


any_answers = st.dictionaries(st.one_of(st.sampled_from([question.id for question in QUESTIONS]), st.text(max_size=3)), _value, max_size=8)
"""Answers of which most have faults."""


@st.composite
def damaged_answers(draw: st.DrawFn) -> dict[str, Any]:
    """Answers that fit but for a few."""
    return draw(good_answers()) | draw(st.dictionaries(st.sampled_from([question.id for question in QUESTIONS]), _value, max_size=2))
