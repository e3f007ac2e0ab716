"""The exact view for organisers: no cell withheld, no noise, no rounding. Pure."""

from __future__ import annotations

import msgspec

from proto.codebook import CodeBook
from proto.snapshot import QuotaCount, Snapshot, Table
from services.analysis.disclosure.published_policy import published_policy
from services.analysis.state.state import State
from services.analysis.statistics import stats, tables


def snapshot(book: CodeBook, state: State, *, revision: int, as_of: str, full: frozenset[str] = frozenset()) -> Snapshot:
    """Returns every statistic of the survey, and how many meet each quota. `full`: the ids of the quotas that are."""
    figures = stats.exact(book, state, published_policy(book, state.responses), revision=revision, as_of=as_of)
    limits = {quota.id: quota.limit for quota in book.instrument.quotas}
    quotas = {id: QuotaCount(int(state.burt[column, column]), limits[id], id in full) for id, column in book.quotas.items()}
    return msgspec.structs.replace(figures, quotas=quotas)


def table(book: CodeBook, state: State, row: str, column: str, *, revision: int, as_of: str) -> Table:
    """Returns the two-way table of two questions, matrix rows or strata. Raises Problem where there is none."""
    return tables.exact(book, state, row, column, published_policy(book, state.responses), revision=revision, as_of=as_of)
