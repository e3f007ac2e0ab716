"""/api/v1/tokens: creates, lists and revokes access tokens, for organisers."""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from msgspec import Meta, structs

from proto import tokens
from proto.problem import Fault, Problem
from proto.tokens import Token, TokenRole
from services.intake.context import Intake
from services.runtime.http.authorization import demand, demand_some
from services.runtime.http.request_bodies import json_body
from services.runtime.http.responses import AnyRequest, private
from services.runtime.openapi import ORGANISER, Reply, operation

TokenId = Annotated[str, PathParameter(description="The token's id, not its secret.", schema_extra={"min_length": 1})]
DAYS = 365
"""Days until a token expires whose request names no number of days."""


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token wanted. Without `survey` it opens all surveys; without `days` it ends after a year, or with its maker if that is sooner."""

    role: TokenRole
    survey: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")] | None = None
    days: Annotated[int, Meta(ge=1, le=36500)] | None = None


class TokenInfo(msgspec.Struct, frozen=True):
    """A token as organisers see it; its secret is not kept anywhere.

    `maker`: the token that made it; `made` and `used`: the days (ISO dates, UTC) on which it was made and last used. `revoked` is also said
    of one whose maker is.
    """

    id: str
    role: TokenRole
    survey: str | None
    expires: int | None
    revoked: bool
    maker: str | None
    made: str | None
    used: str | None


class CreatedToken(msgspec.Struct, frozen=True):
    id: str
    secret: str
    role: TokenRole
    survey: str | None
    expires: int | None


@post(
    "/api/v1/tokens",
    **operation(
        "createToken",
        "Make an access token; its secret is in the answer and nowhere else",
        {201: Reply("Made", CreatedToken)},
        (503,),
        body=TokenRequest,
        security=ORGANISER,
    ),
)
async def create_token(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    """A token has no wider scope and no later expiry than the token it is made with."""
    demand_some(request, intake.registry, intake.clock())
    order = await json_body(request, TokenRequest, 4096)
    maker = demand(request, intake.registry, "organiser", order.survey, intake.clock())
    if order.survey is not None and order.survey not in intake.registry.versions:
        raise Problem("request-refused", errors=(Fault("/survey", "survey-unknown", "There is no survey with this name."),))
    id, secret = tokens.make()
    expires = _end(order.days, maker, intake.clock())
    await intake.publish_control_event(
        Token(id, tokens.digest(secret), order.role, order.survey, expires, maker=maker.id, made=intake.today())
    )
    await intake.acts.record(maker.id, "token-made", order.survey, id)
    return private(CreatedToken(id, secret, order.role, order.survey, expires), 201)


def _end(days: int | None, maker: Token, now: float) -> int:
    wanted = int(now) + (days or DAYS) * 86_400
    if maker.expires is None or wanted <= maker.expires:
        return wanted
    if days is None:
        return maker.expires
    last = datetime.datetime.fromtimestamp(maker.expires, datetime.UTC).date().isoformat()
    raise Problem("request-refused", errors=(Fault("/days", "longer-than-maker", f"The token it is made with ends on {last}."),))


@get(
    "/api/v1/tokens",
    **operation(
        "listTokens", "The access tokens, without their secrets", {200: Reply("Tokens", list[TokenInfo])}, (400,), security=ORGANISER
    ),
)
async def list_tokens(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    """The tokens for surveys that the organiser's token covers."""
    asking, now = demand_some(request, intake.registry, intake.clock()), intake.clock()
    listed = [token for token in intake.registry.tokens.values() if asking.survey in (None, token.survey)]
    return private([_info(intake, token, now) for token in listed])


def _info(intake: Intake, token: Token, now: float) -> TokenInfo:
    orphan = token.lives(now) and not intake.registry.lives(token, now)
    return TokenInfo(
        *(token.id, token.role, token.survey, token.expires, token.revoked or orphan),
        *(token.maker, token.made, intake.token_uses.get(token.id)),
    )


@delete(
    "/api/v1/tokens/{token:str}",
    status_code=204,
    **operation(
        "revokeToken",
        "Revoke an access token, at once and for good",
        {204: Reply("Revoked, now or before")},
        (400, 404, 503),
        security=ORGANISER,
    ),
)
async def revoke_token(request: AnyRequest, intake: NamedDependency[Intake], token: TokenId) -> Response[None]:
    """Revokes a token with all tokens made with it. Revoking twice is harmless."""
    asking = demand_some(request, intake.registry, intake.clock())
    existing = intake.registry.token(token)
    if existing is None or asking.survey not in (None, existing.survey):
        raise Problem("not-found", "There is no token with this name.")
    if not existing.revoked:
        await intake.publish_control_event(structs.replace(existing, revoked=True))
        await intake.acts.record(asking.id, "token-revoked", existing.survey, existing.id)
    return Response(None, status_code=204)


HANDLERS = (create_token, list_tokens, revoke_token)
