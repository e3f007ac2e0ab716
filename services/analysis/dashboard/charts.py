"""Charts as SVG files, each with n, time, source. Pure."""

from __future__ import annotations

from dataclasses import replace

from proto.instrument import Instrument
from proto.problem import Problem
from proto.snapshot import Snapshot, Table
from services.analysis.dashboard.comparison import labels_of_side, told_only
from services.analysis.dashboard.crossing import about, title_of
from services.analysis.dashboard.csv_export import columns_of
from services.analysis.dashboard.figure_view import Bar, FigureView, Grid, HeatRow, Shaded, figure_view, shaded, share_of
from services.analysis.dashboard.svg_canvas import (
    ACCENT,
    HAIR,
    INK,
    LEADING,
    PAPER,
    QUIET,
    SHADES,
    STEPS,
    WASH,
    Canvas,
    Chart,
    plain,
    width_of,
    wrapped,
)
from services.analysis.dashboard.view import Only, figures_of
from services.analysis.dashboard.words import DashboardWords

WIDTH, MARGIN = 960.0, 32.0
LABEL, VALUES = 320.0, 176.0
"""Widths, in pixels, of the column of answers and of the figures beside the bars."""
CELL, TURNED, COUNT = 84.0, 150.0, 72.0
"""Width of a cell from which its head stands upright; room for one that does not; room for how many answered."""
MOST = 3600
"""Most cells of a chart. A larger one cannot be read."""


def of_question(instrument: Instrument, snapshot: Snapshot, id: str, words: DashboardWords, only: Only = None) -> Chart:
    """Returns the chart of a question, of everybody or of one group."""
    figure = figure_view(instrument.question(id), figures_of(snapshot, only)[id], words)
    if only is not None:
        figure = replace(figure, facts=[told_only(instrument, only, words), *figure.facts])
    canvas = Canvas(WIDTH)
    y = _head(canvas, instrument, figure.title, [*figure.facts, *_edition(snapshot, words)], figure.sentences, words)
    described = [*figure.facts, *figure.sentences]
    note = ""
    if figure.note:
        y = _note(canvas, y, figure)
        described.append(figure.note)
    elif figure.grid and figure.grid.diverging:
        y = _diverging(canvas, y, figure.grid, words)
        described += [f"{line.label}: {line.net}" for line in figure.grid.lines]
    elif figure.grid:
        y = _heat(canvas, y, figure.grid, words)
        described += _told(figure.grid)
    else:
        for bar in figure.bars:
            y = _bar(canvas, y, bar, words)
        y = _scale(canvas, y, words)
        described += [
            f"{bar.label}: {words('withheld') if bar.withheld else f'{bar.share} ({bar.interval}), {bar.n}'}" for bar in figure.bars
        ]
        note = "" if figure.kind == "constant_sum" else words("how_bars")
    note = " ".join(filter(None, (note, _on_zeros([bar.share for bar in figure.bars], figure.grid, words))))
    return _foot(canvas, y, instrument, figure.title, described, note, words)


def of_table(instrument: Instrument, table: Table, words: DashboardWords) -> Chart:
    """Returns the heat table of two questions. Each row adds up to 100 %. Raises Problem where it has more than MOST cells."""
    codes = columns_of(table)
    if len(table.cells) * len(codes) > MOST:
        raise Problem("not-found", "This table is too large for a drawing. The same as .csv has all of it.")
    rows = labels_of_side(instrument, table.row, list(table.cells), words)
    columns = labels_of_side(instrument, table.column, codes, words)
    lines = [HeatRow(rows[code], [shaded(cells[to], words) for to in codes]) for code, cells in table.cells.items()]
    grid = Grid([columns[to] for to in codes], lines)
    canvas = Canvas(max(WIDTH, 2 * MARGIN + LABEL + 44 * len(codes)))
    title = title_of(table.column, instrument, words)
    by = words("by_table", stratum=title_of(table.row, instrument, words))
    y = _head(canvas, instrument, title, [about(table, words), *_edition(table, words)], [by], words)
    y = _heat(canvas, y, grid, words)
    note = " ".join(filter(None, (words("share_in_group") + ".", _on_zeros([], grid, words))))
    return _foot(canvas, y, instrument, f"{title} {by}", _told(grid), note, words)


