"""Who was asked a question, in words: comparisons with values and of two answers, special values."""

from __future__ import annotations

from typing import Any

import pytest

from proto.instrument import Date, Instrument, Integer, LongText, Multiple, Option, Privacy, Rule, Section
from services.export.dataset.universe import universe


def common(id: str, text: str) -> dict[str, Any]:
    return {"id": id, "var": id.lower(), "section": "A", "text": {"en": text, "fr": text}, "privacy": Privacy("insensitive")}


QUESTIONS = (
    Integer(**common("A1", "Age"), min=0, max=120, special=(Option("dk", {"en": "Not known", "fr": "Inconnu"}),)),
    Integer(**common("A2", "Years here"), min=0, max=120),
    Date(**common("D1", "Begun"), min="2000-01"),
    Date(**common("D2", "Ended"), min="2000-01"),
    Multiple(**common("M1", "Uses"), options=(Option("a", {"en": "A"}), Option("b", {"en": "B"}))),
)


@pytest.mark.parametrize(
    ("rule", "english"),
    [
        (Rule(q="A1", op="at_least", value=(18,)), "answered 18 or more to A1 (Age)"),
        (Rule(q="A1", op="between", value=(18, 64)), "answered 18 or more to A1 (Age) and answered 64 or less to A1 (Age)"),
        (Rule(q="A1", op="in", value=("dk",)), "answered “Not known” to A1 (Age)"),
        (Rule(q="D1", op="at_most", value=("2026-01",)), "answered 2026-01 or earlier to D1 (Begun)"),
        (Rule(q="M1", op="at_least", value=(2,)), "chose at least 2 in M1 (Uses)"),
        (Rule(q="A2", op="before", other="A1"), "gave a lower number to A2 (Years here) than to A1 (Age)"),
        (Rule(q="D2", op="before", other="D1"), "gave an earlier date to D2 (Ended) than to D1 (Begun)"),
        (Rule(q="D2", op="same_as", other="D1"), "gave the same answer to D2 (Ended) as to D1 (Begun)"),
        (
            Rule(any=(Rule(q="M1", op="answered"), Rule(q="A1", op="between", value=(1, 2)))),
            "answered M1 (Uses) or (answered 1 or more to A1 (Age) and answered 2 or less to A1 (Age))",
        ),
    ],
)
def test_a_comparison_reads_as_a_sentence(rule: Rule, english: str) -> None:
    last = LongText(**common("Z1", "Why"), show_if=rule)
    instrument = Instrument(
        id="words",
        version="1",
        source_language="en",
        languages=("en", "fr"),
        title={"en": "W"},
        sections=(Section("A", {"en": "A"}),),
        questions=(*QUESTIONS, last),
    )
    assert universe(instrument, last.show_if, "en") == f"Respondents who {english}"
    assert universe(instrument, last.show_if, "fr").startswith("Personnes répondantes qui ont ")
