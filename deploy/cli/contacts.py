"""`platea contacts`: the addresses of those who want the results of a survey."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import Trouble, note, say
from deploy.cli.server import Server, quoted
from services.runtime.spreadsheet_csv import Writer


@click.command(name="contacts", short_help="Addresses of those who want the results.")
@click.argument("survey", metavar="ID")
@click.option("--out", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write them to FILE, which only you can read.")
@click.option("--delete", is_flag=True, help="Then delete them from the server, for good.")
@server.options
def command(survey: str, file: Path | None, delete: bool, server: Server) -> None:
    """Print the e-mail addresses that respondents of the survey ID left to hear of its results, as CSV, in alphabetical order.

    The list is kept apart from all answers: no date, no language, nothing that joins the two. With --delete the server empties it
    and overwrites what it held; an address that arrives in between is kept, and the command says so. Send the results, then delete.
    """
    path = f"/api/v1/surveys/{quoted(survey)}/contacts"
    with server.open("GET", path) as answer:
        contacts: list[dict[str, Any]] = json.loads(answer.read())
        version: str = answer.headers["ETag"]  # type: ignore[attr-defined]
    text = io.StringIO()
    writer = Writer(text)
    writer.writerow(("address", "interview", "agreed"))
    writer.writerows((contact["address"], "yes" if contact.get("interview") else "no", contact["agreed"]) for contact in contacts)
    if file is None:
        say(text.getvalue().rstrip("\n"))
    else:
        _write(file, text.getvalue())
    count = f"{len(contacts):,} address{'' if len(contacts) == 1 else 'es'}"
    note(f"{count} of {survey}{f' in {file}' if file else ''}.")
    if delete:
        with server.open("DELETE", path, headers={"If-Match": version}) as answer:
            answer.read()
        note("They are deleted from the server.")


def _write(file: Path, text: str) -> None:
    """Never half a file, and none that others can read: what is deleted next must be in it."""
    draft = file.with_name(f".{file.name}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
    except OSError as error:
        raise Trouble(f"Cannot write {file}: {error.strerror}.", "Name a file in a folder that you may write to.") from None
