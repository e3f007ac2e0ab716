"""The questionnaire without answers: every question with its options, and rules in words."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from proto.instrument import Instrument, Note, Operation, Option, OptionRef, Privacy, Row, Rule, ShortText, Single
from services.export.dataset.universe import universe
from services.intake.app import create_app
from services.intake.form.pages.compose import survey_in
from services.intake.form.pages.compose_blank import blank
from services.intake.form.pages.rule_words import only_if
from services.intake.form.pages.voice import voice_for
from tests.builders.every_type import INSTRUMENT
from tests.pages.desk import MemoryJournal, bundled, open_desk
from tests.pages.visitor import Page, Visitor

YES = Rule(q="Q1", op="in", value=("yes",))
EITHER = Rule(q="Q1", op="in", value=("yes", "no"))


RULES: list[tuple[Rule | None, str]] = [
    (None, ""),
    (EITHER, "Only if: Q1 (Q1) = “yes” or “no”"),
    (Rule(q="Q1", op="not_in", value=("yes",)), "Only if: not: Q1 (Q1) = “yes”"),
    (Rule(q="Q2", op="any_in", value=("a",)), "Only if: Q2 (Q2) = “a”"),
    (Rule(q="Q3", op="any_row_in", value=("1",)), "Only if: Q3 (Q3), in at least one row = “1”"),
    (Rule(q="Q3", op="any_row_in", value=("1",), rows=("row-1", "row~/2")), "Only if: Q3 (Q3), “1” or “2” = “1”"),
    (Rule(q="Q9", op="answered"), "Only if: Q9 (Q9): answered"),
    (Rule(q="keen", op="derived", value=("1",)), "Only if: Q1 (Q1) = “yes”"),
    (Rule(q="keen", op="derived", value=("0",)), "Only if: not: Q1 (Q1) = “yes”"),
    (Rule(q="Q6", op="at_least", value=(1250.5,)), "Only if: Q6 (Q6) ≥ 1,250.5"),
    (Rule(q="Q2", op="at_most", value=(2,)), "Only if: Q2 (Q2): number of answers ≤ 2"),
    (Rule(q="Q7", op="between", value=("2001-02", "2026")), "Only if: February 2001 ≤ Q7 (Q7) ≤ 2026"),
    (Rule(q="Q7", op="before", other="Q8"), "Only if: Q7 (Q7) < Q8 (Q8)"),
    (Rule(q="Q7", op="same_as", other="Q8"), "Only if: Q7 (Q7) = Q8 (Q8)"),
    (Rule(q="Q12", op="in", value=("lots",)), "Only if: Q12 (Q12) = “lots”"),
    (Rule(q="Q14", op="not_in", value=("never",)), "Only if: not: Q14 (Q14) = “never”"),
    (
        Rule(all=(YES, Rule(any=(YES, YES)), EITHER)),
        "Only if: Q1 (Q1) = “yes”, (Q1 (Q1) = “yes” or Q1 (Q1) = “yes”), and (Q1 (Q1) = “yes” or “no”)",
    ),
    (Rule(not_=Rule(all=(YES, YES))), "Only if: not: (Q1 (Q1) = “yes” and Q1 (Q1) = “yes”)"),
]


@pytest.mark.parametrize(("rule", "words"), RULES)
def test_rules_are_told_so_that_they_read_in_one_way(rule: Rule | None, words: str) -> None:
    assert only_if(voice_for(INSTRUMENT, "en", ""), INSTRUMENT, rule) == words


def test_a_release_says_of_each_of_these_rules_who_was_asked() -> None:
    """A formula beside the form, a sentence in the code book: two wordings of one list of tests (ADR 56)."""
    assert {rule.op for rule, _ in RULES if rule and rule.op} == set(get_args(Operation))
    for rule, _ in RULES:
        sentence = universe(INSTRUMENT, rule, "en")
        assert sentence == "All respondents" if rule is None else re.match("Respondents who .*Q[0-9]", sentence), rule


def test_a_rule_is_told_in_the_language_of_the_texts_it_is_made_of() -> None:
    told = only_if(voice_for(INSTRUMENT, "de", ""), INSTRUMENT, YES)
    assert told.__html__() == '<span lang="en">Only if: Q1 (Q1) = “yes”</span>'  # type: ignore[attr-defined]


def drawn(instrument: Instrument) -> Page:
    return Page(blank(survey_in(instrument, "en")).decode())


@pytest.mark.parametrize("instrument", [INSTRUMENT, *bundled()], ids=lambda instrument: instrument.id)
def test_every_question_is_there_with_all_its_options_and_no_field(instrument: Instrument) -> None:
    page = drawn(instrument)
    inside = {question.id for question in instrument.asked if isinstance(question, ShortText) and question.specifies}
    assert page.ids >= {question.id for question in instrument.asked} - inside
    assert not [control for control in page.controls if control.tag != "button"]
    told = re.sub(r"\s+", " ", page.text)
    labels = [
        part.text["en"] for question in instrument.asked for name in ("options", "rows", "special") for part in getattr(question, name, ())
    ]
    assert [label for label in labels if re.sub(r"\s+", " ", label) not in told] == []


def test_a_long_rule_stands_at_the_first_question_it_is_about_and_others_name_that_question() -> None:
    action3 = next(instrument for instrument in bundled() if instrument.id == "ai-security")
    text = re.sub(r"\s+", " ", drawn(action3).text)
    assert "B03 What are the main purposes of these applications? Required Only if: B02 (For each application, " in text
    for question, earlier in (("B05 When did", "B04"), ("C01 How were", "B03"), ("C03 About how much", "B04")):
        assert text[text.index(question) :].partition("Only if: ")[2].startswith(f"as for {earlier} ")
    assert (
        "Only if: A09 (Which of these tasks is your authority responsible for?) = “Video-protection of public spaces” and (as for B03)"
        in text
    )
    assert "Only if: (not: (as for B03)) and (B02 (For each application" in text


def test_notes_texts_of_options_and_conditional_parts_are_told_where_they_stand() -> None:
    common: dict[str, Any] = {"section": "A", "privacy": Privacy("insensitive")}
    options = (Option("b", {"en": "Bread"}), Option("o", {"en": "Other"}, show_if=YES))
    more = (
        Single(id="R1", var="r1", text={"en": "Which?"}, options=options, **common),
        ShortText(id="R1_o", var="r1_o", text={"en": "Which? – Other"}, specifies=OptionRef("R1", "o"), **common),
    )
    note = Note("N1", "A", {"en": "Now about bread."}, before="R1", show_if=EITHER)
    changed = msgspec.structs.replace(INSTRUMENT, questions=(*INSTRUMENT.questions, *more), notes=(note,))
    text = re.sub(r"\s+", " ", drawn(changed).text)
    assert "Now about bread. Only if: Q1 (Q1) = “yes” or “no” R1 Which? Bread Other Only if: Q1 (Q1) = “yes”" in text
    assert "R1_o" not in text
    rows = tuple(
        msgspec.structs.replace(row, show_if=YES) if row.code == "r2" else row for row in (Row("r1", {"en": "1"}), Row("r2", {"en": "2"}))
    )
    matrix = msgspec.structs.replace(INSTRUMENT.question("Q11"), rows=rows)
    asked = tuple(matrix if question.id == "Q11" else question for question in INSTRUMENT.questions)
    assert (
        drawn(msgspec.structs.replace(INSTRUMENT, questions=asked)).text.count("Only if: Q1 (Q1) = “yes”") == 2
    )  # Q3 is for the keen, too


async def test_the_start_page_leads_to_it_and_whoever_has_it_is_sent_nothing() -> None:
    async with AsyncTestClient(create_app(open_desk(MemoryJournal()))) as client:
        start = await Visitor(client, "fr").get("/s/ai-security?lang=fr")
        assert "/s/ai-security/print?lang=fr" in start.links
        answer = await client.get("/s/ai-security/print?lang=fr")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-language"] == "fr"
        assert "Seulement si\u00a0: " in answer.text
        again = await client.get("/s/ai-security/print?lang=fr", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = await client.get("/s/ai-security/print?lang=es", headers={"If-None-Match": answer.headers["etag"]})
        assert other.status_code == 200
        assert (await client.get("/s/nowhere/print")).status_code == 404
