"""`platea doctor`: finds faults of a running or resting Platea, with a remedy for each."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from deploy.cli import server
from deploy.cli.console import fail, out, say, table
from deploy.cli.server import Server
from deploy.stack import running
from deploy.stack.running import Running
from services.runtime.version import VERSION

SECONDS = 3.0
ROOM = 1024**3
"""Bytes of free disk below which it is time to act."""
LAG = 10_000
"""Responses in the journal that analysis has not taken yet, above which something is stuck or too slow."""
CLOCK = 5.0
TRACES = 24 * 60
"""Minutes of which PostgreSQL's log may tell. After a night's rest it tells of the evening for a minute."""
_SLOW = "See that analysis and PostgreSQL run; nothing is lost meanwhile."


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


async def examine(server: Server) -> list[Finding]:
    """Every finding, in the order in which an answer travels."""
    data = server.data if server.beside else None
    stack = running.read(data) if data else None
    findings = [_versions()]
    if data is not None:
        findings += [_stack(data, stack), _disk(data)]
    nats, database = os.environ.get("PLATEA_NATS_URL"), os.environ.get("PLATEA_DATABASE_URL")
    services = (("intake", ""), ("analysis", "/analysis"), ("export", "/export"))
    groups = await asyncio.gather(
        *(_service(server.url, name, path, data if stack else None) for name, path in services),
        _examined("NATS", _nats, stack.nats_monitor, data) if stack and stack.nats_monitor else _examined("NATS", _cluster, nats, data),
        _examined("PostgreSQL", _postgres, _address(data, stack, database), data),
        _examined("what was taken back", _traces, (data, stack.postgres) if stack and stack.postgres and data else None, data),
        _examined(
            "journal and store",
            _journal_and_store,
            (data, stack.nats_monitor, stack.postgres) if stack and stack.postgres and data else None,
            data,
        ),
    )
    return findings + [finding for group in groups for finding in group]


def _address(data: Path | None, stack: Running | None, named: str | None) -> str | None:
    """Of the store: the one that the stack here started, else the one that is named."""
    return named if data is None or stack is None or stack.postgres is None else _store(data, stack.postgres)


def _store(data: Path, port: int) -> str:
    from deploy.stack.data_folder import DataFolder
    from deploy.stack.postgres_server import Postgres

    folder = DataFolder(data)
    return Postgres(folder.postgres, folder.keys, port).url("platea_analysis")


def _versions() -> Finding:
    return Finding("platea", f"{VERSION}, Python {platform.python_version()}, {platform.system()} {platform.release()}")


def _stack(data: Path, stack: Running | None) -> Finding:
    if not running.taken(data):
        return Finding("stack", f"nothing runs in {data}", False, f"Start it with `platea up --data {data}`.")
    return Finding("stack", f"runs in {data}" + (f", process {stack.pid}" if stack else ""))


def _disk(data: Path) -> Finding:
    usage = shutil.disk_usage(data)
    detail = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB free at {data}"
    return Finding("disk", detail, usage.free > ROOM, "Free some space soon: an answer that cannot be flushed is refused.")


async def _service(url: str, name: str, path: str, data: Path | None) -> list[Finding]:
    """`data` is the folder of the stack that runs here, where one does."""
    import aiohttp

    log = f"Its log is {data}/logs/{name}.log." if data else "Its log tells why."
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS)) as session,
            session.get(f"{url}{path}/health/ready") as answer,
        ):
            content: Any = await answer.json(content_type=None)
            clock = _clock(answer.headers.get("Date")) if not path else []
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return [_silent(url, name, data, log, isinstance(error, TimeoutError))]
    report: dict[str, Any] = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    missing = [part for part, good in report.get("checks", {}).items() if good is False]
    if answer.status == 200:
        return [Finding(name, "ready"), *clock, *_partitions(report)]
    detail = f"not ready: {', '.join(missing) or 'status ' + str(answer.status)}"
    return [Finding(name, detail, False, f"{_remedy(missing)} {log}"), *clock, *_partitions(report)]


def _silent(url: str, name: str, data: Path | None, log: str, hung: bool) -> Finding:
    """What to do about a service that gives no answer, where it should run."""
    detail = f"no answer from {url}" + (f" in {SECONDS:.0f} s" if hung else "")
    if data is not None:
        way_out = f"The `platea up` that runs in {data} starts it again by itself, within a minute if it hangs. {log}"
    elif hung:
        way_out = f"It is there and does not answer: end it and start it again. {log}"
    else:
        way_out = f"Start it (`platea up` starts everything), or name another address with --url. {log}"
    return Finding(name, detail, False, way_out)


_REMEDIES = {
    "nats": "See that NATS runs and can be reached.",
    "connection": "See that NATS runs and can be reached.",
    "leader": "The journal has no leader that a majority of the NATS servers confirms: see that most of them run and reach each other.",
    "writable": "The journal does not take what is written: see that the disks of the NATS servers have room.",
    "database": "See that PostgreSQL runs and can be reached; answers are accepted meanwhile.",
    "partitions": "It cannot get partitions that it is to count; it tries until it can.",
    "tasks": "A background task ended and does not run steadily again; its stack is in the log.",
}


def _remedy(missing: list[str]) -> str:
    return " ".join(dict.fromkeys(_REMEDIES[part] for part in missing if part in _REMEDIES)) or "It may still be starting."


def _partitions(report: dict[str, Any]) -> list[Finding]:
    """Findings on all partitions, whichever worker counts them."""
    if "unheld" not in report or report.get("checks", {}).get("database") is False:  # who has which partition, the database tells
        return []
    unheld, behind = (", ".join(map(str, report[key])) for key in ("unheld", "behind"))
    held = Finding(
        "partitions",
        f"nobody counts {unheld}" if unheld else "all are counted",
        not unheld,
        "Start the analysis worker whose PLATEA_PARTITIONS names them. What is accepted meanwhile waits in the journal.",
    )
    recorded = Finding(
        "recording",
        f"something has waited in partition {behind} for more than a minute" if behind else "nothing has waited for more than a minute",
        not behind,
        "See that the analysis worker of these partitions runs and is not stopped, and that PostgreSQL answers; nothing is lost meanwhile.",
    )
    return [held, recorded]


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


async def _examined(name: str, look: Callable[[Any], Coroutine[Any, Any, list[Finding]]], where: Any, data: Path | None) -> list[Finding]:
    """A server can be seen where the stack runs here, or where its address is named."""
    if where is None:
        variable = {"NATS": "PLATEA_NATS_URL", "PostgreSQL": "PLATEA_DATABASE_URL"}.get(name)
        return [Finding(name, "not a part of a stack on this machine" + (f"; {variable} names one" if variable else ""), None)]
    try:
        async with asyncio.timeout(SECONDS):
            return await look(where)
    except Exception as error:  # whatever keeps it from answering is the finding
        log = {"NATS": "nats", "PostgreSQL": "postgres"}.get(name)
        advice = f"Its log is {data}/logs/{log}.log." if data and log else "See that both servers run and can be reached."
        return [Finding(name, f"no answer ({type(error).__name__})", False, advice)]


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
                "journal",
                "the stream RESPONSES is missing",
                False,
                "Stop `platea up` and start it again, which makes it; in a cluster, `python -m deploy.provisioning` does.",
            ),
        ]
    state = journal["state"]
    findings.append(Finding("journal", f"{state['messages']:,} events, {state['bytes'] / 1e6:,.1f} MB"))
    waiting = sum(consumer.get("num_pending", 0) + consumer.get("num_ack_pending", 0) for consumer in journal.get("consumer_detail", []))
    partitions = len(journal.get("consumer_detail", []))
    findings.append(
        Finding("lag", f"{waiting:,} events not recorded yet, {partitions} partitions", waiting < LAG and partitions > 0, _SLOW)
    )
    return findings


async def _cluster(url: str) -> list[Finding]:
    """Findings on the journal from the servers at this address, which may name several."""
    import nats

    from proto import subjects
    from services.runtime import nats_client, stream_settings

    client = await nats.connect(
        url.split(","), **nats_client.identity(url), connect_timeout=2, allow_reconnect=False, error_cb=_ignore_error
    )
    try:
        js = client.jetstream(timeout=2)
        info = await js.stream_info(subjects.RESPONSES)
        replicas = info.cluster.replicas or [] if info.cluster else []
        away = [peer.name or "?" for peer in replicas if peer.offline or (peer.active or 0) > 5e9]
        waiting = 0
        for partition in range(stream_settings.partitions_of(info.config)):
            consumer = await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
            waiting += (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    finally:
        await client.close()
    names = f"{len(replicas) + 1} servers keep it" if replicas else "one server keeps it"
    return [
        Finding("NATS", f"{client.connected_server_version}"),
        Finding("journal", f"{info.state.messages:,} events, {info.state.bytes / 1e6:,.1f} MB, {names}"),
        Finding(
            "servers of the journal",
            f"not heard: {', '.join(away)}" if away else "all are heard",
            not away,
            "Start these again, or see that the others reach them. Without a majority nothing can be accepted.",
        ),
        Finding("lag", f"{waiting:,} events not recorded yet", waiting < LAG, _SLOW),
    ]


async def _ignore_error(_: Exception) -> None:
    pass


async def _postgres(url: str) -> list[Finding]:
    from deploy.database import connected

    async with connected(url, "doctor") as connection:
        settings = {
            name: await connection.fetchval(f"show {name}")
            for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        }
        rows = await connection.fetchval("select count(*) from responses")
        parked = await connection.fetchval("select count(*) from parked")
        waiting = await connection.fetch("select survey, version, count(*) as count from waiting group by survey, version order by survey")
        migrations = await _migrations(connection)
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
        migrations,
    ]


async def _migrations(connection: Any) -> Finding:
    import asyncpg

    from deploy.provisioning.migrate import pending

    restart = "`platea up` applies them when it is started again; in a cluster"
    try:
        left = await pending(connection)
    except asyncpg.InsufficientPrivilegeError:
        return Finding(
            "migrations", "this version has not prepared the database", False, f"{restart}, `python -m deploy.provisioning` does."
        )
    names = ", ".join(each.file for each in left)
    command = "python -m deploy.provisioning" + (" --post" if left and all(each.phase == "post" for each in left) else "")
    when = ", once no service of the version before runs any more" if command.endswith("--post") else ""
    return Finding("migrations", f"pending: {names}" if left else "all are applied", not left, f"{restart}, `{command}`{when}.")


async def _traces(where: tuple[Path, int]) -> list[Finding]:
    """How long the files still show withdrawn answers and the times of answers.

    Reads the write-ahead log, as somebody with the disk would.
    """
    from deploy.database import connected
    from deploy.stack.data_folder import DataFolder
    from deploy.stack.postgres_server import earliest_commit

    async with connected(_store(*where), "doctor") as connection:
        unerased = await connection.fetchval("select count(*) from erasures")
    first = await asyncio.to_thread(earliest_commit, DataFolder(where[0]).postgres)
    minutes = (time.time() - first.timestamp()) / 60 if first else 0.0
    log = f"PostgreSQL's log tells of the last {minutes:,.0f} minutes" if first else "PostgreSQL's log tells of no answer"
    return [
        Finding(
            "what was taken back",
            f"{log}; {unerased:,} messages of the journal are still to be overwritten",
            minutes < TRACES,
            "`platea up` begins a new log every ten minutes: see that the disk has room for a copy of the largest table.",
        )
    ]


async def _journal_and_store(where: tuple[Path, int | None, int]) -> list[Finding]:
    """Whether the numbers in the store are those of this journal."""
    from deploy.cli.mending import addresses
    from deploy.mending.mending import doubt
    from deploy.stack.data_folder import DataFolder

    data, monitor, postgres = where
    if monitor is None:
        return [Finding("journal and store", "one of them is not a part of a stack on this machine", None)]
    difference = await doubt(*await addresses(DataFolder(data), monitor, postgres))
    way_out = (
        f"`platea up` puts what one of them alone has into both within seconds, or says why not; `platea mend --data {data}` does it now."
    )
    return [Finding("journal and store", (difference or "belong together").rstrip("."), difference is None, way_out)]
