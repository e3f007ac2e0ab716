"""`platea doctor`: what is running, how durable it is, and what is wrong with the way out."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.metadata
import platform
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from deploy import running
from deploy.cli import server
from deploy.cli.console import fail, out, say, table
from deploy.cli.server import Server
from deploy.running import Running

SECONDS = 3.0
ROOM = 1024**3
"""Bytes of free disk below which it is time to act."""
LAG = 10_000
"""Responses in the journal that analysis has not taken yet, above which something is stuck or too slow."""
CLOCK = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `way_out` is there where it is wrong; `good` None means it could not be seen."""

    what: str
    detail: str
    good: bool | None = True
    way_out: str = ""


@click.command(name="doctor", short_help="What is running, how durable it is, what is wrong.")
@server.options
def command(server: Server) -> None:
    """Look at everything: services, NATS, PostgreSQL, versions, disk, durability, lag, clock. Status 1 if something is wrong.

    What the servers keep to themselves is read where the stack runs on this machine; name its folder with --data.
    """
    findings = asyncio.run(examine(server))
    grid = table("", "", "")
    grid.show_header = False
    for finding in findings:
        mark = {True: "[green]ok[/green]", False: "[red]wrong[/red]", None: "[dim]unseen[/dim]"}[finding.good]
        grid.add_row(finding.what, mark, finding.detail)
    out.print(grid)
    wrong = [finding for finding in findings if finding.good is False]
    for finding in wrong:
        say(f"\n{finding.what}: {finding.detail}.\n{finding.way_out}")
    if wrong:
        fail()


async def examine(found: Server) -> list[Finding]:
    """Every finding, in the order in which an answer travels."""
    data = found.data if found.beside else None
    here = running.read(data) if data else None
    findings = [_versions()]
    if data is not None:
        findings += [_stack(data, here), _disk(data)]
    groups = await asyncio.gather(
        *(_service(found.url, name, path) for name, path in (("intake", ""), ("analysis", "/analysis"), ("export", "/export"))),
        _seen("NATS", _nats, here.nats_monitor if here else None),
        _seen("PostgreSQL", _postgres, (data, here.postgres) if here and here.postgres and data else None),
        _seen("journal and store", _together, (data, here.nats_monitor, here.postgres) if here and here.postgres and data else None),
    )
    return findings + [finding for group in groups for finding in group]


def _versions() -> Finding:
    return Finding(
        "platea", f"{importlib.metadata.version('platea')}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _stack(data: Path, here: Running | None) -> Finding:
    try:
        with (data / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return Finding("stack", f"nothing runs in {data}", False, f"Start it with `platea up --data {data}`.")
    except BlockingIOError:
        return Finding("stack", f"runs in {data}" + (f", process {here.pid}" if here else ""))
    except OSError as error:
        return Finding("stack", f"{data}: {(error.strerror or 'unreadable').lower()}", None)


def _disk(data: Path) -> Finding:
    usage = shutil.disk_usage(data)
    detail = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB free at {data}"
    return Finding("disk", detail, usage.free > ROOM, "Free some space soon: an answer that cannot be flushed is refused.")


async def _service(url: str, name: str, path: str) -> list[Finding]:
    import aiohttp

    restart = f"Look at its log (<data>/logs/{name}.log); `platea up` starts a service again by itself."
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS)) as session,
            session.get(f"{url}{path}/health/ready") as answer,
        ):
            content: Any = await answer.json(content_type=None)
            clock = _clock(answer.headers.get("Date")) if not path else []
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return [Finding(name, f"no answer from {url}", False, "Start it with `platea up`, or name another address with --url.")]
    checks: dict[str, Any] = cast("dict[str, Any]", content).get("checks", {}) if isinstance(content, dict) else {}
    missing = [part for part, good in checks.items() if good is False]
    if answer.status == 200:
        return [Finding(name, "ready"), *clock]
    return [Finding(name, f"not ready: {', '.join(missing) or 'status ' + str(answer.status)}", False, restart), *clock]


def _clock(date: str | None) -> list[Finding]:
    from email.utils import parsedate_to_datetime

    if date is None:
        return []
    return [_clock_finding(parsedate_to_datetime(date).timestamp())]


def _clock_finding(theirs: float) -> Finding:
    apart = abs(time.time() - theirs)
    good = apart < CLOCK
    return Finding(
        "clock",
        f"{'agrees' if good else f'{apart:,.0f} s apart'} with the server's",
        good,
        "Set both clocks, best by NTP: tokens and dates depend on them.",
    )


