"""`platea parked`: events that could not be read, with a way back."""

from __future__ import annotations

import json
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import confirm, fail, out, say, table
from deploy.cli.server import Server

PATH = "/api/v1/parked"
PATIENCE = 60.0


@click.group(name="parked", short_help="Events that could not be read, with a way back.")
def group() -> None:
    """Answers that were accepted and could not be read or stored. They are safe in the journal, and their receipts do not say "recorded".

    What is *parked* stays so until you have it read again or give it up. What *waits* answers a version of a survey that this Platea
    does not know, and is recorded by itself as soon as it does: publish the version, or update Platea.
    """


@group.command(name="list")
@server.options
def list_(server: Server) -> None:
    """List them: number in the journal, partition, survey, reason, and the day (UTC) since when. Nothing of what they say is shown."""
    page: dict[str, Any] = server.get(PATH)
    if not page["events"]:
        say("Everything that was accepted could be read.")
        return
    grid = table("event", "state", "since", "partition", "survey", "version", "reason")
    for event in page["events"]:
        seq, partition, survey = str(event["seq"]), str(event["partition"]), event["survey"] or "?"
        grid.add_row(seq, event["state"], event.get("since") or "", partition, survey, event["version"] or "", event["reason"])
    out.print(grid)
    say(f"{page['parked']:,} parked, {page['waiting']:,} waiting.")


@group.command()
@click.argument("events", metavar="[EVENT]...", nargs=-1, type=click.IntRange(1))
@server.options
def retry(events: tuple[int, ...], server: Server) -> None:
    """Have parked events read again, all or the named ones: after an update of Platea, for example.

    Exit status 1 if any of them still cannot be read.
    """
    done: dict[str, int] = server.ask("POST", f"{PATH}/retry", _body(events), seconds=PATIENCE)
    if not done["events"]:
        say("Nothing of that is parked.")
        return
    left = {"parked": "cannot be read and stay parked", "waiting": "wait for a version to be known", "again": "have not been looked at yet"}
    parts = [f"{done['recorded']:,} of {done['events']:,} events are recorded"]
    say("; ".join(parts + [f"{done[state]:,} {text}" for state, text in left.items() if done[state]]) + ".")
    if done["recorded"] < done["events"]:
        fail()


@group.command()
@click.argument("events", metavar="[EVENT]...", nargs=-1, type=click.IntRange(1))
@click.option("--count", type=click.IntRange(0), metavar="N", help="How many that are; asked for where it is not given.")
@click.option("--yes", is_flag=True, help="Do not ask. Needs --count.")
@server.options
def drop(events: tuple[int, ...], count: int | None, yes: bool, server: Server) -> None:
    """Give up events: all that are parked, or the named ones, which may also be such that wait.

    They are erased from the journal for good, and their receipts open nothing any more. There is no way back.
    """
    if yes and count is None:
        raise click.UsageError("--yes needs --count N, so that nothing is given up that you have not seen.")
    if count is None:
        parked: int = len(events) or server.get(PATH)["parked"]
        count = parked
    if count == 0:
        say("Nothing is parked.")
        return
    confirm(f"{count:,} accepted answers will be erased for good.", str(count), yes)
    done: dict[str, int] = server.ask("POST", f"{PATH}/drop", _body(events, count=count), seconds=PATIENCE)
    say(f"{done['dropped']:,} events are erased from the journal.")


def _body(events: tuple[int, ...], **more: int) -> bytes:
    return json.dumps({"events": list(events) or None} | more).encode()
