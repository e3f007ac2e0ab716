"""The page of one section: its questions, those that the page may come to ask by itself, and what to do about faults."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec
from markupsafe import Markup

from proto.instrument import AnyQuestion, Matrix
from services.intake.form import flow
from services.intake.form.client_rules import needed
from services.intake.form.flow import View, Walk
from services.intake.form.pages import advice
from services.intake.form.pages.advice import Advice
from services.intake.form.pages.compose import Survey, of
from services.intake.form.pages.field_values import Held, held, rows_in_order
from services.intake.form.pages.fields import field_of
from services.intake.form.pages.render import render
from services.intake.form.pages.skeleton import Skeleton, hole
from services.intake.form.pages.voice import Voice
from services.intake.form.pages.words import words


def section(survey: Survey, walk: Walk, view: View, receipt: str) -> bytes:
    voice, standing, answers = survey.voice, view.standing, view.sheet.answers
    asks = walk.asks(view.place, standing)
    told = _told(survey, walk, view, receipt)
    ruled = needed(asks)

    def filled(question: AnyQuestion) -> Markup:
        id = question.id
        ask = msgspec.json.encode(asks[id]).decode() if id in ruled else ""
        advice = tuple(item for item in told if item.question == id)
        if advice or id in view.opened:
            made = _skeleton(voice, question, ask, advice, new=id in view.opened)
        else:
            made = _same_for_all(walk, voice.language, voice.tongue, id, ask)
        return made.fill(held(voice.words, question, answers.get(id), receipt))

    same = (walk, voice.language, voice.tongue, view.place, walk.progress(view.place, standing), view.sheet.continued)
    page = _page(*same, tuple(told), len(view.opened), len(view.closed)) if told or view.opened or view.closed else _same_page(*same)
    parts: list[str] = []
    for id in asks:
        field = filled(walk.reader.questions[id])
        # What is not asked yet waits where a browser without scripts does not show it.
        parts += (field,) if id in standing.shown else ("<template>", field, "</template>\n")
    values = {"sheet": flow.write(view.sheet), "receipt": receipt, "questions": Markup("".join(parts))}  # noqa: S704  all from skeletons
    return page.fill(Held(texts=values)).encode()


def _page(
    walk: Walk,
    language: str,
    tongue: str,
    place: str,
    progress: tuple[int, int],
    continued: bool,
    told: tuple[Advice, ...] = (),
    opened: int = 0,
    closed: int = 0,
) -> Skeleton:
    """The page around the questions."""
    instrument = walk.instrument
    survey = Survey(instrument, Voice(words(language), language, tongue, instrument.source_language))
    heading = next(survey.voice.text(item.text) for item in instrument.sections if item.id == place)
    current, total = progress
    html = render(
        "section.html",
        **of(survey, heading, wrong=bool(told)),
        told=told,
        questions=hole("text", "questions"),
        live=_said_by_the_page(survey),
        current=current,
        total=total,
        opened=opened,
        closed=closed,
        continued=continued,
        place=place,
        sheet=hole("text", "sheet"),
        receipt=hole("text", "receipt"),
    )
    return Skeleton.of(html.decode())


_same_page = lru_cache(maxsize=1000)(_page)
"""Without anything to tell, the page around the questions is the same for everybody who reads these languages."""


def _skeleton(voice: Voice, question: AnyQuestion, ask: str, advice: tuple[Advice, ...] = (), *, new: bool = False) -> Skeleton:
    field = field_of(voice, question, ask, advice, new=new)
    return Skeleton.of(render("field.html", say=voice.words, field=field, hole=hole).decode())


@lru_cache(maxsize=3000)
def _same_for_all(walk: Walk, language: str, tongue: str, id: str, ask: str) -> Skeleton:
    """A question without faults looks the same to everybody who reads these languages, but for what stands in its fields."""
    return _skeleton(Voice(words(language), language, tongue, walk.instrument.source_language), walk.reader.questions[id], ask)


def _told(survey: Survey, walk: Walk, view: View, receipt: str) -> list[Advice]:
    """The faults in the order in which the page shows their fields."""
    questions, answers = walk.reader.questions, view.sheet.answers
    places = list(questions)

    def place(item: Advice) -> tuple[int, int]:
        question = questions[item.question]
        rows = rows_in_order(question, receipt) if isinstance(question, Matrix) else ()
        return places.index(item.question), rows.index(item.part) if item.part in rows else 0

    def first_row(item: Advice) -> Advice:
        """What is said about a whole matrix leads to the row that stands first."""
        question = questions[item.question]
        if item.part or not isinstance(question, Matrix) or not (rows := rows_in_order(question, receipt)):
            return item
        return replace(item, anchor=advice.anchor(question, [row.code for row in question.rows].index(rows[0])))

    found = [advice.advise(survey.voice, questions[id], fault, answers.get(id)) for fault in view.faults if (id := flow.question_of(fault))]
    return sorted(map(first_row, found), key=place)


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
