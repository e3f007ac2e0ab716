"""GET /s/{survey}/print and print.pdf: the whole questionnaire of a survey, without answers."""

from __future__ import annotations

from functools import lru_cache

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.answers import Reader
from proto.problem import Problem
from services.intake.context import Intake
from services.intake.form.pages import compose
from services.intake.form.pages.compose_blank import blank
from services.intake.http.error_pages import answer_as
from services.intake.http.page_requests import known_survey, read_in
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.render_queue import while_wanted
from services.runtime.http.responses import REVALIDATED, AnyRequest, cacheable, page_headers
from services.runtime.http.security_headers import NO_SNIFFING


@get("/s/{survey:str}/print", include_in_schema=False)
async def questionnaire(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Response[bytes]:
    """Of the current version, also before the survey opens and after it closed: its definition is public."""
    known = known_survey(intake, survey)
    voice = read_in(request, known.current).voice
    return cacheable(request, _page(known.current, voice.language, voice.tongue), page_headers(voice.language))


@lru_cache(maxsize=100)
def _page(reader: Reader, language: str, tongue: str) -> Encoded:
    return Encoded.of(blank(compose.survey_in(reader.instrument, language, tongue)), "text/html")


@get("/s/{survey:str}/print.pdf", include_in_schema=False)
async def as_pdf(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Response[bytes]:
    known = known_survey(intake, survey)
    voice = read_in(request, known.current).voice
    try:
        pdf = await while_wanted(request, intake.pdf_press.blank(known.current, voice.language, voice.tongue))
    except Problem as refusal:
        intake.metrics.ended(refusal.code)
        return answer_as(request, refusal, "pdf")
    named = {"Content-Language": voice.language, "Content-Disposition": f'inline; filename="{survey}-{voice.language}.pdf"'}
    return cacheable(request, pdf, {**NO_SNIFFING, **REVALIDATED, **named, "Vary": "Accept-Language"})


HANDLERS = (questionnaire, as_pdf)
