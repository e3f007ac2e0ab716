"""What the dashboard says: complete in each language, marked where it is another, true to the policy and to the test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

import msgspec
import pytest

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Headline, Instrument, Option
from proto.snapshot import (
    Association,
    Cell,
    Figures,
    Group,
    PublishedGuarantee,
    PublishedPolicy,
    Scale,
    Snapshot,
    Table,
    Weighted,
    Weighting,
)
from services.analysis.dashboard import charts, crossing, dashboard, policy_text, respondents, wall_and_embed
from services.analysis.dashboard.figure_view import figure_view
from services.analysis.dashboard.headline_view import headlines
from services.analysis.dashboard.view import View, figures_seen, unknown
from services.analysis.dashboard.words import CATALOGUES, DashboardWords
from services.analysis.disclosure import public_tables
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_state import next_edition
from services.analysis.state.fold import Folder
from tests.builders.small_survey import KEY, crowd, released, state_of, survey

POLICY = PublishedPolicy("cell-key", 10, 12, 30.0, 0.08, 40, 2.0, 2.9)


def snapshot(**more: object) -> Snapshot:
    use = Figures(
        "single",
        answered=90,
        cells={"y": Cell(60, 0.667, (0.56, 0.755), weighted=Weighted(0.5, (0.4, 0.6))), "n": Cell(30, 0.333, (0.25, 0.44))},
    )
    regions = {"north": Group(70, questions={"Use": use}), "east": Group(withheld=True), "south": Group(25)}
    found = Snapshot("small", "1.0.0", 7, "2026-11-22T14:05:07Z", 100, POLICY, {"Use": use}, {"place.region": regions})
    return msgspec.structs.replace(found, **more)


def german() -> Instrument:
    """A survey in a language that the interface does not speak."""
    found = survey()
    return msgspec.structs.replace(found, languages=("de",), source_language="de", title={"de": "Der <Platz>"})


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_language_says_everything_with_the_same_blanks(language: str) -> None:
    def blanks(strings: Mapping[str, str | dict[str, str]]) -> dict[str, set[str]]:
        last = {key: text if isinstance(text, str) else text["other"] for key, text in strings.items()}
        return {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in last.items()}

    assert blanks(CATALOGUES[language].strings) == blanks(CATALOGUES["en"].strings)


def test_where_the_interface_lacks_a_language_the_page_is_english_and_the_survey_marked() -> None:
    instrument = german()
    page = dashboard.page(instrument, snapshot(), View("small", "de"), current=instrument, phase="open")
    assert '<html lang="en">' in page
    assert '<span lang="de">Der &lt;Platz&gt;</span>' in page
    assert "The survey is in another language" in page
    assert "<title>Der &lt;Platz&gt;" in page
    assert "another language" not in dashboard.page(survey(), snapshot(), View("small", "en"), current=survey(), phase="open")


def test_the_rules_are_told_with_the_policys_own_numbers() -> None:
    said = " ".join(policy_text.rules(snapshot(), DashboardWords("en")))
    for told in (
        "fewer than 10",
        "by at least 12",
        "about 8%",
        "every 30 seconds",
        "typically by 2.9",
        "first at 40 answers",
        "2 times as many",
    ):
        assert told in said
    trial = msgspec.structs.replace(POLICY, unprotected=True)
    assert "protect nobody" in " ".join(policy_text.rules(snapshot(policy=trial), DashboardWords("en")))
    assert len(policy_text.inferable(snapshot(), DashboardWords("fr"))) == 4


@pytest.mark.parametrize("language", CATALOGUES)
def test_a_guarantee_is_told_with_what_is_spent_of_it_and_what_it_leaves_out(language: str) -> None:
    promised = PublishedGuarantee(4.0, 1e-6, 8, 3, 2.26)
    policy = msgspec.structs.replace(POLICY, name="differential-privacy", growth=None, guarantee=promised)
    words = DashboardWords(language)
    said = " ".join(policy_text.rules(snapshot(policy=policy), words))
    for told in (words.tenths(4.0), words.number(1_000_000), words.tenths(2.3), words("rule_covered"), words("rule_sums")):
        assert told in said
    for other in (words("rule_growth", n="12", share=words.percent(0.08)), words("rule_tables", n="40", factor="2")):
        assert other not in said
    assert words("left_uncovered") in policy_text.inferable(snapshot(policy=policy), words)
    weighting = Weighting("guarantee")
    assert policy_text.weighting(survey(), snapshot(policy=policy, weighting=weighting), words) == words("self_selected_guarantee")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Association(chi2=40.0, df=2.0, p=0.00001, cramers_v=0.62), "strongly connected (Cramér’s V = 0.62, p < 0.001)"),
        (Association(chi2=9.0, df=2.0, p=0.011, cramers_v=0.2), "weakly connected (Cramér’s V = 0.20, p = 0.011)"),
        (Association(chi2=1.0, df=2.0, p=0.61, cramers_v=0.9), "No connection can be told from chance"),
        (Association(sparse=True), "Too few answers in some cells"),
        (Association(reason="overlapping"), "several answers"),
    ],
)
def test_association_is_said_in_words_with_its_numbers(found: Association, told: str) -> None:
    cells = {
        "y": {"north": Cell(40, 0.8, (0.6, 0.9)), "south": Cell(withheld=True)},
        "n": {"north": Cell(0, 0.0, (0.0, 0.1)), "south": Cell(9, 1.0, (0.7, 1.0))},
    }
    rows, columns = {"y": Cell(60, 0.667), "n": Cell(30, 0.333)}, {"north": Cell(70, 0.7), "south": Cell(25, 0.25)}
    table = Table("small", "1.0.0", 7, "2026-11-22T14:05:07Z", "Use", "place.region", 100, POLICY, cells, found, rows=rows, columns=columns)
    crossed = crossing.crossed(survey(), table, DashboardWords("en"))
    assert told in crossed.sentences[0]
    assert [[(cell.text, cell.n, cell.withheld) for cell in line.cells] for line in crossed.grid.lines] == [
        [("80%", "40", False), ("", "", True)],
        [("≈ 0%", "0", False), ("100%", "9", False)],
    ]
    assert [line.answered for line in crossed.grid.lines] == ["60", "30"]
    assert [cell.text for cell in crossed.total.cells] == ["70%", "25%"]


def test_a_view_survives_its_own_address_and_what_is_unknown_is_named() -> None:
    asked = {"by": "uses", "only": "place.region:north", "weighted": "yes", "row": "Use"}
    weighted = snapshot(weighting=Weighting(groups={"place.region": (("north",), ("south",))}, responses=95, n_eff=60.0, deff=1.6))
    view = View.of(survey(), weighted, "en", asked)
    assert view == View("small", "en", "uses", ("place.region", "north"), True, "Use")
    assert view.query() == "lang=en&by=uses&only=place.region:north&weighted=yes&row=Use"
    taken = ("by", "only", "weighted")
    assert unknown(survey(), weighted, {"by": "uses", "only": "place.region:north", "weighted": "yes", "utm": "x"}, taken) == ""
    for name, value in (("by", "x"), ("only", "y:z"), ("only", "place.region:moon"), ("weighted", "1"), ("row", "Use")):
        assert unknown(survey(), weighted, {"lang": "en", name: value}, taken) == f"{name}={value}"
    assert View.of(survey(), snapshot(), "en", {"weighted": "yes"}) == View("small", "en", unweighted=True)


def test_weighted_figures_take_the_place_of_shares_and_leave_counts() -> None:
    cell = figures_seen(snapshot(), View("small", "en", weighted=True))["Use"].cells["y"]
    assert (cell.n, cell.share, cell.ci95) == (60, 0.5, (0.4, 0.6))
    scale = Figures("single", net_agreement=0.1, weighted=Scale(3.0, 0.4))
    assert figures_seen(snapshot(questions={"Use": scale}), View("small", "en", weighted=True))["Use"].net_agreement == 0.4


def test_without_margins_it_is_said_that_the_sample_chose_itself() -> None:
    assert "chose to answer" in policy_text.weighting(survey(), snapshot(), DashboardWords("en"))
    weighted = snapshot(weighting=Weighting(responses=95, n_eff=60.4))
    assert "the 95 answers are worth 60 of a random sample" in policy_text.weighting(survey(), weighted, DashboardWords("en"))


def test_a_hidden_group_stays_hidden_among_those_who_answered() -> None:
    (portrait,) = respondents.portraits(survey(), snapshot(), DashboardWords("en"))
    assert [(bar.share, bar.n, bar.withheld) for bar in portrait.bars] == [("70%", "70", False), ("", "", True), ("25%", "25", False)]


def test_wall_and_embedded_figure_carry_number_and_time() -> None:
    for page in (
        wall_and_embed.wall(survey(), snapshot(), View("small", "en")),
        wall_and_embed.embedded(survey(), snapshot(), "Use", View("small", "en")),
    ):
        assert re.search(r"100 answers", page)
        assert "As of" in page
        assert "style=" not in page


def test_a_headline_and_its_table_show_one_number_of_one_edition() -> None:
    wanted = (Headline("uses", {"en": "Use it"}, "Use", "share", of="uses"),)
    book = CodeBook(Reader(msgspec.structs.replace(survey(), headlines=wanted)))
    people, noise, folder = crowd(4, 300), Noise(KEY, "small"), Folder(book)
    first = next_edition(folder, state_of(people[:150], book), None, Marks(), Due(True, True), noise, 1, 0.0, "2026-11-22T14:05:00Z")
    found = next_edition(folder, state_of(people, book), first, first.marks, Due(True), noise, 2, 0.0, "2026-11-22T15:05:00Z").public
    group, headline = found.breakdowns["uses"]["1"], found.headlines["uses"]
    assert group.responses != group.current  # comparisons move more rarely
    assert (headline.n, headline.of) == (group.current, found.responses)
    words = DashboardWords("en")
    (shown,) = headlines(book.instrument, found, words)
    portrait = next(one for one in respondents.portraits(book.instrument, found, words) if one.name == "uses")
    bar = portrait.bars[1]
    assert (bar.share, f"{bar.n} of {found.responses}") == (shown.value, shown.detail)
    for other in found.breakdowns["place.region"].values():
        assert other.current is not None or other.withheld


def test_a_table_says_of_how_many_it_tells() -> None:
    state = released(crowd(4, 300), *range(40, 300, 26))
    table = public_tables.public(state, "place.region", "Use")
    words = DashboardWords("en", survey())
    assert crossing.about(table, words).startswith("300 answers")
    page = dashboard.table_page(survey(), state.public, View("small", "en"), table)
    assert crossing.about(table, words) in page


@pytest.mark.parametrize(("language", "told"), [("en", "None, or very few,"), ("fr", "Personne, ou presque"), ("es", "Nadie, o muy pocos")])
def test_a_zero_is_never_told_as_nobody(language: str, told: str) -> None:
    """A public 0 stands for 0 to 4 people."""
    options = tuple(Option(f"c{n}", {"en": f"Choice {n}"}) for n in range(14))
    question = msgspec.structs.replace(survey().question("Use"), options=options)
    cells = {o.code: Cell(0, 0.0, (0.0, 0.02)) if n < 3 else Cell(20, 20 / 220, (0.06, 0.13)) for n, o in enumerate(options)}
    found = Figures("single", answered=220, cells=cells)
    words = DashboardWords(language)
    long = figure_view(question, found, words)
    assert any(told in sentence for sentence in long.sentences)
    short = figure_view(question, msgspec.structs.replace(found, cells=dict(list(cells.items())[2:5])), words)
    assert short.bars[0].share.startswith("≈")
    assert not short.bars[1].share.startswith("≈")
    few = figure_view(question, Figures("single", answered=0), words)
    assert {"en": "few", "fr": "presque", "es": "pocos"}[language] in few.note
    few_seen = msgspec.structs.replace(snapshot(), questions={"Use": msgspec.structs.replace(found, cells=dict(list(cells.items())[:4]))})
    drawn = charts.of_question(msgspec.structs.replace(survey(), questions=(question,)), few_seen, "Use", words).svg
    assert words("zero_note") in " ".join(re.findall(r">([^<]+)</text>", drawn))


def test_noise_never_makes_more_people_asked_than_there_are_answers() -> None:
    for seed in range(12):
        found = released(crowd(seed, 60)).public
        for figures in found.questions.values():
            for one in (figures, *figures.rows.values()):
                assert one.nonresponse is None or one.nonresponse.asked <= found.responses
