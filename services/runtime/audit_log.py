"""What organisers did, as every service records it: which token, what, when, about which survey. Never what somebody answered."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
from nats.aio.client import Client

from proto import subjects
from services.runtime.error_details import error_name
from services.runtime.outage_kind import Unavailable
from services.runtime.supervision import Supervisor

log = logging.getLogger(__name__)

Kind = Literal[
    "survey-published",
    "survey-closed",
    "survey-reopened",
    "retention-set",
    "token-made",
    "token-revoked",
    "codes-made",
    "contacts-read",
    "contacts-deleted",
    "release-ordered",
    "release-rebuilt",
    "texts-decided",
    "parked-retried",
    "parked-dropped",
]


class Act(msgspec.Struct, frozen=True, omit_defaults=True, tag="act.v1"):
    """`at`: UTC to the minute, ISO 8601. `by`: the id of the token. `about`: a version, a day, a token's id, a profile, a count."""

    at: str
    by: str
    act: Kind
    survey: str | None = None
    about: str = ""


class Recorder(Protocol):
    """Where a service says what was done with it."""

    async def record(self, by: str, act: Kind, survey: str | None = None, about: str = "") -> None: ...
    def used(self, token: str) -> None: ...


class Unrecorded:
    """For an app that stands alone, without NATS."""

    async def record(self, by: str, act: Kind, survey: str | None = None, about: str = "") -> None:
        return

    def used(self, token: str) -> None:
        return


class Acts:
    """Writes to the streams ACTS and USES as one service may. `clock` gives Unix seconds."""

    def __init__(self, client: Client, service: str, tasks: Supervisor, clock: Callable[[], float]) -> None:
        self._client, self._service, self._tasks, self._clock = client, service, tasks, clock
        self._used: dict[str, str] = {}

    async def record(self, by: str, act: Kind, survey: str | None = None, about: str = "") -> None:
        """Called after the act: it happened, whether this can be written or not. Where not, the log says what is missing."""
        at = self._now().strftime("%Y-%m-%dT%H:%MZ")
        try:
            js = self._client.jetstream(timeout=5)
            await js.publish(subjects.acts(self._service), msgspec.json.encode(Act(at, by, act, survey, about)))
        except Unavailable as error:
            log.error("an act could not be recorded", extra={"act": act, "by": by, "survey": survey, "error": error_name(error)})

    def used(self, token: str) -> None:
        """Notes the day on which a token was last used: once a day, and not again where that fails."""
        day = self._now().date().isoformat()
        if self._used.get(token) != day:
            self._used[token] = day
            self._tasks.spawn("noting the use of a token", self._note(token, day))

    async def _note(self, token: str, day: str) -> None:
        try:
            await self._client.jetstream(timeout=5).publish(subjects.uses(self._service, token), day.encode())
        except Unavailable as error:
            log.info("the use of a token could not be noted", extra={"error": error_name(error)})

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
