"""POST /api/v1/surveys/{survey}/responses, in plain ASGI without the framework: the one route that must be fast."""

from __future__ import annotations

import logging

import msgspec
from litestar import post
from litestar.types import ASGIApp, Receive, Scope, Send

from proto import bounds, invitation
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.http import submission_body
from services.intake.submission.submit import AcceptedResponse, CommittedResponse
from services.runtime.error_details import stack_of
from services.runtime.http.authorization import secret_in
from services.runtime.http.problems import send_problem
from services.runtime.http.request_bodies import read_body
from services.runtime.openapi import Reply, SurveyId, header, operation

log = logging.getLogger(__name__)

PREFIX, SUFFIX = "/api/v1/surveys/", "/responses"
_TICKET = invitation.HEADER.lower().encode()
_encoder = msgspec.json.Encoder()


def shortcut(intake: Intake, app: ASGIApp) -> ASGIApp:
    """`app` with this route in front of it."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(PREFIX) and path.endswith(SUFFIX) and scope["type"] == "http":
            survey = path[len(PREFIX) : -len(SUFFIX)]
            if survey and "/" not in survey:
                await _respond(intake, survey, scope, receive, send)
                return
        await app(scope, receive, send)

    return dispatch


async def _respond(intake: Intake, survey: str, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        outcome = await _submit(intake, survey, scope, receive)
    except Exception as error:  # the client gets an answer, without a traceback
        log.error("a request failed", extra={"stack": stack_of(error)})
        outcome = Problem("internal")
    if isinstance(outcome, Problem):
        intake.metrics.ended(outcome.code)
        await send_problem(send, outcome)
    else:
        intake.metrics.ended("accepted" if outcome.new else "repeated")
        await _send_kept(send, outcome)


async def _submit(intake: Intake, survey: str, scope: Scope, receive: Receive) -> CommittedResponse | Problem:
    if scope.get("method") != "POST":
        return Problem("method-not-allowed", allow="POST")
    key = kind = length = secret = None
    solution = ""
    ticket = ""
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            key = value.decode("latin-1").strip('"')
        elif name == _TICKET:
            ticket = value.decode("latin-1")
        elif name == b"authorization":
            secret = secret_in(value.decode("latin-1"))
        elif name == b"platea-work":
            solution = value.decode("latin-1")
        elif name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
        elif name == b"content-length":
            length = value
    if kind != b"application/json":
        return Problem("media-type")
    known = intake.catalogue.surveys.get(survey)
    limit = known.body_limit if known else bounds.LEAST
    if length is not None and length.isdigit() and len(length) < 12 and int(length) > limit:
        return Problem("too-large", f"At most {limit} bytes are taken.")
    organiser = secret is not None and intake.registry.allows(secret, "organiser", survey, intake.clock())
    if not organiser and known and (refused := intake.flood_guard.api(survey, key, solution)):
        return refused
    try:
        body = await read_body(receive, scope, limit)
    except Problem as problem:
        return problem
    return await intake.submitter.submit(survey, body, key, None if organiser else ticket)


async def _send_kept(send: Send, kept: CommittedResponse) -> None:
    body = _encoder.encode(AcceptedResponse(kept.receipt, kept.status, kept.survey, kept.version, kept.digest))
    await send(
        {
            "type": "http.response.start",
            "status": 201 if kept.new else 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"location", b"/api/v1/receipts/" + kept.receipt.encode()),
                (b"cache-control", b"no-store"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


@post(
    f"{PREFIX}{{survey:str}}{SUFFIX}",
    **operation(
        "submitResponse",
        "Send a response. 201 means that it is on disk",
        {
            200: Reply("The same response, sent before under this receipt", AcceptedResponse, headers={"Location": "The receipt"}),
            201: Reply("Accepted: it is on disk", AcceptedResponse, headers={"Location": "The receipt"}),
        },
        (403, 404, 409, 410, 429, 503),
        **submission_body.TAKEN,
        parameters=[
            header(
                "Idempotency-Key",
                "The receipt secret, if you choose it: 128 bits or more as base64url or base32 text. Send it again "
                "whenever an answer got lost: the response counts once.",
                pattern="^[A-Za-z0-9_-]{22,128}$",
            ),
            header(
                invitation.HEADER,
                "The ticket, where the survey is answered by invitation: token and signature as base64url, "
                "with a point between them. One ticket allows one response: send it again with the same Idempotency-Key.",
            ),
        ],
    ),
)
async def described(survey: SurveyId) -> None: ...  # for the OpenAPI document; `shortcut` answers
