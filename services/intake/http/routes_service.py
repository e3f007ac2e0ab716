"""What operators ask of the service: health, metrics, the description of the API."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from services.intake.context import Intake
from services.intake.http import openapi
from services.runtime.http import health
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.health import Readiness
from services.runtime.http.metrics import exposition
from services.runtime.http.responses import Req, cacheable

SCHEMA = Encoded.of(openapi.BODY)


@get("/health/live")
async def live() -> Response[bytes]:
    return health.live()


@get("/health/ready")
async def ready(intake: NamedDependency[Intake]) -> Response[bytes]:
    """Ready means that an answer sent now would be stored: the surveys are known, and the journal has a leader that can write."""
    checks = {**intake.journal.checks(), "tasks": not intake.tasks.down}
    readiness = Readiness(checks, {"surveys": len(intake.catalogue.surveys)})
    return health.ready(readiness, "The journal is out of reach, or a task has ended.")


@get("/metrics")
async def metrics(intake: NamedDependency[Intake]) -> Response[bytes]:
    return exposition(intake.metrics.text())


@get("/schema")
async def schema(request: Req) -> Response[bytes]:
    return cacheable(request, SCHEMA)


HANDLERS = (live, ready, metrics, schema)
