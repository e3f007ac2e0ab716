"""What the routes of the gateway share: the connected parts, and what they check before they answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from proto.instrument import Instrument
from proto.problem import Problem
from proto.registry import Registry
from proto.snapshot import Snapshot, Table
from proto.tokens import Token
from services.analysis.dashboard.view import untaken
from services.analysis.disclosure.parameters import first_edition
from services.analysis.gateway import sse
from services.analysis.gateway.render_cache import RenderCache
from services.analysis.gateway.snapshot_broadcast import BroadcastEdition, Broadcaster
from services.runtime.audit_log import Recorder, Unrecorded
from services.runtime.http.authorization import AnyConnection, demand
from services.runtime.http.connection_limit import Seats
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.health import Readiness
from services.runtime.http.render_queue import RenderQueue
from services.runtime.http.responses import AnyRequest

SECRET = {"Cache-Control": "no-store"}
"""Headers of replies for organisers only."""
Ask = Callable[[str, dict[str, Any]], Awaitable[bytes]]
"""(survey, question) → the worker's answer as JSON. Raises Problem."""


FULL = "Very many figures are asked for just now."


class RenderQueues:
    """One queue for PNG, which takes seconds each, and one for everything else, which takes hundredths of a second."""

    def __init__(self) -> None:
        self.quick = RenderQueue(at_once=2, waiting=60, again=2, full=FULL)
        self.pictures = RenderQueue(at_once=1, waiting=6, again=10, full=FULL)

    def of(self, kind: str) -> RenderQueue:
        """`kind`: csv, svg, html or png."""
        return self.pictures if kind == "png" else self.quick


@dataclass(frozen=True)
class Gateway:
    """The connected parts. `ready`: returns whether figures are being counted; `metrics`: returns Prometheus text."""

    registry: Registry
    broadcaster: Broadcaster
    ask: Ask
    ready: Callable[[], Readiness]
    metrics: Callable[[], bytes]
    now: Callable[[], float] = time.time
    heartbeat: float = sse.HEARTBEAT
    acts: Recorder = field(default_factory=Unrecorded)
    seats: Seats = field(default_factory=Seats)
    """The limit of open connections that follow live figures."""
    render_cache: RenderCache = field(default_factory=RenderCache)
    """Rendered tables, files and pages of the newest revisions."""
    queues: RenderQueues = field(default_factory=RenderQueues)


def gateway_of(request: AnyRequest) -> Gateway:
    return request.app.state["gateway"]


def demand_organiser(connection: AnyConnection, survey: str | None = None) -> Token:
    """Returns the token of an organiser of this survey; of the whole server where no survey is named. Raises Problem."""
    gateway: Gateway = connection.app.state["gateway"]
    return demand(connection, gateway.registry, "organiser", survey, gateway.now())


def instrument_of(gateway: Gateway, survey: str) -> Instrument:
    """Returns the current version of the survey. Raises Problem `survey-unknown`."""
    instrument = gateway.registry.current(survey)
    if instrument is None:
        raise Problem("survey-unknown")
    return instrument


def counted(gateway: Gateway, figures: BroadcastEdition | Snapshot | Table) -> Instrument:
    """Returns the version of the instrument that these figures were counted in. A newer version may have other questions."""
    of = figures.snapshot if isinstance(figures, BroadcastEdition) else figures
    return gateway.registry.instrument(of.survey, of.version) or instrument_of(gateway, of.survey)


def edition_of(gateway: Gateway, survey: str) -> BroadcastEdition:
    """Returns the published edition. Raises Problem `not-published-yet` before the first."""
    instrument = instrument_of(gateway, survey)
    edition = gateway.broadcaster.editions.get(survey)
    if edition is None:
        needed = first_edition(instrument)
        raise Problem("not-published-yet", f"Figures follow once {needed} answers are in: fewer could point to single respondents.")
    return edition


class _Revised(msgspec.Struct):
    revision: int


async def public_table(gateway: Gateway, survey: str, row: str, column: str, *, weighted: bool = False) -> Encoded:
    """Returns the published two-way table as JSON; the worker is asked once per revision. Raises Problem."""
    revision = edition_of(gateway, survey).snapshot.revision

    async def ask() -> Encoded:
        body = await gateway.ask(survey, {"what": "table", "row": row, "column": column, "exact": False, "weighted": weighted})
        return Encoded(body, f'"{msgspec.json.decode(body, type=_Revised).revision}"')

    # A worker that has just started may still be at an earlier revision: its answer is not cached.
    return await gateway.render_cache.get((survey, revision, row, column, weighted), ask, lambda made: int(made.tag.strip('"')) >= revision)


def demand_taken(request: AnyRequest, *taken: str) -> None:
    """Raises Problem for a query parameter that this address does not know: it would return other figures without saying so."""
    if wrong := untaken(request.query_params, taken):
        raise Problem("request-refused", f"This address has no figures by '{wrong[:80]}'.")
