"""The flow through a questionnaire, page by page: which questions are asked, and which page comes next. Pure.

The server stores nothing between pages. The `FormState` is sent with every page, in the form field "sheet", and is evaluated anew each
time, like all input.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec
from msgspec import UNSET, structs

from proto import logic, quotas
from proto.answers import Reader
from proto.instrument import AnyQuestion, Instrument, Quota, SoftCheck
from proto.problem import Fault
from services.intake.form import piped_texts, typed_values
from services.intake.form.client_rules import Ask, Skips
from services.intake.form.form_layout import TextsOfOptions, pages_of

START = "start"
REVIEW = "review"


class FormState(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a respondent has filled in so far. Answers are plain values by question id; they may be invalid."""

    version: str
    answers: dict[str, Any] = {}
    seen: tuple[str, ...] = ()
    """Questions that were on a page. Only these can be reported as unanswered."""
    reviewed: bool = False
    """Whether the review page was shown. From then on each page leads back to it."""
    changes: bool = False
    """Whether this changes a response that was sent before."""
    began: str = ""
    """When the visit began, signed (`services.intake.flood.signed_timestamp`)."""
    ticket: str = ""
    """The ticket of an invited respondent. It is stored nowhere."""
    draft: str = ""
    """The code of the draft that this was saved as or opened from."""
    continued: bool = False
    """Whether it was opened with that code."""


_decoder = msgspec.json.Decoder(FormState)


def write(sheet: FormState) -> str:
    return msgspec.json.encode(sheet).decode()


def read(text: str) -> FormState:
    """Raises msgspec.ValidationError or msgspec.DecodeError where the text is no form state."""
    return _decoder.decode(text.encode())


@dataclass(frozen=True)
class Evaluation:
    """A form state as evaluated: `shown` is asked, `pending` depends on missing answers, `dropped` was answered and is now hidden.

    `answers` has the valid answers of questions that are not hidden. `notes` are shown. `today` is the ISO date of the evaluation.
    `hidden`: the codes of the options or rows that are not there, by question; `lost`: what was answered with these, as plain values.
    """

    answers: Any
    shown: tuple[str, ...]
    notes: tuple[str, ...]
    pending: tuple[str, ...]
    dropped: tuple[str, ...]
    faults: tuple[Fault, ...]
    today: str
    hidden: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    lost: dict[str, Any] = field(default_factory=dict[str, Any])

    def faulty(self) -> set[str]:
        return {question_of(fault) for fault in self.faults}


