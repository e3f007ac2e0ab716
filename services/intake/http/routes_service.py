"""What operators ask of the service: health, metrics, the description of the API."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.http import openapi
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.responses import Req, cacheable, private

SCHEMA = Encoded.of(openapi.BODY)


@get("/health/live")
async def live() -> Response[bytes]:
    return private({"status": "live"})


@get("/health/ready")
async def ready(intake: NamedDependency[Intake]) -> Response[bytes]:
    """Ready means that an answer sent now would be stored: the surveys are known, and the journal has a leader that can write."""
    checks = {**intake.journal.checks(), "tasks": not intake.tasks.down}
    if not all(checks.values()):
        raise Problem("unavailable", "The journal is out of reach, or a task has ended.", retry_after=1, extra={"checks": checks})
    return private({"status": "ready", "surveys": len(intake.catalogue.surveys), "checks": checks})


@get("/metrics")
async def metrics(intake: NamedDependency[Intake]) -> Response[bytes]:
    return Response(intake.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8", headers={"Cache-Control": "no-store"})


@get("/schema")
async def schema(request: Req) -> Response[bytes]:
    return cacheable(request, SCHEMA)


HANDLERS = (live, ready, metrics, schema)
