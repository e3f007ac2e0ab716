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
    unanswered: list[dict[str, Any]] = report["unanswered"]
    stored = f"{report['stored']:,} are stored"
    if report["unrecorded"]:
        say(f"{report['unrecorded']:,} accepted events are in the journal and not recorded: `platea parked list` shows them.")
    if not different and not unanswered:
        say(f"{report['compared']:,} figures of {report['responses']:,} responses: all equal. {stored}.")
        return
    if different:
        grid = table("figure", "live", "recounted")
        for difference in different[:SHOWN]:
            grid.add_row(difference["path"], str(difference["live"]), str(difference["recount"]))
        out.print(grid)
        more = f" (the first {SHOWN} are shown)" if len(different) > SHOWN else ""
        say(f"{len(different):,} of {report['compared']:,} figures differ{more}.")
        say(f"{report['responses']:,} responses were counted anew; {stored}.")
        say(
            "Keep the log of analysis. Where rows are missing, restore the database from a backup: what came since is recorded again from "
            "the journal. Where none is, stop analysis, delete the rows of this survey from the table `checkpoints`, and start it: then it "
            "counts anew."
        )
    else:
        say(f"{report['compared']:,} figures of {report['responses']:,} responses are equal, and that is not all; {stored}.")
    for difference in unanswered:
        say(_missing_sentence(difference))
    fail()


def _missing_sentence(partition: dict[str, Any]) -> str:
    """Describes a partition that no worker holds, or whose worker is behind."""
    waits = (
        f"{partition['waiting']:,} accepted events wait in the journal, {partition['uncounted']:,} stored responses are not in the figures"
    )
    if partition["held"]:
        return (
            f"Partition {partition['partition']} is behind: {waits}. See that its analysis worker runs and is not stopped; look at its log."
        )
    return f"Partition {partition['partition']} is counted by nobody: {waits}. Start the analysis worker whose PLATEA_PARTITIONS names it."
