"""Renders the pages around the form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec

from proto import schedule
from proto.instrument import Accessibility, Closing, Instrument
from proto.logic import questions_in
from services.intake.form import flow
from services.intake.form.flow import Evaluation, FormFlow, FormState, NextPage
from services.intake.form.pages import words
from services.intake.form.pages.notice import version_of
from services.intake.form.pages.render import render
from services.intake.form.pages.spoken import AnswerInWords, say
from services.intake.form.pages.voice import Voice, voice_for
from services.intake.form.piped_texts import labels_of, with_answers
from services.intake.form.statement import Results
from services.intake.form.typed_values import as_text

BROUGHT = "brought"
"""The form field that carries the answers of an address from the start page on."""
OWN_WORDING = frozenset({"ai-security"})
"""Surveys that could be mistaken for the Partnership's own. Their pages say that the wording is ours."""


@dataclass(frozen=True)
class SurveyView:
    """An instrument in the reader's language."""

    instrument: Instrument
    voice: Voice

    @property
    def title(self) -> str:
        return self.voice.text(self.instrument.title)

    def minutes(self, say: words.FormWords) -> str:
        bounds = self.instrument.estimated_minutes
        if bounds is None:
            return ""
        low, high = bounds
        return say("minutes", count=high) if low == high else say("minutes_range", min=low, max=high)

    @property
    def languages(self) -> list[tuple[str, str]]:
        return [(language, words.native_name(language)) for language in self.instrument.languages]

    @property
    def controller(self) -> str:
        """Who asks; "" where the instrument leaves it to the invitation."""
        told = self.instrument.data_protection
        return self.voice.text(told.controller) if told else ""

    @property
    def texts_in(self) -> str:
        """The name of the language of the texts; "" where it is the language of the page."""
        voice = self.voice
        return "" if voice.tongue == voice.words.language else voice.words.name_of(voice.tongue)

    @property
    def opens_on(self) -> str:
        """When it opens; "" where it says nothing of it."""
        opens, say = self.instrument.opens, self.voice.words
        return "" if opens is None else say("opens_on", moment=say.moment(schedule.local(opens)))

    def open_until(self, closes: Closing | None) -> str:
        """Until when one can begin; "" where that is open."""
        say = self.voice.words
        return "" if closes is None else say("open_until", moment=say.moment(schedule.local(closes)))

    def ends(self, closes: Closing | None) -> str:
        """Until when those who have begun can send; "" where the survey is not closed to others."""
        say = self.voice.words
        return "" if closes is None else say("closed_grace", moment=say.moment(schedule.last_minute(closes)))

    @property
    def own_wording(self) -> bool:
        return self.instrument.id in OWN_WORDING


def survey_in(instrument: Instrument, asked: str | None, accepted: str = "") -> SurveyView:
    return SurveyView(instrument, voice_for(instrument, asked, accepted))


