"""Results by e-mail: the page that takes an address, sent apart from all answers, and the organiser's list."""

from __future__ import annotations

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proto.problem import Problem
from proto.tokens import Token
from services.intake.contacts import contacts
from services.intake.contacts.contact_book import ContactsBusy
from services.intake.contacts.contacts import Contact
from services.intake.context import Intake
from services.intake.flood.flood_guard import TRAP
from services.intake.form.pages import compose_contact
from services.intake.form.pages.compose_contact import Fault
from services.intake.form.pages.notice import version_of
from services.intake.http.page_requests import NO_STORE, Page, first, html, known_survey, read_form, read_in
from services.intake.surveys import catalogue
from services.runtime.http.authorization import demand
from services.runtime.http.conditional import matches
from services.runtime.http.responses import AnyRequest, field_lines
from services.runtime.openapi import ORGANISER, Reply, SurveyId, header, operation

API = "/api/v1/surveys/{survey:str}/contacts"
AGAIN = {**NO_STORE, "Retry-After": "5"}


@get("/s/{survey:str}/contact", include_in_schema=False)
async def contact_form(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    paper = read_in(request, _offering(intake, survey).current)
    return html(compose_contact.ask(paper), paper.voice.language)


@post("/s/{survey:str}/contact", status_code=200, include_in_schema=False)
async def contact(request: AnyRequest, intake: NamedDependency[Intake], survey: FromPath[str]) -> Page:
    """Puts an address on the list of those who want the results, or takes it off.

    The answer is the same whether it was there before or not. Who fills in the field that nobody sees is told that the list is busy.
    """
    known = _offering(intake, survey)
    paper = read_in(request, known.current)
    language, fields = paper.voice.language, await read_form(request)
    typed, leaves = first(fields, "address")[:1000], first(fields, "go") == "remove"
    agreed, interview = bool(first(fields, "agree")), bool(first(fields, "interview"))
    address = contacts.fit(typed)
    faults: list[Fault] = []
    if address is None:
        faults.append("unfit" if typed.strip() else "empty")
    if not agreed and not leaves:
        faults.append("agree_needed")
    if address is None or faults:
        return html(compose_contact.ask(paper, typed, faults, agreed=agreed, interview=interview), language, 422, NO_STORE)
    try:
        if first(fields, TRAP):
            raise ContactsBusy
        if leaves:
            await intake.contacts.remove(survey, address)
        else:
            await intake.contacts.add(survey, Contact(address, version_of(known.current.instrument), interview))
    except ContactsBusy:
        return html(compose_contact.ask(paper, typed, agreed=agreed, interview=interview, busy=True), language, 503, AGAIN)
    return html(compose_contact.done(paper, "contact_removed" if leaves else "contact_done"), language, headers=NO_STORE)


@get(
    API,
    **operation(
        "listContacts",
        "Who left an address to hear of the results, kept apart from all answers",
        {200: Reply("Sorted by address", list[Contact], headers={"ETag": "Names what is on the list."})},
        (400, 404, 503),
        security=ORGANISER,
    ),
)
async def contact_list(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[bytes]:
    """The list, sorted by address. Its ETag is for deleting exactly this list."""
    by = _demand(request, intake, survey)
    try:
        body = await intake.contacts.read(survey)
    except ContactsBusy:
        raise Problem("busy", retry_after=2) from None
    await intake.acts.record(by.id, "contacts-read", survey)
    headers = {"ETag": f'"{contacts.version(body)}"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


@delete(
    API,
    status_code=204,
    **operation(
        "deleteContacts",
        "Empty the list and overwrite what it held",
        {204: Reply("Deleted")},
        (400, 404, 412, 503),
        parameters=[header("If-Match", "The ETag of the list you have: then nothing is deleted that you have not seen.")],
        security=ORGANISER,
    ),
)
async def delete_contacts(request: AnyRequest, intake: NamedDependency[Intake], survey: SurveyId) -> Response[None]:
    """Empties the list and overwrites its bytes. With If-Match, only if nothing changed since."""
    by = _demand(request, intake, survey)
    condition = field_lines(request, "if-match")
    try:
        if not await intake.contacts.delete(survey, lambda version: matches(condition, f'"{version}"')):
            raise Problem("list-changed", "Get it again, then delete what you have.")
    except ContactsBusy:
        raise Problem("busy", retry_after=2) from None
    await intake.acts.record(by.id, "contacts-deleted", survey)
    return Response(None, status_code=204)


def _offering(intake: Intake, survey: str) -> catalogue.CatalogueEntry:
    known = known_survey(intake, survey)
    if known.current.instrument.contact_form is None:
        raise Problem("not-found")
    return known


def _demand(request: AnyRequest, intake: Intake, survey: str) -> Token:
    by = demand(request, intake.registry, "organiser", survey, intake.clock())
    if survey not in intake.catalogue.surveys:
        raise Problem("survey-unknown")
    return by


HANDLERS = (contact_form, contact, contact_list, delete_contacts)
