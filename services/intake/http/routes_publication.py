"""POST /api/v1/surveys: publishes a survey, for organisers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from proto import instrument as instruments
from proto import version_changes
from proto.instrument import Instrument
from proto.problem import Problem
from proto.registry import published
from proto.schedule import Phase
from services.intake.context import Intake
from services.intake.surveys import publication
from services.runtime.http.authorization import demand, demand_some
from services.runtime.http.request_bodies import json_text
from services.runtime.http.responses import AnyRequest, json
from services.runtime.openapi import ORGANISER, Reply, operation


class Published(msgspec.Struct, frozen=True):
    """`current`: the version that is answered now, which is another one where an earlier version was published again. `open`: whether
    answers are taken now; `state`: "coming" before it opens, "ending" where only those who have begun may send."""

    survey: str
    version: str
    open: bool
    current: str
    state: Phase


@post(
    "/api/v1/surveys",
    **operation(
        "publishSurvey",
        "Publish a version of an instrument; the same one again is harmless",
        {
            200: Reply("It was published before, with this very content", Published),
            201: Reply("Open", Published, headers={"Location": "The survey"}),
        },
        (409, 503),
        body=Instrument,
        security=ORGANISER,
    ),
)
async def publish(request: AnyRequest, intake: NamedDependency[Intake]) -> Response[bytes]:
    """201 where the version is new. 200 where the same was published before; then nothing changes, and a closed survey stays closed."""
    demand_some(request, intake.registry, intake.clock())
    instrument = publication.read(await json_text(request, publication.MAX_INSTRUMENT))
    if isinstance(instrument, list):
        raise Problem("instrument-refused", errors=tuple(instrument))
    by = demand(request, intake.registry, "organiser", instrument.id, intake.clock())
    versions = intake.registry.versions.get(instrument.id, {})
    earlier, current = versions.get(instrument.version), intake.registry.current(instrument.id)
    if earlier is not None and current is not None:
        if instruments.encode(earlier) != instruments.encode(instrument):
            raise Problem("version-differs", "Answers refer to it, so it never changes: publish under a higher version.")
        return json(_published(intake, instrument, current.version))
    if intake.registry.over(instrument.id, intake.today()):
        raise Problem("survey-closed", "The answers to it are deleted, so it stays closed: publish the questionnaire under another id.")
    _refuse_succession(versions, instrument)
    await intake.publish_control_event(published(instrument))
    await intake.acts.record(by.id, "survey-published", instrument.id, instrument.version)
    headers = {"Location": f"/api/v1/surveys/{instrument.id}"}
    return json(_published(intake, instrument, instrument.version), 201, headers)


def _published(intake: Intake, instrument: Instrument, current: str) -> Published:
    state = intake.phase(instrument.id)
    return Published(instrument.id, instrument.version, intake.takes_answers(instrument.id), current, state)


def _refuse_succession(versions: Mapping[str, Instrument], instrument: Instrument) -> None:
    """Raises Problem where the version is not higher, a question id changes its type, or the survey changes its guarantee."""
    if versions and version_changes.number(instrument.version) <= version_changes.number(highest := version_changes.highest(versions)):
        detail = f"{highest} is published, and {instrument.version} is not higher: publish under a higher version."
        raise Problem("version-not-higher", detail)
    faults = [*version_changes.type_faults(versions.values(), instrument), *version_changes.policy_faults(versions.values(), instrument)]
    if faults:
        raise Problem("instrument-refused", errors=tuple(faults))


HANDLERS = (publish,)
