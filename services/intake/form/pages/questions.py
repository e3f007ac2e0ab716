"""Renders a page of the form: its questions and notes, those that its script may add, and advice on faults."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec
from markupsafe import Markup

from proto.instrument import AnyQuestion, Closing, Matrix, Multiple, Note, Option, Single
from proto.problem import Fault
from services.intake.form import flow
from services.intake.form.client_rules import Ask, needed
from services.intake.form.flow import FormFlow, NextPage
from services.intake.form.form_layout import Item
from services.intake.form.pages.advice import Advice, advise, anchor
from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.conditional_parts import ConditionalParts
from services.intake.form.pages.field_values import FieldValues, own_order, values_of
from services.intake.form.pages.fields import field_of, is_list, laid_out
from services.intake.form.pages.piped_text import piped_text
from services.intake.form.pages.render import render
from services.intake.form.pages.skeleton import Skeleton, hole
from services.intake.form.pages.voice import Voice
from services.intake.form.pages.words import words
from services.intake.form.piped_texts import labels_of, list_patterns, with_answers, with_texts


def section(survey: SurveyView, form: FormFlow, next_page: NextPage, receipt: str, ends: Closing | None = None) -> bytes:
    """`ends`: the closing whose grace it is."""
    voice, evaluation, answers = survey.voice, next_page.evaluation, next_page.sheet.answers
    asks = form.asks(next_page.place, evaluation)
    advice_items = _ordered_advice(survey, form, next_page, receipt)
    advised = {item.question: item for item in advice_items}
    piped = frozenset(source for id in asks for source in form.piped.get(id, ()))
    label = labels_of(form.reader.questions, evaluation.answers, voice.tongue)
    labels = {id: label(id) for id in piped}
    ruled = needed(asks, piped)

    items: dict[str, Item] = {item.id: item for item in form.pages[next_page.place].items if item.id in asks}

    def drawn(id: str) -> Markup:
        """An item of the page. What is not shown yet is put into a <template>, which browsers without scripts do not show."""
        item = items[id]
        if asks[id].computed is not None:
            return _for_the_script(asks[id]) if id in ruled else Markup()
        ask = msgspec.json.encode(asks[id]).decode() if id in ruled else ""
        html = note(id, ask) if isinstance(item, Note) else filled(item, ask)
        return html if id in evaluation.shown or id in evaluation.notes else Markup("<template>{}</template>\n").format(html)

    def pipes(id: str) -> dict[str, str]:
        return {f"pipe {source}": labels[source] for source in form.piped.get(id, ())}

    def note(id: str, ask: str) -> Markup:
        return _note(form, voice.language, voice.tongue, id, ask).fill(FieldValues(texts=pipes(id)))

    def filled(question: AnyQuestion, ask: str) -> Markup:
        id = question.id
        parts = ConditionalParts.of(asks[id], evaluation.hidden.get(id, frozenset()))
        new = id in next_page.new
        if id in advised or new:
            skeleton = _skeleton(form, voice, question, ask, parts, advised.get(id), new=new)
        else:
            skeleton = _same_for_all(form, voice.language, voice.tongue, id, ask, parts)
        values = values_of(voice.words, question, answers.get(id), own_order(question, receipt, form.texts.inside.get(id, {})))
        inside = {f"inside {text}": drawn(text) for text in form.texts.inside.get(id, {}).values() if text in asks}
        return skeleton.fill(replace(values, texts={**values.texts, **inside, **pipes(id)}))

    progress = form.progress(next_page.place, evaluation)
    same = (form, voice.language, voice.tongue, next_page.place, progress, next_page.sheet.continued, ends)
    page = (
        _page(*same, tuple(advice_items), len(next_page.opened), len(next_page.closed))
        if advice_items or next_page.opened or next_page.closed
        else _same_page(*same)
    )
    parts = Markup("").join(drawn(id) for id in asks if id not in form.texts.options)
    values = {
        "sheet": flow.write(next_page.sheet),
        "receipt": receipt,
        "new": " ".join(next_page.new),
        "questions": parts,
        "pipes": msgspec.json.encode(labels).decode(),
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
    heading = next(survey.voice.text(item.text) for item in instrument.sections if item.id == form.pages[place].section)
    current, total = progress
    html = render(
        "section.html",
        **of(survey, heading, wrong=bool(advice_items)),
        told=advice_items,
        questions=hole("text", "questions"),
        live=_script_messages(survey),
        listed=list_patterns(tongue) if any(item.id in form.piped for item in form.pages[place].items) else None,
        pipes=hole("text", "pipes"),
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
    form: FormFlow,
    voice: Voice,
    question: AnyQuestion,
    ask: str,
    parts: ConditionalParts,
    advice: Advice | None = None,
    *,
    new: bool = False,
) -> Skeleton:
    texts, option = form.texts.inside.get(question.id), _option(form, question)
    field = parts.apply(field_of(voice, with_texts(question, piped_text), ask, advice, new=new, texts=texts, option=option))
    return Skeleton.of(render("field.html", say=voice.words, field=field, hole=hole).decode())


def _option(form: FormFlow, question: AnyQuestion) -> Option | None:
    """The option that this text belongs to; None where it is a question by itself."""
    of = form.texts.options.get(question.id)
    choice = with_texts(form.reader.questions[of.question], piped_text) if of else None
    options = choice.options if isinstance(choice, Single | Multiple) else ()
    return next((option for option in options if of and option.code == of.option), None)


@lru_cache(maxsize=3000)
def _same_for_all(form: FormFlow, language: str, tongue: str, id: str, ask: str, parts: ConditionalParts) -> Skeleton:
    """A question without faults is the same for everybody with these languages, except for its values."""
    voice = Voice(words(language), language, tongue, form.instrument.source_language)
    return _skeleton(form, voice, form.reader.questions[id], ask, parts)


@lru_cache(maxsize=1000)
def _note(form: FormFlow, language: str, tongue: str, id: str, ask: str) -> Skeleton:
    note = with_texts(next(note for note in form.instrument.notes if note.id == id), piped_text)
    voice = Voice(words(language), language, tongue, form.instrument.source_language)
    return Skeleton.of(render("note.html", note=note, text=voice.text(note.text), ask=ask).decode())


def _ordered_advice(survey: SurveyView, form: FormFlow, next_page: NextPage, receipt: str) -> list[Advice]:
    """The advice on all questions with faults, in the order of the page."""
    answers = next_page.sheet.answers
    labels = labels_of(form.reader.questions, next_page.evaluation.answers, survey.voice.tongue)
    faults: dict[str, list[Fault]] = {}
    for fault in next_page.faults:
        faults.setdefault(flow.question_of(fault), []).append(fault)

    def advised(question: AnyQuestion) -> Advice:
        """Advice about a question in an order of its own, or without some of its options, links to what is shown first."""
        opening = form.texts.inside.get(question.id, {})
        order, away = own_order(question, receipt, opening), next_page.evaluation.hidden.get(question.id, frozenset())
        numbered = [row.code for row in question.rows] if isinstance(question, Matrix) else []
        if isinstance(question, Single | Multiple) and not is_list(question):
            numbered = [option.code for option in laid_out(question, opening)]
        there = tuple(code for code in order or numbered if code not in away)
        advice = advise(survey.voice, with_answers(question, labels), faults[question.id], answers.get(question.id), there)
        if isinstance(question, Matrix) or not (order or away) or not numbered or not there:
            return advice
        return replace(advice, anchor=anchor(question, 0, numbered.index(there[0])))

    return [advised(question) for id, question in form.reader.questions.items() if id in faults]


def _script_messages(survey: SurveyView) -> dict[str, Any]:
    """The sentences that the page's script uses, with their {placeholders}, by plural form where there are several."""
    say = survey.voice.words
    keys = {
        "opened": "question_opened",
        "several": "questions_opened",
        "closed": "question_closed",
        "alone": "exclusive",
        "up": "move_up",
        "down": "move_down",
        "moved": "moved",
        "left": "characters_left",
        "over": "characters_over",
        "given": "sum_given",
    }
    return {name: say.forms(key) for name, key in keys.items()}
