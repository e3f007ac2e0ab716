"""Turns the body of a response into the event for the journal, or refuses it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec import UNSET

from proto import events
from proto.answers import Reader
from proto.events import ResponseReplaced, ResponseSubmitted
from proto.problem import Fault
from services.intake.surveys.catalogue import CatalogueEntry

E = TypeVar("E", ResponseSubmitted, ResponseReplaced)


@dataclass(frozen=True)
class Accepted:
    """A valid response. `receipt` goes back to the respondent and nowhere else."""

    event: ResponseSubmitted
    receipt: str


class _Versioned(msgspec.Struct):
    version: str | None = None


_versioned = msgspec.json.Decoder(_Versioned)


def accept(survey: CatalogueEntry, body: bytes, receipt: str, id: str, today: str, *, organiser: bool) -> Accepted | list[Fault]:
    """The response in this body, or all its faults. `today`: the ISO date that dates are checked against.

    `organiser`: whether one sends it, who alone may say what a response weighs.
    Raises Problem where the body is no JSON.
    """
    event = accept_as(ResponseSubmitted, survey, body, id, today, organiser=organiser)
    return event if isinstance(event, list) else Accepted(event, receipt)


def accept_as(
    kind: type[E], survey: CatalogueEntry, body: bytes, id: str, today: str, *, organiser: bool, before: bytes = b"{}"
) -> E | list[Fault]:
    """The same for any event that carries answers. `before`: those that are replaced, whose weight may stay."""
    reader, faults = _reader_of(survey, body)
    response = reader.read(body, today)
    if isinstance(response, list) or faults:
        return faults + (response if isinstance(response, list) else [])
    instrument = reader.instrument
    if not organiser and (weight := reader.weight) is not None:
        given = getattr(response.answers, weight)
        if given is not UNSET and given != msgspec.json.decode(before).get(weight):
            return [Fault(f"/answers/{weight}", "unknown-question", "Nobody is asked this: an organiser imports it.")]
    answers = reader.canonical(response.answers)
    digest = events.digest(instrument.id, instrument.version, answers)
    notice = survey.notices.get(instrument.version)
    return kind(id, instrument.id, instrument.version, msgspec.Raw(answers), digest, response.language, notice)


def _reader_of(survey: CatalogueEntry, body: bytes) -> tuple[Reader, list[Fault]]:
    """The reader of the version that the body names. The current one, with a fault, where there is no such version."""
    try:
        version = _versioned.decode(body).version
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return survey.current, []
    if version is None:
        return survey.current, []
    if reader := survey.readers.get(version):
        return reader, []
    return survey.current, [Fault("/version", "unknown-version", "This survey was never published in this version.")]
