"""What operators ask of the service: health, metrics, the description of the API."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from litestar import Response, get
from litestar.di import NamedDependency

from services.intake.context import Intake
from services.runtime.http import health
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.health import Readiness
from services.runtime.http.metrics import exposition
from services.runtime.http.responses import AnyRequest, cacheable
from services.runtime.openapi import NOT_MODIFIED, Reply, operation


@get("/health/live", **operation("isLive", "Whether the process runs", {200: Reply("It does")}))
async def live() -> Response[bytes]:
    return health.live()


@get("/health/ready", **operation("isReady", "Whether a response sent now would be stored", {200: Reply("Yes")}, (503,)))
async def ready(intake: NamedDependency[Intake]) -> Response[bytes]:
    """Ready means that an answer sent now would be stored: the surveys are known, and the journal has a leader that can write."""
    checks = {**intake.journal.checks(), "tasks": not intake.tasks.down}
    readiness = Readiness(checks, {"surveys": len(intake.catalogue.surveys)})
    return health.ready(readiness, "The journal is out of reach, or a task has ended.")


@get("/metrics", **operation("getMetrics", "Prometheus metrics", {200: Reply("Text format 0.0.4")}))
async def metrics(intake: NamedDependency[Intake]) -> Response[bytes]:
    return exposition(intake.metrics.text())


@get("/schema", **operation("getSchema", "This description", {200: Reply("OpenAPI 3.1"), 304: NOT_MODIFIED}))
async def schema(request: AnyRequest) -> Response[bytes]:
    """Of all services, as they stand behind one origin."""
    return cacheable(request, _document())


@cache
def _document() -> Encoded:
    """What `python -m deploy.contracts` wrote."""
    return Encoded.of((Path(__file__).parent / "openapi.json").read_bytes())


HANDLERS = (live, ready, metrics, schema)
