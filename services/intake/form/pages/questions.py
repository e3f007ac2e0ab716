"""Renders the page of one section: its questions, those that its script may add, and advice on faults."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from markupsafe import Markup

from proto.instrument import AnyQuestion, Closing, Matrix
from proto.problem import Fault
from services.intake.form import flow
from services.intake.form.client_rules import Ask, needed
from services.intake.form.flow import FormFlow, NextPage
from services.intake.form.pages.advice import Advice, advise
from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.conditional_parts import ConditionalParts
from services.intake.form.pages.field_values import FieldValues, rows_in_order, values_of
from services.intake.form.pages.fields import field_of
from services.intake.form.pages.render import render
from services.intake.form.pages.skeleton import Skeleton, hole
from services.intake.form.pages.voice import Voice
from services.intake.form.pages.words import words


def section(survey: SurveyView, form: FormFlow, next_page: NextPage, receipt: str, ends: Closing | None = None) -> bytes:
    """`ends`: the closing whose grace it is."""
    voice, evaluation, answers = survey.voice, next_page.evaluation, next_page.sheet.answers
    asks = form.asks(next_page.place, evaluation)
    advice_items = _ordered_advice(survey, form, next_page, receipt)
    advised = {item.question: item for item in advice_items}
    ruled = needed(asks)

    def filled(question: AnyQuestion) -> Markup:
        id = question.id
        ask = msgspec.json.encode(asks[id]).decode() if id in ruled else ""
        parts = ConditionalParts.of(asks[id], evaluation.hidden.get(id, frozenset()))
        new = id in next_page.new
        if id in advised or new:
            skeleton = _skeleton(voice, question, ask, parts, advised.get(id), new=new)
        else:
            skeleton = _same_for_all(form, voice.language, voice.tongue, id, ask, parts)
        return skeleton.fill(values_of(voice.words, question, answers.get(id), receipt))

    progress = form.progress(next_page.place, evaluation)
    same = (form, voice.language, voice.tongue, next_page.place, progress, next_page.sheet.continued, ends)
    page = (
        _page(*same, tuple(advice_items), len(next_page.opened), len(next_page.closed))
        if advice_items or next_page.opened or next_page.closed
        else _same_page(*same)
    )
    parts: list[str] = []
    for id in asks:
        if asks[id].computed is not None:
            parts += (_for_the_script(asks[id]),) if id in ruled else ()
            continue
        field = filled(form.reader.questions[id])
        # A question that is not asked yet is put into a <template>, which browsers without scripts do not show.
        parts += (field,) if id in evaluation.shown else ("<template>", field, "</template>\n")
    values = {
        "sheet": flow.write(next_page.sheet),
        "receipt": receipt,
        "new": " ".join(next_page.new),
        "questions": Markup("".join(parts)),  # noqa: S704  all from skeletons
    }
    return page.fill(FieldValues(texts=values)).encode()


def _for_the_script(ask: Ask) -> Markup:
    """What has no field: a computed value."""
    return Markup('<data data-ask="{}" hidden></data>\n').format(msgspec.json.encode(ask).decode())


def _page(
    form: FormFlow,
    language: str,
    tongue: str,
    place: str,
    progress: tuple[int, int],
    continued: bool,
    ends: Closing | None,
    advice_items: tuple[Advice, ...] = (),
    opened: int = 0,
    closed: int = 0,
) -> Skeleton:
    """The page around the questions."""
    instrument = form.instrument
    survey = SurveyView(instrument, Voice(words(language), language, tongue, instrument.source_language))
    heading = next(survey.voice.text(item.text) for item in instrument.sections if item.id == place)
    current, total = progress
    html = render(
        "section.html",
        **of(survey, heading, wrong=bool(advice_items)),
        told=advice_items,
        questions=hole("text", "questions"),
        live=_script_messages(survey),
        current=current,
        total=total,
        opened=opened,
        closed=closed,
        continued=continued,
        ends=survey.ends(ends),
        place=place,
        sheet=hole("text", "sheet"),
        receipt=hole("text", "receipt"),
        new=hole("text", "new"),
    )
    return Skeleton.of(html.decode())


_same_page = lru_cache(maxsize=1000)(_page)
"""Without advice, the page around the questions is the same for everybody with these languages."""


def _skeleton(
    voice: Voice, question: AnyQuestion, ask: str, parts: ConditionalParts, advice: Advice | None = None, *, new: bool = False
) -> Skeleton:
    field = parts.apply(field_of(voice, question, ask, advice, new=new))
    return Skeleton.of(render("field.html", say=voice.words, field=field, hole=hole).decode())


@lru_cache(maxsize=3000)
def _same_for_all(form: FormFlow, language: str, tongue: str, id: str, ask: str, parts: ConditionalParts) -> Skeleton:
    """A question without faults is the same for everybody with these languages, except for its values."""
    return _skeleton(Voice(words(language), language, tongue, form.instrument.source_language), form.reader.questions[id], ask, parts)


def _ordered_advice(survey: SurveyView, form: FormFlow, next_page: NextPage, receipt: str) -> list[Advice]:
    """The advice on all questions with faults, in the order of the page."""
    answers = next_page.sheet.answers
    faults: dict[str, list[Fault]] = {}
    for fault in next_page.faults:
        faults.setdefault(flow.question_of(fault), []).append(fault)

    def rows(question: AnyQuestion) -> tuple[str, ...]:
        if not isinstance(question, Matrix):
            return ()
        order = rows_in_order(question, receipt) or tuple(row.code for row in question.rows)
        away = next_page.evaluation.hidden.get(question.id, frozenset())
        return tuple(code for code in order if code not in away)

    faulty = (question for id, question in form.reader.questions.items() if id in faults)
    return [advise(survey.voice, question, faults[question.id], answers.get(question.id), rows(question)) for question in faulty]


def _script_messages(survey: SurveyView) -> dict[str, Any]:
    """The sentences that the page's script uses, with their {placeholders}, by plural form where there are several."""
    say = survey.voice.words
    keys = {
        "opened": "question_opened",
        "several": "questions_opened",
        "closed": "question_closed",
        "up": "move_up",
        "down": "move_down",
        "moved": "moved",
        "left": "characters_left",
        "over": "characters_over",
        "given": "sum_given",
    }
    return {name: say.forms(key) for name, key in keys.items()}
