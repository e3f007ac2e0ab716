"""Look up, change and withdraw a response with its receipt: /api/v1/receipt with the receipt in a header, /api/v1/receipts/{receipt} with
the receipt in the address.

Addresses are written into logs and histories by whoever stands between. So our own pages and commands use the header, or
/api/v1/receipts/status with the receipt in the body; the address is for programs that always did.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import PathParameter
from msgspec import Meta

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.http import submission_body, withdrawal
from services.intake.http.guarded_lookup import attempt
from services.intake.http.page_requests import known_survey
from services.intake.submission.receipt_service import ResponseStatus
from services.runtime.http.authorization import bearer
from services.runtime.http.request_bodies import json_body, json_text
from services.runtime.http.responses import AnyRequest, or_raise, private
from services.runtime.openapi import Reply, header, operation, query

PATH = "/api/v1/receipts/{receipt:str}"
HELD = "/api/v1/receipt"
HEADER = "Platea-Receipt"
STATUS = "/api/v1/receipts/status"
MAX_HELD = 200
"""Characters of a receipt in a header."""
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


_IN_ALL = query("survey", "Ask in this survey alone; 410 once the time of its answers is over and they are deleted.")
_HEADER = header(
    HEADER, "The receipt secret. Whoever holds it may look up, change and withdraw the response.", min_length=1, max_length=MAX_HELD
)


@get(
    HELD,
    **operation(
        "lookUpHeldReceipt",
        "Where a response is, asked with the receipt in a header",
        {200: Reply("Known", ResponseStatus)},
        (400, 404, 410, 429, 503),
        parameters=[_HEADER, _IN_ALL],
        description="429 after many unknown receipts. With an organiser's token and the survey it is never too many.",
    ),
)
async def look_up_held(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    return await _look_up(request, intake, ReceiptLookup(_held(request), request.query_params.get("survey")))


@put(
    HELD,
    **operation(
        "replaceHeldResponse",
        "Change the answers, while the survey is open; the receipt is in a header",
        {200: Reply("Changed", ResponseStatus)},
        (403, 404, 410, 429, 503),
        **submission_body.TAKEN,
        parameters=[_HEADER],
    ),
)
async def replace_held(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    return await _replace(request, intake, _held(request))


@delete(
    HELD,
    status_code=202,
    **operation(
        "withdrawHeldResponse",
        "Withdraw the response whose receipt is in a header; store and journal follow within seconds",
        {202: Reply("Withdrawn, now or before", ResponseStatus)},
        (400, 404, 429, 503),
        parameters=[_HEADER],
    ),
)
async def withdraw_held(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    return await _withdraw(request, intake, _held(request))


@get(
    PATH,
    **operation(
        "lookUpReceipt",
        "Where a response is: accepted (on disk), recorded (counted), withdrawn",
        {200: Reply("Known", ResponseStatus)},
        (400, 404, 410, 429, 503),
        parameters=[_IN_ALL],
        description="The address holds the secret. /api/v1/receipt does the same without.",
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
    return await _replace(request, intake, receipt)


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
    return await _withdraw(request, intake, receipt)


def _held(request: AnyRequest) -> str:
    """Raises Problem where there is no receipt in the header."""
    receipt = request.headers.get(HEADER.lower(), "").strip()
    if not 0 < len(receipt) <= MAX_HELD:
        raise Problem("receipt-unfit", f"Send the receipt in the header {HEADER}.")
    return receipt


async def _replace(request: AnyRequest, intake: Intake, receipt: str) -> Response[bytes]:
    body = await json_text(request, intake.catalogue.body_limit)
    state = or_raise(await attempt(intake, request, lambda: intake.receipts.replace(receipt, body, secret=bearer(request))))
    intake.metrics.ended("replaced")
    return private(state)


async def _withdraw(request: AnyRequest, intake: Intake, receipt: str) -> Response[bytes]:
    state = or_raise(await attempt(intake, request, lambda: withdrawal.withdraw(intake, receipt)))
    intake.metrics.ended("withdrawn")
    return private(state, 202)


async def _look_up(request: AnyRequest, intake: Intake, asked: ReceiptLookup) -> Response[bytes]:
    """An organiser who names the survey is not slowed: a file of receipts may hold many unknown ones, and that is no guessing."""
    survey = "*" if asked.survey is None else known_survey(intake, asked.survey).id
    if asked.survey is not None and intake.registry.allows(bearer(request), "organiser", survey, intake.clock()):
        return private(or_raise(await intake.receipts.look_up(asked.receipt, survey)))
    return private(or_raise(await attempt(intake, request, lambda: intake.receipts.look_up(asked.receipt, survey))))


HANDLERS = (look_up_held, replace_held, withdraw_held, look_up, status, replace, withdraw)
