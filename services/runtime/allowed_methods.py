"""OPTIONS of every path: the framework's own names the methods of one handler only, where several handlers share a path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from litestar import HttpMethod, Response, route
from litestar.handlers import HTTPRouteHandler


def with_options(handlers: Iterable[Any]) -> tuple[Any, ...]:
    """The handlers, and before them one for OPTIONS at each path that several have; it answers with Allow (RFC 9110, 9.3.7)."""
    handlers = tuple(handlers)
    sharing: defaultdict[str, list[HTTPRouteHandler]] = defaultdict(list)
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                sharing[path].append(handler)
    shared = {path: those for path, those in sharing.items() if len(those) > 1}
    return (*(_options(path, {method for each in those for method in each.http_methods}) for path, those in shared.items()), *handlers)


def _options(path: str, methods: set[Any]) -> HTTPRouteHandler:
    @route(path, http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False)
    async def handler() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": ", ".join(sorted({*methods, "OPTIONS"}))})

    return handler
