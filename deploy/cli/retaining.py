"""`platea retention`: until when the answers to a survey are kept."""

from __future__ import annotations

import datetime
import json
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import Trouble, confirm, say
from deploy.cli.server import Server, quoted
from proto.registry import GRACE, after_grace


@click.command(name="retention", short_help="Until when answers are kept.")
@click.argument("survey", metavar="ID")
@click.option(
    "--delete-on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="From this day on (UTC, such as 2027-06-30) answers are deleted.",
)
@click.option("--never", is_flag=True, help="Keep them until another day is set. Also takes back a deletion that has not begun.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server.options
def command(survey: str, day: datetime.datetime | None, never: bool, yes: bool, server: Server) -> None:
    """Show or set the day from which the answers to the survey ID are deleted.

    Only a closed survey is deleted, and not before seven days after it was closed or the day was set: until then `--never`, a later day or
    `platea survey reopen ID` keep the answers. Then every answer goes from the store and the journal, with what was decided about free
    texts, and the survey is never opened again. Figures stay as they are, and so do releases; neither can be counted or built again. A
    receipt then opens nothing any more. There is no way back, save a backup of yours: let backups end on the same day.
    """
    if day is not None and never:
        raise click.UsageError("--delete-on and --never do not go together.")
    path = f"/api/v1/surveys/{quoted(survey)}/retention"
    retention: dict[str, Any] = server.get(path)
    if day is not None or never:
        new_day = day.date().isoformat() if day else None
        if new_day is not None and not retention["over"]:
            _refuse_past(new_day)
            confirm(_consequence(server, survey, new_day, retention["open"]), survey, yes)
        retention = server.ask("PUT", path, json.dumps({"on": new_day}).encode())
    say(sentence(survey, retention))


def _refuse_past(day: str) -> None:
    if day < today():
        raise Trouble(f"{day} has passed.", f"Name {today()} or a later day; answers stay for {GRACE} days at least.")


def _consequence(server: Server, survey: str, day: str, is_open: bool) -> str:
    first = max(day, after_grace(today()))
    closed = "once the survey is closed, and at the earliest " if is_open else ""
    return f"{answers(server, survey)} to {survey} will be deleted for good, {closed}from {first} on. Until then it can be taken back."


def answers(server: Server, survey: str) -> str:
    """The number of answers of a survey, as the beginning of a sentence."""
    try:
        count: int = server.get(f"/api/v1/surveys/{quoted(survey)}/aggregates?view=exact")["responses"]
    except Trouble:
        return "All answers (how many cannot be told just now)"
    return f"{count:,} answer{'' if count == 1 else 's'}"


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def sentence(survey: str, retention: dict[str, Any]) -> str:
    """When the answers are deleted. `retention`: the body of `GET …/retention`."""
    if retention["on"] is None:
        return f"The answers to {survey} are kept: no day is set on which they are deleted."
    if retention["over"]:
        return f"The answers to {survey} are deleted; figures and releases stay. `platea recount {survey}` tells since when."
    if retention["open"]:
        later = f" (closed today, from {max(retention['on'], after_grace(today()))})"
        closing = f" once it is closed (`platea survey close {survey}`), {GRACE} days after that at the earliest{later}"
        return f"The answers to {survey} are deleted from {retention['on']} on{closing}; figures and releases stay."
    back = f"`platea retention {survey} --never` or `platea survey reopen {survey}`"
    return (
        f"The answers to {survey} are deleted from {retention['deleted_from']} on; until then {back} keeps them. Figures and releases stay."
    )
