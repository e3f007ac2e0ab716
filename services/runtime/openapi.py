"""Describes HTTP operations at their handlers, for one OpenAPI document.

Litestar's generator reads paths, parameters and security from the handlers. `operation` adds what the generator has no place for: bodies
that a handler reads itself, header parameters, response headers and problems. msgspec writes the schemas of types, since the
generator's own plugin omits bounds of nested types, docstrings and `additionalProperties: false`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple, cast

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import (
    Components,
    License,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import PathParameter
from litestar.types import OperationIDCreator
from msgspec import UNSET, Meta, UnsetType

from proto.problem import KINDS, Fault

Json = dict[str, Any]
Headers = dict[str, OpenAPIHeader | Reference]

REF = "#/components/schemas/{name}"
ORGANISER: list[dict[str, list[str]]] = [{"token": []}]
ANYBODY_OR_TOKEN: list[dict[str, list[str]]] = [{}, *ORGANISER]
TOKEN_REFUSALS = (401, 403)
BODY_REFUSALS = (400, 408, 413, 415, 422)
"""Statuses of the problems of every operation that asks for a token, and of every one that takes a body."""
RETRY_STATUSES = (408, 429, 503)
"""Statuses of problems that come with Retry-After, in seconds."""
FALSE_BY_DEFAULT = ("required", "deprecated", "allowEmptyValue", "allowReserved")

SurveyId = Annotated[
    str, PathParameter(description="A survey's name, such as ai-security.", schema_extra={"pattern": "^[a-z][a-z0-9-]{0,63}$"})
]


class Problem(msgspec.Struct):
    """A refusal (RFC 9457)."""

    type: Annotated[str, Meta(extra_json_schema={"enum": [f"/problems/{code}" for code in KINDS]})]
    title: str
    status: int
    detail: str | UnsetType = UNSET
    errors: list[Fault] | UnsetType = UNSET
    receipt: Annotated[str, Meta(description="With `busy`: repeat the request with this Idempotency-Key.")] | UnsetType = UNSET


class Reply(NamedTuple):
    """A response that is no refusal. `kind`: the type of its body; None where there is no body, or its type is not described.

    `headers`: descriptions by name.
    """

    description: str
    kind: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}


NOT_MODIFIED = Reply("You have it already: the ETag is the one in If-None-Match.")


def header(name: str, description: str = "", **schema: Any) -> Parameter:
    """A header that the handler reads itself. `schema`: further members of its schema, such as `pattern`."""
    return Parameter(name, "header", schema=Schema(type=OpenAPIType.STRING, **schema), description=description or None)


def query(name: str, description: str) -> Parameter:
    """A query parameter that the handler reads itself."""
    return Parameter(name, "query", schema=Schema(type=OpenAPIType.STRING), description=description)


@dataclass
class ApiOperation(Operation):
    """An operation of the contract. `body_types`: types of its bodies; `named_types`: types that its schemas refer to by these names."""

    body_types: ClassVar[tuple[Any, ...]] = ()
    named_types: ClassVar[Mapping[str, Any]] = {}


def operation(
    id: str | OperationIDCreator,
    summary: str,
    replies: Mapping[int, Reply],
    refusals: Iterable[int] = (),
    *,
    security: list[dict[str, list[str]]] | None = None,
    parameters: Sequence[Parameter] = (),
    body: Any = None,
    body_needed: bool = True,
    shapes: Mapping[str, Any] = MappingProxyType({}),
    description: str | None = None,
) -> dict[str, Any]:
    """Returns the arguments that a route decorator takes to describe the handler.

    `id`: the operation's name in generated clients. `replies`: responses by status. `refusals`: statuses of problems (see `proto.problem`);
    those of a token and of a body are added. `parameters`: those that are not in the handler's signature. `body`: the type of a JSON body
    that the handler reads itself. `shapes`: types that schemas refer to by these names. `description`: default is the handler's docstring.
    """
    statuses = sorted({*refusals, *(TOKEN_REFUSALS if security else ()), *(() if body is None else BODY_REFUSALS)})

    @dataclass
    class Declared(ApiOperation):
        body_types = (Problem, *(reply.kind for reply in replies.values()), body)
        named_types = shapes

        def __post_init__(self) -> None:
            in_signature = [_read_parameter(parameter) for parameter in self.parameters or () if isinstance(parameter, Parameter)]
            conditions = [header("If-None-Match", "The ETag of what you have.")] if 304 in replies else []
            self.parameters = [*in_signature, *parameters, *conditions] or None
            self.responses = {str(status): _reply(reply) for status, reply in replies.items()}
            self.responses |= {str(status): _refusal(status) for status in statuses}
            if body is not None:
                self.request_body = RequestBody(_content(body, "application/json"), required=body_needed)

    return {"operation_id": id, "summary": summary, "description": description, "security": security, "operation_class": Declared}


def document(handlers: Iterable[Any], *dependencies: str) -> Json:
    """The OpenAPI 3.1 document of all handlers that are described with `operation`. `dependencies`: names of those they take.

    Raises ValueError where two types have the same name, or a refusal has a status that no problem has.
    """
    operations = {handler: handler.operation_class for handler in handlers if isinstance(handler, HTTPRouteHandler)}
    described = {handler: operation for handler, operation in operations.items() if issubclass(operation, ApiOperation)}
    app = Litestar(
        list(described),
        dependencies={name: Provide(object, sync_to_thread=False) for name in dependencies},
        openapi_config=OpenAPIConfig(
            path="/unused",  # the generator serves a copy of its own there; here nobody asks for it
            title="Platea",
            version="1",
            summary="Surveys about public space",
            description="Send, look up, change and withdraw responses; read and publish surveys. Refusals are problems (RFC 9457).",
            license=License("EUPL-1.2", identifier="EUPL-1.2"),
            components=Components(
                security_schemes={"token": SecurityScheme("http", scheme="bearer", description="`platea token create` makes one.")}
            ),
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    contents = app.openapi_schema.to_schema()
    body_types = [type for operation in described.values() for type in operation.body_types]
    _, shapes = msgspec.json.schema_components(body_types, ref_template=REF)
    if twice := [name for name in shapes if "." in name]:  # msgspec adds the module where two types have one name
        raise ValueError(f"a generated client needs a name for each of {twice}")
    shapes |= {name: _shape(type) for operation in described.values() for name, type in operation.named_types.items()}
    contents["components"]["schemas"] = dict(sorted(shapes.items()))
    contents["paths"] = _without_false(dict(sorted(contents["paths"].items())))
    return contents


def _reply(reply: Reply) -> OpenAPIResponse:
    string = Schema(type=OpenAPIType.STRING)
    headers: Headers = {name: OpenAPIHeader(schema=string, description=text) for name, text in reply.headers.items()}
    return OpenAPIResponse(reply.description, headers or None, None if reply.kind is None else _content(reply.kind, reply.media_type))


def _refusal(status: int) -> OpenAPIResponse:
    kinds = [kind for kind in KINDS.values() if kind.status == status]
    if not kinds:
        raise ValueError(f"no problem has status {status}")
    headers: Headers = {"Retry-After": OpenAPIHeader(schema=Schema(type=OpenAPIType.INTEGER))} if status in RETRY_STATUSES else {}
    description = "One of: " + "; ".join(f"`{kind.code}` ({kind.title})" for kind in kinds)
    return OpenAPIResponse(description, headers or None, _content(Problem, "application/problem+json"))


def _content(kind: Any, media_type: str) -> dict[str, OpenAPIMediaType]:
    return {media_type: OpenAPIMediaType(schema=_Shape(kind=kind))}


@dataclass
class _Shape(Schema):
    """A schema that msgspec writes."""

    kind: Any = None

    def to_schema(self) -> Json:
        return _shape(self.kind)


def _shape(kind: Any) -> Json:
    """The JSON Schema of a type; a Struct is referred to."""
    (shape,), _ = msgspec.json.schema_components([kind], ref_template=REF)
    return shape


def _read_parameter(parameter: Parameter) -> Parameter:
    """Removes the second copy of the description, and null from the type: a parameter in an address is absent or a text."""
    schema = parameter.schema
    if isinstance(schema, Schema):
        schema.description = None
        if schema.one_of and isinstance(schema.one_of[0], Schema):
            schema.type, schema.one_of = schema.one_of[0].type, None
    return parameter


def _without_false(node: Any) -> Any:
    """Returns the JSON without members that say the default."""
    match node:
        case dict():
            members = cast("Json", node)
            return {name: _without_false(value) for name, value in members.items() if value is not False or name not in FALSE_BY_DEFAULT}
        case list():
            return [_without_false(each) for each in cast("list[Any]", node)]
        case _:
            return node
