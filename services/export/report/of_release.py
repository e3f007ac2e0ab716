"""The report of one release, from its tables to its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from msgspec import UNSET

from proto.instrument import Instrument
from services.export.dataset.table import Dataset, DatasetColumn
from services.export.dataset.variables import Variable
from services.export.gate.quasi_identifiers import QuasiIdentifierTable
from services.export.report.compared import compare
from services.export.report.headlines import shares
from services.export.report.page import page
from services.export.report.report import Facts, ReleasedWeight, ReleaseReport, encode, report


def report_on(
    original: pd.DataFrame,
    table: Dataset,
    columns: Sequence[Variable],
    instrument: Instrument,
    reasons: tuple[str, ...] = (),
    quasi_identifiers: QuasiIdentifierTable | None = None,
) -> ReleaseReport:
    """What the release risks and what protecting it cost.

    `original`: the answers as given, a column of codes per variable, in any order of rows. `quasi_identifiers`: knows the public list.
    """
    edition = table.edition
    fields = compare(original, table, columns)
    frame = quasi_identifiers.frame if quasi_identifiers is not None else None
    if quasi_identifiers is not None and frame is not None:
        place = {field.name: at for at, field in enumerate(fields)}
        frame = replace(frame, variables=tuple(place[quasi_identifiers.identifiers[at].name] for at in frame.variables))
    facts = Facts(
        number=edition.number,
        survey=edition.survey,
        version=edition.version,
        title=edition.title,
        language=edition.language,
        profile=edition.profile,
        k=edition.k,
        shares=shares(instrument, fields),
        reasons=reasons,
        frame=frame,
        passages=table.passages,
        left_out=table.left_out,
        weight=UNSET if table.weight is None else _released_weight(table.weight),
    )
    return report(fields, facts)


def files(report: ReleaseReport, table: Dataset) -> dict[str, bytes]:
    """The report as files of the release; the same report always gives the same bytes."""
    shown = page(report, table.edition.title, table.edition.language)
    return {"report.json": encode(report), "report.html": shown.encode()}


def _released_weight(column: DatasetColumn) -> ReleasedWeight:
    """Counted in the release alone."""
    told = [(float(category.code), n) for category, n in zip(column.categories, column.counts, strict=True) if not category.absent]
    rows, total, squares = (sum(weight**power * n for weight, n in told) for power in (0, 1, 2))
    return ReleasedWeight(column.name, int(rows), total * total / squares if squares else 0.0)
