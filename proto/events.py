"""The events that travel on NATS: versioned, tagged, with CloudEvents 1.0 headers. Pure.

An event that already travelled keeps its meaning: new fields get defaults, a break gets a new `.v2` tag.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from proto.tokens import Token

SOURCE = "/platea/intake"


class UnreadableEvent(Exception):
    """The bytes are not a known event; the message gives the reason without quoting them."""


class UnknownEvent(UnreadableEvent):
    """An event about a response of a kind that this version does not know: a newer one wrote it, and can read it."""


class ResponseSubmitted(msgspec.Struct, frozen=True, omit_defaults=True, tag="response.submitted.v1"):
    """A response was accepted. `answers` is canonical JSON (see `canonical`), `digest` names it."""

    id: str
    survey: str
    version: str
    answers: msgspec.Raw
    digest: str
    language: str | None = None
    notice: str | None = None
    """The version of the information notice that the respondent agreed to (`proto.notice`)."""


class ResponseReplaced(msgspec.Struct, frozen=True, omit_defaults=True, tag="response.replaced.v1"):
    """The respondent changed the answers; the later of two events wins."""

    id: str
    survey: str
    version: str
    answers: msgspec.Raw
    digest: str
    language: str | None = None
    notice: str | None = None


class ResponseWithdrawn(msgspec.Struct, frozen=True, omit_defaults=True, tag="response.withdrawn.v1"):
    """The respondent took the response back, for ever, also if this overtakes its submission."""

    id: str
    survey: str


class SurveyPublished(msgspec.Struct, frozen=True, omit_defaults=True, tag="survey.published.v1"):
    """A version of an instrument opened. `instrument` is `proto.instrument.encode`'s JSON."""

    survey: str
    version: str
    instrument: msgspec.Raw
    opens: bool = False
    """Whether it opens the survey again where that is closed. Before there was this field, an event of its own followed."""


class SurveyClosed(msgspec.Struct, frozen=True, omit_defaults=True, tag="survey.closed.v1"):
    """`closed` False reopens it. `on`: the day on which this was said (ISO date, UTC).

    `lifts`: the closing (seconds since 1970) that says nothing any more, since the survey was reopened after it. Another one, of a later
    version, closes it again.
    """

    survey: str
    closed: bool = True
    on: str | None = None
    lifts: float | None = None


class RetentionSet(msgspec.Struct, frozen=True, omit_defaults=True, tag="survey.retention.v1"):
    """From which day on the answers to a closed survey are deleted (ISO date, UTC), None for never. Figures and releases stay.

    `said`: the day on which this was said. Days of grace are counted from it (`proto.registry`).
    """

    survey: str
    on: str | None = None
    said: str | None = None


class QuotasFilled(msgspec.Struct, frozen=True, omit_defaults=True, tag="survey.quotas.v1"):
    """Which quotas are full, by id, each with the limit at which it was; one that was full stays full. The worker says it."""

    survey: str
    full: dict[str, int]


ResponseEvent = ResponseSubmitted | ResponseReplaced | ResponseWithdrawn
ControlEvent = SurveyPublished | SurveyClosed | RetentionSet | QuotasFilled | Token

_encoder = msgspec.json.Encoder()
_responses = msgspec.json.Decoder(ResponseEvent)
_controls = msgspec.json.Decoder(ControlEvent)


def encode(event: ResponseEvent | ControlEvent) -> bytes:
    return _encoder.encode(event)


class _Tagged(msgspec.Struct):
    type: str


_tagged = msgspec.json.Decoder(_Tagged)
_kind = re.compile(r"response\.[a-z]+\.v[0-9]+")
_known = frozenset(str(each.__struct_config__.tag) for each in (ResponseSubmitted, ResponseReplaced, ResponseWithdrawn))


def read_response(data: bytes) -> ResponseEvent:
    """Raises UnreadableEvent, or UnknownEvent where a newer version can read it."""
    try:
        return _responses.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise (UnknownEvent if _is_newer(data) else UnreadableEvent)(type(error).__name__) from None


def _is_newer(data: bytes) -> bool:
    try:
        type = _tagged.decode(data).type
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return _kind.fullmatch(type) is not None and type not in _known


def read_control(data: bytes) -> ControlEvent:
    """Raises UnreadableEvent."""
    try:
        return _controls.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableEvent(type(error).__name__) from None


def tag(event: ResponseEvent | ControlEvent) -> str:
    """The CloudEvents type, without its prefix."""
    return str(type(event).__struct_config__.tag)


def headers(event: ResponseEvent | ControlEvent, id: str) -> dict[str, str]:
    """CloudEvents 1.0 in binary mode. There is no ce-time: when somebody answered is nobody's business."""
    return {
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": SOURCE,
        "ce-type": f"eu.platea.{tag(event)}",
        "content-type": "application/json",
    }


def canonical(answers: object) -> bytes:
    """The one JSON text of these answers: keys sorted, no spaces, whole numbers without a fraction."""
    return msgspec.json.encode(answers, order="sorted")


def digested(survey: str, version: str, answers: bytes) -> bytes:
    """The text behind the digest: the canonical JSON of {"answers", "survey", "version"}, without a newline at its end."""
    return b'{"answers":' + answers + b',"survey":"' + survey.encode() + b'","version":"' + version.encode() + b'"}'


def digest(survey: str, version: str, answers: bytes) -> str:
    """SHA-256 over `digested`; the respondent's page computes it too."""
    return "sha256:" + hashlib.sha256(digested(survey, version, answers)).hexdigest()