Chooser = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Groups of languages to choose from: a heading (the first is empty), then code and own name of each language."""


@cache
def _chooser(say: words.FormWords, own: tuple[str, ...]) -> Chooser:
    """The languages of a survey come first; in the others only the interface is translated."""
    known = words.catalogues()
    others = tuple(language for language in known if language not in own) if own else ()
    groups = (("", own or tuple(known)), (say("other_languages"), others))
    return tuple((heading, tuple((code, words.native_name(code)) for code in codes)) for heading, codes in groups if codes)


def _frame(say: words.FormWords, title: str, path: str, **more: Any) -> dict[str, Any]:
    """The template values of every page. `language` is the one that links ask for; where the interface lacks it, the page is in English."""
    common = {"say": say, "title": title, "language": say.language, "path": path, "wrong": False, "survey": None, "brought": ""}
    return {**common, "chooser": _chooser(say, ()), "native": words.native_name(more.get("language", say.language)), **more}


def surveys(language: str, cards: Iterable[tuple[Instrument, bool, Closing | None]], accepted: str = "") -> bytes:
    """`/`: the surveys that are open or (True) will open, each with the date of closing that counts."""
    say = words.words(language)
    listed = [(survey_in(instrument, language, accepted), coming, closes) for instrument, coming, closes in cards]
    said = [(survey, survey.opens_on if coming else survey.open_until(closes)) for survey, coming, closes in listed]
    frame = _frame(say, say("surveys_title"), "/")
    return render("surveys.html", **frame, surveys=said, own_wording=any(survey.own_wording for survey, _ in said))


def of(survey: SurveyView, title: str, path: str = "", **more: Any) -> dict[str, Any]:
    home, voice = f"/s/{survey.instrument.id}", survey.voice
    known = {"survey": survey, "home": home, "language": voice.language, "chooser": _chooser(voice.words, survey.instrument.languages)}
    return _frame(voice.words, title, path or home, **known, **more)


def start(
    survey: SurveyView,
    closes: Closing | None = None,
    sheet: FormState | None = None,
    receipt: str = "",
    brought: str = "",
    *,
    unticked: bool = False,
) -> bytes:
    """The page before the first section. `sheet` is given where the respondent went back to it. `closes`: the closing that counts;
    `brought`: the answers that came with the address, as a query string."""
    frame = of(survey, survey.title, wrong=unticked, brought=brought)
    until = survey.open_until(closes)
    return render("start.html", **frame, notice=version_of(survey.instrument), until=until, **_begun(sheet), receipt=receipt)


def _begun(sheet: FormState | None) -> dict[str, Any]:
    """`begun` is False for an invited respondent who has just arrived: that form state has only a ticket."""
    return {
        "sheet": flow.write(sheet) if sheet else "",
        "begun": sheet is not None and bool(sheet.seen),
        "continued": sheet is not None and sheet.continued,
    }


def review(
    survey: SurveyView,
    form: FormFlow,
    next_page: NextPage,
    receipt: str,
    trouble: Literal["", "busy", "in_use", "hurried", "already"] = "",
    ends: Closing | None = None,
) -> bytes:
    """All answers, to be checked before sending. `trouble` says why sending failed, `ends` is the closing whose grace it is."""
    voice = survey.voice
    answers = next_page.sheet.answers | _left(next_page)
    pipes = labels_of(form.reader.questions, next_page.evaluation.answers, voice.tongue)
    derived = {item.id: item.rule for item in survey.instrument.derived}
    soft = [
        (voice.text(check.text), tuple(dict.fromkeys(questions_in(check.when, derived))))
        for check in form.soft_checks(next_page.evaluation)
    ]
    return render(
        "review.html",
        **of(survey, voice.words("review_title"), wrong=bool(trouble)),
        parts=spoken(survey, form, next_page.evaluation, answers),
        soft=soft,
        labels={id: voice.text(with_answers(form.reader.questions[id], pipes).text) for _, ids in soft for id in ids},
        dropped=[say(voice, with_answers(form.reader.questions[id], pipes), value) for id, value in _dropped(next_page)],
        changes=next_page.sheet.changes,
        continued=next_page.sheet.continued,
        ends=survey.ends(ends),
        trouble=trouble,
        sheet=flow.write(next_page.sheet),
        receipt=receipt,
    )


def spoken(
    survey: SurveyView, form: FormFlow, evaluation: Evaluation, answers: dict[str, Any]
) -> list[tuple[str, str, list[tuple[str, AnswerInWords]]]]:
    """The sections that ask something, each with its heading and its answers by question; the text of an option stands with the option."""
    voice = survey.voice
    headings = {item.id: voice.text(item.text) for item in survey.instrument.sections}
    pipes = labels_of(form.reader.questions, evaluation.answers, voice.tongue)

    def said(place: str) -> list[tuple[str, AnswerInWords]]:
        asked = form.questions(place, evaluation)
        typed = {question.id: as_text(answers.get(question.id)) for question in asked if question.id in form.texts.options}
        written = {id: {code: typed.get(text, "") for code, text in by_code.items()} for id, by_code in form.texts.inside.items()}
        return [
            (question.id, say(voice, with_answers(question, pipes), answers.get(question.id), written.get(question.id)))
            for question in asked
            if question.id not in typed
        ]

    return [
        (section, headings[section], [answer for place in places for answer in said(place)])
        for section, places in form.sections(evaluation).items()
    ]


def _left(next_page: NextPage) -> dict[str, Any]:
    """What is left of the answers of which a part does not apply any more, as plain values."""
    answers = msgspec.to_builtins(next_page.evaluation.answers)
    return {id: answers.get(id) for id in next_page.evaluation.lost}


def _dropped(next_page: NextPage) -> list[tuple[str, Any]]:
    """What does not apply any more: hidden questions, and of others the hidden options and rows that were answered."""
    return list((dict.fromkeys(next_page.evaluation.dropped) | next_page.evaluation.lost).items())


def statement(language: str, results: Results | None) -> bytes:
    """`/accessibility`."""
    say = words.words(language)
    return render("statement.html", **_frame(say, say("statement_title"), "/accessibility"), results=results, contact="", enforcement="")


def statement_of(survey: SurveyView, results: Results | None) -> bytes:
    """`/s/{survey}/accessibility`: the same, with whom to tell and where to turn."""
    voice, told = survey.voice, survey.instrument.accessibility or Accessibility()
    frame = of(survey, voice.words("statement_title"), f"/s/{survey.instrument.id}/accessibility")
    return render("statement.html", **frame, results=results, contact=voice.text(told.contact), enforcement=voice.text(told.enforcement))


def message(language: str, key: str, *, lead: bool = True, detail: str = "") -> bytes:
    """A page with a refusal. `key` is the translation key, such as "not_found"."""
    say = words.words(language)
    return render(
        "message.html",
        **_frame(say, say(f"{key}_title"), ""),
        lead=say(f"{key}_lead") if lead else "",
        detail=detail,
        closed=key == "closed",
    )
