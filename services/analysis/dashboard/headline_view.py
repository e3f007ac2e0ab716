"""View-model of the headline statistics at the top of a dashboard. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from proto.instrument import Headline, Instrument, Matrix, WithRows
from proto.intervals import Interval
from proto.snapshot import PublishedHeadline as Figure
from proto.snapshot import Snapshot
from services.analysis.dashboard.figure_view import Bar, labels_of, percent_of_width, share_of
from services.analysis.dashboard.words import DashboardWords
from services.analysis.statistics.headline_stats import at_a_glance

FEW = 4


@dataclass(frozen=True)
class HeadlineView:
    """A single value, or the first few of a list."""

    label: str
    question: str
    value: str = ""
    detail: str = ""
    interval: str = ""
    withheld: bool = False
    bar: Bar | None = None
    items: list[Bar] = field(default_factory=list[Bar])


def headlines(instrument: Instrument, snapshot: Snapshot, words: DashboardWords, *, weighted: bool = False) -> list[HeadlineView]:
    """Returns the headlines that can be said in words or bars. `weighted`: whether the shares in the snapshot are weighted.

    Derived groups have no weighted shares.
    """
    figures = at_a_glance(instrument, snapshot.questions, {}, weighted=True) if weighted else snapshot.headlines
    views = [_headline(one, instrument, figures[one.id], snapshot, words, weighted) for one in instrument.headlines if one.id in figures]
    return [headline for headline in views if headline.value or headline.items or headline.withheld]


def _headline(
    headline: Headline, instrument: Instrument, figure: Figure, snapshot: Snapshot, words: DashboardWords, weighted: bool
) -> HeadlineView:
    view = HeadlineView(words.text(headline.label), headline.question, withheld=figure.withheld)
    if figure.value is not None and figure.of is not None:
        n, total = words.number(figure.n or 0), words.number(figure.of)
        detail = words("weighted_of", total=total) if weighted else words("of_n", n=n, total=total)
        interval = _between(figure.ci95, words.percent, words)
        interval_text = words("interval_is", interval=interval) if interval else ""
        return replace(view, value=share_of(figure.n, figure.value, words), detail=detail, interval=interval_text, bar=_bar("", figure))
    return replace(view, items=_first_few(headline, instrument, figure.items, snapshot, words))


def _first_few(
    headline: Headline, instrument: Instrument, items: dict[str, Figure], snapshot: Snapshot, words: DashboardWords
) -> list[Bar]:
    question = instrument.question(headline.question)
    figures = snapshot.questions.get(headline.question)
    if figures is None:
        return []
    if isinstance(question, WithRows):
        labels = {row.code: words.text(row.text) for row in question.rows}
    else:
        labels = labels_of(question, figures.shares, words)
    known = sorted(((one.value, code) for code, one in items.items() if one.value is not None), key=lambda pair: -pair[0])
    if headline.stat == "net_agreement" and isinstance(question, Matrix):
        return [
            Bar(labels[code], share=words.points(value), interval=_between(items[code].ci95, words.points, words))
            for value, code in known[:FEW]
        ]
    best = [(value, code) for value, code in known[:FEW] if value]
    if headline.stat == "rank_score":
        return [
            Bar(
                labels[code],
                share=words("points", n=words.decimal(value)),
                interval=_between(items[code].ci95, words.decimal, words),
                width=percent_of_width(value / best[0][0]),
            )
            for value, code in best
        ]
    return [
        replace(_bar(labels[code], items[code]), share=words.percent(value), interval=_between(items[code].ci95, words.percent, words))
        for value, code in best
    ]


def _bar(label: str, figure: Figure) -> Bar:
    """Of a share."""
    drawn = Bar(label, width=percent_of_width(figure.value or 0.0))
    if figure.ci95 is None:
        return drawn
    low, high = figure.ci95
    return replace(drawn, low=percent_of_width(low), high=percent_of_width(high), reach=percent_of_width(high - low))


def _between(interval: Interval | None, formatted: Callable[[float], str], words: DashboardWords) -> str:
    return words("interval", low=formatted(interval[0]), high=formatted(interval[1])) if interval else ""
