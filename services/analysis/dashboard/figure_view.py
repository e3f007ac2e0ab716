"""View-model of a figure: bars, grids, sentences as plain values. Pure."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field, replace

from proto.instrument import AnyQuestion, Computed, ConstantSum, LongText, Matrix, Ranking, ShortText
from proto.scores import scored
from proto.snapshot import Cell, Figures, Nonresponse, PublishedRow
from services.analysis.dashboard.words import DashboardWords, bare
from services.analysis.state.layout import question_options

LONG = 12
"""From this number of options on, those with a count of 0 are named in a sentence instead of drawn."""
STEPS_OF_SHADE = (0.05, 0.15, 0.3, 0.5)
"""Shares at which the next shade of a heat table begins."""
NO_VALUE = "\N{EN DASH}"
STEPS = {2: (1, 5), 3: (1, 3, 5), 4: (1, 2, 4, 5), 5: (1, 2, 3, 4, 5)}
"""Colours of the diverging ramp for scales of each length."""


@dataclass(frozen=True)
class Bar:
    """One option. Geometry is in percent of the drawing's width; empty where the count is withheld."""

    label: str
    n: str = ""
    share: str = ""
    interval: str = ""
    width: str = ""
    low: str = ""
    high: str = ""
    first: str = ""
    score: str = ""
    withheld: bool = False
    reach: str = ""
    """Width of the interval."""
    mark: str = ""
    """The position of the share in the population."""


@dataclass(frozen=True)
class Shaded:
    """A cell of a heat table: shade 0 (none) to 5. `n`: its count, where it is shown."""

    text: str
    shade: int = 0
    withheld: bool = False
    n: str = ""


@dataclass(frozen=True)
class Segment:
    x: str
    width: str
    colour: str


@dataclass(frozen=True)
class HeatRow:
    """A row of a heat table."""

    label: str
    cells: list[Shaded]
    answered: str = ""
    net: str = ""
    segments: list[Segment] = field(default_factory=list[Segment])


@dataclass(frozen=True)
class Grid:
    heads: list[str]
    lines: list[HeatRow]
    caption: str = ""
    diverging: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Colour and label of each step, where the rows have segments."""


@dataclass(frozen=True)
class FigureView:
    """One question on the page."""

    id: str
    title: str
    kind: str
    facts: list[str]
    sentences: list[str]
    bars: list[Bar] = field(default_factory=list[Bar])
    grid: Grid | None = None
    groups: Grid | None = None
    note: str = ""
    """Shown instead of a figure: withheld, nobody answered, texts."""


def figure_view(question: AnyQuestion, figures: Figures, words: DashboardWords) -> FigureView:
    """Returns the view-model of a question's figure, with a sentence that sums it up."""
    view = FigureView(question.id, words.text(question.text), figures.type, [], [])
    if figures.withheld:
        return replace(view, note=words("question_withheld"))
    if isinstance(question, Matrix):
        return _matrix(view, question, figures, words)
    facts = [words("answered", n=figures.answered or 0), *_left_out(question, figures.nonresponse, words)]
    if isinstance(question, ShortText | LongText):
        return replace(view, facts=facts, note=words("text_only"))
    if not figures.answered:
        return replace(view, facts=facts, note=words("nobody"))
    if isinstance(question, ConstantSum):
        total = f"{words.number(question.total)} {words.text(question.unit)}" if question.unit else words.number(question.total)
        bars = [_part(words.text(row.text), figures.rows[row.code], question.total, words) for row in question.rows]
        return replace(view, facts=facts, sentences=[words("shared_note", total=total)], bars=bars)
    cells = figures.shares
    labels = labels_of(question, cells, words)
    zeros = [code for code, cell in cells.items() if cell.n == 0] if len(cells) > LONG else []
    bars = [_bar(labels[code], cell, code, figures, words) for code, cell in cells.items() if code not in zeros]
    sentences = _sentences(question, figures, cells, labels, words)
    if zeros:
        sentences.append(words("few_chose", list=words.together(labels[code] for code in zeros)))
    return replace(view, facts=facts, sentences=sentences, bars=bars)


