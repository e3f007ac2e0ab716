"""What faces the readers: it follows surveys and figures on NATS and serves them. A gateway is this alone, beside any others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from nats.aio.client import Client
from prometheus_client import generate_latest

from proto import subjects, wire
from proto.addresses import networks
from proto.registry import Registry
from proto.seats import Seats
from services.analysis import metrics, questions
from services.analysis.gateway import Gateway, create_app
from services.analysis.live import Board
from services.analysis.settings import Settings

RECOUNT_PATIENCE = 900.0
"""Seconds; a recount reads every response."""


@dataclass(frozen=True)
class Facade:
    client: Client
    registry: Registry
    board: Board
    seats: Seats
    following: tuple[asyncio.Task[None], ...]

    def app(self, ready: Callable[[], bool]) -> Litestar:
        return create_app(Gateway(self.registry, self.board, self._ask, ready, self._metrics, seats=self.seats))

    async def _ask(self, survey: str, question: dict[str, Any]) -> bytes:
        patience = RECOUNT_PATIENCE if question["what"] == "recount" else questions.PATIENCE
        return await questions.ask(self.client, survey, question, patience)

    def _metrics(self) -> bytes:
        metrics.listeners.set(self.board.listening)
        metrics.dropped.set(self.board.dropped)
        metrics.turned_away.set(self.seats.refused)
        return generate_latest(metrics.REGISTRY)


async def connected(settings: Settings) -> Facade:
    """Returns when it knows all surveys and all figures that there are."""
    client, registry, board = await wire.connect(settings.nats_url, "analysis"), Registry(), Board()
    _, control = await wire.follow_control(client, registry)
    figures = await wire.Follower(client, subjects.AGGREGATES, subjects.aggregates("*"), board.handle).start()
    seats = Seats(settings.followers_each, settings.followers, networks(settings.proxies))
    return Facade(client, registry, board, seats, (control, figures))


@asynccontextmanager
async def alone(settings: Settings) -> AsyncGenerator[tuple[Litestar, Board]]:
    """A gateway that counts nothing: it needs neither the database nor the secret of the cell keys."""
    facade = await connected(settings)
    try:
        yield facade.app(lambda: facade.client.is_connected), facade.board
    finally:
        await ended(set(facade.following))
        await facade.client.close()


async def ended(tasks: set[asyncio.Task[None]]) -> None:
    """Libraries below may swallow a cancellation that meets the end of what they wait for, so it is repeated."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)
