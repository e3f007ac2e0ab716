"""The gateway service: follows surveys and editions on NATS and serves them over HTTP. It can run alone."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar.types import ASGIApp
from nats.aio.client import Client
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from proto import subjects
from proto.registry import Registry
from services.analysis import metrics
from services.analysis.gateway.app import Gateway, create_app
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from services.analysis.publish import worker_questions
from services.analysis.settings import Settings
from services.runtime import nats_client
from services.runtime.audit_log import Acts
from services.runtime.http.client_address import networks
from services.runtime.http.connection_limit import Seats
from services.runtime.http.health import Readiness
from services.runtime.http.metrics import counter, tasks_up
from services.runtime.supervision import Supervisor


@dataclass(frozen=True)
class GatewayService:
    """The connected parts of a gateway."""

    client: Client
    registry: Registry
    broadcaster: Broadcaster
    seats: Seats
    tasks: Supervisor
    acts: Acts

    def app(self, ready: Callable[[], Readiness], tell: Callable[[], None] = lambda: None) -> ASGIApp:
        """Returns the HTTP app. `tell`: updates further metrics before they are written."""
        own = self._own_metrics()

        def shown() -> bytes:
            tell()
            return generate_latest(metrics.REGISTRY) + generate_latest(own)

        return create_app(Gateway(self.registry, self.broadcaster, self._ask, ready, shown, acts=self.acts, seats=self.seats))

    async def _ask(self, survey: str, question: dict[str, Any]) -> bytes:
        return await worker_questions.ask(self.client, survey, question)

    def _own_metrics(self) -> CollectorRegistry:
        own = CollectorRegistry()
        listeners = Gauge("platea_analysis_listeners", "Open connections that follow live figures", registry=own)
        listeners.set_function(lambda: self.broadcaster.listening)
        refused, dropped = "Live connections refused for want of a place", "Live connections closed because they did not keep up"
        counter(own, "platea_analysis_listeners_refused", refused, lambda: self.seats.refused)
        counter(own, "platea_analysis_listeners_dropped", dropped, lambda: self.broadcaster.dropped)
        tasks_up(own, "analysis", self.tasks.up)
        return own


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[GatewayService]:
    """Connects, and begins when all surveys and editions are known. The end of the block ends all tasks and the connection."""
    async with AsyncExitStack() as closing:
        client, registry, broadcaster, tasks = (
            await nats_client.connect(settings.nats_url, "analysis"),
            Registry(),
            Broadcaster(),
            Supervisor(),
        )
        closing.push_async_callback(client.close)
        closing.push_async_callback(tasks.stop)
        acts = Acts(client, "analysis", tasks, time.time)
        registry.used = acts.used
        await nats_client.follow_control(client, registry, tasks)
        await nats_client.Follower(client, subjects.AGGREGATES, subjects.aggregates("*"), broadcaster.handle).start(tasks)
        seats = Seats(settings.followers_each, settings.followers, networks(settings.proxies))
        yield GatewayService(client, registry, broadcaster, seats, tasks, acts)


@asynccontextmanager
async def alone(settings: Settings) -> AsyncGenerator[tuple[ASGIApp, Broadcaster]]:
    """A gateway without a worker. It needs neither the database nor the key of the noise."""
    async with connected(settings) as gateway:
        yield gateway.app(lambda: Readiness({"nats": gateway.client.is_connected, "tasks": not gateway.tasks.down})), gateway.broadcaster
