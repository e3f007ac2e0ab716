"""Pages beside the dashboard: for a wall display, or for one figure inside another website."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from proto.instrument import Instrument
from proto.snapshot import Figures, Snapshot
from services.analysis.dashboard.comparison import told_only
from services.analysis.dashboard.figure_view import Bar, FigureView, HeatRow, figure_view
from services.analysis.dashboard.headline_view import HeadlineView, headlines
from services.analysis.dashboard.policy_text import weighted_by
from services.analysis.dashboard.render import of_survey, render
from services.analysis.dashboard.view import View, figures_seen
from services.analysis.dashboard.words import DashboardWords

ROOM = 7
"""Most bars that can be read across a room."""


@dataclass(frozen=True)
class Slide:
    """One thing at a time: a headline, or the figure of a question."""

    title: str
    headline: HeadlineView | None = None
    bars: list[Bar] = field(default_factory=list[Bar])
    lines: list[HeatRow] = field(default_factory=list[HeatRow])
    legend: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    facts: list[str] = field(default_factory=list[str])
    cut: str = ""
    """Said where not all bars have room."""


def wall(instrument: Instrument, snapshot: Snapshot, view: View) -> str:
    """Returns the page for a wall display: one figure at a time, in large type. Without scripts they are one below the other."""
    words, figures = DashboardWords(view.language, instrument), figures_seen(snapshot, view)
    seen = msgspec.structs.replace(snapshot, questions=figures)
    first = [] if view.only else headlines(instrument, seen, words, weighted=view.weighted)
    slides = [Slide(headline.label, headline) for headline in first if not headline.withheld]
    for question in instrument.questions:
        if question.id in figures:
            slides += _slide(figure_view(question, figures[question.id], words), _whose(instrument, view, words), words)
    return render("wall.html.j2", words, **of_survey(instrument, words), **_when(snapshot, view, words), slides=slides)


def embedded(instrument: Instrument, snapshot: Snapshot, question: str, view: View) -> str:
    """Returns the page of one figure with its source, for embedding."""
    words = DashboardWords(view.language, instrument)
    figures = figures_seen(snapshot, view).get(question) or Figures(snapshot.questions[question].type, withheld=True)
    figure = figure_view(instrument.question(question), figures, words)
    figure = replace(figure, facts=[*_whose(instrument, view, words), *figure.facts])
    return render("embed.html.j2", words, **of_survey(instrument, words), **_when(snapshot, view, words), p=figure)


def _whose(instrument: Instrument, view: View, words: DashboardWords) -> list[str]:
    """Returns which group is shown, and whether figures are weighted."""
    if view.only is not None:
        return [told_only(instrument, view.only, words)]
    return [weighted_by(instrument, words)[0]] if view.weighted else [words("weighted_none")] if view.unweighted else []


def _slide(figure: FigureView, whose: list[str], words: DashboardWords) -> list[Slide]:
    if figure.bars:
        drawn = [bar for bar in figure.bars if not bar.withheld]
        best = sorted(drawn, key=lambda bar: -float(bar.width.rstrip("%") or 0))[:ROOM]
        shown = [bar for bar in figure.bars if any(bar is one for one in best)] if len(drawn) > ROOM else figure.bars
        cut = words("cut", n=words.number(len(shown))) if len(shown) < len(figure.bars) else ""
        return [Slide(figure.title, bars=shown, facts=[words.together([*whose, *figure.facts[:1]], ". ")], cut=cut)]
    if figure.grid is not None and figure.grid.diverging:
        lines = [replace(line, cells=[]) for line in figure.grid.lines if line.segments][:ROOM]
        return [Slide(figure.title, lines=lines, legend=figure.grid.diverging, facts=whose)] if lines else []
    return []


def _when(snapshot: Snapshot, view: View, words: DashboardWords) -> dict[str, object]:
    return {
        "snapshot": snapshot,
        "view": view,
        "total": snapshot.responses,
        "time": words.time(snapshot.as_of),
        "clock": words.clock(snapshot.as_of),
    }
