"""`platea recount`: every exact statistic against a recount from the stored responses."""

from __future__ import annotations

from typing import Any

import click

from deploy.cli import server
from deploy.cli.console import err, fail, out, say, table
from deploy.cli.server import Server, quoted

SHOWN = 50
PATIENCE = 900.0
"""Seconds; every response is read."""


@click.command(name="recount", short_help="Live figures against a recount from scratch.")
@click.argument("survey", metavar="ID")
@server.options
def command(survey: str, server: Server) -> None:
    """Count the stored responses of the survey ID from scratch and compare every exact statistic with the live one.

    Nothing may differ, to the last digit; what does is listed, and the exit status is 1.
    """
    with err.status("Counting from scratch …"):
        report: dict[str, Any] = server.get(f"/api/v1/surveys/{quoted(survey)}/recount", PATIENCE)
    if day := report.get("deleted"):
        say(
            f"The answers to {survey} were deleted on {day}. Its figures, of {report['responses']:,} responses, stand as they were then "
            "and cannot be counted again."
        )
        return
    different: list[dict[str, Any]] = report["differences"]
    if not different:
        say(f"{report['compared']:,} figures of {report['responses']:,} responses: all equal.")
        return
    grid = table("figure", "live", "recounted")
    for each in different[:SHOWN]:
        grid.add_row(each["path"], str(each["live"]), str(each["recount"]))
    out.print(grid)
    more = f" (the first {SHOWN} are shown)" if len(different) > SHOWN else ""
    say(f"{len(different):,} of {report['compared']:,} figures differ{more}. Restart analysis to count anew, and keep its log.")
    fail()
