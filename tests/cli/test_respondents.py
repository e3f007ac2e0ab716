"""Simulated respondents against every bundled instrument."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cli.respondents import Population
from proto import author
from proto.answers import Reader
from proto.instrument import (
    Band,
    Date,
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
from tests.builders.bundled import questionnaire
from tests.builders.square import market
from tests.builders.town_budget import town_budget

TODAY = "2026-11-22"
TEXT = {"en": "text"}


readers = {name: Reader(questionnaire(name)) for name in author.bundled()}
UNSET = readers["ai-security"].type().A01


@pytest.mark.slow
@pytest.mark.parametrize("name", readers)
def test_every_simulated_response_is_accepted(name: str) -> None:
    reader = readers[name]
    for seed in (1, 2**31):
        population = Population(reader.instrument, seed, TODAY)
        for number in range(1000):
            found = reader.read(population.body(number), TODAY)
            assert not isinstance(found, list), found


def test_somebody_who_answers_a_row_that_excludes_the_others_answers_it_alone() -> None:
    reader = Reader(town_budget())
    (asked,) = (q for q in reader.instrument.questions if isinstance(q, Matrix) and any(row.exclusive for row in q.rows))
    population, alone = Population(reader.instrument, 1, TODAY), {row.code for row in asked.rows if row.exclusive}
    given = [msgspec.json.decode(population.body(number))["answers"].get(asked.id, {}) for number in range(500)]
    assert not [found for found in (reader.read(population.body(number), TODAY) for number in range(500)) if isinstance(found, list)]
    assert any(given_rows.keys() == alone for given_rows in given)
    assert any(given_rows and alone.isdisjoint(given_rows) for given_rows in given)


def test_a_text_inside_an_option_changes_nobodys_other_answers() -> None:
    found = questionnaire("ai-security")
    others = tuple(question for question in found.questions if not (isinstance(question, ShortText) and question.specifies))
    assert len(others) < len(found.questions)
    whole, without = (Population(asked, 7, TODAY) for asked in (found, msgspec.structs.replace(found, questions=others)))
    written = 0
    for number in range(200):
        answers, kept = (msgspec.json.decode(population.body(number))["answers"] for population in (whole, without))
        texts = answers.keys() - kept.keys()
        assert {id: answer for id, answer in answers.items() if id in kept} == kept
        assert all(id.endswith("_other") for id in texts)
        written += len(texts)
    assert written > 0


def test_the_same_seed_gives_the_same_people() -> None:
    one, again, other = (Population(readers["ai-security"].instrument, seed, TODAY) for seed in (1, 1, 2))
    assert [one.body(number) for number in range(20)] == [again.body(number) for number in range(20)]
    assert one.body(0) != other.body(0)


@pytest.mark.slow
def test_answers_hang_together() -> None:
    """Cramér's V between the size of an authority and its stage is far above what independence gives (about 0.05)."""
    population = Population(readers["ai-security"].instrument, 3, TODAY)
    pairs = Counter((p.answers.A04, p.answers.B01) for p in map(population.respondent, range(3000)))
    rows, columns = {a for a, _ in pairs}, {b for _, b in pairs}
    total = sum(pairs.values())
    of_row = {row: sum(pairs[row, column] for column in columns) for row in rows}
    of_column = {column: sum(pairs[row, column] for row in rows) for column in columns}
    chi2 = sum(
        (pairs[r, c] - of_row[r] * of_column[c] / total) ** 2 / (of_row[r] * of_column[c] / total) for r, c in product(rows, columns)
    )
    assert (chi2 / total / (min(len(rows), len(columns)) - 1)) ** 0.5 > 0.1


@pytest.mark.slow
def test_every_option_is_chosen_by_somebody_and_skip_logic_hides_from_some() -> None:
    reader = readers["ai-security"]
    population = Population(reader.instrument, 5, TODAY)
    people = [population.respondent(number).answers for number in range(3000)]
    for question in reader.instrument.questions:
        given_by = sum(getattr(answers, question.id) is not UNSET for answers in people)
        assert given_by > 0, question.id
    hidden = sum(not reader.visible(answers, "B03") for answers in people)
    assert 300 < hidden < 2700


def options(*codes: str) -> tuple[Option, ...]:
    return tuple(Option(code, TEXT) for code in codes)


PLAIN = Privacy("insensitive")
codes = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True).map(lambda found: options(*found))
whole = st.tuples(st.integers(-1000, 10**6), st.integers(0, 10**6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """Any questionnaire, within the author format's bounds, with one question of each type."""
    base: dict[str, Any] = {"section": "s", "text": TEXT, "privacy": PLAIN}

    def common(id: str, *, rule: bool = True) -> dict[str, Any]:
        show = Rule(q="A", op="in", value=(draw(st.sampled_from(single.options)).code,)) if rule and draw(st.booleans()) else None
        return base | {"id": id, "var": id.lower(), "required": draw(st.booleans()), "show_if": show}

    single = Single(**base, id="A", var="a", required=draw(st.booleans()), options=draw(codes), ordered=draw(st.booleans()))  # type: ignore[arg-type]
    many = draw(codes)
    most = draw(st.none() | st.integers(1, len(many)))
    least = draw(st.integers(1, most or len(many)))
    alone = (Option("none", TEXT, exclusive=True),) if draw(st.booleans()) else ()
    ranked = draw(codes)
    low, high = draw(whole)
    decimals = draw(st.integers(0, 3))
    first, last = draw(st.integers(1900, 2020)), draw(st.sampled_from(["today", "2025-06"]))
    return Instrument(
        id="any",
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title=TEXT,
        sections=(Section("s", TEXT),),
        questions=(
            single,
            Multiple(**common("B"), options=many + alone, min_choices=least, max_choices=most),  # type: ignore[arg-type]
            Matrix(**common("C"), rows=tuple(Row(f"r-{i}", TEXT) for i in range(draw(st.integers(1, 5)))), options=draw(codes)),  # type: ignore[arg-type]
            Ranking(**common("D"), options=ranked, rank_count=draw(st.integers(1, len(ranked)))),  # type: ignore[arg-type]
            Integer(**common("E"), min=low, max=high, bands=(Band("x", low, low), Band("y", low + 1))),  # type: ignore[arg-type]
            Numeric(**common("F"), min=low / 10**decimals, max=high / 10**decimals, decimals=decimals),  # type: ignore[arg-type]
            Date(**common("G"), precision=draw(st.sampled_from(["month", "day"])), min=f"{first}-02-03", max=last),  # type: ignore[arg-type]
            ShortText(**common("H"), max_chars=draw(st.integers(1, 300))),  # type: ignore[arg-type]
            LongText(**common("I")),  # type: ignore[arg-type]
        ),
    )


@settings(max_examples=50, deadline=None)
@given(instruments(), st.integers(0, 10**6))
def test_any_instrument_can_be_answered(instrument: Instrument, seed: int) -> None:
    reader, population = Reader(instrument), Population(instrument, seed, TODAY)
    for number in range(8):
        found = reader.read(population.body(number), TODAY)
        assert not isinstance(found, list), found


def test_nobody_is_given_an_option_or_a_row_that_is_hidden() -> None:
    reader = Reader(market("market"))
    population = Population(reader.instrument, 7, TODAY)
    answers: list[Any] = []
    for number in range(200):
        submission = reader.read(population.body(number), TODAY)
        assert not isinstance(submission, list), submission
        answers.append(submission.answers)
    young = [one for one in answers if one.Age is UNSET or one.Age < 18]
    assert any(one.Drink is not UNSET for one in young)
    assert any(one.Drink == "wine" for one in answers)
