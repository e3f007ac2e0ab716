"""A scale means the same whichever way round it is written: codes that are numbers are its scores, on the page and in a recount."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from statsmodels.stats.weightstats import DescrStatsW

from proto import author
from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from proto.nonanswers import meant, scored_by_mistake
from proto.scores import scored
from services.analysis.dashboard.figure_view import figure_view
from services.analysis.dashboard.headline_view import headlines
from services.analysis.dashboard.words import DashboardWords
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount import recount
from services.analysis.recount.recount import Tally
from services.export.dataset.numbering import numbers
from services.export.dataset.variables import Variable
from tests.builders.small_survey import Answers, released, state_of, survey

SCALES = {
    "up": tuple("12345"),
    "down": tuple("54321"),
    "from nothing": tuple(map(str, range(11))),
    "down to nothing": tuple(map(str, range(10, -1, -1))),
    "in quarters": ("0", "25", "50", "75", "100"),
    "about nothing": ("2", "1", "0", "-1", "-2"),
    "two": ("1", "0"),
    "years": ("2019", "2020", "2021"),
}


def instrument(codes: tuple[str, ...]) -> Instrument:
    """A matrix and a single choice on this scale, with don't know."""
    options = tuple(i.Option(code, {"en": f"Step {code}"}) for code in (*codes, "dk"))
    shared: dict[str, Any] = {"section": "S", "options": options, "ordered": True, "privacy": i.Privacy("insensitive")}
    rows = (i.Row("liked", {"en": "Everybody agrees."}), i.Row("hated", {"en": "Nobody agrees."}))
    stats_ = ("count", "share", "mean", "net_agreement", "crosstab")
    return replace(
        survey(),
        questions=(
            survey().question("Use"),
            i.Matrix(id="M", var="m", text={"en": "Agree?"}, rows=rows, stats=stats_, **shared),
            i.Single(id="Q", var="q", text={"en": "How much?"}, stats=stats_, **shared),
        ),
        strata=("uses",),
        hierarchies={},
        headlines=(i.Headline("net", {"en": "Agreement"}, "M", "net_agreement"),),
    )


def people(codes: tuple[str, ...], seed: int, size: int) -> list[Answers]:
    """Nearly all are for `liked`, and against `hated`."""
    draw, ladder = Random(seed), sorted(codes, key=int)

    def one(lean: float) -> str:
        place = min(max(round(draw.gauss(lean * (len(ladder) - 1), len(ladder) / 8)), 0), len(ladder) - 1)
        return "dk" if draw.random() < 0.1 else ladder[place]

    return [{"Use": draw.choice("yn"), "M": {"liked": one(0.9), "hated": one(0.1)}, "Q": one(0.7)} for _ in range(size)]


@pytest.mark.parametrize("codes", SCALES.values(), ids=SCALES)
def test_means_and_agreement_follow_the_numbers_in_whichever_order_they_are_written(codes: tuple[str, ...]) -> None:
    book = CodeBook(Reader(instrument(codes)))
    answered = people(codes, 1, 300)
    found = exact_view.snapshot(book, state_of(answered, book), revision=1, as_of="now").questions
    for figures, given_ in (
        (found["M"].rows["liked"], [one["M"]["liked"] for one in answered]),
        (found["M"].rows["hated"], [one["M"]["hated"] for one in answered]),
        (found["Q"], [one["Q"] for one in answered]),
    ):
        values = [int(code) for code in given_ if code != "dk"]
        assert figures.mean == pytest.approx(sum(values) / len(values))
        low, high = DescrStatsW(values).tconfint_mean()
        ladder = sorted(map(int, codes))
        assert figures.mean_ci95 == pytest.approx((max(low, ladder[0]), min(high, ladder[-1])), abs=1e-6)
        upper, lower = set(ladder[-(len(ladder) // 2) :]), set(ladder[: len(ladder) // 2])
        net = sum((value in upper) - (value in lower) for value in values) / len(values)
        assert figures.net_agreement == pytest.approx(net)
    assert (found["M"].rows["liked"].net_agreement or 0) > 0.5 > -0.5 > (found["M"].rows["hated"].net_agreement or 0)


@pytest.mark.parametrize("codes", [SCALES["up"], SCALES["down"]], ids=["up", "down"])
def test_the_page_names_what_people_agree_with_most_and_draws_it_to_the_right(codes: tuple[str, ...]) -> None:
    found = instrument(codes)
    snapshot = released(people(codes, 2, 400), of=CodeBook(Reader(found))).public
    words = DashboardWords("en", found)
    told = figure_view(found.question("M"), snapshot.questions["M"], words)
    assert told.sentences[0].startswith("Most agreement: Everybody agrees (+")
    assert told.grid is not None
    assert told.grid.diverging[0] == ("s1", "Step 1")
    liked = told.grid.lines[0].segments
    widths = {segment.colour: float(segment.width.rstrip("%")) for segment in liked}
    assert widths["s5"] + widths["s4"] > 4 * (widths["s1"] + widths["s2"])
    assert [segment.colour for segment in liked] == ["s1", "s2", "s3", "s4", "s5"]
    (headline,) = headlines(found, snapshot, words)
    assert headline.items[0].label == "Everybody agrees."
    assert headline.items[0].share.startswith("+")


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SCALES.values())), st.integers(0, 2**32), st.integers(1, 60))
def test_a_recount_scores_as_the_page_does(codes: tuple[str, ...], seed: int, size: int) -> None:
    book, answered = CodeBook(Reader(instrument(codes))), people(codes, seed, size)
    tally = Tally(book.instrument, lambda survey, version: book.instrument)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in answered])
    live = exact_view.snapshot(book, state_of(answered, book), revision=1, as_of="")
    assert recount.compare(live, tally)[1] == []