@dataclass(frozen=True)
class NextPage:
    """The page to show next. `place`: that of a page with questions (`form_layout.FormPage`), START or REVIEW.

    `opened`, `closed`: questions that the last answers added or removed; `new`: those that the page marks as new.
    `send`: everything is valid and the respondent asked to send it.
    `quota`: a full one that these answers meet; it is told instead of the page.
    """

    place: str
    sheet: FormState
    evaluation: Evaluation
    faults: tuple[Fault, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    send: bool = False
    quota: Quota | None = None


def question_of(fault: Fault) -> str:
    """The id of the question that a fault belongs to; "" where it belongs to none."""
    parts = fault.pointer.split("/")
    return parts[2] if len(parts) > 2 else ""


class FormFlow:
    """One instrument as a sequence of pages. Created once per published version. Every `today` is an ISO date."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.instrument: Instrument = reader.instrument
        derived = {item.id: item for item in self.instrument.derived}
        self.skips = Skips(reader)
        self._rules = [(id, self.skips.leans_on[id], reader.shown.get(id)) for id in reader.questions]
        self._order = list(reader.questions)
        self._notes = [
            (note.id, self.skips.leans_on[note.id], logic.compile_rule(note.show_if, reader.questions, derived) if note.show_if else None)
            for note in self.instrument.notes
        ]
        self.pages = pages_of(self.instrument)
        self.place_of = {question.id: place for place, page in self.pages.items() for question in page.items}
        order = list(self.pages)
        self._quotas = [
            (quota, reader.quotas[quota.id], order.index(self.place_of[quotas.last(self.instrument, quota).id]))
            for quota in self.instrument.quotas
        ]
        self.texts = TextsOfOptions(self.instrument)
        self.piped = {item.id: ids for item in (*self.instrument.questions, *self.instrument.notes) if (ids := piped_texts.named(item))}
        """The questions whose answers the texts of each question and note show."""
        self._soft = [(check, logic.compile_rule(check.when, reader.questions, derived)) for check in self.instrument.soft_checks]

    def evaluate(self, sheet: FormState, today: str) -> Evaluation:
        """A question is asked once every required question that its rule depends on is answered; until then it is pending.

        A pending question has no answer for the rules of others either: what these hid is there again without it.
        """
        given, refused = self.reader.convert({id: value for id, value in sheet.answers.items() if id in self.reader.types})
        unread = frozenset(question_of(fault) for fault in refused)
        while True:
            answers = copy.copy(given)
            for id, _, shows in self._rules:  # rules refer to earlier questions only, so one pass is enough
                if id in self.reader.computed:
                    setattr(answers, id, self.reader.computed[id].of(answers))
                elif shows is not None and getattr(answers, id) is not UNSET and not shows(answers):
                    setattr(answers, id, UNSET)
                if id in self.reader.parts and (value := getattr(answers, id)) is not UNSET:
                    setattr(answers, id, self.reader.parts[id].possible(answers, value))
            faults = refused + self.reader.check(answers, today, unread)
            unsettled = {question_of(fault) for fault in faults}
            shown, pending, hidden = self._sorted(answers, unsettled)
            early = [id for id in pending if getattr(answers, id) is not UNSET]
            if not early:
                break
            for id in self._surely(early, unsettled):
                setattr(given, id, UNSET)
        dropped = tuple(id for id in hidden if id in sheet.answers and id in sheet.seen)
        asked = frozenset(shown)
        hidden = {id: parts.hidden(answers) for id, parts in self.reader.parts.items() if id in asked}
        lost = {id: part for id, codes in hidden.items() if (part := _among(sheet.answers.get(id), codes))}
        faults = [fault for fault in faults if question_of(fault) in asked]
        unsettled = {*pending, *map(question_of, faults)}
        notes = tuple(id for id, leans, shows in self._notes if leans.isdisjoint(unsettled) and (shows is None or shows(answers)))
        return Evaluation(answers, shown, notes, pending, dropped, tuple(faults), today, hidden, lost)

    def _surely(self, early: list[str], unsettled: set[str]) -> list[str]:
        """Of the pending questions with answers those that are pending whatever the others do. What stands above the first of them does not
        depend on their answers, so whoever leans on something unsettled there is one; the rest is judged again without these answers."""
        above = unsettled.intersection(self._order[: self._order.index(early[0])])
        return early[:1] + [id for id in early[1:] if not above.isdisjoint(self.skips.leans_on[id])]

    def _sorted(self, answers: Any, unsettled: set[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Sorts all questions into shown, pending and hidden. `unsettled`: questions with faults; pending ones are added."""
        shown: list[str] = []
        pending: list[str] = []
        hidden: list[str] = []
        for id, leans, shows in self._rules:
            if id in self.reader.computed:
                continue  # nobody is asked it
            if leans and not leans.isdisjoint(unsettled):
                pending.append(id)
                unsettled.add(id)
            elif shows is None or shows(answers):
                shown.append(id)
            else:
                unsettled.discard(id)
                hidden.append(id)
        return tuple(shown), tuple(pending), tuple(hidden)

    def sections(self, evaluation: Evaluation) -> dict[str, list[str]]:
        """The ids of the sections that ask something, in order, and the places of their pages."""
        places: dict[str, list[str]] = {}
        for place in self.places(evaluation):
            places.setdefault(self.pages[place].section, []).append(place)
        return places

    def places(self, evaluation: Evaluation) -> list[str]:
        """The places of the pages that ask something, in order."""
        shown = frozenset(evaluation.shown)
        return [place for place, page in self.pages.items() if any(question.id in shown for question in page.questions)]

    def questions(self, place: str, evaluation: Evaluation) -> list[AnyQuestion]:
        """The questions that a page asks now."""
        shown = frozenset(evaluation.shown)
        return [question for question in self.pages[place].questions if question.id in shown]

    def asks(self, place: str, evaluation: Evaluation) -> dict[str, Ask]:
        """The questions and notes that this page shows now, or may show while it is being answered."""
        unsettled = evaluation.faulty() | set(evaluation.pending)
        return self.skips.asks(self.pages[place].items, evaluation.answers, unsettled, evaluation.today)

    def progress(self, place: str, evaluation: Evaluation) -> tuple[int, int]:
        """The number of this page (from 1) and of all pages, including those that may still be asked."""
        coming = {*evaluation.shown, *evaluation.pending}
        places = [key for key, page in self.pages.items() if key == place or any(question.id in coming for question in page.questions)]
        return places.index(place) + 1, len(places)

    def soft_checks(self, evaluation: Evaluation) -> list[SoftCheck]:
        """The soft checks that these answers raise."""
        return [check for check, raised in self._soft if raised(evaluation.answers)]

    def begin(self, sheet: FormState, today: str) -> NextPage:
        evaluation = self.evaluate(sheet, today)
        places = self.places(evaluation)
        return self._at(places[0], sheet, evaluation) if places else self._review(sheet, evaluation)

    def reopen(self, sheet: FormState, place: str, today: str) -> NextPage:
        """The page that was left, without faults; the first page where that page does not exist any more."""
        evaluation = self.evaluate(sheet, today)
        if place in self.places(evaluation):
            return self._at(place, sheet, evaluation)
        return self._review(sheet, evaluation) if place == REVIEW else self.begin(sheet, today)

    def turn(
        self,
        sheet: FormState,
        place: str,
        go: str,
        fields: typed_values.Fields,
        marks: str,
        today: str,
        full: frozenset[str] = frozenset(),
    ) -> NextPage:
        """The page after `place` was sent with the button `go`: next, back, stay, send, change.{question}, or quota, which tells it again.

        `marks`: decimal and thousands marks (`typed_values.number`). `full`: the ids of the quotas that are full. Who meets one is told at
        the end of the page that says so, and never after that: answers that were all given are taken.
        """
        next_page = self._turn(sheet, place, go, fields, marks, today)
        onward = go == "quota" or (go == "next" and next_page.place != place)
        if not full or sheet.changes or not onward:
            return next_page
        order = list(self.pages)
        reached = order.index(place) if place in order else len(order)
        answers = next_page.evaluation.answers
        met = (quota for quota, meets, last in self._quotas if quota.id in full and last <= reached and meets(answers))
        return replace(next_page, quota=next(met, None))

    def _turn(self, sheet: FormState, place: str, go: str, fields: typed_values.Fields, marks: str, today: str) -> NextPage:
        if place not in self.pages:
            return self._from_review(sheet, self.evaluate(sheet, today), go)
        shown_by_page = typed_values.shown(fields)
        before: dict[str, frozenset[str]] = {}
        if shown_by_page is None:
            before = (former := self.evaluate(sheet, today)).hidden
            asked = self.questions(place, former)
        else:  # the page's script has added and removed questions by itself
            asked = [question for question in self.pages[place].questions if question.id in shown_by_page]
            sheet = _seeing(sheet, [question.id for question in asked])
        sheet = _filled(sheet, asked, fields, marks)
        evaluation = self.evaluate(sheet, today)
        if go == "back":
            return self._before(place, sheet, evaluation)
        if go == "stay":
            return self._at(place, sheet, evaluation)
        ids = {question.id for question in self.questions(place, evaluation)}
        wider = {id for id, codes in before.items() if codes - evaluation.hidden.get(id, codes)}
        opened = tuple(id for id in evaluation.shown if id in ids and (id not in sheet.seen or id in wider))
        closed = tuple(question.id for question in asked if question.id in evaluation.dropped)
        faults = tuple(fault for fault in evaluation.faults if question_of(fault) in ids and question_of(fault) in sheet.seen)
        if faults or opened or closed:
            new = tuple(id for id in evaluation.shown if id in ids and (id in opened or id in typed_values.new(fields)))
            return replace(self._at(place, sheet, evaluation, faults, opened, closed), new=new)
        return self._onward(place, sheet, evaluation)

    def _from_review(self, sheet: FormState, evaluation: Evaluation, go: str) -> NextPage:
        places = self.places(evaluation)
        changed = self.place_of.get(go.removeprefix("change."))
        if go == "back" and places:
            return self._at(places[-1], sheet, evaluation)
        if changed in places:
            return self._at(changed, sheet, evaluation)
        next_page = self._review(sheet, evaluation)
        return replace(next_page, send=True) if go == "send" and next_page.place == REVIEW else next_page

    def _before(self, place: str, sheet: FormState, evaluation: Evaluation) -> NextPage:
        order = list(self.pages)
        earlier = [key for key in self.places(evaluation) if order.index(key) < order.index(place)]
        return self._at(earlier[-1], sheet, evaluation) if earlier else NextPage(START, sheet, evaluation)

    def _onward(self, place: str, sheet: FormState, evaluation: Evaluation) -> NextPage:
        order = list(self.pages)
        later = [key for key in self.places(evaluation) if order.index(key) > order.index(place)]
        return self._at(later[0], sheet, evaluation) if later and not sheet.reviewed else self._review(sheet, evaluation)

    def _review(self, sheet: FormState, evaluation: Evaluation) -> NextPage:
        """The review page, or the first page with an unanswered question or a fault."""
        faulty = evaluation.faulty()
        for place in self.places(evaluation):
            ids = [question.id for question in self.questions(place, evaluation)]
            opened = tuple(id for id in ids if id not in sheet.seen)
            if opened or not faulty.isdisjoint(ids):
                faults = tuple(fault for fault in evaluation.faults if question_of(fault) in ids and question_of(fault) in sheet.seen)
                return self._at(place, sheet, evaluation, faults, opened)
        return NextPage(REVIEW, structs.replace(sheet, reviewed=True), evaluation)

    def _at(
        self,
        place: str,
        sheet: FormState,
        evaluation: Evaluation,
        faults: tuple[Fault, ...] = (),
        opened: tuple[str, ...] = (),
        closed: tuple[str, ...] = (),
    ) -> NextPage:
        """The page of a place. Its questions count as seen."""
        shown = [question.id for question in self.questions(place, evaluation)]
        seen = tuple(id for id in self.reader.questions if id in shown or id in sheet.seen)
        return NextPage(place, structs.replace(sheet, seen=seen), evaluation, faults, opened, closed, opened)


def _among(value: Any, codes: frozenset[str]) -> Any:
    """The part of a plain answer that is made of these options or rows; something empty where none is."""
    if isinstance(value, dict):
        return {row: code for row, code in cast("dict[str, Any]", value).items() if row in codes}
    if isinstance(value, list):
        return [code for code in cast("list[Any]", value) if isinstance(code, str) and code in codes]
    return value if isinstance(value, str) and value in codes else ""


def _seeing(sheet: FormState, shown: list[str]) -> FormState:
    return structs.replace(sheet, seen=(*sheet.seen, *(id for id in shown if id not in sheet.seen)))


def _filled(sheet: FormState, asked: list[AnyQuestion], fields: typed_values.Fields, marks: str) -> FormState:
    """The state with the values in these questions' fields in place of their answers."""
    answers = dict(sheet.answers)
    for question in asked:
        value = typed_values.read(question, fields, marks, answers.get(question.id))
        if value is UNSET:
            answers.pop(question.id, None)
        else:
            answers[question.id] = value
    return structs.replace(sheet, answers=answers)
