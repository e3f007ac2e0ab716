"""The HTTP API of all three services as one OpenAPI document, as they stand behind one origin."""

from __future__ import annotations

from typing import Any

from services.analysis.gateway import app as gateway
from services.export.http import app as export
from services.intake import app as intake
from services.runtime import openapi


def document() -> dict[str, Any]:
    return openapi.document([*intake.DESCRIBED, *gateway.ROUTES, *export.ROUTES], "intake")
