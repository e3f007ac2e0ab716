"""Renders the pages of receipts: after sending, look-up, status, check, withdrawal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from proto import receipt as receipts
from services.intake.form.flow import Evaluation, FormFlow
from services.intake.form.pages import compose, qr
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.render import render
from services.intake.form.pages.spoken import say

Fault = Literal["", "empty", "unknown", "mistyped", "short"]


@dataclass(frozen=True)
class Status:
    """The status of a response: "accepted", "recorded", "withdrawn" or "deleted"; its digest, "" where the answers are gone.

    `on` is the day (ISO date) from which deleted answers were deleted.
    """

    status: str
    digest: str
    receipt: str
    on: str = ""

    @property
    def stands(self) -> bool:
        """Whether there are answers to check, to change or to withdraw."""
        return self.status in ("accepted", "recorded")


def sent(survey: SurveyView, status: Status, *, changed: bool = False, again: bool = False) -> bytes:
    """The page with the receipt, right after sending. `again`: the same answers were sent before, and count once."""
    title = survey.voice.words("already_title" if again else "changed_title" if changed else "thanks")
    return render("sent.html", **_of(survey, title), **_card(status.receipt), status=status, again=again)


def lookup(survey: SurveyView, typed: str = "", fault: Fault = "") -> bytes:
    """The page where a receipt is entered. After a fault it shows what was typed, with the reason."""
    words = survey.voice.words
    match fault:
        case "":
            message = ""
        case "mistyped":
            message = words("receipt_mistyped")
        case "short":
            mistake = receipts.mistake(typed)
            message = words("receipt_short", count=receipts.LENGTH, found=mistake.found if mistake else len(typed))
        case _:
            message = words(f"lookup_{fault}")
    return render("lookup.html", **_of(survey, words("lookup_title"), wrong=bool(fault)), typed=typed, told=message)


def status(survey: SurveyView, current: Status, *, is_open: bool) -> bytes:
    """The page with the status of a response, and what its author can do with it."""
    frame = _of(survey, survey.voice.words("withdrawn_title" if current.status == "withdrawn" else "receipt_title"))
    card = _card(current.receipt) if current.stands else {}
    return render("status.html", **frame, **card, status=current, is_open=is_open)


def check(survey: SurveyView, answers: dict[str, Any], text: str, current: Status) -> bytes:
    """The page with the stored answers in words, and the text that their digest is computed from."""
    asked = [question for question in survey.instrument.questions if question.id in answers]
    spoken = [say(survey.voice, question, answers[question.id]) for question in asked]
    return render("check.html", **_of(survey, survey.voice.words("check_title")), said=spoken, text=text, status=current)


def copy(survey: SurveyView, form: FormFlow, evaluation: Evaluation, answers: dict[str, Any], digest: str) -> bytes:
    """The stored answers in words, to keep: without the receipt, which would open them to whoever finds the paper or the saved page.

    So it offers no other language either: the page before it does.
    """
    frame = _of(survey, survey.voice.words("copy_title")) | {"path": ""}
    return render("copy.html", **frame, parts=compose.spoken(survey, form, evaluation, answers), digest=digest)


def withdraw(survey: SurveyView, receipt: str) -> bytes:
    """The page that asks for confirmation of a withdrawal."""
    return render("withdraw.html", **_of(survey, survey.voice.words("withdraw_title")), receipt=receipt)


def _of(survey: SurveyView, title: str, **more: Any) -> dict[str, Any]:
    path = f"/s/{survey.instrument.id}/receipt"
    return compose.of(survey, title, path, receipts=path, **more)


def _card(receipt: str) -> dict[str, Any]:
    return {"groups": receipt.split("-"), "qr": qr.code_of(receipt)}