@pytest.mark.parametrize(
    "codes",
    [SCALES["up"], SCALES["down"], SCALES["from nothing"], SCALES["down to nothing"], SCALES["in quarters"], ("low", "middle", "high")],
)
def test_the_numbers_in_a_release_are_the_scores_of_the_page(codes: tuple[str, ...]) -> None:
    question = instrument(codes).question("Q")
    assert isinstance(question, i.Single)
    assert dict(scored(question)) == numbers(Variable("q", question, {}, {option.code: option.text for option in question.options}, {}))


def test_scores_of_the_author_are_those_of_page_recount_and_release() -> None:
    plain, worth = instrument(("1", "5", "20")), {"1": "never", "5": "often", "20": "always"}
    scale = plain.question("Q")
    assert isinstance(scale, i.Single)
    options = tuple(
        replace(option, code=worth.get(option.code, "dk"), score=int(option.code) if option.code in worth else None)
        for option in scale.options
    )
    named = replace(plain, questions=(plain.questions[0], *(replace(question, options=options) for question in plain.questions[1:])))
    numbered = people(("1", "5", "20"), 3, 200)
    answered: list[Answers] = [
        one | {"M": {row: worth.get(code, code) for row, code in one["M"].items()}, "Q": worth.get(one["Q"], one["Q"])} for one in numbered
    ]
    found, same = (
        exact_view.snapshot(CodeBook(Reader(of)), state_of(them, CodeBook(Reader(of))), revision=1, as_of="").questions
        for of, them in ((named, answered), (plain, numbered))
    )
    assert found["Q"].mean == same["Q"].mean
    assert found["M"].rows["liked"].mean_ci95 == same["M"].rows["liked"].mean_ci95
    tally = Tally(named, lambda survey, version: named)
    tally.add([StoredResponse(id="", version="1.0.0", answers=json.dumps(one)) for one in answered])
    live = exact_view.snapshot(CodeBook(Reader(named)), state_of(answered, CodeBook(Reader(named))), revision=1, as_of="")
    assert recount.compare(live, tally)[1] == []
    question = named.question("Q")
    assert numbers(Variable("q", question, {}, {option.code: option.text for option in options}, {})) == {
        "never": 1,
        "often": 5,
        "always": 20,
    }


def text_of(codes: list[str], last: str = "") -> str:
    options = "\n".join(f'      - {{code: "{code}", en: "Step {code}"}}' for code in codes)
    return f"""\
format: platea-instrument/1
id: steps
version: "1.0.0"
source_language: en
languages: [en]
title: {{en: "Steps"}}
notice: {{en: "I agree."}}
sections: [{{id: A, text: {{en: "A"}}}}]
questions:
  - id: Q
    var: q
    section: A
    type: single
    text: {{en: "How much?"}}
    ordered: true
    options:
{options}
{last}
    privacy: {{role: insensitive}}
    stats: [count, share, mean]
"""


@pytest.mark.parametrize("codes", [*SCALES.values(), ("5", "4", "3", "2", "1", "dk")])
def test_a_scale_may_go_up_or_down(codes: tuple[str, ...], tmp_path: Any) -> None:
    file = tmp_path / "steps.yaml"
    file.write_text(text_of(list(codes)))
    assert isinstance(author.load(file), Instrument)


@pytest.mark.parametrize("codes", [["1", "3", "2"], ["5", "4", "3", "2", "1", "99"], ["1", "2", "01"]])
def test_codes_that_go_up_and_down_are_refused_because_they_are_scores(codes: list[str], tmp_path: Any) -> None:
    file = tmp_path / "steps.yaml"
    file.write_text(text_of(codes))
    faults = author.load(file)
    assert isinstance(faults, list)
    assert any("codes of Q go neither up nor down" in str(fault) for fault in faults)


def test_a_dont_know_that_would_be_scored_is_pointed_out(tmp_path: Any) -> None:
    file = tmp_path / "steps.yaml"
    file.write_text(text_of(["1", "2", "3"], '      - {code: "98", en: "Don’t know"}\n      - {code: "99", en: "Prefer not to say."}'))
    found = author.load(file)
    assert isinstance(found, Instrument)
    assert scored_by_mistake(found) == [("Q", "98", "dk"), ("Q", "99", "pnts")]


@pytest.mark.parametrize(
    ("label", "code"), [("Ne sait pas", "dk"), ("No sabe", "dk"), ("Weiß nicht", "dk"), ("N/A", "na"), ("Keine Angabe", "pnts"), ("No", "")]
)
def test_what_is_no_answer_is_known_in_several_languages(label: str, code: str) -> None:
    assert meant(label) == code
