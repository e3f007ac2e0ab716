"""`report.html`: the report in plain words, then in tables with their plots; one page, no scripts, nothing from outside."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from proto.instrument import Texts
from services.export.dataset.words import text
from services.export.report.report import ReleaseReport
from services.export.report.sentences import sentences

UNIT = "\N{NO-BREAK SPACE}%"
SHOWN = 12
"""Rows of a long table on the page; all of them are in report.json."""


def percent(share: float) -> str:
    """One decimal below ten percent; what is not nothing never reads as nothing, what is not all never as all."""
    if 0 < share < 0.0005:
        return f"< 0.1{UNIT}"
    if 0.9995 <= share < 1:
        return f"> 99.9{UNIT}"
    return f"{share * 100:.1f}{UNIT}" if 0 < share < 0.1 or 0.995 <= share < 1 else f"{share * 100:.0f}{UNIT}"


def whole(share: float) -> str:
    """Rounds a share of the original answers to whole percents; more digits are not published."""
    return f"{share * 100:.0f}{UNIT}"


def number(figure: float) -> str:
    return f"{figure:,.2f}" if isinstance(figure, float) and figure < 100 else f"{figure:,.0f}"


def points(share: float) -> str:
    return f"{share * 100:g} points"


def width(share: float) -> str:
    """A share as a length in a drawing 100 wide."""
    return f"{min(max(share, 0.0), 1.0) * 100:.1f}"


_pages = Environment(loader=PackageLoader("services.export.report", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_pages.filters.update(percent=percent, whole=whole, number=number, points=points, width=width)


def page(report: ReleaseReport, title: Texts, language: str) -> str:
    """The whole page. `language`: of the questionnaire's texts; the page itself speaks English."""
    return _pages.get_template("report.html.j2").render(
        report=report,
        title=text(title, language),
        language=language,
        sentences=sentences(report),
        shown=SHOWN,
        label=lambda name: text(report.labels[name], language),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    )
