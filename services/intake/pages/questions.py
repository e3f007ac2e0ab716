"""The page of one section: its questions, those that the page may come to ask by itself, and what to do about faults."""

from __future__ import annotations

from typing import Any

import msgspec

from proto.instrument import AnyQuestion, Matrix
from services.intake import form
from services.intake.form import View, Walk
from services.intake.pages import advice
from services.intake.pages.advice import Advice
from services.intake.pages.compose import Survey, of
from services.intake.pages.fields import Given, field_of, rows_in_order
from services.intake.pages.render import render
from services.intake.skips import needed


def section(survey: Survey, walk: Walk, view: View, receipt: str) -> bytes:
    voice, standing, answers = survey.voice, view.standing, view.sheet.answers
    asks = walk.asks(view.place, standing)
    told = _told(survey, walk, view, receipt)
    ruled = needed(asks)

    def given(question: AnyQuestion) -> Given:
        id = question.id
        return Given(
            answers.get(id),
            tuple(item for item in told if item.question == id),
            new=id in view.opened,
            ask=msgspec.json.encode(asks[id]).decode() if id in ruled else "",
            waiting=id not in standing.shown,
            mix=receipt,
        )

    current, total = walk.progress(view.place, standing)
    heading = next(voice.text(item.text) for item in survey.instrument.sections if item.id == view.place)
    return render(
        "section.html",
        **of(survey, heading, wrong=bool(told)),
        told=told,
        fields=[
            field_of(voice, question, given(question)) for id in walk.reader.questions if (question := walk.reader.questions[id]).id in asks
        ],
        live=_said_by_the_page(survey),
        current=current,
        total=total,
        opened=len(view.opened),
        closed=len(view.closed),
        place=view.place,
        sheet=form.write(view.sheet),
        receipt=receipt,
    )


def _told(survey: Survey, walk: Walk, view: View, receipt: str) -> list[Advice]:
    """The faults in the order in which the page shows their fields."""
    questions, answers = walk.reader.questions, view.sheet.answers
    places = list(questions)

    def place(item: Advice) -> tuple[int, int]:
        question = questions[item.question]
        rows = [row.code for _, row in rows_in_order(question, receipt)] if isinstance(question, Matrix) else []
        return places.index(item.question), rows.index(item.part) if item.part in rows else 0

    found = [advice.advise(survey.voice, questions[id], fault, answers.get(id)) for fault in view.faults if (id := form.question_of(fault))]
    return sorted(found, key=place)


def _said_by_the_page(survey: Survey) -> dict[str, Any]:
    """What the script says by itself: sentences with their {placeholders}, by plural form where there are several."""
    say = survey.voice.words
    keys = {
        "opened": "question_opened",
        "closed": "question_closed",
        "up": "move_up",
        "down": "move_down",
        "moved": "moved",
        "left": "characters_left",
        "over": "characters_over",
    }
    return {name: say.forms(key) for name, key in keys.items()}
