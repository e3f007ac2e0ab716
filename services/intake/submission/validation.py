"""Whether what somebody sent is a response: the one pure step between a body and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from proto import events
from proto.answers import Reader
from proto.events import ResponseReplaced, ResponseSubmitted
from proto.problem import Fault
from services.intake.surveys.catalogue import Survey

E = TypeVar("E", ResponseSubmitted, ResponseReplaced)


@dataclass(frozen=True)
class Accepted:
    """A response that fits its instrument. `receipt` goes back to the respondent and nowhere else."""

    event: ResponseSubmitted
    receipt: str


class _Versioned(msgspec.Struct):
    version: str | None = None


_versioned = msgspec.json.Decoder(_Versioned)


def accept(survey: Survey, body: bytes, receipt: str, id: str, today: str) -> Accepted | list[Fault]:
    """The response in this body, or everything that is wrong with it. Raises Problem where the body is no JSON."""
    event = accept_as(ResponseSubmitted, survey, body, id, today)
    return event if isinstance(event, list) else Accepted(event, receipt)


def accept_as(kind: type[E], survey: Survey, body: bytes, id: str, today: str) -> E | list[Fault]:
    """The same for any event that carries answers."""
    reader, faults = _reader_of(survey, body)
    found = reader.read(body, today)
    if isinstance(found, list) or faults:
        return faults + (found if isinstance(found, list) else [])
    instrument = reader.instrument
    answers = reader.canonical(found.answers)
    digest = events.digest(instrument.id, instrument.version, answers)
    return kind(id, instrument.id, instrument.version, msgspec.Raw(answers), digest, found.language, survey.notices.get(instrument.version))


def _reader_of(survey: Survey, body: bytes) -> tuple[Reader, list[Fault]]:
    """The version that the body names. Where there is no such version, or no readable name, the current one explains the rest."""
    try:
        version = _versioned.decode(body).version
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return survey.current, []
    if version is None:
        return survey.current, []
    if reader := survey.readers.get(version):
        return reader, []
    return survey.current, [Fault("/version", "unknown-version", "This survey was never published in this version.")]
