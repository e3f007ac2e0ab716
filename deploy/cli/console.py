"""Output of the command line: plain lines, progress bars, errors of two sentences."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True, emoji=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
"""Rich leaves colours out where the output is no terminal or NO_COLOR is set."""


class Trouble(click.ClickException):
    """An error as people meet it: one sentence with the cause, one with the way out."""

    def __init__(self, cause: str, way_out: str, status: int = 1) -> None:
        super().__init__(cause)
        self.way_out = way_out
        self.status = status


def complain(cause: str, way_out: str = "") -> None:
    """The two sentences, on stderr."""
    err.print(f"[red]{escape(cause)}[/red]")
    if way_out:
        err.print(escape(way_out))


def say(text: str = "") -> None:
    """A line on stdout, exactly as it is."""
    click.echo(text)


def note(text: str) -> None:
    """A line beside the result, on stderr, so that stdout stays what scripts read."""
    err.print(text, markup=False, style="dim")


def table(*headings: str) -> Table:
    """Aligned columns without lines around them."""
    grid = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    return grid


class ProgressBar:
    """A progress bar in use."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._task = progress, progress.task_ids[0]

    def advance(self, count: int = 1) -> None:
        self._progress.advance(self._task, count)

    def reach(self, done: float, total: float | None = None, label: str | None = None) -> None:
        self._progress.update(self._task, completed=done, total=total, description=label)


@contextmanager
def progress(label: str, total: int | None, unit: str = "") -> Generator[ProgressBar]:
    """A progress bar on stderr with rate and time left. Without a terminal it draws nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(unit), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal, refresh_per_second=5) as shown:
        shown.add_task(label, total=total)
        yield ProgressBar(shown)


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:,.0f} {self._unit}/s")


def confirm(consequence: str, word: str, yes: bool) -> None:
    """Asks for `word`; returns once it is typed, or at once with --yes. Raises Trouble otherwise, also without a terminal."""
    if yes:
        return
    err.print(escape(consequence))
    try:
        typed = click.prompt(f"Type {word} to go on", default="", show_default=False, err=True)
    except click.Abort:
        err.print()
        typed = ""
    if typed.strip() != word:
        raise Trouble("Nothing was changed.", f"Type {word} when asked, or say --yes in a script.")


def fail() -> None:
    """Ends the command with status 1 after it has printed the reason."""
    sys.exit(1)
