"""`platea retention`: until when the answers to a survey are kept."""

from __future__ import annotations

import datetime
import json
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import Trouble, say
from deploy.cli.server import Server, quoted


@click.command(name="retention", short_help="Until when answers are kept.")
@click.argument("survey", metavar="ID")
@click.option(
    "--delete-on", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From this day on (UTC) the answers are deleted."
)
@click.option("--never", is_flag=True, help="Keep them until another day is set.")
@click.option("--yes", is_flag=True, help="Do not ask, where that day has come already.")
@server.options
def command(survey: str, day: datetime.datetime | None, never: bool, yes: bool, server: Server) -> None:
    """Show or set the day from which the answers to the survey ID are deleted.

    Only a closed survey is deleted. Then every answer goes from the store and the journal, with what was decided about free texts, and it
    is never opened again. Figures stay as they are, and so do releases; neither can be counted or built again. A receipt then opens
    nothing any more. There is no way back, save a backup of yours: let backups end on the same day.
    """
    if day is not None and never:
        raise click.UsageError("--delete-on and --never do not go together.")
    path = f"/api/v1/surveys/{quoted(survey)}/retention"
    kept: dict[str, Any] = server.get(path)
    if day is not None or never:
        wanted = day.date().isoformat() if day else None
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        if wanted is not None and wanted <= today and not kept["open"] and not yes:
            try:
                sure = click.confirm(f"This deletes all answers to {survey} now, for good. Go on?", err=True)
            except click.Abort:
                sure = False
            if not sure:
                raise Trouble("Nothing was deleted.", "Name a later day, or say --yes.")
        kept = server.ask("PUT", path, json.dumps({"on": wanted}).encode())
    say(_sentence(survey, kept))


def _sentence(survey: str, kept: dict[str, Any]) -> str:
    if kept["on"] is None:
        return f"The answers to {survey} are kept: no day is set on which they are deleted."
    if kept["over"]:
        return f"The answers to {survey} are deleted; figures and releases stay. `platea recount {survey}` tells since when."
    closing = f" once it is closed (`platea survey close {survey}`)" if kept["open"] else ""
    return f"The answers to {survey} are deleted from {kept['on']} on{closing}; figures and releases stay."
