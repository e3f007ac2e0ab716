"""The HTTP API of all three services as one OpenAPI 3.1 document, as they stand behind one origin.

Intake describes itself. Of analysis and export the paths and parameters come from their routes, and what they answer is told here;
a route that is told on one side only stops the generator.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig

from proto.manifest import Manifest
from proto.problem import KINDS
from proto.snapshot import Snapshot, Table
from services.analysis.gateway import app
from services.analysis.gateway.routes_parked import ParkedEvents, ParkedEventsToDrop
from services.export.http import app as export
from services.export.jobs import Job
from services.export.texts.review import ReviewOrder, ReviewPage, ReviewResult
from services.intake.http import openapi as intake

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_ORGANISER: list[Json] = [{"token": []}]


def document() -> Json:
    made: Json = msgspec.json.decode(intake.BODY)
    routed = _routed(app.ROUTES) | _routed(export.ROUTES)
    told = _operations()
    if astray := routed.keys() ^ (told.keys() - {("/api/v1/surveys/{survey}/live", "get")}):
        raise ValueError(f"told in one place only: {sorted(astray)}")
    for (path, method), operation in told.items():
        own = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _named(path)]
        named = {parameter["name"]: parameter for parameter in routed.get((path, method), own)}
        for parameter in operation.pop("parameters", []):
            named[parameter["name"]] = named.get(parameter["name"], {}) | parameter
        made["paths"].setdefault(path, {})[method] = {"parameters": list(named.values())} | operation
    made["components"]["schemas"] |= _schemas(made["components"]["schemas"].keys())
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _routed(routes: Sequence[Any]) -> dict[tuple[str, str], list[Json]]:
    """The parameters of each API route; pages and what only operators ask are not part of the contract."""
    described = Litestar(list(routes), openapi_config=OpenAPIConfig(title="", version=""))
    paths: Json = described.openapi_schema.to_schema()["paths"]
    found: dict[tuple[str, str], list[Json]] = {}
    for path, item in paths.items():
        for method, operation in item.items():
            if path.startswith("/api/"):
                kept = ("name", "in", "required", "schema")
                found[path, method] = [{key: each[key] for key in kept} for each in operation.get("parameters", [])]
    return found


def _named(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _operations() -> dict[tuple[str, str], Json]:
    survey = "/api/v1/surveys/{survey}"
    view = {"name": "view", "schema": {"enum": ["public", "exact"], "default": "public"}, "description": "exact needs an organiser token."}
    either: list[Json] = [{}, *_ORGANISER]
    recount = {
        "summary": "Recompute every exact statistic from the stored responses; tells what differs (organiser token)",
        "security": _ORGANISER,
    }
    recounted = _answers({"200": _json({"type": "object"}, "What was compared, and what differs")}, 401, 403, 404, 503)
    number = {"name": "number", "schema": {"type": "integer", "minimum": 1}}
    return {
        (f"{survey}/aggregates", "get"): {
            "operationId": "getAggregates",
            "summary": "The published snapshot; with view=exact everything, nothing withheld",
            "security": either,
            "parameters": [view],
            "responses": _answers(
                {"200": _json(_ref("Snapshot"), "The figures; ETag is the revision"), "304": _SAME}, 400, 401, 403, 404, 422, 503
            ),
        },
        (f"{survey}/aggregates.csv", "get"): {
            "operationId": "getAggregatesAsCsv",
            "summary": "The published one-way figures of all questions, for everybody and for each group, one cell a line",
            "responses": _answers({"200": _TABLE, "304": _SAME}, 404, 503),
        },
        (f"{survey}/aggregates/{{row}}/{{column}}", "get"): {
            "operationId": "getTable",
            "summary": "Any two-way table of two questions, rows of a matrix (B02.cctv) or strata; as CSV with .csv behind it",
            "security": either,
            "parameters": [view],
            "responses": _answers(
                {"200": _json(_ref("Table"), "The table; ETag is the revision"), "304": _SAME}, 400, 401, 403, 404, 422, 503
            ),
        },
        (f"{survey}/live", "get"): {
            "operationId": "watchAggregates",
            "summary": "Server-Sent Events: the current snapshot at once, then each new one",
            "parameters": [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "schema": {"type": "string"},
                    "description": "The revision you have: the next one follows. One that never was is answered with the current one.",
                },
                {
                    "name": "notice",
                    "in": "query",
                    "schema": {"type": "boolean", "default": False},
                    "description": "Only that there is a new edition: survey, revision, as_of, responses",
                },
            ],
            "responses": _answers(
                {
                    "200": {
                        "description": "event: snapshot, id: the revision, data: a Snapshot",
                        "content": {"text/event-stream": {"schema": _TEXT}},
                    }
                },
                *(404, 405, 429, 503),
            ),
        },
        (f"{survey}/recount", "get"): recount | {"operationId": "recount", "responses": recounted},
        (f"{survey}/recount", "post"): recount | {"operationId": "recountAgain", "responses": recounted},
        ("/api/v1/parked", "get"): {
            "operationId": "listParked",
            "summary": "Accepted events that could not be read, and such that wait for a version of a survey to be known (organiser token)",
            "security": _ORGANISER,
            "responses": _answers(
                {"200": _json({"type": "object"}, "Their number, place and reason, and the day since when")}, 401, 403, 503
            ),
        },
        ("/api/v1/parked/retry", "post"): {
            "operationId": "retryParked",
            "summary": "Read parked events again from the journal, all or the named ones; tells what became of them (organiser token)",
            "security": _ORGANISER,
            "requestBody": {"required": False, "content": {"application/json": {"schema": _ref("ParkedEvents")}}},
            "responses": _answers({"200": _json({"type": "object"}, "How many were recorded, and how many not")}, 401, 403, 422, 503),
        },
        ("/api/v1/parked/drop", "post"): {
            "operationId": "dropParked",
            "summary": "Erase events from the journal for good; count must be how many they are (organiser token)",
            "security": _ORGANISER,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ParkedEventsToDrop")}}},
            "responses": _answers({"200": _json({"type": "object"}, "How many were erased")}, 401, 403, 412, 422, 503),
        },
        (f"{survey}/releases", "get"): {
            "operationId": "listReleases",
            "summary": "The manifests of all releases, oldest first (researcher token); without a token, of those for everybody",
            "security": either,
            "responses": _answers({"200": _json({"type": "array", "items": _ref("Manifest")}, "Manifests")}, 401, 403, 404, 503),
        },
        (f"{survey}/releases", "post"): {
            "operationId": "orderRelease",
            "summary": "Start building a release; the answer is a job to follow (organiser token)",
            "security": _ORGANISER,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ReleaseOrder")}}},
            "responses": _answers({"202": _json(_ref("Job"), "Begun; Location is the job")}, 400, 401, 403, 404, 413, 415, 422, 503),
        },
        (f"{survey}/releases/jobs/{{id}}", "get"): {
            "operationId": "getJob",
            "summary": "How far a job is (organiser token)",
            "security": _ORGANISER,
            "responses": _answers({"200": _json(_ref("Job"), "The job")}, 401, 403, 404, 503),
        },
        (f"{survey}/releases/jobs/{{id}}/events", "get"): {
            "operationId": "followJob",
            "summary": "Server-Sent Events: the job each time it has got further, until it has ended (organiser token)",
            "security": _ORGANISER,
            "responses": _answers(
                {"200": {"description": "event: progress, data: a Job", "content": {"text/event-stream": {"schema": _TEXT}}}},
                *(401, 403, 404, 503),
            ),
        },
        (f"{survey}/releases/review", "get"): {
            "operationId": "readTexts",
            "summary": "Free texts to read and decide on, with what a detector marked in them (organiser token)",
            "security": _ORGANISER,
            "responses": _answers({"200": _json(_ref("ReviewPage"), "Some of the texts, and how many there are")}, 400, 401, 403, 404, 503),
        },
        (f"{survey}/releases/review", "post"): {
            "operationId": "decideOnTexts",
            "summary": "Enter decisions about free texts; what was changed or withdrawn since it was shown is named (organiser token)",
            "security": _ORGANISER,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ReviewOrder")}}},
            "responses": _answers({"200": _json(_ref("ReviewResult"), "What was entered")}, 400, 401, 403, 404, 413, 415, 422, 503),
        },
        (f"{survey}/releases/{{number}}/rebuild", "post"): {
            "operationId": "rebuildRelease",
            "summary": "Build a release again and compare its bytes, publishing nothing; the answer is a job to follow (organiser token)",
            "security": _ORGANISER,
            "parameters": [number],
            "responses": _answers({"202": _json(_ref("Job"), "Begun; Location is the job")}, 401, 403, 404, 503),
        },
        (f"{survey}/releases/{{number}}", "get"): {
            "operationId": "getRelease",
            "summary": "The manifest of one release (researcher token, unless the release is for everybody)",
            "security": either,
            "parameters": [number],
            "responses": _answers({"200": _json(_ref("Manifest"), "The manifest")}, 401, 403, 404, 503),
        },
        (f"{survey}/releases/{{number}}/{{name}}", "get"): {
            "operationId": "getReleaseFile",
            "summary": "One file of a release, or release.zip with all of them; ranges and ETags are honoured (token as for its manifest)",
            "security": either,
            "parameters": [number],
            "responses": _answers(
                {"200": {"description": "The file"}, "206": {"description": "The range asked for"}, "304": _SAME},
                *(401, 403, 404, 416, 503),
            ),
        },
    }


_TEXT: Json = {"type": "string"}
_TABLE: Json = {"description": "The figures; ETag is the revision and the language", "content": {"text/csv": {"schema": _TEXT}}}
_SAME: Json = {"description": "You have it already: the ETag is the one in If-None-Match."}


def _ref(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}


def _json(schema: Json, description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _answers(good: Json, *problems: int) -> Json:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    codes = {status: [kind.code for kind in KINDS.values() if kind.status == status] for status in problems}
    bad = {str(status): {"description": "One of: " + ", ".join(codes[status]), "content": content} for status in problems}
    return good | bad


def _schemas(taken: Collection[str]) -> Json:
    """The shapes of analysis and export; where intake has another shape of the same name, theirs is called Published…"""
    kinds = (Snapshot, Table, Manifest, Job, ReviewOrder, ReviewPage, ReviewResult, ParkedEvents, ParkedEventsToDrop)
    _, found = msgspec.json.schema_components(kinds, ref_template=_REF)
    text = msgspec.json.encode(found).decode()
    for name in found.keys() & set(taken):
        text = text.replace(f'"{_REF.format(name=name)}"', f'"{_REF.format(name=f"Published{name}")}"')
    renamed: Json = {f"Published{name}" if name in taken else name: shape for name, shape in msgspec.json.decode(text).items()}
    _, order = msgspec.json.schema_components((export.ReleaseOrder,), ref_template=_REF)
    return renamed | {"ReleaseOrder": order["ReleaseOrder"]}
