"""What every route of the gateway works with: the connected parts, and how they are found from a request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from proto.instrument import Instrument
from proto.problem import Problem
from proto.registry import Registry
from services.analysis import events
from services.analysis.live import Board, Edition

AnyRequest = Request[Any, Any, Any]
Ask = Callable[[str, dict[str, Any]], Awaitable[bytes]]
"""Puts a question about a survey to the worker: (survey, question) → JSON. Raises Problem."""


@dataclass(frozen=True)
class Gateway:
    """`ready` tells whether figures are being counted, `metrics` gives Prometheus text."""

    registry: Registry
    board: Board
    ask: Ask
    ready: Callable[[], bool]
    metrics: Callable[[], bytes]
    now: Callable[[], float] = time.time
    heartbeat: float = events.HEARTBEAT
    pages: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict[tuple[str, str], tuple[str, bytes]])
    """The last rendering of each page that was asked for, by survey and query, with its ETag."""


def gateway_of(request: AnyRequest) -> Gateway:
    return request.app.state["gateway"]


def instrument_of(gateway: Gateway, survey: str) -> Instrument:
    """The survey as it is now. Raises Problem where there is none."""
    instrument = gateway.registry.current(survey)
    if instrument is None:
        raise Problem("survey-unknown")
    return instrument


def counted(gateway: Gateway, edition: Edition) -> Instrument:
    """The version of the instrument by which these figures were counted; a newer one may have other questions."""
    snapshot = edition.snapshot
    return gateway.registry.instrument(snapshot.survey, snapshot.version) or instrument_of(gateway, snapshot.survey)


def unchanged(request: AnyRequest, etag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))
