"""A cluster under faults, as a table: `python -m tests.faults.cluster` (a minute or two; `--hold 15 --rate 60` for more).

Three message servers, PostgreSQL, three intakes and two workers run on this machine; people answer and look up their receipts, while one
part after the other is killed, frozen or cut off. At the end every accepted answer must be in the store once; no right receipt may ever
have been called unknown, and nothing that is stored may have been told to be not stored. The exit status says so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from proto import receipt
from tests.faults.crowds import Askers, Respondents, Told
from tests.faults.machines import NODES, Cluster, Process, running

SETTLING = 120.0
"""Seconds in which everything accepted must be recorded once all is well again."""


class Row(msgspec.Struct):
    """`reads` are of receipts that were accepted before; `unknown` are those that were answered 404."""

    fault: str
    seconds: float
    accepted: int
    longest_gap: float
    errors: dict[str, int]
    reads: int
    reads_503: int
    unknown: int


class Report(msgspec.Struct):
    """`denied`: receipts of which somebody was told "Nothing was stored."; `denied_stored`: those that the store has all the same."""

    rows: list[Row]
    accepted: int
    recorded: int
    unknown: int
    denied: int
    denied_stored: int
    surplus: int
    lost: int

    @property
    def broken(self) -> list[str]:
        """What was promised and did not hold, in words."""
        return [
            sentence
            for sentence, holds_not in (
                (f"{self.accepted - self.recorded} accepted answers are not recorded.", self.accepted != self.recorded),
                (f"{self.unknown} right receipts were called unknown.", bool(self.unknown)),
                (f"{self.denied_stored} stored answers were told to be not stored.", bool(self.denied_stored)),
                (f"{self.surplus} responses are in the store that nobody sent.", self.surplus > self.lost),
            )
            if holds_not
        ]


@asynccontextmanager
async def killed(*processes: Process) -> AsyncGenerator[None]:
    for process in processes:
        process.signal(signal.SIGKILL)
    yield
    for process in processes:
        await asyncio.to_thread(process.spawn)
    for process in processes:
        await process.ready()


@asynccontextmanager
async def frozen(process: Process) -> AsyncGenerator[None]:
    process.signal(signal.SIGSTOP)
    yield
    process.signal(signal.SIGCONT)


@asynccontextmanager
async def cut(cluster: Cluster, node: int) -> AsyncGenerator[None]:
    cluster.links.cut(node)
    yield
    cluster.links.heal()


async def _nothing(_: Cluster) -> AbstractAsyncContextManager[None]:
    return contextlib.nullcontext()


async def _killed_leader(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return killed(cluster.nodes[await cluster.leader()])


async def _frozen_follower(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return frozen(cluster.nodes[await cluster.follower()])


async def _frozen_leader(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return frozen(cluster.nodes[await cluster.leader()])


async def _cut_follower(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return cut(cluster, await cluster.follower())


async def _cut_leader(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return cut(cluster, await cluster.leader())


async def _two_killed(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    leader = await cluster.leader()
    return killed(*(cluster.nodes[node] for node in range(NODES) if node != leader))


async def _killed_database(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return killed(cluster.database)


async def _killed_worker(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return killed(cluster.workers[0])


async def _killed_intake(cluster: Cluster) -> AbstractAsyncContextManager[None]:
    return killed(cluster.intakes[0])


FAULTS: dict[str, Callable[[Cluster], Awaitable[AbstractAsyncContextManager[None]]]] = {
    "nothing": _nothing,
    "kill -9 the leader": _killed_leader,
    "freeze a follower": _frozen_follower,
    "freeze the leader": _frozen_leader,
    "cut a follower off": _cut_follower,
    "cut the leader off": _cut_leader,
    "kill -9 two of three": _two_killed,
    "kill -9 PostgreSQL": _killed_database,
    "kill -9 a worker": _killed_worker,
    "kill -9 an intake": _killed_intake,
}


@dataclass
class Campaign:
    cluster: Cluster
    hold: float
    rate: float
    rows: list[Row] = field(default_factory=list[Row])

    async def run(self, faults: list[str]) -> Report:
        respondents = Respondents(self.cluster.urls, self.rate)
        askers = Askers(self.cluster.urls, respondents, self.rate / 2)
        going = [asyncio.create_task(respondents.answer()), asyncio.create_task(askers.ask())]
        await self._flowing(respondents)
        respondents.turn()
        for fault in faults:
            begun = time.monotonic()
            async with await FAULTS[fault](self.cluster):
                await asyncio.sleep(self.hold)
            await self._flowing(respondents)
            self.rows.append(_row(fault, time.monotonic() - begun, respondents.turn()))
            print(f"  {fault}: {self.rows[-1].accepted} accepted", file=sys.stderr, flush=True)
        respondents.leaving = askers.leaving = True
        await asyncio.wait_for(asyncio.gather(*going), SETTLING)
        return await self._counted(respondents, askers)

    async def _flowing(self, respondents: Respondents) -> None:
        """Answers are accepted again, a few of them at every intake's turn."""
        until, deadline = len(respondents.accepted) + 4 * len(self.cluster.urls), time.monotonic() + SETTLING
        while len(respondents.accepted) < until:
            assert time.monotonic() < deadline, "no answer is accepted any more"
            await asyncio.sleep(0.05)

    async def _counted(self, respondents: Respondents, askers: Askers) -> Report:
        sent = {receipt.response_id(mine) for mine in respondents.accepted}
        assert len(sent) == len(respondents.accepted)
        deadline = time.monotonic() + SETTLING
        while sent - (stored := await self.cluster.stored()).keys() and time.monotonic() < deadline:
            await asyncio.sleep(0.3)
        denied = {receipt.response_id(mine) for mine in respondents.denied}
        return Report(
            rows=self.rows,
            accepted=len(sent),
            recorded=len(sent & stored.keys()),
            unknown=len(askers.unknown),
            denied=len(denied),
            denied_stored=len((denied - sent) & stored.keys()),
            surplus=len(stored.keys() - sent - denied),
            lost=respondents.lost,
        )


