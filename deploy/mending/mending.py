"""Makes journal agree with store again, where they do not belong together any more. Nothing that either has is dropped.

Whatever ends it in the middle does no harm: the store is marked as not settled first, so analysis waits; what is appended by then needs no
appending the next time; and what concerns the store is one transaction at the end. See docs/adr/0028-journal-and-store-belong-together.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg
from nats.aio.client import Client
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from deploy.database import Connection, connected
from deploy.mending.appending import Append, Appender
from deploy.mending.homes import Homes
from deploy.mending.reconcile import Plan, Repair, count_missing
from deploy.provisioning.streams import own_metadata
from deploy.refusal import Refusal
from proto import events, subjects
from proto.events import ResponseReplaced, ResponseSubmitted
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.ingest.journal_identity import ASKED, doubt_about
from services.analysis.store import LOCKS, ReadSnapshot
from services.runtime import nats_client

ROUNDS = 20
"""How often what is left is looked at anew, because intake wrote meanwhile."""
LETTING_GO = 10.0
"""Seconds for the partitions to be taken from analysis."""
ENDING = 1000
"""Milliseconds for a connection of a worker to end."""
SAMPLE = 100
"""Stored responses whose events are looked for at a start."""


_SAMPLE = """-- sample
    (select seq, id from responses where id >= $1 order by id limit $2)
    union all (select seq, id from responses where id < $1 order by id limit $2) limit $2"""


class NoJournal(Refusal):
    """The journal's stream does not exist."""


@dataclass
class MendingReport:
    """What was found and done, for `sentence`. `together` False: they do not belong together, and were left as they are."""

    together: bool = True
    doubt: str = ""
    way_out: str = ""
    ended: int = 0
    highest: int = 0
    from_store: int = 0
    from_journal: int = 0
    withdrawn: int = 0
    erased: int = 0
    unclear: int = 0
    nowhere: int = 0
    mended: bool = field(default=False)

    def sentence(self, would: bool = False) -> str:
        """For the operator. `would`: nothing was done yet."""
        if not self.together:
            return f"{self.doubt} {self.way_out}"
        if not self.mended:
            return "The journal and the store belong together: nothing is to be mended."
        parts: list[str] = []
        if self.from_store:
            parts.append(_counted(self.from_store, "answer", "put back into the journal from the store", would))
        if self.from_journal:
            parts.append(_counted(self.from_journal, "answer", "that had never been recorded", would, "put where analysis reads them"))
        if self.withdrawn:
            parts.append(_counted(self.withdrawn, "withdrawal", "repeated", would))
        if self.unclear:
            parts.append(f"of {self.unclear:,} it is not clear which change was the last, and the store's is taken")
        if self.nowhere:
            parts.append(f"{self.nowhere:,} numbers are in neither: what they stood for had been taken back, or is gone")
        return f"The journal ended at {self.ended}, the store at {self.highest}: {'; '.join(parts) or 'new numbers go on above both'}."


def _counted(count: int, what: str, done: str, would: bool, then: str = "") -> str:
    were = "would be" if would else "was" if count == 1 else "were"
    middle = f"{done} {were} {then}" if then else f"{were} {done}"
    return f"{count:,} {what}{'' if count == 1 else 's'} {middle}"


async def settle(nats_url: str, database_url: str, *, whole: bool = False, even_strangers: bool = False) -> MendingReport:
    """Sees that the two belong together, and mends them where they do not. Raises Refusal where nothing can be done now (NoJournal
    where there is nothing to mend), or one of `Unavailable`.

    Analysis may be at work: the partitions are taken from it, and it records nothing until it has them again.
    `whole`: compares every response, and not only some. `even_strangers`: also where the two have nothing in common.
    """
    async with _servers(nats_url, database_url) as (client, connection):
        await _demand_journal(client)
        doubt = await _doubt(client, connection) or (await _difference(client, connection) if whole else None)
        if doubt is None:
            await _adopt(client, connection)
            return MendingReport()
        if not await _lock_partitions(connection, await JournalConsumer(client).partitions()):
            way_out = "A worker of analysis, or another `platea mend`, does not let go of the store: stop it, then run `platea mend`."
            return MendingReport(together=False, doubt=doubt, way_out=way_out)
        return await _mend(client, connection, doubt, even_strangers)


async def doubt(nats_url: str, database_url: str) -> str | None:
    """Why the two do not belong together; None where nothing speaks against it."""
    async with _servers(nats_url, database_url) as (client, connection):
        return await _doubt(client, connection)


async def examine(nats_url: str, database_url: str) -> MendingReport:
    """What `settle` would do, of every response. Changes nothing. Raises NoJournal."""
    async with _servers(nats_url, database_url) as (client, connection):
        await _demand_journal(client)
        doubt = await _doubt(client, connection) or await _difference(client, connection)
        if doubt is None:
            return MendingReport()
        homes = Homes(client, connection)
        await homes.read(whole=False)
        plan = homes.plan()
        report = _fill_in(MendingReport(doubt=doubt, mended=True), homes, plan)
        report.withdrawn, report.from_store, report.from_journal = (
            len(plan.ids(act)) for act in (Repair.WITHDRAW, Repair.FROM_STORE, Repair.FROM_JOURNAL)
        )
        return report


