"""The few figures at the top of a dashboard, read from the published snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from proto.instrument import Headline as Wanted
from proto.instrument import Instrument, Matrix
from proto.snapshot import Cell, Figures, Snapshot
from services.analysis.picture import Bar, labels_of, percent_of_width
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


def headlines(instrument: Instrument, snapshot: Snapshot, words: Words, *, weighted: bool = False) -> list[Headline]:
    """Those that have something to say: a headline that only its figure can show is left to the figure. Shares of derived groups
    have no weighted form."""
    derived = {item.id for item in instrument.derived}
    wanted = [one for one in instrument.headlines if one.question in snapshot.questions and not (weighted and one.of in derived)]
    found = [_headline(one, instrument, snapshot, words, weighted) for one in wanted]
    return [headline for headline in found if headline.value or headline.items or headline.withheld]


def _headline(wanted: Wanted, instrument: Instrument, snapshot: Snapshot, words: Words, weighted: bool) -> Headline:
    found = Headline(words.text(wanted.label), wanted.question)
    figures = snapshot.questions[wanted.question]
    if any(derived.id == wanted.of for derived in instrument.derived):
        group = snapshot.breakdowns.get(wanted.of or "", {}).get("1")
        n, total = group.responses if group else None, snapshot.responses
        return _share_of_group(found, None if n is None or not total else (n, n / total), total, words)
    if figures.withheld:
        return Headline(found.label, found.question, withheld=True)
    if wanted.options and (wanted.row is not None or figures.cells):
        row = figures.rows.get(wanted.row or "")
        cells, answered = (row.cells, row.answered) if row else (figures.cells, figures.answered)
        return _share_of_group(found, _together(wanted.options, cells), answered or 0, words, weighted)
    return Headline(found.label, found.question, items=_first_few(wanted, instrument, figures, words))


def _together(options: tuple[str, ...], cells: dict[str, Cell]) -> tuple[int, float] | None:
    """How many chose one of the options, and their share; None where one of them is withheld."""
    chosen = [cells.get(code, Cell()) for code in options]
    if any(cell.n is None or cell.share is None for cell in chosen):
        return None
    return sum(cell.n or 0 for cell in chosen), min(sum(cell.share or 0.0 for cell in chosen), 1.0)


def _share_of_group(found: Headline, part: tuple[int, float] | None, total: int, words: Words, weighted: bool = False) -> Headline:
    if part is None or not total:
        return Headline(found.label, found.question, withheld=True)
    n, share = part
    detail = words("weighted_of", total=words.number(total)) if weighted else words("of_n", n=words.number(n), total=words.number(total))
    return Headline(found.label, found.question, words.percent(share), detail, bar=Bar("", width=percent_of_width(share)))


def _first_few(wanted: Wanted, instrument: Instrument, figures: Figures, words: Words) -> list[Bar]:
    question = instrument.question(wanted.question)
    if isinstance(question, Matrix):
        texts = {row.code: words.text(row.text) for row in question.rows}
        if wanted.stat == "net_agreement":
            known = [(row.net_agreement, code) for code, row in figures.rows.items() if row.net_agreement is not None]
            return [Bar(texts[code], share=words.points(net)) for net, code in sorted(known, reverse=True)[:FEW]]
        parts = {code: _together(wanted.options, row.cells) for code, row in figures.rows.items()}
        of = {code: Cell(*part) for code, part in parts.items() if part is not None}
        return _largest(of, texts, words)
    if figures.rank_score and wanted.stat == "rank_score":
        labels = labels_of(question, figures.cells, words)
        best = sorted(figures.rank_score.items(), key=lambda pair: -pair[1])[:FEW]
        return [
            Bar(labels[code], share=words("points", n=words.decimal(score)), width=percent_of_width(score / best[0][1]))
            for code, score in best
            if score
        ]
    cells = figures.cells or figures.bands
    return _largest(cells, labels_of(question, cells, words), words)


def _largest(cells: dict[str, Cell], labels: dict[str, str], words: Words) -> list[Bar]:
    known = [(cell.share, code) for code, cell in cells.items() if cell.share]
    best = sorted(known, key=lambda pair: -pair[0])[:FEW]
    return [Bar(labels[code], share=words.percent(share), width=percent_of_width(share)) for share, code in best]