def _left_out(question: AnyQuestion, nonresponse: Nonresponse | None, words: DashboardWords) -> list[str]:
    """Returns how many of those asked gave no substantive answer; nothing for a required question, where a small count is noise, and for a
    computed value, which nobody is asked."""
    if (
        isinstance(question, Computed)
        or nonresponse is None
        or not nonresponse.rate
        or (question.required and nonresponse.dk is nonresponse.pnts is None)
    ):
        return []
    silent = nonresponse.missing + (nonresponse.dk or 0) + (nonresponse.pnts or 0)
    return [words("left_out", n=silent, total=words.number(nonresponse.asked), share=words.percent(nonresponse.rate))]


def labels_of(question: AnyQuestion, cells: dict[str, Cell], words: DashboardWords) -> dict[str, str]:
    """Returns the labels of cells: texts of options and special values; bands label themselves."""
    texts = {option.code: words.text(option.text) for option in question_options(question)}
    return {code: texts.get(code, band(code)) for code in cells}


def band(code: str) -> str:
    """Returns a band's code as text, with an en dash between numbers."""
    return code.replace("-", "\N{EN DASH}")


def percent_of_width(value: float) -> str:
    return f"{100 * value:.4g}%"


def _bar(label: str, cell: Cell, code: str, figures: Figures, words: DashboardWords) -> Bar:
    first, score = figures.first.get(code), figures.rank_score.get(code)
    bar = Bar(
        label,
        first="" if first is None else words("withheld_short") if first.n is None else words.number(first.n),
        score="" if score is None else words.decimal(score),
    )
    if cell.withheld or cell.n is None:
        return replace(bar, withheld=True)
    if cell.share is None or cell.ci95 is None:
        return replace(bar, n=words.number(cell.n), share=NO_VALUE if cell.n else "")
    low, high = cell.ci95
    return replace(
        bar,
        n=words.number(cell.n),
        share=share_of(cell.n, cell.share, words),
        interval=words("interval", low=words.percent(low), high=words.percent(high)),
        width=percent_of_width(cell.share),
        low=percent_of_width(low),
        high=percent_of_width(high),
        reach=percent_of_width(high - low),
    )


def _part(label: str, row: PublishedRow, total: int, words: DashboardWords) -> Bar:
    """Returns the part of a total that a row got on average; none where it has no weighted form."""
    bar = Bar(label, n=words.number(row.answered or 0))
    if row.mean is None or row.mean_ci95 is None:
        return replace(bar, share=NO_VALUE)
    share, low, high = (value / total for value in (row.mean, *row.mean_ci95))
    return replace(
        bar,
        share=words.percent(share),
        interval=words("interval", low=words.percent(low), high=words.percent(high)),
        width=percent_of_width(share),
        low=percent_of_width(low),
        high=percent_of_width(high),
        reach=percent_of_width(high - low),
    )


def _sentences(question: AnyQuestion, figures: Figures, cells: dict[str, Cell], labels: dict[str, str], words: DashboardWords) -> list[str]:
    sentences: list[str] = []
    shown = [(cell.share, code) for code, cell in cells.items() if cell.share is not None]
    best = max((share for share, _ in shown), default=0.0)
    leading = [code for share, code in shown if share == best]
    if figures.median_band is not None:
        sentences.append(words("median", band=band(figures.median_band)))
    elif len(leading) == 1 and best > 0:
        low, high = cells[leading[0]].ci95 or (0.0, 1.0)
        values = {"share": words.percent(best), "low": words.percent(low), "high": words.percent(high)}
        sentences.append(words("most_often", answer=labels[leading[0]], **values))
    elif best > 0 and len(leading) < 4:
        sentences.append(words("most_often_tie", answer=words.together(labels[code] for code in leading), share=words.percent(best)))
    if isinstance(question, Ranking):
        sentences.append(words("ranked_note", k=question.rank_count))
    return sentences