def _on_zeros(shares: list[str], grid: Grid | None, words: DashboardWords) -> str:
    """Returns what a 0 means, where one is drawn."""
    drawn = [*shares, *(cell.text for line in (grid.lines if grid else ()) for cell in line.cells)]
    return words("zero_note") if share_of(0, 0.0, words) in drawn else ""


def _edition(figures: Snapshot | Table, words: DashboardWords) -> list[str]:
    return [words("as_of", time=words.time(figures.as_of)), words("revision", n=words.number(figures.revision))]


def _head(canvas: Canvas, instrument: Instrument, title: str, facts: list[str], sentences: list[str], words: DashboardWords) -> float:
    y = canvas.paragraph(MARGIN - 4, words.text(instrument.title), 14, fill=QUIET, margin=MARGIN) + 6
    y = canvas.paragraph(y, title, 24, bold=True, margin=MARGIN) + 4
    y = canvas.paragraph(y, " · ".join(map(plain, facts)), 14, fill=QUIET, margin=MARGIN) + 8
    if sentences:
        y = canvas.paragraph(y, " ".join(map(plain, sentences)), 16, margin=MARGIN) + 4
    return y + 16


def _foot(canvas: Canvas, y: float, instrument: Instrument, title: str, sentences: list[str], note: str, words: DashboardWords) -> Chart:
    y += 20
    canvas.line(MARGIN, y, canvas.width - MARGIN, y, HAIR)
    y += 8
    if note:
        y = canvas.paragraph(y, note, 13, fill=QUIET, margin=MARGIN) + 4
    y = canvas.paragraph(y, f"{plain(words.text(instrument.title))} · {words('product')}", 13, fill=QUIET, margin=MARGIN)
    return canvas.finished(
        y + MARGIN - 8, title, " ".join(one if one.endswith(".") else one + "." for one in map(plain, sentences)), words.language
    )


def _note(canvas: Canvas, y: float, figure: FigureView) -> float:
    canvas.hatched(MARGIN, y + 3, 28, 14)
    return canvas.lines(MARGIN + 40, y, wrapped(figure.note, 16, WIDTH - 2 * MARGIN - 40), 16)


def _share(width: str) -> float:
    """Returns a percentage of the drawing's width as a number."""
    return float(width.rstrip("%") or 0) / 100


def _bar(canvas: Canvas, y: float, bar: Bar, words: DashboardWords) -> float:
    label = wrapped(bar.label, 15, LABEL - 16, 3)
    height = max(len(label) * 15 * LEADING, 24.0)
    left, middle, long = MARGIN + LABEL, y + height / 2, WIDTH - 2 * MARGIN - LABEL - VALUES
    canvas.lines(MARGIN, y + (height - len(label) * 15 * LEADING) / 2, label)
    if bar.withheld:
        canvas.hatched(left, middle - 10, long, 20)
        canvas.lines(left + long + 16, middle - 16, wrapped(words("withheld"), 12, VALUES - 16, 2), 12, fill=QUIET)
        return y + height + 10
    canvas.rect(left, middle - 10, long, 20, WASH)
    canvas.rect(left, middle - 10, long * _share(bar.width), 20, ACCENT)
    if bar.low and bar.high:
        low, high = left + long * _share(bar.low), left + long * _share(bar.high)
        canvas.line(low, middle, high, middle, PAPER, 5)
        canvas.line(low, middle, high, middle, INK, 2)
    canvas.text(left + long + 72, middle + 5, bar.share or bar.n, bold=True, anchor="end")
    canvas.text(WIDTH - MARGIN, middle + 5, f"n = {bar.n}", 14, fill=QUIET, anchor="end")
    return y + height + 10


def _scale(canvas: Canvas, y: float, words: DashboardWords) -> float:
    """Draws the axis, from 0 to 100 %."""
    left, long = MARGIN + LABEL, WIDTH - 2 * MARGIN - LABEL - VALUES
    for step in range(5):
        x = left + long * step / 4
        canvas.line(x, y, x, y + 5, QUIET)
        canvas.text(x, y + 20, words.percent(step / 4), 12, fill=QUIET, anchor="middle")
    return y + 24


