"""Who may ask: the bearer token of a request (RFC 6750, 2.1)."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

from proto.problem import Problem
from proto.registry import Registry
from proto.tokens import Token, TokenRole

AnyConnection = ASGIConnection[Any, Any, Any, Any]


def bearer(request: AnyConnection) -> str | None:
    """The secret in `Authorization: Bearer …`."""
    return secret_in(request.headers.get("authorization", ""))


def secret_in(authorization: str) -> str | None:
    """The secret in the value of this header; None where it has another scheme or none. Schemes have no case (RFC 9110, 11.1)."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def demand(request: AnyConnection, registry: Registry, role: TokenRole, survey: str | None, now: float) -> Token:
    """The token of the request. Raises Problem unless it has that role for that survey."""
    return _known(registry.opening(_secret(request), role, survey, now))


def demand_some(request: AnyConnection, registry: Registry, now: float) -> Token:
    """An organiser's token, for whichever survey: asked for before a body is read that says which. Raises Problem."""
    token = registry.living(_secret(request), now)
    return _known(token if token is not None and token.role == "organiser" else None)


def _secret(request: AnyConnection) -> str:
    secret = bearer(request)
    if secret is None:
        raise Problem("token-missing")
    return secret


def _known(token: Token | None) -> Token:
    if token is None:
        raise Problem("token-refused")
    return token