def _matrix(view: FigureView, question: Matrix, figures: Figures, words: DashboardWords) -> FigureView:
    texts = {row.code: words.text(row.text) for row in question.rows}
    scale = [code for code, _ in scored(question)] if question.ordered else []
    extents = [_extent(row, scale) for row in figures.rows.values() if scale and not row.withheld]
    reach = max((max(left, right) for _, left, right in filter(None, extents)), default=1.0)
    lines = [_line(texts[code], row, _segments(row, scale, reach), words) for code, row in figures.rows.items()]
    heads = [words.text(option.text) for option in question.options]
    steps = STEPS.get(len(scale), ()) if question.ordered else ()
    labels = {option.code: words.text(option.text) for option in question.options}
    grid = Grid(heads, lines, diverging=[(f"s{step}", labels[code]) for step, code in zip(steps, scale, strict=False)])
    sentences: list[str] = []
    known = [(row.net_agreement, code) for code, row in figures.rows.items() if row.net_agreement is not None]
    if len(known) > 1:
        top, bottom = max(known), min(known)
        values = {"high": words.points(top[0]), "low": words.points(bottom[0])}
        sentences = [words("net_sentence", top=bare(texts[top[1]]), bottom=bare(texts[bottom[1]]), **values), words("net_note")]
    sentences.append(words("read_across"))
    return replace(view, sentences=sentences, grid=grid)


def _line(label: str, row: PublishedRow, segments: list[Segment], words: DashboardWords) -> HeatRow:
    if row.withheld:
        return HeatRow(label, [Shaded("", withheld=True)])
    net = "" if row.net_agreement is None else words.points(row.net_agreement)
    return HeatRow(label, [shaded(cell, words) for cell in row.cells.values()], words.number(row.answered or 0), net, segments)


def shaded(cell: Cell, words: DashboardWords) -> Shaded:
    if cell.withheld:
        return Shaded("", withheld=True)
    if cell.share is None:
        return Shaded(words.number(0) if cell.n == 0 else NO_VALUE)
    return Shaded(share_of(cell.n, cell.share, words), 0 if cell.n == 0 else 1 + bisect(STEPS_OF_SHADE, cell.share))


def share_of(n: int | None, share: float, words: DashboardWords) -> str:
    """Returns a share in words. A public count of 0 may stand for very few, so it is shown as about 0."""
    return words("about", value=words.percent(0)) if n == 0 else words.percent(share)


def _extent(row: PublishedRow, scale: list[str]) -> tuple[list[float], float, float] | None:
    """Returns shares along the scale, and their sums left and right of its middle; None where a cell is withheld."""
    known = [share for code in scale if (share := row.cells[code].share) is not None] if row.cells else []
    if len(known) < len(scale) or len(scale) not in STEPS or sum(known) == 0:
        return None
    half, total = len(known) // 2, sum(known)
    left = (sum(known[:half]) + (known[half] / 2 if len(known) % 2 else 0)) / total
    return known, left, 1 - left


def _segments(row: PublishedRow, scale: list[str], reach: float) -> list[Segment]:
    """Returns a diverging bar around the middle of the scale. `reach`: the share that fills half of the width.

    Steps with a count of 0 have a segment too, so that it can grow.
    """
    extent = _extent(row, scale) if scale and not row.withheld else None
    if extent is None:
        return []
    shares, left, _ = extent
    x, per = 0.5 - left / reach / 2, 1 / sum(shares) / reach / 2
    segments: list[Segment] = []
    for share, step in zip(shares, STEPS[len(scale)], strict=True):
        segments.append(Segment(percent_of_width(x), percent_of_width(share * per), f"s{step}"))
        x += share * per
    return segments
