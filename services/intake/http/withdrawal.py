"""Withdraws a response, whichever route asked for it."""

from __future__ import annotations

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.drafts import drafts
from services.intake.submission.receipt_service import ResponseStatus


async def withdraw(intake: Intake, receipt: str, survey: str = "*") -> ResponseStatus | Problem:
    """Withdraws the response under this receipt. A change of it that was saved and not sent is deleted, too."""
    outcome = await intake.receipts.withdraw(receipt, survey)
    if isinstance(outcome, ResponseStatus):
        await intake.drafts.forget(outcome.survey, drafts.code_of(receipt))
    return outcome
