"""Helpers of the page routes: read the survey, the language and the form from a request, and make the response."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from litestar import Response

from proto import bounds, schedule
from proto import receipt as receipts
from proto.answers import Reader
from proto.languages import choose
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.form.pages import compose, compose_receipt
from services.intake.form.pages.compose import SurveyView
from services.intake.form.pages.compose_receipt import Status
from services.intake.form.pages.words import catalogues
from services.intake.surveys import catalogue
from services.runtime.http import responses
from services.runtime.http.host_guard import origin_of
from services.runtime.http.request_bodies import read_body
from services.runtime.http.responses import AnyRequest

MAX_FIELDS = 5000

Page = Response[bytes]
NO_STORE = {"Cache-Control": "no-store"}


def html(body: bytes, language: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Page:
    """An HTML response. Browsers may keep it for the back button only."""
    return responses.html(body, language, status, {"Cache-Control": "private, no-cache", **(headers or {})})


def deleted(paper: SurveyView, receipt: str, problem: Problem) -> Page:
    """The page for a receipt whose answers are deleted."""
    status = Status("deleted", "", receipts.shown(receipt), problem.extra["on"])
    return html(compose_receipt.status(paper, status, is_open=False), paper.voice.language, problem.kind.status, NO_STORE)


def language_of(request: AnyRequest) -> str:
    """The language of a page that belongs to no survey."""
    return choose(catalogues(), request.query_params.get("lang"), request.headers.get("accept-language", ""))


def known_survey(intake: Intake, survey: str) -> catalogue.CatalogueEntry:
    """Raises Problem where there is no such survey."""
    known = intake.catalogue.surveys.get(survey)
    if known is None:
        raise Problem("survey-unknown")
    return known


def demand_open(intake: Intake, survey: str, *, begun: bool = True) -> None:
    """Raises Problem where the survey takes no answers; of those who have not `begun`, from its closing on."""
    if refused := schedule.refusal(intake.phase(survey), begun=begun):
        raise refused


def read_in(request: AnyRequest, reader: Reader) -> SurveyView:
    """The survey in the language that this request asks for."""
    accepted = next((value for name, value in request.scope["headers"] if name == b"accept-language"), b"")
    return compose.survey_in(reader.instrument, request.query_params.get("lang"), accepted.decode("latin-1"))


def first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def demand_own_page(request: AnyRequest) -> None:
    """Raises Problem where the form was sent from another site, which could have filled it in for the respondent.

    Browsers send Sec-Fetch-Site; over plain HTTP, and older ones, Origin ("null" where a site hides itself). A request with neither header
    does not come from a page in a browser. Only host names are compared, since we may not know whether a proxy in front of us uses TLS.
    """
    fetched, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = fetched is None and origin is not None and urlsplit(origin.lower()).netloc != urlsplit(origin_of(request.scope)).netloc
    if elsewhere or fetched not in (None, "same-origin", "none"):
        raise Problem("cross-site", "Open the survey here and fill it in again.")


async def read_form(request: AnyRequest, limit: int = bounds.LEAST) -> dict[str, list[str]]:
    """The form fields of a request body of at most `limit` bytes. Raises Problem."""
    demand_own_page(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem("media-type", "Send a form.")
    body = await read_body(request.receive, request.scope, limit, 10.0 * limit / bounds.LEAST)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem("bad-request", "The form cannot be read.") from None
