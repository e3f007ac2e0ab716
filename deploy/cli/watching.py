"""`platea watch`: live figures at a terminal, or as a stream of snapshots for a pipe."""

from __future__ import annotations

import os
import sys

import click
import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.cli import server
from deploy.cli.console import Trouble, note, out
from deploy.cli.server import Server
from deploy.cli.simulating import definition
from deploy.cli.sse_client import follow
from proto.instrument import Instrument
from proto.snapshot import Snapshot
from services.analysis.dashboard.figure_view import Bar, FigureView, figure_view
from services.analysis.dashboard.headline_view import HeadlineView, headlines
from services.analysis.dashboard.svg_canvas import plain
from services.analysis.dashboard.words import DashboardWords

FEW = 6
"""Answers of a question that are shown unless the question is asked for."""
BAR = 24


@click.command(name="watch", short_help="Live figures at the terminal.")
@click.argument("survey", metavar="ID")
@click.option(
    "--question",
    "-q",
    "questions",
    multiple=True,
    metavar="ID",
    help="Show this question with all its answers (may be given several times).",
)
@click.option("--lang", metavar="CODE", help="The language of the survey's texts.  [default: its own]")
@click.option("--json", "as_json", is_flag=True, help="Write each snapshot as a line of JSON, for a pipe.")
@click.option("--once", is_flag=True, help="Show the current figures and end.")
@server.options
def command(survey: str, questions: tuple[str, ...], lang: str | None, as_json: bool, once: bool, server: Server) -> None:
    """Show the published figures of the survey ID, and each new edition as it comes. Ctrl-C ends it.

    A lost connection is taken up again by itself. Needs no token. Without a terminal, each edition is printed one after the other.
    """
    instrument = definition(server, survey)
    unknown = [id for id in questions if all(question.id != id for question in instrument.questions)]
    if unknown:
        known = ", ".join(question.id for question in instrument.questions)
        raise Trouble(f"{survey} has no question {unknown[0]}.", f"Its questions are {known}.")
    if lang is not None and lang not in instrument.languages:
        raise Trouble(f"{survey} is not available in {lang!r}.", f"Its languages are {', '.join(instrument.languages)}.")
    words = DashboardWords(lang or instrument.source_language, instrument)
    snapshots = follow(server, survey, lambda why, pause: note(f"Lost ({why}); trying again in {pause} s."))
    try:
        if as_json:
            for data in snapshots:
                sys.stdout.buffer.write(data + b"\n")
                sys.stdout.buffer.flush()
                if once:
                    return
        with Live(Text("Waiting for figures …", style="dim"), console=out, auto_refresh=False, vertical_overflow="visible") as live:
            for data in snapshots:
                shown = _screen(instrument, msgspec.json.decode(data, type=Snapshot), words, questions)
                if out.is_terminal:
                    live.update(shown, refresh=True)
                else:
                    out.print(shown, soft_wrap=False)
                if once:
                    return
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _screen(instrument: Instrument, snapshot: Snapshot, words: DashboardWords, questions: tuple[str, ...]) -> RenderableType:
    """Title and state; at a glance; then the questions, as many as the terminal has room for unless some are asked for."""
    state = [words("answers", n=snapshot.responses), words("as_of", time=words.time(snapshot.as_of))]
    state.append(words("revision", n=words.number(snapshot.revision)))
    top: list[RenderableType] = [Text(plain(words.text(instrument.title)), style="bold"), Text(" · ".join(map(plain, state)), style="dim")]
    parts: list[tuple[RenderableType, int]] = []
    if not questions:
        grid = Table.grid(padding=(0, 2))
        shown_first = headlines(instrument, snapshot, words)
        lines = sum(max(len(headline.items), 1) for headline in shown_first)
        for headline in shown_first:
            grid.add_row(Text(plain(headline.label)), _headline_text(headline, words))
        if grid.row_count:
            parts.append((grid, lines))
    shown_ones = [one for one in instrument.questions if one.id in snapshot.questions and (not questions or one.id in questions)]
    parts += [_question(figure_view(one, snapshot.questions[one.id], words), words, all_of_it=bool(questions)) for one in shown_ones]
    room = out.height - 4 if out.is_terminal and not questions else 10**6
    shown: list[RenderableType] = []
    for part, lines in parts:
        room -= lines + 1
        if room < 0:
            shown.append(Text("\n-q ID shows one question, --json all of it.", style="dim"))
            break
        shown += [Text(""), part]
    return Group(*top, *shown)


def _headline_text(headline: HeadlineView, words: DashboardWords) -> Text:
    """The value with its interval, or each of the first few with its own on a line."""
    if headline.value:
        beside = "  ".join(map(plain, filter(None, (headline.detail, headline.interval))))
        return Text.assemble((plain(headline.value), "bold"), "  ", (beside, "dim"))
    parts: list[str | tuple[str, str]] = []
    for item in headline.items:
        between = f" ({plain(item.interval)})" if item.interval else ""
        parts += ["\n" if parts else "", (f"{plain(item.label)} {plain(item.share)}", "bold"), (between, "dim")]
    return Text.assemble(*parts) if parts else Text(plain(words("withheld_short")), style="bold")


def _question(figure: FigureView, words: DashboardWords, *, all_of_it: bool) -> tuple[RenderableType, int]:
    """A question, and how many lines it takes."""
    head = Text.assemble((figure.id, "bold"), "  ", plain(figure.title), ("  " + " · ".join(map(plain, figure.facts)), "dim"))
    head.truncate(max(out.width, 20), overflow="ellipsis")
    if figure.note:
        return Group(head, Text("  " + plain(figure.note), style="dim")), 2
    grid = Table.grid(padding=(0, 2))
    if figure.grid:
        lines = figure.grid.lines if all_of_it else figure.grid.lines[:FEW]
        if all_of_it:
            grid.add_row("", *(Text(plain(one), style="dim", justify="right") for one in figure.grid.heads))
        for line in lines:
            cells = [plain(words("withheld_short")) if cell.withheld else cell.text for cell in line.cells]
            grid.add_row(
                Text("  " + plain(line.label)),
                *(Text(cell, justify="right") for cell in (cells if all_of_it else [line.net or line.answered])),
            )
        hidden = len(figure.grid.lines) - len(lines)
    else:
        bars = figure.bars if all_of_it else sorted(figure.bars, key=lambda bar: -_part(bar))[:FEW]
        for bar in bars:
            value = plain(words("withheld_short")) if bar.withheld else bar.share or bar.n
            grid.add_row(
                Text("  " + plain(bar.label)),
                Text(_drawn(bar), style="cyan"),
                Text(value, justify="right"),
                Text(plain(bar.interval), style="dim"),
            )
        hidden = len(figure.bars) - len(bars)
    more = [Text(f"  … {hidden} more", style="dim")] if hidden else []
    return Group(head, grid, *more), 1 + grid.row_count + len(more)


def _part(bar: Bar) -> float:
    return float(bar.width.rstrip("%") or 0) / 100


def _drawn(bar: Bar) -> str:
    """A bar in eighths of a character; a withheld one is hatched, so that it is not read as zero."""
    if bar.withheld:
        return "░" * BAR
    whole, eighths = divmod(round(min(_part(bar), 1.0) * BAR * 8), 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")
