"""One origin for all services: intake in this process, the others behind it by path.

Respondents' requests are handed straight to intake's app. What is proxied may be slow or gone without them noticing.
"""

from __future__ import annotations

from collections.abc import Mapping

from litestar.types import ASGIApp, Receive, Scope, Send

from services.runtime.http.connection_limit import Seats

_BY_FOLDER = {"live": "analysis", "analysis": "analysis", "data": "export", "export": "export", "docs": "documentation"}
_BY_RESOURCE = {"aggregates": "analysis", "aggregates.csv": "analysis", "live": "analysis", "recount": "analysis", "releases": "export"}


def service_behind(path: str) -> str | None:
    """Which service answers this path; None is intake."""
    parts = path.split("/", 6)
    if parts[1:4] == ["api", "v1", "surveys"]:
        return _BY_RESOURCE.get(parts[5]) if len(parts) > 5 else None
    if parts[1:4] == ["api", "v1", "parked"]:
        return "analysis"
    return _BY_FOLDER.get(parts[1]) if len(parts) > 1 else None


class Front:
    """The ASGI app of the whole origin."""

    def __init__(self, intake: ASGIApp, behind: Mapping[str, ASGIApp], seats: Seats | None = None) -> None:
        self._intake, self._behind, self._seats = intake, behind, seats or Seats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = service_behind(scope["path"]) if scope["type"] == "http" else None
        app = self._intake if service is None else self._behind[service]
        if service == "analysis" and scope["path"].startswith("/api/") and scope["path"].endswith("/live"):
            app = self._seats.seated(app)  # counted here, by address, in memory: the services behind are not told who asks
        await app(scope, receive, send)
