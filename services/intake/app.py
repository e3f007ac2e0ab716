"""The ASGI app of intake: all routes and the error handlers."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Scope

from proto.problem import Problem
from services.intake.context import Intake
from services.intake.http import (
    error_pages,
    routes_audit,
    routes_blank,
    routes_closing,
    routes_contacts,
    routes_drafts,
    routes_form,
    routes_invitations,
    routes_publication,
    routes_receipt_pages,
    routes_receipts,
    routes_responses,
    routes_retention,
    routes_service,
    routes_short_links,
    routes_statement,
    routes_static,
    routes_surveys,
    routes_tokens,
)
from services.runtime.allowed_methods import with_options
from services.runtime.http.page_compression import compressing_pages

ROUTES = with_options(
    (
        *routes_receipts.HANDLERS,
        *routes_surveys.HANDLERS,
        *routes_audit.HANDLERS,
        *routes_publication.HANDLERS,
        *routes_closing.HANDLERS,
        *routes_tokens.HANDLERS,
        *routes_retention.HANDLERS,
        *routes_contacts.HANDLERS,
        *routes_service.HANDLERS,
        *routes_invitations.HANDLERS,
        *routes_form.HANDLERS,
        *routes_blank.HANDLERS,
        *routes_receipt_pages.HANDLERS,
        *routes_drafts.HANDLERS,
        *routes_statement.HANDLERS,
        *routes_static.HANDLERS,
        *routes_short_links.HANDLERS,
    )
)
DESCRIBED = (*ROUTES, routes_responses.described)
"""Handlers that the OpenAPI document describes."""


def create_app(intake: Intake) -> ASGIApp:
    """Handlers get `intake` as a parameter of that name."""

    def provide() -> Intake:
        return intake

    async def count(error: Exception, scope: Scope) -> None:
        if isinstance(error, Problem):
            intake.metrics.ended(error.code)
        elif not isinstance(error, HTTPException):
            intake.metrics.ended("internal")

    app = Litestar(
        route_handlers=ROUTES,
        dependencies={"intake": Provide(provide, sync_to_thread=False)},
        exception_handlers=error_pages.EXCEPTION_HANDLERS,
        after_exception=[count],
        state=State({"intake": intake}),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return routes_responses.shortcut(intake, compressing_pages(app))
