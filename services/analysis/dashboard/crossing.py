"""View-model of a two-way table: what may be crossed, the heat table, the association in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from proto.instrument import Instrument, LongText, ShortText, WithRows
from proto.snapshot import Association, Cell, Snapshot, Table
from services.analysis.dashboard.comparison import labels_of_side, stratum_label
from services.analysis.dashboard.figure_view import NO_VALUE, Grid, HeatRow, Shaded, shaded
from services.analysis.dashboard.view import weighed_cells
from services.analysis.dashboard.words import DashboardWords

CHANCE = 0.05
STRENGTHS = ((0.1, "hardly"), (0.3, "weakly"), (0.5, "clearly"), (1.1, "strongly"))
"""Up to which Cramér's V one speaks so: about Cohen's steps for two groups (Statistical Power Analysis, 1988, 7.2)."""


@dataclass(frozen=True)
class Crossed:
    """The table of two questions. `total`: its last row, everybody."""

    grid: Grid
    total: HeatRow
    sentences: list[str]


def sides(instrument: Instrument, snapshot: Snapshot, words: DashboardWords) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be crossed: strata, then section by section questions and rows of matrices, as (name, label). Where a
    guarantee holds, only what it covers: groups by the questions that are broken down."""
    strata = [(name, stratum_label(instrument, name, words)) for name in instrument.strata if snapshot.breakdowns.get(name)]
    guaranteed = snapshot.policy.guarantee is not None
    if guaranteed and not strata:
        return []
    sides_by_section = [(words("groups"), strata)]
    for section in instrument.sections:
        entries: list[tuple[str, str]] = []
        for question in instrument.questions:
            figures = snapshot.questions.get(question.id)
            if question.section != section.id or figures is None or isinstance(question, ShortText | LongText):
                continue
            if guaranteed and "crosstab" not in question.stats:
                continue
            if isinstance(question, WithRows):
                entries += [(f"{question.id}.{row.code}", words.text(row.text)) for row in question.rows if row.code in figures.rows]
            elif figures.shares:
                entries.append((question.id, words.text(question.text)))
        sides_by_section.append((words.text(section.text), entries))
    return [(label, entries) for label, entries in sides_by_section if entries]


def about(table: Table, words: DashboardWords) -> str:
    """Returns how many answers the table counts. It is updated less often than the figures of everybody."""
    return words("answers", n=table.responses)


def title_of(name: str, instrument: Instrument, words: DashboardWords) -> str:
    """Returns a side of a table as a heading: of a matrix the question, then the row."""
    if name in instrument.strata:
        return stratum_label(instrument, name, words)
    id, _, code = name.partition(".")
    question = instrument.question(id)
    if isinstance(question, WithRows):
        row = next(words.text(row.text) for row in question.rows if row.code == code)
        return words("row_of", question=words.text(question.text), row=row)
    return words.text(question.text)


def crossed(instrument: Instrument, table: Table, words: DashboardWords) -> Crossed:
    """Returns rows and columns in the questionnaire's order, without empty ones."""
    rows, columns = table.rows, table.columns
    every = next(iter(table.cells.values()), dict[str, Cell]())
    codes = [code for code in every if _shown(columns.get(code), [line[code] for line in table.cells.values()])]
    texts, heads = labels_of_side(instrument, table.row, list(table.cells), words), labels_of_side(instrument, table.column, codes, words)
    weighted = table.weighting is not None and table.weighting.reason is None
    lines = [
        HeatRow(texts[code], [_cell(row_cells[to], words) for to in codes], _count(rows.get(code), words))
        for code, cells in table.cells.items()
        if (row_cells := weighed_cells(cells) if weighted else cells) and _shown(rows.get(code), list(cells.values()))
    ]
    total = {code: Cell(share=published.share) for code, published in table.total.items()}
    everybody = [shaded(total.get(code, Cell()) if weighted else columns.get(code, Cell(withheld=True)), words) for code in codes]
    sentences = _association(table.association, words)
    return Crossed(Grid([heads[code] for code in codes], lines), HeatRow(words("everybody"), everybody), sentences)


def _shown(margin: Cell | None, cells: list[Cell]) -> bool:
    return any(cell.n for cell in cells) or (any(cell.withheld for cell in cells) and (margin is None or margin.n != 0))


def _cell(cell: Cell, words: DashboardWords) -> Shaded:
    rendered = shaded(cell, words)
    if cell.withheld or cell.n is None or cell.share is None:
        return rendered
    return Shaded(rendered.text, rendered.shade, n=words.number(cell.n))


def _count(cell: Cell | None, words: DashboardWords) -> str:
    return NO_VALUE if cell is None or cell.n is None else words.number(cell.n)


def _association(association: Association | None, words: DashboardWords) -> list[str]:
    """Returns the result of the test of association in words, with its limits."""
    if association is None:
        return []
    if association.reason is not None:
        return [words("association_overlapping" if association.reason == "overlapping" else "association_empty")]
    if association.p is None or association.cramers_v is None:
        return [words("association_sparse")]
    p = words("p_small") if association.p < 0.001 else words("p_is", p=words.thousandths(association.p))
    values = {"v": words.decimal(association.cramers_v), "p": p}
    strength = next(key for limit, key in STRENGTHS if association.cramers_v < limit) if association.p < CHANCE else "chance"
    sentences = [words(f"association_{strength}", **values), words("association_note")]
    return [*sentences, words("association_sparse_note")] if association.sparse else sentences
