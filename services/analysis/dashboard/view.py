"""What a reader selected in the address of a page: comparison, group, weighting. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from proto.instrument import Instrument
from proto.snapshot import Cell, Figures, PublishedRow, Snapshot, Weighted

CHOICES = ("by", "only", "weighted", "row", "column", "question", "view", "for")
"""What an address may choose among figures. Each route takes some of them; other parameters mean nothing here."""
Only = tuple[str, str] | None
"""One group, as (stratum, code); None for everybody."""
NO_GROUP = "Nothing is shown of this group in this question. The dashboard names the groups that have figures."


@dataclass(frozen=True)
class View:
    """`by`: a stratum to compare by. `only`: one group, as (stratum, code). `weighted`: brought to the margins of the population."""

    survey: str
    language: str
    by: str = ""
    only: Only = None
    weighted: bool = False
    row: str = ""
    column: str = ""
    unweighted: bool = False
    """Whether weighted figures were asked for and this edition has none."""

    @classmethod
    def of(cls, instrument: Instrument, snapshot: Snapshot, language: str, asked: Mapping[str, str]) -> View:
        """`asked`: nothing that `unknown` names."""
        weighted = asked.get("weighted") == "yes"
        return cls(
            instrument.id,
            language,
            asked.get("by", ""),
            only_of(snapshot, asked.get("only", "")),
            weighted and is_weighted(snapshot),
            asked.get("row", ""),
            asked.get("column", ""),
            weighted and not is_weighted(snapshot),
        )

    @property
    def path(self) -> str:
        return f"/live/{self.survey}"

    def query(self, **changes: Any) -> str:
        """Returns the query of the address of this view with some changes."""
        changed = replace(self, **changes)
        fields = {
            "lang": changed.language,
            "by": changed.by,
            "only": ":".join(changed.only or ()),
            "weighted": "yes" if changed.weighted else "",
            "row": changed.row,
            "column": changed.column,
        }
        return urlencode({name: value for name, value in fields.items() if value}, safe=":")

    def here(self, **changes: Any) -> str:
        return f"{self.path}?{self.query(**changes)}"

    def file(self, name: str) -> str:
        """Returns the address of a file of a figure, of the same group."""
        return f"{self.path}/{name}?{self.query(by='', weighted=False, row='', column='')}"

    def table(self, **changes: Any) -> str:
        return f"{self.path}/table?{self.query(**changes)}"


def untaken(asked: Mapping[str, str], taken: Collection[str]) -> str:
    """The first choice in a query that a route does not take, as "name=value": it would be answered with other figures than asked
    for. Empty where there is none."""
    return next((f"{name}={asked[name]}" for name in CHOICES if asked.get(name) and name not in taken), "")


def unknown(instrument: Instrument, snapshot: Snapshot, asked: Mapping[str, str], taken: Collection[str]) -> str:
    """The first choice in a query that these figures do not have, as "name=value"; empty where all are known. Sides of tables are
    left to who counts them."""
    if wrong := untaken(asked, taken):
        return wrong
    by, only, weighted = (asked.get(name, "") for name in ("by", "only", "weighted"))
    if by and by not in instrument.strata:
        return f"by={by}"
    if only and only_of(snapshot, only) is None:
        return f"only={only}"
    if weighted not in ("", "yes", "no"):
        return f"weighted={weighted}"
    if "question" in taken and (question := asked.get("question", "")) not in snapshot.questions:
        return f"question={question}"
    return ""


def is_side(snapshot: Snapshot, name: str) -> bool:
    """Whether this is a stratum, a question or a row of a matrix ("B02.cctv") with figures."""
    id, _, row = name.partition(".")
    figures = snapshot.questions.get(id)
    return name in snapshot.breakdowns or (figures is not None and (row in figures.rows if row else not figures.rows))


def only_of(snapshot: Snapshot, asked: str) -> Only:
    """The group that is asked for as "stratum:code"; None where there is none of that name."""
    stratum, _, code = asked.partition(":")
    return (stratum, code) if code in snapshot.breakdowns.get(stratum, {}) else None


def is_weighted(snapshot: Snapshot) -> bool:
    return snapshot.weighting is not None and snapshot.weighting.reason is None


def figures_of(snapshot: Snapshot, only: Only) -> dict[str, Figures]:
    """Returns the figures of everybody, or of one group."""
    return snapshot.questions if only is None else snapshot.breakdowns[only[0]][only[1]].questions


def figures_seen(snapshot: Snapshot, view: View) -> dict[str, Figures]:
    """Returns the figures of everybody or of one group, weighted or not."""
    if view.weighted and view.only is None:
        return {id: _weighed(figures) for id, figures in snapshot.questions.items()}
    return figures_of(snapshot, view.only)


def responses_seen(snapshot: Snapshot, view: View) -> int | None:
    """Returns how many respondents the view covers; None where that is withheld."""
    if view.only is None:
        return snapshot.responses
    stratum, code = view.only
    return snapshot.breakdowns[stratum][code].responses


def _weighed(figures: Figures) -> Figures:
    """Weighted shares stand in place of the others. Counts stay what they are; scores of rankings have no weighted form, nor has the
    band of the median."""
    rows = {code: _weighed_row(row) for code, row in figures.rows.items()}
    scale = _scale(figures)
    cells, bands = weighed_cells(figures.cells), weighed_cells(figures.bands)
    return msgspec.structs.replace(figures, cells=cells, bands=bands, rows=rows, rank_score={}, median_band=None, **scale)


def _weighed_row(row: PublishedRow) -> PublishedRow:
    mean, ends = (row.weighted.mean, row.weighted.mean_ci95) if row.weighted else (None, None)
    return msgspec.structs.replace(row, cells=weighed_cells(row.cells), mean=mean, mean_ci95=ends, **_scale(row))


def _scale(of: Figures | PublishedRow) -> dict[str, Any]:
    if of.weighted is None:
        return {"net_agreement": None, "net_agreement_ci95": None}
    return {"net_agreement": of.weighted.net_agreement, "net_agreement_ci95": of.weighted.net_agreement_ci95}


def weighed_cells(cells: dict[str, Cell]) -> dict[str, Cell]:
    """Returns the cells with weighted shares and intervals; no share where a cell has no weighted one."""
    return {code: _weighed_cell(cell, cell.weighted) for code, cell in cells.items()}


def _weighed_cell(cell: Cell, weighted: Weighted | None) -> Cell:
    if weighted is None:
        return msgspec.structs.replace(cell, share=None, ci95=None)
    return msgspec.structs.replace(cell, share=weighted.share, ci95=weighted.ci95)
