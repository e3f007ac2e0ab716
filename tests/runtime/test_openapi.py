"""An operation is told where it is handled; what cannot be true stops the document."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from services.runtime.openapi import ANYBODY_OR_TOKEN, NOT_MODIFIED, Reply, SurveyId, document, header, operation, query


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What is wanted."""

    sizes: Annotated[list[Annotated[int, msgspec.Meta(ge=1)]], msgspec.Meta(max_length=3)]
    note: str | None = None


@post(
    "/api/{survey:str}/orders",
    **operation(
        "order",
        "Order something",
        {201: Reply("Ordered", list[Order], headers={"Location": "The order"})},
        (404,),
        body=Annotated[Order, msgspec.Meta(description="At most a few.")],
        security=ANYBODY_OR_TOKEN,
        parameters=[header("Hint", "A word", pattern="^[a-z]+$"), query("why", "A reason")],
    ),
)
async def order(intake: NamedDependency[object], survey: SurveyId, lang: FromQuery[str | None] = None) -> None:
    """Nobody may order twice."""


@get("/page")
async def page() -> str:
    """A page, which is no part of the contract."""
    return ""


def test_an_operation_is_described_as_its_handler_says() -> None:
    made = document([order, page], "intake")
    assert made["paths"].keys() == {"/api/{survey}/orders"}
    told = made["paths"]["/api/{survey}/orders"]["post"]
    assert told["operationId"] == "order"
    assert (told["summary"], told["description"]) == ("Order something", "Nobody may order twice.")
    assert told["security"] == [{}, {"token": []}]
    survey = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,63}$"}
    text = {"type": "string"}
    assert told["parameters"] == [
        {"name": "survey", "in": "path", "schema": survey, "description": "A survey's name, such as ai-security.", "required": True},
        {"name": "lang", "in": "query", "schema": text},
        {"name": "Hint", "in": "header", "schema": text | {"pattern": "^[a-z]+$"}, "description": "A word"},
        {"name": "why", "in": "query", "schema": text, "description": "A reason"},
    ]
    shape = {"$ref": "#/components/schemas/Order"}
    body = {"description": "At most a few."} | shape
    assert told["requestBody"] == {"required": True, "content": {"application/json": {"schema": body}}}
    assert told["responses"].keys() == {"201", "400", "401", "403", "404", "408", "413", "415", "422"}
    assert told["responses"]["201"] == {
        "description": "Ordered",
        "headers": {"Location": {"schema": text, "description": "The order"}},
        "content": {"application/json": {"schema": {"type": "array", "items": shape}}},
    }
    slow = told["responses"]["408"]
    assert slow["description"] == "One of: `too-slow` (The body took too long to arrive)"
    assert slow["headers"] == {"Retry-After": {"schema": {"type": "integer"}}}
    assert slow["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_shapes_keep_bounds_docstrings_and_that_nothing_else_is_taken() -> None:
    shapes = document([order], "intake")["components"]["schemas"]
    assert shapes.keys() == {"Fault", "Order", "Problem"}
    assert shapes["Order"] == {
        "title": "Order",
        "description": "What is wanted.",
        "type": "object",
        "properties": {
            "sizes": {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 3},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["sizes"],
        "additionalProperties": False,
    }


def test_what_may_be_unchanged_is_asked_for_with_its_etag() -> None:
    @get("/list", **operation("list", "A list", {200: Reply("It", str, "text/csv"), 304: NOT_MODIFIED}))
    async def handler() -> None: ...

    told = document([handler])["paths"]["/list"]["get"]
    assert [parameter["name"] for parameter in told["parameters"]] == ["If-None-Match"]
    assert told["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert "content" not in told["responses"]["304"]


def test_a_refusal_that_no_problem_has_stops_the_document() -> None:
    @get("/teapot", **operation("brew", "Coffee", {}, (418,)))
    async def handler() -> None: ...

    with pytest.raises(ValueError, match="418"):
        document([handler])


def _answering(*kinds: Any) -> list[Any]:
    def handler(number: int, kind: Any) -> Any:
        @get(f"/{number}", **operation(f"get{number}", "One", {200: Reply("It", kind)}))
        async def one() -> None: ...

        return one

    return [handler(number, kind) for number, kind in enumerate(kinds)]


def test_two_types_of_one_name_stop_the_document() -> None:
    inner = msgspec.defstruct("Order", [("x", int)], module="elsewhere")
    with pytest.raises(ValueError, match=r"elsewhere\.Order"):
        document(_answering(Order, msgspec.defstruct("Holder", [("inner", inner)])))
