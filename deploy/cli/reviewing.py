"""`platea release review`: free texts go into a release only after a person has accepted each."""

from __future__ import annotations

import json
import os
import sys
import termios
import tty
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import click

from deploy.cli import server
from deploy.cli.console import Trouble, note, out, say, table
from deploy.cli.review_api import ReviewApi, decisions_in, sheet
from deploy.cli.server import Server

AID = "The column `marked` is what a detector of shapes found: an aid that misses much."


@click.command(name="review")
@click.argument("survey", metavar="ID")
@click.option("--again", is_flag=True, help="Also the texts that were decided on already.")
@click.option(
    "--export",
    "sheet_out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the texts as CSV, for your eyes only.",
)
@click.option(
    "--import", "sheet_in", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Enter the decisions of such a CSV."
)
@click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON; alone: how many texts are accepted, refused and open.")
@server.options
def command(survey: str, again: bool, sheet_out: Path | None, sheet_in: Path | None, as_json: bool, server: Server) -> None:
    """Read the free texts of the survey ID one by one, and accept or refuse each for releases.

    A scientific release holds the accepted texts, in texts.csv, apart from the rows; a public one holds none. Nothing but text, question
    and language is shown of a response. Every decision is entered at once, so you may stop at any time and go on later. A text that its
    author changes or withdraws loses its decision. Marks on addresses, numbers and names are an aid, no more: you decide.

    At a terminal, single keys decide. Elsewhere use --export FILE, write accept or refuse into the column `decision`, and --import FILE.
    """
    if sheet_in is not None and sheet_out is not None:
        raise click.UsageError("--import and --export do not go together.")
    api = ReviewApi(server, survey)
    if sheet_in is not None:
        _import(api, sheet_in, as_json)
    elif sheet_out is not None:
        _export(api, sheet_out, again, as_json)
    elif as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _show_counts(api, as_json)
    else:
        _review_at_terminal(api, again)


def _review_at_terminal(api: ReviewApi, again: bool) -> None:
    from deploy.cli.review_session import review_texts

    if not api.given or not (api.open or again):
        _show_counts(api, False)
        return
    with _keys() as key:
        done = review_texts(api, again, key, out)
    api.refresh()
    out.clear()
    say(f"{done['accepted']:,} accepted, {done['refused']:,} refused. {api.open:,} of {api.given:,} texts of {api.survey} are open.")
    if api.open:
        say(f"`platea release review {api.survey}` goes on where you stopped.")


@contextmanager
def _keys() -> Generator[Callable[[], str]]:
    """Yields a function that reads one key without echo, also keys pressed earlier; at the end of the input it returns "q"."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield lambda: os.read(terminal, 1).decode(errors="replace") or "q"
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _show_counts(api: ReviewApi, as_json: bool) -> None:
    if as_json:
        names = ("question", "given", "accepted", "refused", "open")
        questions = [{name: counts[name] for name in names} for counts in api.questions.values()]
        say(json.dumps({"survey": api.survey, "questions": questions, "given": api.given, "open": api.open}, indent=2))
        return
    if not api.questions:
        say(f"{api.survey} asks for no free text.")
        return
    grid = table("question", "texts", "accepted", "refused", "open")
    for counts in api.questions.values():
        grid.add_row(counts["question"], *(f"{counts[name]:,}" for name in ("given", "accepted", "refused", "open")))
    out.print(grid)
    if api.open and not sys.stdin.isatty():
        note("Run this at a terminal to read them, or use --export and --import.")


def _export(api: ReviewApi, file: Path, again: bool, as_json: bool) -> None:
    text = sheet(api.texts(again, most=1000))
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8-sig", newline="") as opened:
            opened.write(text)
    except FileExistsError:
        raise Trouble(f"{file} is there already.", "Name another file: decisions in it might not have been imported.") from None
    except OSError as error:
        raise Trouble(f"Cannot write {file}: {error.strerror}.", "Name a file in a folder that you may write to.") from None
    if as_json:
        _show_counts(api, True)
        return
    say(f"The texts are in {file}, which only you can read. Delete it when you have imported your decisions.")
    note(AID)


def _import(api: ReviewApi, file: Path, as_json: bool) -> None:
    try:
        body = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Trouble(f"Cannot read {file}: {reason}.", "Name the file that --export wrote, saved as CSV in UTF-8.") from None
    entered = api.enter(decisions_in(body, str(file)))
    if as_json:
        say(json.dumps(entered, indent=2))
        return
    gone = len(entered["gone"])
    say(f"{entered['accepted']:,} accepted, {entered['refused']:,} refused, {entered['open']:,} opened again.")
    if gone:
        say(f"{gone:,} of the texts were changed or withdrawn since they were exported: nothing was decided about those.")
