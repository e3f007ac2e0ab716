"""Groups of rows that look the same: their sizes, with the risk that follows from a size. Pure."""

from __future__ import annotations

from services.export.protect.combinations import numbered
from services.export.report.compared import ComparedVariable, Ints


def before(fields: list[ComparedVariable]) -> tuple[Ints, Ints]:
    """The group of each row, and the rows of each group."""
    return numbered(((field.before, len(field.answers)) for field in fields), len(fields[0].before))


def after(fields: list[ComparedVariable]) -> tuple[Ints, Ints]:
    """The same of the rows as released."""
    return numbered(((field.after, len(field.released)) for field in fields), len(fields[0].after))
