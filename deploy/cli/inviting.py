"""`platea invite`: codes for the organiser's own mailing. Platea learns their names and marks, not the codes, and never an address."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import Trouble, progress, say
from deploy.cli.server import Server, quoted
from proto import codes, invitation
from proto.blind import PublicKey
from services.runtime.spreadsheet_csv import Writer

AT_ONCE = 1000
"""Codes made known with one request."""


@click.command(short_help="Make invitation codes for a survey.")
@click.argument("survey", metavar="ID")
@click.option("--count", "-n", type=click.IntRange(1, 100_000), required=True, help="How many people are invited.")
@click.option(
    "--out", "-o", "file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The CSV file to write: code and link."
)
@click.option("--site", metavar="URL", help="The address under which people reach Platea.  [default: the server's]")
@server.options
def command(survey: str, count: int, file: Path, site: str | None, server: Server) -> None:
    """Make invitation codes for the survey ID, whose instrument says `participation: invited`. Repeat it to invite more people.

    One code allows one response, on any device. Each line of the file has a code and a link that already holds it. The part of the link
    after the # never reaches a server; it also names the key with which tickets are signed, so that nobody can be given a key of their own
    and be known again by it.
    """
    new_codes = [invitation.make_code() for _ in range(count)]
    opened = _open(file)
    with opened:
        try:
            key = _make_known(server, survey, new_codes)
        except BaseException:
            file.unlink()
            raise
        address = f"{(site or server.url).rstrip('/')}/s/{quoted(survey)}"
        rows = Writer(opened, "\r\n")
        rows.writerow(["code", "link"])
        rows.writerows([code, f"{address}#{code}.{key}"] for code in new_codes)
        opened.flush()
        os.fsync(opened.fileno())
    say(f"{count:,} {'code' if count == 1 else 'codes'} for {survey} in {file}, which only you can read. Platea has no copy.")
    say("Next: merge it with your list of addresses and send each person one line, the code or the link.")
    say("Then delete this file and the merged list: whoever has a code can make its ticket, before and after it was used.")


def _open(file: Path) -> Any:
    """A new file of mode 600; one that is there may hold codes that were sent already."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Trouble(f"{file} is there already, perhaps with codes that were sent.", "Move it away, or name another file.") from None
    except OSError as error:
        raise Trouble(f"Cannot write to {file}: {error.strerror}.", "Name a file in a folder that you may write to.") from None
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _make_known(server: Server, survey: str, new_codes: list[str]) -> str:
    """Makes the codes known by their names and marks, never themselves. Returns the fingerprint of the key that signs tickets."""
    address = f"/api/v1/surveys/{quoted(survey)}"
    named = str(server.ask("POST", f"{address}/invitations", b'{"codes": []}')["key"])
    public_key = server.ask("GET", f"{address}/tickets")
    key = PublicKey(int.from_bytes(invitation.decoded(public_key["n"])), int.from_bytes(invitation.decoded(public_key["e"])))
    with progress("Inviting", len(new_codes), "codes") as bar:
        for start in range(0, len(new_codes), AT_ONCE):
            part = [_known(survey, codes.bare(code), key) for code in new_codes[start : start + AT_ONCE]]
            server.ask("POST", f"{address}/invitations", json.dumps({"codes": part}).encode())
            bar.advance(len(part))
    return named


def _known(survey: str, code: str, key: PublicKey) -> dict[str, str]:
    """What Platea learns of a code."""
    mark = invitation.mark(invitation.ticket_request(survey, code, key).blinded)
    return {"name": invitation.name(survey, code).hex(), "mark": mark.hex()}
