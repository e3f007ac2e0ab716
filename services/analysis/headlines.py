"""The few figures at the top of a dashboard, read from the published snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from proto.instrument import Headline as Wanted
from proto.instrument import Instrument, Matrix
from proto.snapshot import Cell, Figures, Snapshot
from services.analysis.picture import Bar, labels_of
from services.analysis.words import Words

FEW = 4


@dataclass(frozen=True)
class Headline:
    """A single value, or the first few of a list."""

    label: str
    question: str
    value: str = ""
    detail: str = ""
    withheld: bool = False
    bar: Bar | None = None
    items: list[Bar] = field(default_factory=list[Bar])


def headlines(instrument: Instrument, snapshot: Snapshot, words: Words) -> list[Headline]:
    """Those that have something to say: a headline that only its figure can show is left to the figure."""
    found = [_headline(wanted, instrument, snapshot, words) for wanted in instrument.headlines if wanted.question in snapshot.questions]
    return [headline for headline in found if headline.value or headline.items or headline.withheld]


def _headline(wanted: Wanted, instrument: Instrument, snapshot: Snapshot, words: Words) -> Headline:
    found = Headline(words.text(wanted.label), wanted.question)
    figures = snapshot.questions[wanted.question]
    if any(derived.id == wanted.of for derived in instrument.derived):
        group = snapshot.breakdowns.get(wanted.of or "", {}).get("1")
        return _share_of_group(found, group.responses if group else None, snapshot.responses, words)
    if figures.withheld:
        return Headline(found.label, found.question, withheld=True)
    if wanted.options and (wanted.row is not None or figures.cells):
        row = figures.rows.get(wanted.row or "")
        cells, answered = (row.cells, row.answered) if row else (figures.cells, figures.answered)
        return _share_of_group(found, _together(wanted.options, cells), answered or 0, words)
    return Headline(found.label, found.question, items=_first_few(wanted, instrument, figures, words))


def _together(options: tuple[str, ...], cells: dict[str, Cell]) -> int | None:
    """How many chose one of the options; None where one of them is withheld."""
    counts = [cells[code].n if code in cells else None for code in options]
    return None if None in counts else sum(n or 0 for n in counts)


def _share_of_group(found: Headline, n: int | None, total: int, words: Words) -> Headline:
    if n is None or not total:
        return Headline(found.label, found.question, withheld=True)
    detail = words("of_n", n=words.number(n), total=words.number(total))
    return Headline(found.label, found.question, words.percent(n / total), detail, bar=Bar("", width=f"{100 * n / total:.4g}%"))


def _first_few(wanted: Wanted, instrument: Instrument, figures: Figures, words: Words) -> list[Bar]:
    question = instrument.question(wanted.question)
    if isinstance(question, Matrix):
        texts = {row.code: words.text(row.text) for row in question.rows}
        if wanted.stat == "net_agreement":
            known = [(row.net_agreement, code) for code, row in figures.rows.items() if row.net_agreement is not None]
            return [Bar(texts[code], share=words.points(net)) for net, code in sorted(known, reverse=True)[:FEW]]
        counts = {code: (_together(wanted.options, row.cells), row.answered) for code, row in figures.rows.items()}
        of = {code: Cell(n, n / answered) for code, (n, answered) in counts.items() if n is not None and answered}
        return _largest(of, texts, words)
    if figures.rank_score and wanted.stat == "rank_score":
        labels = labels_of(question, figures.cells, words)
        best = sorted(figures.rank_score.items(), key=lambda pair: -pair[1])[:FEW]
        return [
            Bar(labels[code], share=words("points", n=words.decimal(score)), width=f"{100 * score / best[0][1]:.4g}%")
            for code, score in best
            if score
        ]
    cells = figures.cells or figures.bands
    return _largest(cells, labels_of(question, cells, words), words)


def _largest(cells: dict[str, Cell], labels: dict[str, str], words: Words) -> list[Bar]:
    known = [(cell.share, code) for code, cell in cells.items() if cell.share]
    best = sorted(known, key=lambda pair: -pair[0])[:FEW]
    return [Bar(labels[code], share=words.percent(share), width=f"{100 * share:.4g}%") for share, code in best]
