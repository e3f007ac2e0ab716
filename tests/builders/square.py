"""Small surveys for the form: in two sections, with each kind that can be cleared, with options and rows that come and go."""

from __future__ import annotations

from typing import Any

from proto import instrument as i
from proto.instrument import Instrument


def _question(id: str, section: str, text: str, **more: Any) -> dict[str, Any]:
    given = {"id": id, "var": id.lower(), "section": section, "text": {"en": text}, "privacy": i.Privacy("insensitive")}
    return given | {"stats": ("count", "share")} | more


def _free_text(id: str, section: str, text: str, **more: Any) -> dict[str, Any]:
    return _question(id, section, text, stats=(), privacy=i.Privacy("free_text"), **more)


def square(id: str, version: str = "1.0.0") -> Instrument:
    why = i.Rule(q="Visit", op="in", value=("yes",))
    yes_no = (i.Option("yes", {"en": "Yes"}), i.Option("no", {"en": "No"}))
    return Instrument(
        id=id,
        version=version,
        source_language="en",
        languages=("en",),
        title={"en": "Visiting the square"},
        sections=(i.Section("A", {"en": "You"}), i.Section("B", {"en": "The square"})),
        questions=(
            i.Single(**_question("Visit", "A", "Do you visit the square?", options=yes_no, required=True)),
            i.ShortText(**_free_text("Why", "A", "Why?", max_chars=100, show_if=why)),
            i.Single(**_question("Safe", "B", "Is it safe?", options=yes_no, required=True)),
            i.LongText(**_free_text("Wish", "B", "What is missing?", max_chars=1000)),
        ),
        policy=i.Policy(minimum=10, batch=10),
    )


def three(id: str) -> Instrument:
    """In the middle section, one question of each kind that can be cleared."""
    places = tuple(i.Option(code, {"en": code.title()}) for code in ("park", "river", "hill"))
    return Instrument(
        id=id,
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "Three pages"},
        sections=tuple(i.Section(name, {"en": title}) for name, title in (("A", "First"), ("B", "Middle"), ("C", "Last"))),
        questions=(
            i.ShortText(**_free_text("Name", "A", "A word?")),
            i.LongText(**_free_text("Story", "B", "What happened?")),
            i.Multiple(**_question("Where", "B", "Where?", options=places)),
            i.Date(**_question("Day", "B", "When?", min="2000-01")),
            i.Ranking(**_question("Best", "B", "What is best?", options=places, rank_count=2)),
            i.ShortText(**_free_text("End", "C", "Anything else?")),
        ),
    )


def market(id: str) -> Instrument:
    """Options and rows that follow from answers on the same page."""
    stalls = tuple(i.Option(code, {"en": code.title()}) for code in ("bread", "cheese", "fish"))
    grown = i.Rule(q="Age", op="at_least", value=(18,))
    scale = tuple(i.Option(code, {"en": text}) for code, text in (("1", "Poor"), ("2", "Fair"), ("3", "Good")))
    rows = tuple(i.Row(stall.code, stall.text, show_if=i.Rule(q="Buys", op="any_in", value=(stall.code,))) for stall in stalls)
    drinks = (i.Option("water", {"en": "Water"}), i.Option("juice", {"en": "Juice"}), i.Option("wine", {"en": "Wine"}, show_if=grown))
    return Instrument(
        id=id,
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "At the market"},
        sections=(i.Section("A", {"en": "The stalls"}),),
        questions=(
            i.Integer(**_question("Age", "A", "How old are you?", min=0, max=120, stats=("count",))),
            i.Multiple(**_question("Buys", "A", "What do you buy?", options=stalls)),
            i.Matrix(
                **_question(
                    "Rates",
                    "A",
                    "How good is it?",
                    options=scale,
                    required=True,
                    show_if=i.Rule(any=tuple(r.show_if for r in rows if r.show_if)),
                ),
                rows=rows,
            ),
            i.Single(**_question("Drink", "A", "What do you drink there?", options=drinks)),
            i.Ranking(**_question("Best", "A", "What is best?", options=drinks, rank_count=2)),
        ),
    )
