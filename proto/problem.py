"""Refusals: one closed list of RFC 9457 problems, each with a stable type, a status and a sentence. Retired codes stay unused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True)
class Kind:
    code: str
    status: int
    title: str


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with what was sent: where (JSON pointer), what (stable code) and what to do."""

    pointer: str
    code: str
    detail: str


KINDS = {
    kind.code: kind
    for kind in (
        Kind("malformed-json", 400, "The body is not readable JSON"),
        Kind("bad-request", 400, "The request cannot be understood"),
        Kind("receipt-unfit", 400, "This receipt secret is too short or has other characters than letters, digits, - and _"),
        Kind("token-missing", 401, "This needs an access token"),
        Kind("token-refused", 403, "This access token does not open this"),
        Kind("not-from-here", 403, "This is not told to the address that asks"),
        Kind("cross-site", 403, "This page was sent from another site"),
        Kind("survey-closed", 403, "This survey no longer takes answers"),
        Kind("survey-not-open", 403, "This survey does not take answers yet"),
        Kind("quota-full", 403, "Enough answers of this kind have arrived"),
        Kind("invitation-needed", 403, "Answers to this survey need an invitation"),
        Kind("not-found", 404, "There is nothing here"),
        Kind("survey-unknown", 404, "There is no survey with this name"),
        Kind("receipt-unknown", 404, "No response belongs to this receipt"),
        Kind("receipt-mistyped", 404, "There is a typing mistake in this receipt"),
        Kind("invitation-unknown", 404, "This code does not belong to this survey"),
        Kind("not-published-yet", 404, "There are no figures to show yet"),
        Kind("method-not-allowed", 405, "This address does not take that method"),
        Kind("not-acceptable", 406, "This cannot be given in that form"),
        Kind("receipt-in-use", 409, "This receipt already belongs to other answers"),
        Kind("draft-sent", 409, "These answers were sent already"),
        Kind("version-differs", 409, "This version was already published with other content"),
        Kind("version-not-higher", 409, "A higher version was published already"),
        Kind("invitation-used", 409, "This invitation code has been used already"),
        Kind("not-by-invitation", 409, "This survey is open to everybody"),
        Kind("invitation-spent", 410, "A response was already sent with this invitation"),
        Kind("withdrawn", 410, "This response was withdrawn"),
        Kind("answers-deleted", 410, "The answers to this survey are deleted: their time is over"),
        Kind("list-changed", 412, "The list is no longer the one you have"),
        Kind("too-large", 413, "The body is too large"),
        Kind("media-type", 415, "The body must be JSON"),
        Kind("range-unsatisfiable", 416, "This range lies outside the file"),
        Kind("host-unknown", 421, "This server does not answer to that name"),
        Kind("invitation-mistyped", 422, "There is a typing mistake in this code"),
        Kind("answers-refused", 422, "Some answers need another look"),
        Kind("instrument-refused", 422, "The instrument has faults"),
        Kind("request-refused", 422, "The request has faults"),
        Kind("release-refused", 422, "This release would not protect the respondents"),
        Kind("too-many-requests", 429, "Too many requests"),
        Kind("headers-too-large", 431, "The headers are too large"),
        Kind("internal", 500, "Something went wrong on our side"),
        Kind("busy", 503, "The journal is busy or out of reach"),
        Kind("unavailable", 503, "This part of the service is not running"),
        Kind("too-slow", 408, "The body took too long to arrive"),
    )
}


@dataclass(eq=False)
class Problem(Exception):
    """A refusal as a value that can also be raised at the rim. `retry_after` is in seconds, `allow` names the methods there are,
    `content_range` the size of what no range was found in; `close` ends the connection with the answer."""

    code: str
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    retry_after: int | None = None
    allow: str | None = None
    content_range: str | None = None
    close: bool = False
    extra: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]

    @property
    def headers(self) -> dict[str, str]:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        headers |= {} if self.allow is None else {"Allow": self.allow}
        headers |= {} if self.content_range is None else {"Content-Range": self.content_range}
        headers |= {"Connection": "close"} if self.close else {}
        return headers | ({"WWW-Authenticate": "Bearer"} if self.kind.status == 401 else {})

    def body(self) -> bytes:
        """application/problem+json."""
        members: dict[str, Any] = {"type": f"/problems/{self.code}", "title": self.kind.title, "status": self.kind.status}
        if self.detail:
            members["detail"] = self.detail
        if self.errors:
            members["errors"] = self.errors
        return msgspec.json.encode(members | self.extra)
