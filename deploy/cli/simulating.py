"""`platea simulate`: plausible respondents over HTTP."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli import bulk_sender, server
from deploy.cli.bulk_sender import BulkSubmission, Sender, SubmissionReply
from deploy.cli.console import Trouble, progress, say
from deploy.cli.respondents import Population
from deploy.cli.server import Server, refusal
from proto.answers import today_of
from proto.instrument import Instrument
from proto.receipt import make


def definition(connection: Server, survey: str, version: str = "") -> Instrument:
    """This version of a survey (the current one, unless it is named), as the server gives it to everybody. Raises Trouble."""
    which = f"?version={server.quoted(version)}" if version else ""
    given: dict[str, Any] = connection.ask("GET", f"/api/v1/surveys/{server.quoted(survey)}{which}", public=True)
    known = {name: given[name] for name in Instrument.__struct_fields__ if name in given}
    try:
        return msgspec.convert(known, Instrument)
    except msgspec.ValidationError:
        raise Trouble(
            f"{connection.url} describes {survey} in a form unknown here.", "Use the `platea` of the server's own version."
        ) from None


def submissions(instrument: Instrument, count: int, seed: int) -> Iterator[BulkSubmission]:
    """The seed decides what people answer; receipts are new each time, as they are for people."""
    population = Population(instrument, seed, today_of(time.time()))
    return (BulkSubmission(number, make(), population.body(number)) for number in range(count))


async def simulate(
    url: str,
    instrument: Instrument,
    count: int,
    seed: int,
    rate: float | None = None,
    at_once: int = 32,
    seen: Callable[[SubmissionReply], None] = lambda reply: None,
    token: str | None = None,
) -> int:
    """Sends `count` respondents and returns how many were accepted. `seen` is called with each reply."""
    accepted = 0
    async with Sender(url, instrument.id, at_once, token) as sender:
        async for reply in sender.send_all(submissions(instrument, count, seed), rate):
            accepted += reply.accepted
            seen(reply)
    return accepted


@click.command(name="simulate", short_help="Plausible respondents over HTTP.")
@click.argument("survey", metavar="ID")
@click.option("--responses", "-n", type=click.IntRange(min=1), required=True, help="How many respondents.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many a second.  [default: as fast as they are taken]")
@click.option("--seed", type=int, help="The same seed gives the same answers.  [default: new ones each time]")
@click.option("--at-once", type=click.IntRange(1, 1024), default=64, show_default=True, help="Connections in use.")
@click.option("--receipts", type=click.Path(dir_okay=False, path_type=Path), help="Write the accepted receipts to this file, one a line.")
@server.options
def command(survey: str, responses: int, rate: float | None, seed: int | None, at_once: int, receipts: Path | None, server: Server) -> None:
    """Send N plausible respondents to the survey ID, over HTTP like anybody else.

    Their answers follow the questionnaire's own skip logic and hang together as in real data: size, region and stage of an
    authority drive what it answers. Use it to try out dashboards and releases; a survey that people answer is no place for it.
    """
    instrument = definition(server, survey)
    refused: list[SubmissionReply] = []
    file = _private(receipts) if receipts else None

    def seen(reply: SubmissionReply) -> None:
        bar.advance()
        if not reply.accepted:
            refused.append(reply)
        elif file is not None:
            file.write(reply.submission.receipt + "\n")

    begun = time.monotonic()
    try:
        with progress("Responses", responses, "responses") as bar:
            chosen = secrets.randbits(32) if seed is None else seed
            accepted = bulk_sender.run(simulate(server.url, instrument, responses, chosen, rate, at_once, seen, server.token))
    finally:
        if file is not None:
            file.close()
    seconds = time.monotonic() - begun
    say(f"{accepted:,} responses accepted in {seconds:,.1f} s ({accepted / seconds:,.0f}/s).")
    say(f"Live figures: {server.url}/live/{survey}")
    if refused:
        first = refusal(refused[0].status, refused[0].body, server)
        raise Trouble(f"{len(refused):,} responses were refused. The first: {first.message}", first.way_out)


def _private(path: Path) -> Any:
    """A file for secrets: only its owner reads it."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise Trouble(f"Cannot write {path}: {error.strerror}.", "Name a file in a folder that you may write to.") from None
