"""For organisers: publishing surveys, making and revoking access tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, structs

from proto import instrument as instruments
from proto import tokens, version_changes, web
from proto.instrument import Instrument
from proto.problem import Fault, Problem
from proto.registry import published
from proto.tokens import Token, TokenRole
from services.intake import publication
from services.intake.context import Intake
from services.intake.control import announce
from services.intake.replies import Req, json, options, private


class Published(msgspec.Struct, frozen=True):
    """`current`: the version that is answered now, which is another one where an earlier version was published again."""

    survey: str
    version: str
    open: bool
    current: str


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token wanted. Without `survey` it opens all surveys, without `days` it never ends."""

    role: TokenRole
    survey: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")] | None = None
    days: Annotated[int, Meta(ge=1, le=36500)] | None = None


class Shown(msgspec.Struct, frozen=True):
    """A token as organisers see it; its secret is not kept anywhere."""

    id: str
    role: TokenRole
    survey: str | None
    expires: int | None
    revoked: bool


class Made(msgspec.Struct, frozen=True):
    id: str
    secret: str
    role: TokenRole
    survey: str | None
    expires: int | None


@post("/api/v1/surveys")
async def publish(request: Req, intake: NamedDependency[Intake]) -> Response[bytes]:
    """201 where the version is new, 200 where the same was published before: then nothing changes, and what was closed stays closed."""
    _known_organiser(request, intake)
    instrument = publication.read(await web.json_text(request, publication.MAX_INSTRUMENT))
    if isinstance(instrument, list):
        raise Problem("instrument-refused", errors=tuple(instrument))
    _demand(request, intake, instrument.id)
    versions = intake.registry.versions.get(instrument.id, {})
    earlier, current = versions.get(instrument.version), intake.registry.current(instrument.id)
    if earlier is not None and current is not None:
        if instruments.encode(earlier) != instruments.encode(instrument):
            raise Problem("version-differs", "Answers refer to it, so it never changes: publish under a higher version.")
        return json(Published(instrument.id, instrument.version, intake.registry.is_open(instrument.id), current.version))
    if intake.registry.over(instrument.id, intake.today()):
        raise Problem("survey-closed", "The answers to it are deleted, so it stays closed: publish the questionnaire under another id.")
    _refuse_succession(versions, instrument)
    await announce(intake, published(instrument))
    headers = {"Location": f"/api/v1/surveys/{instrument.id}"}
    return json(Published(instrument.id, instrument.version, open=True, current=instrument.version), 201, headers)


def _refuse_succession(versions: Mapping[str, Instrument], instrument: Instrument) -> None:
    """Versions only go up, and an id keeps its type. Raises Problem."""
    if versions and version_changes.number(instrument.version) <= version_changes.number(highest := version_changes.highest(versions)):
        detail = f"{highest} is published, and {instrument.version} is not higher: publish under a higher version."
        raise Problem("version-not-higher", detail)
    if faults := version_changes.type_faults(versions.values(), instrument):
        raise Problem("instrument-refused", errors=tuple(faults))


@post("/api/v1/tokens")
async def create_token(request: Req, intake: NamedDependency[Intake]) -> Response[bytes]:
    _known_organiser(request, intake)
    order = await web.json_body(request, Order, 4096)
    _demand(request, intake, order.survey)
    if order.survey is not None and order.survey not in intake.registry.versions:
        raise Problem("request-refused", errors=(Fault("/survey", "survey-unknown", "There is no survey with this name."),))
    id, secret = tokens.make()
    expires = None if order.days is None else int(intake.clock()) + order.days * 86_400
    await announce(intake, Token(id, tokens.digest(secret), order.role, order.survey, expires))
    return private(Made(id, secret, order.role, order.survey, expires), 201)


@get("/api/v1/tokens")
async def list_tokens(request: Req, intake: NamedDependency[Intake]) -> Response[bytes]:
    _demand(request, intake, None)
    found = intake.registry.tokens.values()
    return private([Shown(token.id, token.role, token.survey, token.expires, token.revoked) for token in found])


@delete("/api/v1/tokens/{token:str}", status_code=204)
async def revoke_token(request: Req, intake: NamedDependency[Intake], token: FromPath[str]) -> Response[None]:
    """Revoking twice is harmless."""
    _demand(request, intake, None)
    found = next((known for known in intake.registry.tokens.values() if known.id == token), None)
    if found is None:
        raise Problem("not-found", "There is no token with this name.")
    if not found.revoked:
        await announce(intake, structs.replace(found, revoked=True))
    return Response(None, status_code=204)


def _known_organiser(request: Req, intake: Intake) -> None:
    """Before a body is read: somebody with an organiser's token, for whichever survey."""
    secret = web.bearer(request)
    if secret is None:
        raise Problem("token-missing")
    token = intake.registry.tokens.get(tokens.digest(secret))
    if token is None or not token.allows("organiser", token.survey, intake.clock()):
        raise Problem("token-refused")


def _demand(request: Req, intake: Intake, survey: str | None) -> None:
    web.demand(request, intake.registry, "organiser", survey, intake.clock())


HANDLERS = (options("/api/v1/tokens", "GET", "POST"), publish, create_token, list_tokens, revoke_token)
