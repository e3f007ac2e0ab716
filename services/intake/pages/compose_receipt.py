"""The pages around a receipt: shown after sending, looked up, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.intake.pages import compose
from services.intake.pages.compose import Survey
from services.intake.pages.render import render


@dataclass(frozen=True)
class Status:
    """What is known of a response: "accepted", "recorded" or "withdrawn", and its digest, empty when withdrawn."""

    status: str
    digest: str
    receipt: str


def sent(survey: Survey, status: Status, *, changed: bool) -> bytes:
    """The receipt, right after sending."""
    title = survey.voice.words("changed_title" if changed else "thanks")
    frame = compose.of(survey, title)
    return render("sent.html", **frame, status=status, groups=status.receipt.split("-"))


def lookup(survey: Survey, typed: str = "", fault: Literal["", "empty", "unknown"] = "") -> bytes:
    """Where a receipt is entered."""
    frame = compose.of(survey, survey.voice.words("lookup_title"), f"/s/{survey.instrument.id}/receipt", wrong=bool(fault))
    return render("lookup.html", **frame, typed=typed, fault=fault)


def status(survey: Survey, found: Status, *, is_open: bool) -> bytes:
    """What became of the answers behind a receipt, and what can be done with them."""
    frame = compose.of(survey, survey.voice.words("receipt_title"), f"/s/{survey.instrument.id}/receipt")
    return render("status.html", **frame, status=found, is_open=is_open)


def withdraw(survey: Survey, receipt: str) -> bytes:
    """The question before a withdrawal."""
    frame = compose.of(survey, survey.voice.words("withdraw_title"), f"/s/{survey.instrument.id}/receipt")
    return render("withdraw.html", **frame, receipt=receipt)