async def _seen(name: str, look: Callable[[Any], Coroutine[Any, Any, list[Finding]]], where: Any) -> list[Finding]:
    """An inner server can be seen only where the stack runs here."""
    if where is None:
        return [Finding(name, "not a part of a stack on this machine", None)]
    try:
        async with asyncio.timeout(SECONDS):
            return await look(where)
    except Exception as error:  # whatever keeps it from answering is the finding
        return [
            Finding(
                name, f"no answer ({type(error).__name__})", False, f"Look at its log (<data>/logs/{name.lower().replace('sql', '')}.log)."
            )
        ]


async def _nats(port: int) -> list[Finding]:
    import aiohttp

    async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as session:
        async with session.get("/varz") as answer:
            about: dict[str, Any] = await answer.json(content_type=None)
        async with session.get("/jsz", params={"streams": "true", "consumers": "true", "config": "true", "accounts": "true"}) as answer:
            jetstream: dict[str, Any] = await answer.json(content_type=None)
    streams = {stream["name"]: stream for account in jetstream.get("account_details", []) for stream in account.get("stream_detail", [])}
    findings = [Finding("NATS", f"{about['version']}, up {about['uptime']}, streams {', '.join(sorted(streams)) or 'none'}")]
    flushed = bool(jetstream.get("config", {}).get("sync_always"))
    findings.append(
        Finding(
            "journal on disk",
            "each answer is flushed before it is acknowledged (sync_interval: always)"
            if flushed
            else "acknowledged answers may wait for the disk",
            flushed,
            "Set `sync_interval: always` in the jetstream block of the NATS configuration, and restart it.",
        )
    )
    if (journal := streams.get("RESPONSES")) is None:
        return [
            *findings,
            Finding(
                "journal", "the stream RESPONSES is missing", False, "`platea up` creates it; in a cluster, `python -m deploy.provision`."
            ),
        ]
    state = journal["state"]
    findings.append(Finding("journal", f"{state['messages']:,} events, {state['bytes'] / 1e6:,.1f} MB"))
    waiting = sum(each.get("num_pending", 0) + each.get("num_ack_pending", 0) for each in journal.get("consumer_detail", []))
    partitions = len(journal.get("consumer_detail", []))
    slow = "See that analysis and PostgreSQL run; nothing is lost meanwhile."
    findings.append(Finding("lag", f"{waiting:,} events not recorded yet, {partitions} partitions", waiting < LAG and partitions > 0, slow))
    return findings


async def _postgres(where: tuple[Path, int]) -> list[Finding]:
    import asyncpg

    from deploy.keys import Keys

    data, port = where
    password = Keys(data / "secrets").read("postgres-platea_analysis")
    connection: Any = await asyncpg.connect(host="127.0.0.1", port=port, user="platea_analysis", password=password, database="platea")
    try:
        settings = {
            name: await connection.fetchval(f"show {name}")
            for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        }
        rows = await connection.fetchval("select count(*) from responses")
        parked = await connection.fetchval("select count(*) from parked")
        waiting = await connection.fetch("select survey, version, count(*) as count from waiting group by survey, version order by survey")
    finally:
        await connection.close()
    off = [f"{name} = {value}" for name, value in settings.items() if value == "off"]
    return [
        Finding("PostgreSQL", f"{settings['server_version']}, {rows:,} responses stored"),
        Finding(
            "store on disk",
            ", ".join(off) if off else "each commit is flushed (fsync and synchronous_commit on)",
            not off,
            "Switch these on in postgresql.conf, and restart PostgreSQL.",
        ),
        Finding(
            "parked events",
            f"{parked:,}",
            parked == 0,
            "Accepted answers could not be read: `platea parked list` tells why; after an update, `platea parked retry` reads them again.",
        ),
        Finding(
            "waiting events",
            "; ".join(f"{row['count']:,} to {row['survey']} {row['version'] or '(a newer kind of event)'}" for row in waiting) or "0",
            not waiting,
            "Analysis does not know what they answer: update Platea, or publish that version. They are safe, and recorded then.",
        ),
    ]


async def _together(where: tuple[Path, int | None, int]) -> list[Finding]:
    """Whether the numbers in the store are those of this journal."""
    from deploy.cli.mending import addresses
    from deploy.data_folder import DataFolder
    from deploy.mending import doubt

    data, monitor, postgres = where
    if monitor is None:
        return [Finding("journal and store", "one of them is not a part of a stack on this machine", None)]
    found = await doubt(*await addresses(DataFolder(data), monitor, postgres))
    way_out = f"Run `platea mend --data {data}`: it puts what one of them alone has into both, while intake goes on."
    return [Finding("journal and store", (found or "belong together").rstrip("."), found is None, way_out)]