def _diverging(canvas: Canvas, y: float, grid: Grid, words: DashboardWords) -> float:
    x = MARGIN
    for colour, label in grid.diverging:
        need = 24 + width_of(plain(label), 13) + 20
        if x + need > WIDTH - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 22
        canvas.rect(x, y, 16, 14, STEPS[colour])
        canvas.text(x + 22, y + 12, label, 13)
        x += need
    left, long, right = MARGIN + LABEL, WIDTH - 2 * MARGIN - LABEL - VALUES, WIDTH - MARGIN
    y += 32
    top = y
    canvas.lines(left + long + 8, y, wrapped(words("col_net"), 12, 80, 2), 12, fill=QUIET)
    canvas.text(right, y + 12, words("col_n"), 12, fill=QUIET, anchor="end")
    y += 38
    for line in grid.lines:
        label = wrapped(line.label, 15, LABEL - 16, 3)
        height = max(len(label) * 15 * LEADING, 24.0)
        middle = y + height / 2
        canvas.lines(MARGIN, y + (height - len(label) * 15 * LEADING) / 2, label)
        if not line.segments:
            canvas.hatched(left, middle - 10, long, 20)
            canvas.text(left + long + 16, middle + 5, words("withheld_short"), 12, fill=QUIET)
        for segment in line.segments:
            canvas.rect(left + long * _share(segment.x), middle - 10, long * _share(segment.width), 20, STEPS[segment.colour])
        canvas.text(left + long + 72, middle + 5, line.net, bold=True, anchor="end")
        canvas.text(right, middle + 5, line.answered, 14, fill=QUIET, anchor="end")
        y += height + 8
    canvas.line(left + long / 2, top + 34, left + long / 2, y, INK)
    return y


def _heat(canvas: Canvas, y: float, grid: Grid, words: DashboardWords) -> float:
    left = MARGIN + LABEL
    counts = COUNT if any(line.answered for line in grid.lines) else 0.0
    cell = min((canvas.width - MARGIN - left - counts) / max(len(grid.heads), 1), 140.0)
    if cell >= CELL:
        heads = [wrapped(head, 12, cell - 8, 5) for head in grid.heads]
        deep = max((len(head) for head in heads), default=0) * 12 * LEADING
        for place, head in enumerate(heads):
            for number, line in enumerate(reversed(head)):
                canvas.text(left + (place + 0.5) * cell, y + deep - 2 - number * 12 * LEADING, line, 12, fill=QUIET, anchor="middle")
        y += deep
    else:
        for place, head in enumerate(grid.heads):
            shown = wrapped(head, 12, TURNED, 2 if cell >= 36 else 1)
            for number, line in enumerate(shown):
                x = left + (place + 0.5) * cell + 4 + (number - (len(shown) - 1) / 2) * 14
                canvas.text(x, y + TURNED, line, 12, fill=QUIET, turn=-90)
        y += TURNED
    if counts:
        canvas.text(canvas.width - MARGIN, y - 2, words("col_n"), 12, fill=QUIET, anchor="end")
    y += 8
    for line in grid.lines:
        label = wrapped(line.label, 14, LABEL - 16, 3)
        height = max(len(label) * 14 * LEADING + 6, 30.0)
        canvas.lines(MARGIN, y + (height - len(label) * 14 * LEADING) / 2, label, 14)
        for place, one in enumerate(line.cells):
            _cell(canvas, left + place * cell, y, cell if len(line.cells) == len(grid.heads) else cell * len(grid.heads), height, one)
        canvas.text(canvas.width - MARGIN, y + height / 2 + 5, line.answered, 14, fill=QUIET, anchor="end")
        y += height
    if any(one.withheld for line in grid.lines for one in line.cells):
        canvas.hatched(left, y + 10, 24, 14)
        canvas.text(left + 32, y + 22, words("withheld"), 13, fill=QUIET)
        y += 28
    return y


def _cell(canvas: Canvas, x: float, y: float, width: float, height: float, one: Shaded) -> None:
    if one.withheld:
        canvas.hatched(x + 1, y + 1, width - 2, height - 2)
        return
    canvas.rect(x + 0.5, y + 0.5, width - 1, height - 1, SHADES[one.shade])
    canvas.text(x + width / 2, y + height / 2 + 5, one.text, 14 if width >= 52 else 12, anchor="middle")


def _told(grid: Grid) -> list[str]:
    """Returns the table in words, for screen readers."""
    return [
        f"{plain(line.label)}: "
        + ", ".join(f"{plain(head)} {cell.text or '?'}" for head, cell in zip(grid.heads, line.cells, strict=False))
        for line in grid.lines
    ]
