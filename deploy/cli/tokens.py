"""`platea token`: access for organisers or researchers."""

from __future__ import annotations

import datetime
import json
from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import note, out, say, table
from deploy.cli.server import Server, quoted


@click.group(name="token", short_help="Access for organisers and researchers.")
def group() -> None:
    """Create, list and revoke access tokens. The server keeps only their hashes."""


@group.command()
@click.option(
    "--role", type=click.Choice(["organiser", "researcher"]), required=True, help="Organisers run surveys; researchers download releases."
)
@click.option("--survey", metavar="ID", help="Only for this survey.  [default: all]")
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="Ends after so many days.  [default: a year, or with the token it is made with]"
)
@server.options
def create(role: str, survey: str | None, days: int | None, server: Server) -> None:
    """Create a token and print its secret, this once, alone on stdout.

    It opens no more than the token it is made with, ends no later, and is revoked with it.
    """
    order = {"role": role} | ({"survey": survey} if survey else {}) | ({"days": days} if days else {})
    created: dict[str, Any] = server.ask("POST", "/api/v1/tokens", json.dumps(order).encode())
    note(
        f"Token {created['id']} ({role}, {survey or 'all surveys'}, until {_day(created['expires'])}). "
        "Keep the secret: it is not shown again."
    )
    say(created["secret"])


@group.command(name="list")
@server.options
def list_(server: Server) -> None:
    """List the tokens for the surveys that yours opens, without their secrets: who made each, when, and the day it was last used."""
    grid = table("token", "role", "survey", "state", "ends", "made", "by", "last used")
    for token in server.get("/api/v1/tokens"):
        ends = token.get("expires")
        past = ends is not None and ends < datetime.datetime.now(datetime.UTC).timestamp()
        state = "revoked" if token.get("revoked") else "ended" if past else "valid"
        history = (token.get("made") or "?", token.get("maker") or "the server", token.get("used") or "never")
        grid.add_row(token["id"], token["role"], token.get("survey") or "all", state, _day(ends), *history)
    out.print(grid)


def _day(expires: int | None) -> str:
    return "never" if expires is None else datetime.datetime.fromtimestamp(expires, datetime.UTC).date().isoformat()


@group.command()
@click.argument("name", metavar="TOKEN")
@server.options
def revoke(name: str, server: Server) -> None:
    """Revoke TOKEN (its name from `platea token list`), at once and for good, with all that were made with it."""
    server.ask("DELETE", f"/api/v1/tokens/{quoted(name)}")
    say(f"Token {name} no longer opens anything.")
