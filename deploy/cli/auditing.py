"""`platea audit`: what organisers did, with which token."""

from __future__ import annotations

import io
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import say
from deploy.cli.server import Server
from services.runtime.spreadsheet_csv import Writer


@click.group(name="audit", short_help="What organisers did, with which token.")
def group() -> None:
    """What organisers did: publishing, closing, tokens, invitations, addresses, releases. Nobody can delete from the record."""


@group.command()
@click.option("--survey", metavar="ID", help="Only about this survey.")
@server.options
def export(survey: str | None, server: Server) -> None:
    """Print the record as CSV, the oldest first: when (UTC), by which token, what, about which survey, and what of it.

    A token for one survey sees what concerns that survey.
    """
    text = io.StringIO()
    writer = Writer(text)
    writer.writerow(("at", "by", "act", "survey", "about"))
    after: int | None = 0
    while after is not None:
        page: dict[str, Any] = server.get(f"/api/v1/acts?after={after}")
        for act in page["acts"]:
            if survey in (None, act.get("survey")):
                writer.writerow((act["at"], act["by"], act["act"], act.get("survey", ""), act.get("about", "")))
        after = page["after"]
    say(text.getvalue().rstrip("\n"))
