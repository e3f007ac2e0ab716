"""View-model of the respondents: by stratum beside the population, and by section. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from proto.instrument import Instrument
from proto.snapshot import Group, Snapshot
from services.analysis.dashboard.comparison import group_labels, stratum_label
from services.analysis.dashboard.figure_view import Bar, percent_of_width, share_of
from services.analysis.dashboard.words import DashboardWords


@dataclass(frozen=True)
class Portrait:
    """The respondents by one stratum. `source`: of the figures of the population, where there are some."""

    name: str
    title: str
    bars: list[Bar]
    source: str = ""


def portraits(instrument: Instrument, snapshot: Snapshot, words: DashboardWords) -> list[Portrait]:
    """Returns one portrait per stratum, in the questionnaire's order."""
    return [_portrait(instrument, snapshot, name, words) for name in instrument.strata if snapshot.breakdowns.get(name)]


def _portrait(instrument: Instrument, snapshot: Snapshot, name: str, words: DashboardWords) -> Portrait:
    groups = snapshot.breakdowns[name]
    labels = group_labels(instrument, name, list(groups), words)
    margin = next((margin for margin in instrument.margins if margin.of == name), None)
    known = {portion.code: portion.share for portion in margin.portions} if margin else {}
    bars = [_bar(labels[code], group, snapshot.responses, known.get(code), words) for code, group in groups.items()]
    return Portrait(name, stratum_label(instrument, name, words), bars, words.text(margin.source) if margin else "")


def _bar(label: str, group: Group, total: int, known: float | None, words: DashboardWords) -> Bar:
    mark = "" if known is None else percent_of_width(known)
    of_population = "" if known is None else words.percent(known)
    if group.responses is None:
        return Bar(label, withheld=True, mark=mark, score=of_population)
    n = group.responses if group.current is None else group.current
    share = n / total if total else 0.0
    return Bar(
        label, n=words.number(n), share=share_of(n, share, words), width=percent_of_width(min(share, 1.0)), mark=mark, score=of_population
    )


def sections(instrument: Instrument, snapshot: Snapshot, words: DashboardWords) -> list[Bar]:
    """Returns, for each section, the share of its questions that were answered by those who were asked."""
    texts = {section.id: words.text(section.text) for section in instrument.sections}
    bars: list[Bar] = []
    for id, section in snapshot.sections.items():
        if section.share is not None and id in texts:
            share = words.percent(section.share)
            bars.append(
                Bar(texts[id], n=words.number(min(section.reached, snapshot.responses)), share=share, width=percent_of_width(section.share))
            )
    return bars