def _row(fault: str, seconds: float, told: Told) -> Row:
    reads = told.reads
    return Row(
        fault=fault,
        seconds=round(seconds, 1),
        accepted=told.accepted,
        longest_gap=round(told.gap, 2),
        errors=dict(told.errors),
        reads=reads.total(),
        reads_503=reads["503"],
        unknown=reads["404"],
    )


def show(report: Report) -> None:
    table = Table("fault", "seconds", "accepted", "longest gap", "errors", "reads", "of them 503", "unknown", box=None)
    for row in report.rows:
        errors = ", ".join(f"{count} × {kind}" for kind, count in row.errors.items()) or "0"
        share = f"{row.reads_503} ({100 * row.reads_503 / max(row.reads, 1):.0f} %)"
        table.add_row(
            row.fault, f"{row.seconds:.1f}", str(row.accepted), f"{row.longest_gap:.2f} s", errors, str(row.reads), share, str(row.unknown)
        )
    console = Console(width=150)
    console.print(table)
    console.print(f"accepted {report.accepted}, recorded {report.recorded}, right receipts called unknown {report.unknown}")
    console.print(f"told that nothing was stored {report.denied}, of them stored {report.denied_stored}")
    console.print(f"sent without a receipt and without an answer {report.lost}, of them stored {report.surplus}")


async def campaign(folder: Path, faults: list[str], hold: float, rate: float, intakes: int = 3) -> Report:
    async with running(folder, intakes) as cluster:
        return await Campaign(cluster, hold, rate).run(faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster", description="A cluster under faults, as a table and as JSON.")
    parser.add_argument("--hold", type=float, default=4.0, help="seconds that each fault lasts (an election takes 4 to 9)")
    parser.add_argument("--rate", type=float, default=30.0, help="answers a second; half as many receipts are looked up")
    parser.add_argument("--only", choices=FAULTS, action="append", help="this fault alone (may be given several times)")
    parser.add_argument("--out", type=Path, help="a file for the JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="platea-cluster-") as folder:
        Path(folder).chmod(0o755)
        report = asyncio.run(campaign(Path(folder), given.only or list(FAULTS), given.hold, given.rate))
    show(report)
    if given.out:
        given.out.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    for fault in report.broken:
        print(fault, file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
