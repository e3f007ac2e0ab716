"""What every page route does with a request: which survey, in which language, what was typed, and the page that goes back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from litestar import Response

from proto import bounds
from proto import receipt as receipts
from proto.answers import Reader
from proto.languages import choose
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.form.pages import compose, compose_receipt
from services.intake.form.pages.compose import Survey
from services.intake.form.pages.compose_receipt import Status
from services.intake.form.pages.words import catalogues
from services.intake.http.http_responses import Req
from services.intake.surveys import catalogue
from services.runtime import http_server
from services.runtime.host_guard import origin_of

MAX_FIELDS = 5000

Page = Response[bytes]
NO_STORE = {"Cache-Control": "no-store"}


def html(body: bytes, language: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Page:
    """A page. Browsers keep it for going back, and for nothing else."""
    fixed = {"Cache-Control": "private, no-cache", "Content-Language": language, "Vary": "Accept-Language"}
    return Response(body, status_code=status, media_type="text/html", headers={**http_server.SECURITY_HEADERS, **fixed, **(headers or {})})


def deleted(paper: Survey, receipt: str, problem: Problem) -> Page:
    """For whoever asks for answers whose time is over."""
    found = Status("deleted", "", receipts.shown(receipt), problem.extra["on"])
    return html(compose_receipt.status(paper, found, is_open=False), paper.voice.language, problem.kind.status, NO_STORE)


def language_of(request: Req) -> str:
    """The language of a page that is about no survey."""
    return choose(catalogues(), request.query_params.get("lang"), request.headers.get("accept-language", ""))


def known_survey(intake: Intake, survey: str) -> catalogue.Survey:
    known = intake.catalogue.surveys.get(survey)
    if known is None:
        raise Problem("survey-unknown")
    return known


def demand_open(intake: Intake, survey: str) -> None:
    if not intake.registry.is_open(survey):
        raise Problem("survey-closed")


def read_in(request: Req, reader: Reader) -> Survey:
    """The survey in the language that this reader gets."""
    accepted = next((value for name, value in request.scope["headers"] if name == b"accept-language"), b"")
    return compose.survey_in(reader.instrument, request.query_params.get("lang"), accepted.decode("latin-1"))


def first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def demand_own_page(request: Req) -> None:
    """Raises Problem where another site filled in the page: somebody could be made to go on with it, and answer for a stranger.

    Browsers say it in Sec-Fetch-Site, over plain HTTP and in older ones in Origin: every one that knows our scripts sends it with a form,
    and "null" where a site hides itself. A request with neither comes from no page that a stranger can have somebody open. Only names are
    compared: whether there is TLS in front of us, we may not know.
    """
    fetched, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = fetched is None and origin is not None and urlsplit(origin.lower()).netloc != urlsplit(origin_of(request.scope)).netloc
    if elsewhere or fetched not in (None, "same-origin", "none"):
        raise Problem("cross-site", "Open the survey here and fill it in again.")


async def read_form(request: Req, limit: int = bounds.LEAST) -> dict[str, list[str]]:
    """What was typed, in at most `limit` bytes. Raises Problem."""
    demand_own_page(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem("media-type", "Send a form.")
    body = await http_server.read_body(request.receive, request.scope, limit, 10.0 * limit / bounds.LEAST)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem("bad-request", "The form cannot be read.") from None
