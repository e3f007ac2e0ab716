"""/api/v1/receipts/{receipt}: look up, change and withdraw the response with its receipt.

Addresses are written into logs and histories. So our own pages use /api/v1/receipts/status, with the receipt in the body; the address is
for programs that log no addresses.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import PathParameter
from msgspec import Meta

from services.intake.context import Intake
from services.intake.http import submission_body, withdrawal
from services.intake.http.guarded_lookup import attempt
from services.intake.http.page_requests import known_survey
from services.intake.submission.receipt_service import ResponseStatus
from services.runtime.http.request_bodies import json_body, json_text
from services.runtime.http.responses import AnyRequest, or_raise, private
from services.runtime.openapi import Reply, operation, query

PATH = "/api/v1/receipts/{receipt:str}"
STATUS = "/api/v1/receipts/status"
MAX_ASKED = 16 * 1024
"""Bytes: a receipt of the longest kind, each of its characters escaped, fits."""


class ReceiptLookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt, and the survey to look in; without one, in all of them."""

    receipt: Annotated[str, Meta(min_length=1, max_length=1000)]
    survey: str | None = None


Receipt = Annotated[
    str,
    PathParameter(
        description="The receipt secret. Whoever holds it may look up, change and withdraw the response.",
        schema_extra={"min_length": 1, "max_length": 200},
    ),
]


@get(
    PATH,
    **operation(
        "lookUpReceipt",
        "Where a response is: accepted (on disk), recorded (counted), withdrawn",
        {200: Reply("Known", ResponseStatus)},
        (400, 404, 410, 429, 503),
        parameters=[query("survey", "Ask in this survey alone; 410 once the time of its answers is over and they are deleted.")],
        description="The address holds the secret. POST /api/v1/receipts/status asks the same without.",
    ),
)
async def look_up(request: AnyRequest, intake: NamedDependency[Intake], receipt: Receipt) -> Response[bytes]:
    """In the survey named in the query, where there is one: only then it can be told that its answers were deleted."""
    return await _look_up(request, intake, ReceiptLookup(receipt, request.query_params.get("survey")))


@post(
    STATUS,
    status_code=200,
    **operation(
        "askForReceipt",
        "Where a response is, asked with the receipt in the body: addresses are written into logs",
        {200: Reply("Known", ResponseStatus)},
        (404, 410, 429, 503),
        body=ReceiptLookup,
    ),
)
async def status(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    return await _look_up(request, intake, await json_body(request, ReceiptLookup, MAX_ASKED))


@put(
    PATH,
    **operation(
        "replaceResponse",
        "Change the answers, while the survey is open",
        {200: Reply("Changed", ResponseStatus)},
        (403, 404, 410, 429, 503),
        **submission_body.TAKEN,
    ),
)
async def replace(request: AnyRequest, intake: NamedDependency[Intake], receipt: Receipt) -> Response[bytes]:
    body = await json_text(request, intake.catalogue.body_limit)
    state = or_raise(await attempt(intake, request, lambda: intake.receipts.replace(receipt, body)))
    intake.metrics.ended("replaced")
    return private(state)


@delete(
    PATH,
    status_code=202,
    **operation(
        "withdrawResponse",
        "Withdraw the response; store and journal follow within seconds, published figures with their next edition",
        {202: Reply("Withdrawn, now or before", ResponseStatus)},
        (400, 404, 429, 503),
    ),
)
async def withdraw(request: AnyRequest, intake: NamedDependency[Intake], receipt: Receipt) -> Response[bytes]:
    state = or_raise(await attempt(intake, request, lambda: withdrawal.withdraw(intake, receipt)))
    intake.metrics.ended("withdrawn")
    return private(state, 202)


async def _look_up(request: AnyRequest, intake: Intake, asked: ReceiptLookup) -> Response[bytes]:
    survey = "*" if asked.survey is None else known_survey(intake, asked.survey).id
    return private(or_raise(await attempt(intake, request, lambda: intake.receipts.look_up(asked.receipt, survey))))


HANDLERS = (look_up, status, replace, withdraw)