async def _difference(client: Client, connection: Connection) -> str | None:
    """Where the two belong together, what analysis has yet to read is no difference."""
    homes = Homes(client, connection)
    await homes.read(whole=False)
    plan = homes.plan()
    read = [
        id
        for id in plan.appends
        if (journaled := homes.journal.get(id)) is None or journaled.seq <= homes.positions.get(journaled.partition, 0)
    ]
    return f"The journal and the store differ in {_answers(len(read))}." if read else None


def _answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"


@asynccontextmanager
async def _servers(nats_url: str, database_url: str) -> AsyncGenerator[tuple[Client, Connection]]:
    client = await nats_client.connect(nats_url, "mending")
    try:
        async with connected(database_url, "mending") as connection:
            yield client, connection
    finally:
        await client.close()


async def _doubt(client: Client, connection: Connection) -> str | None:
    """Asked again where there is one: a cluster that has just come up may answer with what it knew before."""
    journal, snapshot = JournalConsumer(client), ReadSnapshot(connection)
    doubt: str | None = None
    for asked in range(ASKED):
        if asked:
            await asyncio.sleep(0.3)
        claim = await snapshot.claim()
        sample = await connection.fetch(_SAMPLE, uuid.uuid4(), SAMPLE)
        known = [*claim.known, *((row["seq"], row["id"].hex) for row in sample)]
        doubt = await doubt_about(replace(claim, known=known), journal) or await _too_few(client, connection)
        if doubt is None:
            return None
    return doubt


async def _too_few(client: Client, connection: Connection) -> str | None:
    """Each stored response has an event in the journal, so it cannot hold fewer."""
    stored: int = await connection.fetchval("-- stored\nselect count(*) from responses")
    messages = (await client.jetstream(timeout=10).stream_info(subjects.RESPONSES)).state.messages
    return f"The journal has {messages} events, but the store {stored} responses." if messages < stored else None


async def _adopt(client: Client, connection: Connection) -> None:
    """Writes the journal's id to a store that has none."""
    id, _ = await JournalConsumer(client).standing()
    if id is not None:
        await connection.execute("-- adopt\ninsert into journals (id, settled) select $1, true where not exists (select from journals)", id)


async def _demand_journal(client: Client) -> None:
    try:
        await client.jetstream(timeout=10).stream_info(subjects.RESPONSES)
    except NotFoundError:
        raise NoJournal(
            "There is no journal.", "`platea up` makes another by itself; in a cluster, run `python -m deploy.provisioning`."
        ) from None


async def _lock_partitions(connection: Connection, partitions: int) -> bool:
    """Locks all partitions against workers for as long as this connection lasts; False where one is still held.

    Workers that hold one are cut off from the database, as one may hang. They find the lock taken, and wait.
    """
    missing, deadline = set(range(partitions)), asyncio.get_running_loop().time() + LETTING_GO
    while missing and asyncio.get_running_loop().time() < deadline:
        for partition in sorted(missing):
            if await connection.fetchval("-- hold\nselect pg_try_advisory_lock($1, $2)", LOCKS, partition):
                missing.discard(partition)
        if missing and not await _end_connections(connection, missing):
            await asyncio.sleep(0.2)
    return not missing


async def _end_connections(connection: Connection, partitions: set[int]) -> bool:
    """Ends connections of workers that hold one of these partitions. Returns whether any ended; False where the role may not end them."""
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        ended = await connection.fetch(
            """-- cut off
            select pg_terminate_backend(pid, $3) as ended from pg_stat_activity join pg_locks using (pid)
            where application_name ^@ 'platea analysis' and locktype = 'advisory' and classid = $1 and objid = any($2::bigint[])
                and objsubid = 2 and granted and pg_locks.database = (select oid from pg_database where datname = current_database())""",
            *(LOCKS, list(partitions), ENDING),
        )
        return any(row["ended"] for row in ended)
    return False


async def _mend(client: Client, connection: Connection, doubt: str, even_strangers: bool) -> MendingReport:
    js, appender, homes = client.jetstream(timeout=10), Appender(client), Homes(client, connection)
    report = MendingReport(doubt=doubt, mended=True)
    report.ended = (await js.stream_info(subjects.RESPONSES)).state.last_seq
    await homes.read()
    plan = homes.plan()
    if plan.strangers and not even_strangers and not await _same_journal(client, connection):
        way_out = "They have no answer in common, as if they were of two installations; `platea mend --strangers` puts the two together."
        return MendingReport(together=False, doubt=doubt, way_out=way_out)
    report = _fill_in(report, homes, plan)
    id = await _unsettled(connection)
    await appender.raise_end(homes.highest)
    moved = 0
    for _ in range(ROUNDS):
        await homes.read_on()
        plan = homes.plan()
        if not plan.appends:
            break
        written = await _append(appender, homes, plan)
        moved += len(written)
        report.from_store += sum(plan.acts[id] is Repair.FROM_STORE for id in written)
        report.from_journal += sum(plan.acts[id] is Repair.FROM_JOURNAL for id in written)
        report.withdrawn += sum(plan.acts[id] is Repair.WITHDRAW for id in written)
    else:
        raise Refusal("So much is being written to the journal that mending does not get to its end.", "Try again when it is calmer.")
    obsolete = plan.obsolete | await _append_unreadable(appender, homes)
    await _rename(js, id)
    await _finish(connection, homes, plan, obsolete, await JournalConsumer(client).partitions(), moved)
    report.erased = len(obsolete)
    return report


