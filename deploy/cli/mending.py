"""`platea mend`: makes journal agree with store again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import urllib.request
from collections.abc import AsyncGenerator
from pathlib import Path

import click

from deploy.cli.console import Trouble, err, fail, say
from deploy.provisioning.migrate import ROLES
from deploy.refusal import Refusal
from deploy.stack import running
from deploy.stack.child import Child
from deploy.stack.data_folder import DataFolder
from deploy.stack.nats_server import NatsServer
from deploy.stack.postgres_server import Postgres
from services.runtime import settings
from services.runtime.outage_kind import Unavailable

PATIENCE = 60.0
"""Seconds for the servers to start."""


@click.command(name="mend", short_help="Journal and store made to agree again.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--strangers", is_flag=True, help="Also where the two have no answer in common, as if they were of two installations.")
@click.option(
    "--data",
    envvar="PLATEA_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Data folder.",
)
def command(dry_run: bool, strangers: bool, data: Path) -> None:
    """Compare the journal with the store and put what one of them alone has into both: after an older copy of either was brought back, or
    after NATS lost a part of its files. `platea up` does it by itself, at its start and
    while it runs.

    Of a stack that rests the two servers are started for it. In a cluster, name those with the rights of provisioning in PLATEA_NATS_URL
    and PLATEA_DATABASE_URL. Analysis may run: the partitions are taken from it meanwhile.
    """
    try:
        whole = asyncio.run(_mend(data, dry_run, strangers))
    except Refusal as refusal:
        raise Trouble(refusal.cause, refusal.way_out) from None
    except Unavailable as error:
        reason = str(error).partition("\n")[0] or type(error).__name__  # further lines of PostgreSQL quote rows
        raise Trouble(f"Journal and store cannot be compared: {reason}.", "See that both servers run.") from None
    if not whole:
        fail()


async def _mend(data: Path, dry_run: bool, strangers: bool) -> bool:
    from deploy.mending.mending import examine, settle

    async with _servers(data) as (nats_url, database_url):
        with err.status("Comparing …"):
            report = await (
                examine(nats_url, database_url) if dry_run else settle(nats_url, database_url, whole=True, even_strangers=strangers)
            )
    if dry_run and report.mended:
        say(report.doubt)
    say(report.sentence(would=dry_run))
    return report.together


@contextlib.asynccontextmanager
async def _servers(data: Path) -> AsyncGenerator[tuple[str, str]]:
    """The addresses of both, with the rights to mend: those in the environment, of the stack that runs here, or of one that rests."""
    names = (f"{settings.PREFIX}NATS_URL", f"{settings.PREFIX}DATABASE_URL")
    if all(name in os.environ for name in names):
        yield os.environ[names[0]], os.environ[names[1]]
        return
    if not (data / "nats").exists() or not (data / "postgres").exists():
        raise Refusal(f"{data} holds no journal and store.", "Name the data folder with --data.")
    folder = DataFolder(data)
    stack = running.read(data)
    if stack is not None and stack.nats_monitor and stack.postgres:
        yield await addresses(folder, stack.nats_monitor, stack.postgres)
        return
    with folder.taken():
        nats, postgres = NatsServer.embedded(folder.nats, folder.keys), Postgres.embedded(folder.postgres, folder.keys)
        children = [Child(server.program, folder.logs) for server in (nats, postgres)]
        try:
            await asyncio.gather(*(child.start(PATIENCE) for child in children))
            await _provision(folder, nats, postgres)
            yield nats.url("provisioner"), postgres.url()
        finally:
            await asyncio.gather(*(child.stop() for child in children))


async def addresses(folder: DataFolder, monitor: int, postgres: int) -> tuple[str, str]:
    """Those of the servers of a stack that runs here, with the rights to mend."""
    nats = NatsServer(folder.nats, folder.keys, await asyncio.to_thread(_port, monitor), monitor, 0)
    return nats.url("provisioner"), Postgres(folder.postgres, folder.keys, postgres).url()


def _port(monitor: int) -> int:
    """Where the NATS server with this monitor listens."""
    with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/varz", timeout=5) as answer:
        return json.load(answer)["port"]


async def _provision(folder: DataFolder, nats: NatsServer, postgres: Postgres) -> None:
    """The streams may be gone altogether, and the tables be those of an older version."""
    from deploy.provisioning.provision import provision

    passwords = {role: folder.keys.read(f"postgres-{role}") for role in ROLES}
    await provision(nats.url("provisioner"), postgres.url(), folder.token, passwords)
