"""`platea token`: access for organisers and researchers."""

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
@click.option("--days", type=click.IntRange(min=1), help="Ends after so many days.  [default: never]")
@server.options
def create(role: str, survey: str | None, days: int | None, server: Server) -> None:
    """Create a token and print its secret, this once, alone on stdout."""
    order = {"role": role} | ({"survey": survey} if survey else {}) | ({"days": days} if days else {})
    made: dict[str, Any] = server.ask("POST", "/api/v1/tokens", json.dumps(order).encode())
    note(f"Token {made['id']} ({role}, {survey or 'all surveys'}). Keep the secret now: it is not shown again.")
    say(made["secret"])


@group.command(name="list")
@server.options
def list_(server: Server) -> None:
    """List the tokens, without their secrets."""
    grid = table("token", "role", "survey", "ends", "state")
    for each in server.get("/api/v1/tokens"):
        ends = each.get("expires")
        day = datetime.datetime.fromtimestamp(ends, datetime.UTC).date().isoformat() if ends else "never"
        past = ends is not None and ends < datetime.datetime.now(datetime.UTC).timestamp()
        state = "revoked" if each.get("revoked") else "ended" if past else "valid"
        grid.add_row(each["id"], each["role"], each.get("survey") or "all", day, state)
    out.print(grid)


@group.command()
@click.argument("name", metavar="TOKEN")
@server.options
def revoke(name: str, server: Server) -> None:
    """Revoke TOKEN (its name from `platea token list`), at once and for good."""
    server.ask("DELETE", f"/api/v1/tokens/{quoted(name)}")
    say(f"Token {name} no longer opens anything.")
