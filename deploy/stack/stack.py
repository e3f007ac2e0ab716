"""The parts of the stack: servers, provisioning, services, the settings of each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
from nats.js.errors import Error as JetStreamError

from deploy.mending import mending
from deploy.mending.mending import MendingReport
from deploy.provisioning.migrate import ROLES
from deploy.provisioning.provision import PARTITIONS, provision
from deploy.refusal import Refusal
from deploy.stack import ports
from deploy.stack.data_folder import DataFolder
from deploy.stack.health import is_well
from deploy.stack.nats_server import NatsServer
from deploy.stack.postgres_server import Postgres
from deploy.stack.program import Program
from services.runtime.outage_kind import Unavailable

LOOPBACK = "127.0.0.1"
REACH = 30.0
"""Seconds within which the servers must let us prepare them."""
_CHECK = "Check the server and, where it is one of your own,"


@dataclass(frozen=True)
class Addresses:
    """Where a service finds the servers. External servers have one address for all of them."""

    nats: dict[str, str]
    database: dict[str, str]


@dataclass(frozen=True)
class Stack:
    data: DataFolder
    host: str
    port: int
    analysis_port: int
    export_port: int
    nats: NatsServer | None
    postgres: Postgres | None
    addresses: Addresses
    for_intake: Mapping[str, str]
    """Settings of intake's own, where the operator has set them."""
    for_all: Mapping[str, str]
    """Settings that all services share, where the operator has set them."""

    @staticmethod
    def planned(
        data: DataFolder,
        host: str,
        port: int,
        nats_url: str | None,
        database_url: str | None,
        for_intake: Mapping[str, str] | None = None,
        for_all: Mapping[str, str] | None = None,
    ) -> Stack:
        """Plans a stack. Ports are drawn now and stay the same, so that clients find a restarted server again."""
        nats = None if nats_url else NatsServer.embedded(data.nats, data.keys)
        postgres = None if database_url else Postgres.embedded(data.postgres, data.keys)
        users, roles = ("provisioner", "intake", "analysis", "export"), ("platea", *ROLES)
        return Stack(
            data, host, port, ports.free(), ports.free(), nats, postgres,
            Addresses(
                nats={user: nats.url(user) if nats else str(nats_url) for user in users},
                database={role: postgres.url(role) if postgres else str(database_url) for role in roles},
            ),
            for_intake or {},
            for_all or {},
        )  # fmt: skip

    async def provision(self) -> None:
        """Raises Refusal, also where an external server does not answer."""
        passwords = {role: self.data.keys.read(f"postgres-{role}") for role in ROLES} if self.postgres else {}
        addresses = self.addresses
        try:
            async with asyncio.timeout(REACH):
                await provision(addresses.nats["provisioner"], addresses.database["platea"], self.data.token, passwords, PARTITIONS)
        except TimeoutError:
            raise Refusal("NATS is out of reach, or does not let Platea in.", f"{_CHECK} PLATEA_NATS_URL.") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise Refusal(f"The database cannot be prepared: {_sentence(error)}.", f"{_CHECK} PLATEA_DATABASE_URL.") from None
        except JetStreamError as error:
            raise Refusal(f"NATS cannot be prepared: {_sentence(error)}.", "Check that its JetStream is on and has room.") from None

    async def settle(self) -> MendingReport:
        """Sees that the journal and the store belong together, and mends them where they do not. Never keeps anything from starting."""
        try:
            return await self.mend()
        except Unavailable as error:
            doubt, again = f"Journal and store could not be compared: {_sentence(error)}.", "Start again, or run `platea mend`."
            return MendingReport(together=False, doubt=doubt, way_out=again)

    async def mend(self) -> MendingReport:
        """The same, also where the journal itself is gone: then there is another one afterwards. Raises one of `Unavailable`."""
        nats, database = self.addresses.nats["provisioner"], self.addresses.database["platea"]
        try:
            try:
                return await mending.settle(nats, database)
            except mending.NoJournal:
                await self.provision()
                return await mending.settle(nats, database)
        except Refusal as refusal:
            return MendingReport(together=False, doubt=refusal.cause, way_out=refusal.way_out)

    def analysis(self) -> Program:
        return _service(
            "analysis",
            "services.analysis",
            f"http://{LOOPBACK}:{self.analysis_port}/analysis/health/ready",
            PLATEA_NATS_URL=self.addresses.nats["analysis"],
            PLATEA_DATABASE_URL=self.addresses.database["platea_analysis"],
            PLATEA_HOST=LOOPBACK,
            PLATEA_PORT=str(self.analysis_port),
            PLATEA_PARTITIONS="all",
            PLATEA_PROXIES=LOOPBACK,  # the front counts by address who follows live figures, and knows under which name it was asked
            **{name: value for name, value in self.for_intake.items() if name == "PLATEA_FOLLOWERS"},
            PLATEA_RECORD_KEY_FILE=str(self.data.keys.path("record-key")),
            **self.for_all,
        )

    def export(self) -> Program:
        return _service(
            "export",
            "services.export",
            f"http://{LOOPBACK}:{self.export_port}/export/health/ready",
            PLATEA_NATS_URL=self.addresses.nats["export"],
            PLATEA_DATABASE_URL=self.addresses.database["platea_export"],
            PLATEA_HOST=LOOPBACK,
            PLATEA_PORT=str(self.export_port),
            PLATEA_RELEASES=str(self.data.releases),
            PLATEA_RELEASE_KEY_FILE=str(self.data.keys.path("release-key")),
            PLATEA_PROXIES=LOOPBACK,
            **self.for_all,
        )

    def front(self) -> Program:
        return _service(
            "intake",
            "deploy.front",
            f"{self.url()}/health/ready",
            PLATEA_NATS_URL=self.addresses.nats["intake"],
            PLATEA_HOST=self.host,
            PLATEA_PORT=str(self.port),
            PLATEA_ANALYSIS_URL=f"http://{LOOPBACK}:{self.analysis_port}",
            PLATEA_EXPORT_URL=f"http://{LOOPBACK}:{self.export_port}",
            PLATEA_GUARD_KEY_FILE=str(self.data.keys.path("guard-key")),
            **self.for_intake,
            **self.for_all,
        )

    def url(self) -> str:
        """Where a program on this machine finds the stack."""
        everywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104  an address to recognise, not to listen on
        host = everywhere.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def _sentence(error: Exception) -> str:
    return str(getattr(error, "description", None) or error or type(error).__name__).partition("\n")[0].rstrip(".")


def _service(name: str, module: str, health: str, **settings: str) -> Program:
    async def ready() -> bool:
        return await is_well(health)

    return Program(name, [sys.executable, "-m", module], ready, settings, patience=2.5, beats=True)
