"""Public figures have three decimals: enough to read, few enough that everybody who recounts them from the counts beside them gets
the same. Rounding protects nobody: what is rounded follows from published counts as it is. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from proto.intervals import Interval
from proto.snapshot import Association, Cell, Figures, PublishedHeadline, PublishedRow, SectionAnswers, Table, Weighted, Weighting

DIGITS = 3
S = TypeVar("S", bound=msgspec.Struct)


def of_cell(cell: Cell) -> Cell:
    if cell.share is None:
        return cell
    if cell.ci95 is None:
        return replace(cell, share=_number(cell.share))
    return replace(cell, share=_number(cell.share), ci95=_pair(cell.ci95), weighted=cell.weighted and _weighted(cell.weighted))


def of_figures(figures: Figures) -> Figures:
    """All but its cells, which are rounded as they are shown."""
    rate = figures.nonresponse and _fields(figures.nonresponse)
    scores = {code: _number(score) for code, score in figures.rank_score.items()}
    return replace(_fields(figures), nonresponse=rate, rank_score=scores, weighted=figures.weighted and _fields(figures.weighted))


def of_row(row: PublishedRow) -> PublishedRow:
    """All but its cells."""
    return replace(_fields(row), nonresponse=row.nonresponse and _fields(row.nonresponse), weighted=row.weighted and _fields(row.weighted))


def of_sections(sections: Mapping[str, SectionAnswers]) -> dict[str, SectionAnswers]:
    return {id: _fields(section) for id, section in sections.items()}


def of_weighting(weighting: Weighting | None) -> Weighting | None:
    return weighting and _fields(weighting)


def of_headline(headline: PublishedHeadline) -> PublishedHeadline:
    return replace(_fields(headline), items={code: of_headline(item) for code, item in headline.items.items()})


def of_table(table: Table) -> Table:
    cells = {row: {to: of_cell(cell) for to, cell in line.items()} for row, line in table.cells.items()}
    total = {to: _weighted(weighted) for to, weighted in table.total.items()}
    association: Association | None = table.association and _fields(table.association)
    sides = {
        name: {code: of_cell(cell) for code, cell in side.items()} for name, side in (("rows", table.rows), ("columns", table.columns))
    }
    return replace(table, cells=cells, total=total, **sides, association=association, weighting=of_weighting(table.weighting))


def _fields(struct: S) -> S:
    """The struct with its own numbers and intervals rounded."""
    rounded: dict[str, float | Interval] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, float):
            rounded[name] = _number(value)
        elif isinstance(value, tuple) and name.endswith("ci95"):
            rounded[name] = _pair(value)  # pyright: ignore[reportUnknownArgumentType]
    return replace(struct, **rounded) if rounded else struct


def _weighted(weighted: Weighted) -> Weighted:
    return Weighted(_number(weighted.share), _pair(weighted.ci95))


def _number(value: float) -> float:
    return round(value, DIGITS)


def _pair(interval: Interval) -> Interval:
    return round(interval[0], DIGITS), round(interval[1], DIGITS)
