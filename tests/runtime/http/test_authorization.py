"""The Authorization header is read in one way, by every service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import RequestFactory

from proto import tokens
from proto.problem import Problem
from proto.registry import Registry
from proto.tokens import Token, TokenRole
from services.runtime.http.authorization import AnyConnection, bearer, demand, demand_some, secret_in

NOW = 1_000.0
SECRETS = {"organiser": "platea_whole", "researcher": "platea_reader"}
token_text = st.from_regex(r"[A-Za-z0-9._~+/_-]+=*", fullmatch=True)
schemes = st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR"])


def asked(authorization: str | None) -> AnyConnection:
    request: Any = RequestFactory().get("/", headers={} if authorization is None else {"Authorization": authorization})
    return request


@pytest.fixture
def registry() -> Registry:
    known, roles = Registry(), tuple[TokenRole, ...](("organiser", "researcher"))
    for role in roles:
        known.apply(Token(role, tokens.digest(SECRETS[role]), role))
    return known


@given(schemes, st.sampled_from([" ", "  ", "   "]), token_text)
def test_a_scheme_has_no_case_and_spaces_are_no_part_of_the_secret(scheme: str, gap: str, secret: str) -> None:
    assert secret_in(f"{scheme}{gap}{secret}") == secret


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer   ", "Basic dXNlcjpwYXNz", "Bearerplatea_x", "platea_x", "Digest Bearer x"]
)
def test_anything_else_is_no_token(header: str) -> None:
    assert secret_in(header) is None


def test_no_header_is_no_token() -> None:
    assert bearer(asked(None)) is None


@pytest.mark.parametrize(
    ("authorization", "role", "refusal"),
    [
        (None, "organiser", "token-missing"),
        ("Basic x", "organiser", "token-missing"),
        ("Bearer platea_x", "organiser", "token-refused"),
        ("Bearer platea_reader", "organiser", "token-refused"),
        ("bearer platea_whole", "organiser", None),
        ("Bearer platea_reader", "researcher", None),
    ],
)
def test_a_token_opens_what_its_role_may(registry: Registry, authorization: str | None, role: TokenRole, refusal: str | None) -> None:
    if refusal is None:
        assert demand(asked(authorization), registry, role, None, NOW).role == role
        return
    with pytest.raises(Problem) as refused:
        demand(asked(authorization), registry, role, None, NOW)
    assert refused.value.code == refusal
    assert ("WWW-Authenticate" in refused.value.headers) is (refusal == "token-missing")


@pytest.mark.parametrize(
    ("authorization", "refusal"), [(None, "token-missing"), ("Bearer platea_x", "token-refused"), ("Bearer platea_reader", "token-refused")]
)
def test_some_organisers_token_is_none_of_a_researcher(registry: Registry, authorization: str | None, refusal: str) -> None:
    with pytest.raises(Problem) as refused:
        demand_some(asked(authorization), registry, NOW)
    assert refused.value.code == refusal
    assert demand_some(asked("Bearer platea_whole"), registry, NOW).role == "organiser"