def _fill_in(report: MendingReport, homes: Homes, plan: Plan) -> MendingReport:
    report.highest, report.unclear = homes.highest, plan.unclear
    report.ended = report.ended or homes.end
    known = {held.seq for held in homes.store.values()}
    aside = homes.aside_nowhere()
    report.nowhere = count_missing(homes.numbers, homes.end, homes.highest, known | set(aside)) + len(aside)
    return report


async def _same_journal(client: Client, connection: Connection) -> bool:
    """Whether the store was recorded from a copy of this journal."""
    id, _ = await JournalConsumer(client).standing()
    return await connection.fetchval("-- known journal\nselect exists (select from journals where id = $1)", id)


async def _unsettled(connection: Connection) -> str:
    """Marks the store, so that analysis waits whatever happens to us. Gives the id of the journal that is to come of it."""
    last = await connection.fetchrow("-- last journal\nselect id, settled from journals order by number desc limit 1")
    if last is not None and not last["settled"]:
        return last["id"]
    id = uuid.uuid4().hex
    await connection.execute("-- unsettle\ninsert into journals (id, settled) values ($1, false)", id)
    return id


async def _append(appender: Appender, homes: Homes, plan: Plan) -> set[str]:
    """Appends the events of the plan and returns the ids of the responses that were written."""
    written: set[str] = set()
    ids = plan.appends
    for start in range(0, len(ids), 1000):
        part = ids[start : start + 1000]
        stored = await homes.stored([id for id in part if plan.acts[id] is Repair.FROM_STORE])
        appends: list[Append] = []
        for id in part:
            if plan.acts[id] is Repair.FROM_STORE:
                event = stored[id]
            elif plan.acts[id] is Repair.WITHDRAW:
                event = events.ResponseWithdrawn(id, await homes.survey_of(id))
            else:
                event = await _as_change(homes, homes.journal[id].seq)
            appends.append(Append.of(event, homes.last_of.get(id, 0)))
        written |= await appender.append(appends)
    return written


async def _as_change(homes: Homes, seq: int) -> ResponseReplaced:
    """The event as a replacement: a second submission of a stored response would not count."""
    event = events.read_response((await homes.written(seq)).data)
    assert isinstance(event, ResponseSubmitted | ResponseReplaced)
    return ResponseReplaced(event.id, event.survey, event.version, event.answers, event.digest, event.language, event.notice)


async def _append_unreadable(appender: Appender, homes: Homes) -> set[int]:
    """Appends unreadable events above `highest`, where analysis reads or parks them. Returns their former sequences."""
    for seq in homes.unreadable:
        message = await homes.written(seq)
        _, _, _, survey, id = message.subject.split(".")
        await appender.append([Append(subjects.response(survey, id), id, message.data, {}, homes.last_of[id])])
    return set(homes.unreadable)


async def _rename(js: JetStreamContext, id: str) -> None:
    """From here on it is another journal: an older copy of it, or of the store, is known by that."""
    config = (await js.stream_info(subjects.RESPONSES)).config
    await js.update_stream(replace(config, metadata={**own_metadata(config), subjects.JOURNAL_ID: id}))


async def _finish(connection: Connection, homes: Homes, plan: Plan, obsolete: set[int], partitions: int, moved: int) -> None:
    """What the store must know, all at once. Up to the highest number there is nothing left to read."""
    async with connection.transaction():
        await connection.executemany(
            "-- move withdrawn\nupdate responses set seq = $2 where id = $1::uuid and status = 'withdrawn'", list(plan.moved.items())
        )
        await connection.executemany(
            "-- erase\ninsert into erasures values ($1) on conflict do nothing", [(seq,) for seq in sorted(obsolete)]
        )
        await connection.execute("-- not parked\ndelete from parked where seq = any($1::bigint[])", homes.aside_nowhere())
        await connection.execute("-- not waiting\ndelete from waiting where seq = any($1::bigint[])", homes.aside_nowhere())
        await connection.executemany(
            """-- read up to
            insert into positions values ($1, $2) on conflict (partition) do update set seq = greatest(positions.seq, excluded.seq)""",
            [(partition, homes.highest) for partition in range(partitions)] if homes.highest else [],
        )
        await connection.execute(
            "-- settle\nupdate journals set settled = true, moved = moved + $1 where number = (select max(number) from journals)", moved
        )
