"""The OpenAPI 3.1 description of intake's API, served at /schema. Shapes come from the types that the routes send."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from proto import bounds, invitation
from proto.instrument import Instrument
from proto.problem import KINDS, Fault
from services.intake.contacts.contacts import Contact
from services.intake.http.routes_audit import ActPage
from services.intake.http.routes_closing import SurveyState
from services.intake.http.routes_invitations import Code, Codes, Exchange, Exchanged, Invited, TicketKey
from services.intake.http.routes_publication import Published
from services.intake.http.routes_receipts import ReceiptLookup
from services.intake.http.routes_retention import Retention, RetentionState
from services.intake.http.routes_surveys import ListedSurvey
from services.intake.http.routes_tokens import CreatedToken, TokenInfo, TokenRequest
from services.intake.submission.receipt_service import ResponseStatus

Json = dict[str, Any]

_TYPES = (
    Fault,
    Contact,
    ResponseStatus,
    ActPage,
    CreatedToken,
    Published,
    TokenInfo,
    TokenRequest,
    ListedSurvey,
    Instrument,
    Code,
    Codes,
    Invited,
    TicketKey,
    Exchange,
    Exchanged,
    RetentionState,
    SurveyState,
    Retention,
    ReceiptLookup,
)
_RECEIPT = {"type": "string", "minLength": 1, "maxLength": 200}
_BY_STATUS: dict[int, list[str]] = {}
for _kind in KINDS.values():
    _BY_STATUS.setdefault(_kind.status, []).append(_kind.code)


def _problem(status: int) -> Json:
    codes = _BY_STATUS[status]
    headers: Json = {"Retry-After": {"schema": {"type": "integer"}}} if status in (408, 429, 503) else {}
    return {
        "description": "One of: " + "; ".join(f"`{code}` ({KINDS[code].title})" for code in codes),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _answers(good: dict[int, Json], *problems: int) -> Json:
    return {str(status): answer for status, answer in good.items()} | {str(status): _problem(status) for status in problems}


def _json(schema: Json, description: str, **headers: str) -> Json:
    named = {name.replace("_", "-"): {"schema": {"type": "string"}, "description": text} for name, text in headers.items()}
    return {"description": description, "headers": named, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(name: str, description: str, schema: Json | None = None) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema or {"type": "string", "minLength": 1},
    }


_SURVEY = _path("survey", "A survey's name, such as ai-security.", {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,63}$"})
_HOLDER = _path("receipt", "The receipt secret. Whoever holds it may look up, change and withdraw the response.", _RECEIPT)
_ETAGGED: Json = {"304": {"description": "You have it already: the ETag is the one in If-None-Match."}}
_IF_NONE_MATCH: Json = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
_ORGANISER: list[Json] = [{"token": []}]
_BODY: Json = {"required": True, "content": {"application/json": {"schema": _ref("Submission")}}}


def _paths() -> Json:
    return {
        "/api/v1/surveys": {
            "get": {
                "operationId": "listSurveys",
                "summary": "The open surveys",
                "parameters": [
                    {"name": "closed", "in": "query", "description": "Closed ones too.", "schema": {"type": "boolean"}},
                    _IF_NONE_MATCH,
                ],
                "responses": _answers(
                    {200: _json({"type": "array", "items": _ref("ListedSurvey")}, "Surveys", ETag="Names this list.")}, 400, 422
                )
                | _ETAGGED,
            },
            "post": {
                "operationId": "publishSurvey",
                "summary": "Publish a version of an instrument; the same one again is harmless",
                "security": _ORGANISER,
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Instrument")}}},
                "responses": _answers(
                    {
                        200: _json(_ref("Published"), "It was published before, with this very content"),
                        201: _json(_ref("Published"), "Open", Location="The survey"),
                    },
                    *(400, 401, 403, 408, 409, 413, 415, 422, 503),
                ),
            },
        },
        "/api/v1/surveys/{survey}": {
            "get": {
                "operationId": "getSurvey",
                "summary": "What a survey asks: an instrument, with all parameters of its disclosure policy",
                "parameters": [
                    _SURVEY,
                    {"name": "version", "in": "query", "description": "Another than the current one.", "schema": {"type": "string"}},
                    _IF_NONE_MATCH,
                ],
                "responses": _answers({200: _json(_ref("Instrument"), "The instrument", ETag="Names this version.")}, 400, 404, 422)
                | _ETAGGED,
            }
        },
        "/api/v1/surveys/{survey}/responses": {
            "post": {
                "operationId": "submitResponse",
                "summary": "Send a response. 201 means that it is on disk",
                "parameters": [
                    _SURVEY,
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "description": "The receipt secret, if you choose it: 128 bits or more as base64url or base32 text. Send it again "
                        "whenever an answer got lost: the response counts once.",
                        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,128}$"},
                    },
                    {
                        "name": invitation.HEADER,
                        "in": "header",
                        "description": "The ticket, where the survey is answered by invitation: token and signature as base64url, "
                        "with a point between them. One ticket allows one response: send it again with the same Idempotency-Key.",
                        "schema": {"type": "string"},
                    },
                ],
                "requestBody": _BODY,
                "responses": _answers(
                    {
                        200: _json(_ref("AcceptedResponse"), "The same response, sent before under this receipt", Location="The receipt"),
                        201: _json(_ref("AcceptedResponse"), "Accepted: it is on disk", Location="The receipt"),
                    },
                    *(400, 403, 404, 408, 409, 410, 413, 415, 422, 429, 503),
                ),
            }
        },
        "/api/v1/surveys/{survey}/invitations": {
            "post": {
                "operationId": "inviteToSurvey",
                "summary": "Make invitation codes known by their names; the codes themselves stay with whoever made them",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Codes")}}},
                "responses": _answers(
                    {200: _json(_ref("Invited"), "Known, now or before")}, *(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
                ),
            }
        },
        "/api/v1/surveys/{survey}/tickets": {
            "get": {
                "operationId": "getTicketKey",
                "summary": "The public key with which tickets are signed",
                "parameters": [_SURVEY],
                "responses": _answers({200: _json(_ref("TicketKey"), "The key")}, 400, 404, 409, 503),
            },
            "post": {
                "operationId": "exchangeInvitation",
                "summary": "Exchange the name of an invitation code for a blind signature (RFC 9474), which cannot be traced to the code",
                "parameters": [_SURVEY],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Exchange")}}},
                "responses": _answers(
                    {200: _json(_ref("Exchanged"), "Always the same for the same code; it changes nothing")},
                    *(400, 403, 404, 408, 409, 413, 415, 422, 429, 503),
                ),
            },
        },
        "/api/v1/surveys/{survey}/close": {
            "post": {
                "operationId": "closeSurvey",
                "summary": "Close a survey: nothing new is taken, withdrawing stays possible",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "responses": _answers({200: _json(_ref("SurveyState"), "Closed")}, 400, 401, 403, 404, 503),
            }
        },
        "/api/v1/surveys/{survey}/reopen": {
            "post": {
                "operationId": "reopenSurvey",
                "summary": "Open a closed survey again; refused once its answers are deleted",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "responses": _answers({200: _json(_ref("SurveyState"), "Open")}, 400, 401, 403, 404, 503),
            }
        },
        "/api/v1/surveys/{survey}/retention": {
            "get": {
                "operationId": "getRetention",
                "summary": "Until when the answers to a survey are kept",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "responses": _answers({200: _json(_ref("RetentionState"), "Until when")}, 400, 401, 403, 404),
            },
            "put": {
                "operationId": "setRetention",
                "summary": "Set the day from which the answers to a closed survey are deleted, after days of grace",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Retention")}}},
                "responses": _answers({200: _json(_ref("RetentionState"), "Set")}, 400, 401, 403, 404, 408, 413, 415, 422, 503),
            },
        },
        "/api/v1/surveys/{survey}/contacts": {
            "get": {
                "operationId": "listContacts",
                "summary": "Who left an address to hear of the results, kept apart from all answers",
                "security": _ORGANISER,
                "parameters": [_SURVEY],
                "responses": _answers(
                    {200: _json({"type": "array", "items": _ref("Contact")}, "Sorted by address", ETag="Names what is on the list.")},
                    *(400, 401, 403, 404, 503),
                ),
            },
            "delete": {
                "operationId": "deleteContacts",
                "summary": "Empty the list and overwrite what it held",
                "security": _ORGANISER,
                "parameters": [
                    _SURVEY,
                    {
                        "name": "If-Match",
                        "in": "header",
                        "description": "The ETag of the list you have: then nothing is deleted that you have not seen.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": _answers({204: {"description": "Deleted"}}, 400, 401, 403, 404, 412, 503),
            },
        },
        "/api/v1/receipts/status": {
            "post": {
                "operationId": "askForReceipt",
                "summary": "Where a response is, asked with the receipt in the body: addresses are written into logs",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ReceiptLookup")}}},
                "responses": _answers({200: _json(_ref("ResponseStatus"), "Known")}, 400, 404, 408, 410, 413, 415, 422, 429, 503),
            },
        },
        "/api/v1/receipts/{receipt}": {
            "get": {
                "operationId": "lookUpReceipt",
                "summary": "Where a response is: accepted (on disk), recorded (counted), withdrawn",
                "description": "The address holds the secret. POST /api/v1/receipts/status asks the same without.",
                "parameters": [
                    _HOLDER,
                    {
                        "name": "survey",
                        "in": "query",
                        "description": "Ask in this survey alone; 410 once the time of its answers is over and they are deleted.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": _answers({200: _json(_ref("ResponseStatus"), "Known")}, 400, 404, 410, 429, 503),
            },
            "put": {
                "operationId": "replaceResponse",
                "summary": "Change the answers, while the survey is open",
                "parameters": [_HOLDER],
                "requestBody": _BODY,
                "responses": _answers({200: _json(_ref("ResponseStatus"), "Changed")}, 400, 403, 404, 408, 410, 413, 415, 422, 429, 503),
            },
            "delete": {
                "operationId": "withdrawResponse",
                "summary": "Withdraw the response; store and journal follow within seconds, published figures with their next edition",
                "parameters": [_HOLDER],
                "responses": _answers({202: _json(_ref("ResponseStatus"), "Withdrawn, now or before")}, 400, 404, 429, 503),
            },
        },
        "/api/v1/acts": {
            "get": {
                "operationId": "listActs",
                "summary": "What organisers did, the oldest first: which token, what, when, about which survey",
                "security": _ORGANISER,
                "parameters": [
                    {
                        "name": "after",
                        "in": "query",
                        "description": "Only what came after this number.",
                        "schema": {"type": "integer", "minimum": 0, "default": 0},
                    }
                ],
                "responses": _answers({200: _json(_ref("ActPage"), "A thousand at most, and where to go on")}, 400, 401, 403, 422, 503),
            }
        },
        "/api/v1/tokens": {
            "get": {
                "operationId": "listTokens",
                "summary": "The access tokens, without their secrets",
                "security": _ORGANISER,
                "responses": _answers({200: _json({"type": "array", "items": _ref("TokenInfo")}, "Tokens")}, 400, 401, 403),
            },
            "post": {
                "operationId": "createToken",
                "summary": "Make an access token; its secret is in the answer and nowhere else",
                "security": _ORGANISER,
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("TokenRequest")}}},
                "responses": _answers({201: _json(_ref("CreatedToken"), "Made")}, 400, 401, 403, 408, 413, 415, 422, 503),
            },
        },
        "/api/v1/tokens/{token}": {
            "delete": {
                "operationId": "revokeToken",
                "summary": "Revoke an access token, at once and for good",
                "security": _ORGANISER,
                "parameters": [_path("token", "The token's id, not its secret.")],
                "responses": _answers({204: {"description": "Revoked, now or before"}}, 400, 401, 403, 404, 503),
            }
        },
        "/health/live": {"get": _service("isLive", "Whether the process runs", {"200": {"description": "It does"}})},
        "/health/ready": {
            "get": _service("isReady", "Whether a response sent now would be stored", _answers({200: {"description": "Yes"}}, 503))
        },
        "/metrics": {"get": _service("getMetrics", "Prometheus metrics", {"200": {"description": "Text format 0.0.4"}})},
        "/schema": {"get": _service("getSchema", "This description", {"200": {"description": "OpenAPI 3.1"}} | _ETAGGED)},
    }


def _service(id: str, summary: str, responses: Json) -> Json:
    return {"operationId": id, "summary": summary, "responses": responses}


def _schemas() -> Json:
    _, shapes = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    text: Json = {"type": "string"}
    return shapes | {
        "Submission": {
            "type": "object",
            "required": ["answers", "consent"],
            "additionalProperties": False,
            "description": f"At most {bounds.LEAST} bytes, and twelve for each character that the texts of the survey may have. "
            "Which answers fit is told by its instrument.",
            "properties": {
                "answers": {
                    "type": "object",
                    "description": "By question id. A question that skip logic hides must be absent.",
                    "additionalProperties": _ref("Answer"),
                },
                "language": {"type": ["string", "null"], "description": "In which language the questions were read."},
                "version": {"type": ["string", "null"], "description": "Of the instrument; the current one if left out."},
                "consent": {"const": True},
            },
        },
        "Answer": {
            "description": "single: a code; multiple and ranking: codes; matrix: a code per row; numbers; dates and texts: a string.",
            "oneOf": [
                text,
                {"type": "number"},
                {"type": "array", "items": text},
                {"type": "object", "additionalProperties": text},
            ],
        },
        "AcceptedResponse": {
            "type": "object",
            "required": ["receipt", "status", "survey", "version", "digest"],
            "properties": {
                "receipt": text | {"description": "The secret with which the response is looked up, changed and withdrawn."},
                "status": {"enum": ["accepted", "recorded"]},
                "survey": text,
                "version": text,
                "digest": text | {"description": "sha256: and the hash of the canonical JSON of answers, survey and version."},
            },
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": ["type", "title", "status"],
            "properties": {
                "type": {"enum": [f"/problems/{code}" for code in KINDS]},
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
                "errors": {"type": "array", "items": _ref("Fault")},
                "receipt": text | {"description": "With `busy`: repeat the request with this Idempotency-Key."},
            },
        },
    }


def _document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Platea",
            "version": "1",
            "summary": "Surveys about public space",
            "description": "Send, look up, change and withdraw responses; read and publish surveys. Refusals are problems (RFC 9457).",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`platea token create` makes one."}},
        },
    }


BODY = msgspec.json.encode(_document())
ETAG = f'"{hashlib.sha256(BODY).hexdigest()[:32]}"'
