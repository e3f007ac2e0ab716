"""The public view: what readers see of published counts. Pure.

Claim. Every public figure is worked out from published counts of one edition (`disclosure.publication`, `crossed`) and from the number of
respondents, so it tells nothing that they do not. Nothing is shown of questions that name somebody, nothing below `minimum` responses, and
nothing of a group, or of a row or column of a two-way table, that has fewer by its *published* count: whether it is shown tells nothing
that the count does not. What is not shown may be worked out by subtraction, as everything adds up; what protects it is the noise.

Sums of numbers (means, variances) have no noise of their own and never leave the exact view. Intervals include the noise
(`disclosure.accuracy`). What can still be learnt, against whom and how well, is told with figures in `docs/disclosure.md`, and measured by
`tests/attacks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.codebook import CodeBook
from proto.instrument import AnyQuestion, ConstantSum, Instrument, Matrix, Ranking
from proto.snapshot import Cell, Figures, Group, PublishedRow, Snapshot
from services.analysis.disclosure import rounding
from services.analysis.disclosure.cells import definitions, formula_of
from services.analysis.disclosure.edition_tables import EditionTables
from services.analysis.state.layout import Layout, Part, has_statistics
from services.analysis.statistics import headline_stats, stats
from services.analysis.statistics.headline_stats import NoiseVariance
from services.analysis.statistics.marginals import Marginals, read_marginals

Mask = NDArray[np.bool_]


def public_questions(instrument: Instrument) -> Iterator[AnyQuestion]:
    """Yields the questions with public figures: not those that identify a person, nor those without statistics."""
    return (question for question in instrument.questions if has_statistics(question))


def conceal(
    whole: Snapshot, layout: Layout, everybody: Marginals, breakdowns: Mapping[str, dict[str, Group]], noise_variance: NoiseVariance | None
) -> Snapshot:
    """Returns the snapshot of published counts, rounded, without what is withheld.

    `whole`: the snapshot of everybody; `breakdowns`: those of groups, already withheld and rounded; `noise_variance`: of published counts.
    """
    instrument = layout.book.instrument
    minimum, parts = instrument.policy.minimum, _by_question(layout)
    shown = np.ones(layout.width, np.bool_)
    questions = {q.id: _veiled(whole.questions[q.id], parts[q.id], shown) for q in public_questions(instrument)}
    current = {(s.name, code): everybody.n[column] for s in layout.strata for code, column in s.groups}
    groups = {
        name: {code: _with_current(group, current[name, code], minimum) for code, group in by_code.items()}
        for name, by_code in breakdowns.items()
    }
    derived = {name: one for name, one in headline_stats.groups_of(instrument, whole).items() if current[name, "1"] >= minimum}
    headlines = headline_stats.at_a_glance(instrument, questions, derived, noise_variance=noise_variance)
    return msgspec.structs.replace(
        whole,
        questions=questions,
        breakdowns=groups,
        sections=rounding.of_sections(whole.sections),
        weighting=rounding.of_weighting(whole.weighting),
        headlines={id: rounding.of_headline(headline) for id, headline in headlines.items()},
    )


def _with_current(group: Group, current: int, minimum: int) -> Group:
    if current < minimum:
        return Group(withheld=True)
    return msgspec.structs.replace(group, current=current)


def breakdowns(book: CodeBook, tables: EditionTables | None) -> dict[str, dict[str, Group]]:
    """Returns what is shown of each group of the strata of `book`.

    `book` may be of a later version than the tables. Groups whose meaning changed, and questions whose answers changed, are withheld.
    """
    shown = _shown_breakdowns(tables) if tables else {}
    same = _unchanged(tables.book, book) if tables else frozenset[str]()
    breakdowns: dict[str, dict[str, Group]] = {}
    for name in book.instrument.strata:
        meaning = definitions(book.instrument, name)
        breakdowns[name] = {code: Group(withheld=True) for code in meaning}
        if tables is None or name not in shown or formula_of(tables.book.instrument, name) != formula_of(book.instrument, name):
            continue
        before = definitions(tables.book.instrument, name)
        for code in meaning:
            if code in shown[name] and before[code] == meaning[code]:
                group = shown[name][code]
                breakdowns[name][code] = msgspec.structs.replace(
                    group, questions={id: q for id, q in group.questions.items() if id in same}
                )
    return breakdowns


def enough(tables: EditionTables) -> Mask:
    """Returns which widened columns have the minimum of respondents, by the single counts published with the tables. Shape (width,)."""
    return tables.single >= tables.book.instrument.policy.minimum


@lru_cache(maxsize=8)
def _shown_breakdowns(tables: EditionTables) -> dict[str, dict[str, Group]]:
    """Returns what is shown of each group, in the version of the tables."""
    layout, shown, book = tables.layout, enough(tables), tables.book
    columns = [column for stratum in layout.strata for _, column in stratum.groups]
    at = [i for i, column in enumerate(columns) if shown[column]]
    if not at:
        return {}
    accuracies = [tables.accuracy_in(columns[i], tables.broken_down) for i in at]
    of_groups = dict(zip((columns[i] for i in at), read_marginals(layout, tables.groups[at], accuracies), strict=True))
    parts, public = _by_question(layout), {question.id for question in public_questions(book.instrument)}
    source = {stratum.name: stratum.source for stratum in layout.strata}
    return {
        name: {
            code: msgspec.structs.replace(
                group,
                as_of=tables.as_of,
                questions={id: _veiled(q, parts[id], shown) for id, q in group.questions.items() if id in public and id != source[name]},
            )
            for code, group in groups.items()
        }
        for name, groups in stats.breakdowns(book, of_groups, None).items()
    }


def _unchanged(old: CodeBook, new: CodeBook) -> frozenset[str]:
    """Returns the questions that have the same columns in both versions."""

    def columns(book: CodeBook) -> dict[str, list[Any]]:
        by_question: dict[str, list[Any]] = {}
        for column in book.columns:
            by_question.setdefault(column.question, []).append(column)
        return by_question

    before, now = columns(old), columns(new)
    return frozenset(id for id in before.keys() & now.keys() if before[id] == now[id])


def _by_question(layout: Layout) -> dict[str, list[Part]]:
    parts: dict[str, list[Part]] = {}
    for part in layout.parts:
        parts.setdefault(part.question.id, []).append(part)
    return parts


def _veiled(figures: Figures, parts: list[Part], shown: Mask) -> Figures:
    part = parts[0]
    if isinstance(part.question, Matrix):
        rows = {one.row: _veiled_row(figures.rows[one.row], one, shown) for one in parts if one.row is not None}
        skipped = figures.skipped if shown[part.skipped] else None
        return msgspec.structs.replace(figures, rows=rows, skipped=skipped, withheld=all(row.withheld for row in rows.values()))
    if not shown[part.answered]:
        return Figures(type=figures.type, withheld=True)
    if isinstance(part.question, ConstantSum):
        rows = {one.row: _veiled_share(figures.rows[one.row], one, shown) for one in parts if one.row is not None}
        skipped, missing = (n if shown[at] else None for n, at in ((figures.skipped, part.skipped), (figures.missing, part.missing)))
        return rounding.of_figures(msgspec.structs.replace(figures, rows=rows, skipped=skipped, missing=missing))
    seen = _seen(figures.shares, part.cells, shown)
    cells, bands = ({code: seen[code] for code in by_code} for by_code in (figures.cells, figures.bands))
    first = _seen(figures.first, part.first, shown) if part.first else {}
    if not shown[_all_of(part)].all():
        return Figures(type=figures.type, answered=figures.answered, cells=cells, bands=bands, first=first)
    absent = {
        "skipped": figures.skipped if shown[part.skipped] else None,
        "missing": figures.missing if shown[part.missing] else None,
    }
    return rounding.of_figures(msgspec.structs.replace(figures, cells=cells, bands=bands, first=first, **absent))


def _veiled_row(row: PublishedRow, part: Part, shown: Mask) -> PublishedRow:
    if not shown[part.answered]:
        return PublishedRow(withheld=True)
    cells = _seen(row.cells, part.cells, shown)
    if not shown[part.cells].all():
        return PublishedRow(answered=row.answered, cells=cells)
    return rounding.of_row(msgspec.structs.replace(row, cells=cells))


def _veiled_share(row: PublishedRow, part: Part, shown: Mask) -> PublishedRow:
    """The mean is of everybody who answered, and shown with them, as are the published counts of digits that it follows from: whoever has a
    digit is no group that anybody knows."""
    return rounding.of_row(msgspec.structs.replace(row, cells=_seen(row.cells, part.cells, shown)))


def _all_of(part: Part) -> slice:
    """Returns the columns that the scores and means of a part are computed from: of a ranking, every rank of every option."""
    if isinstance(part.question, Ranking) and part.first is not None:
        return slice(part.first.start, part.first.start + part.question.rank_count * len(part.codes))
    return part.cells


def _seen(cells: Mapping[str, Cell], at: slice, shown: Mask) -> dict[str, Cell]:
    return {
        code: rounding.of_cell(cell) if there else Cell(withheld=True)
        for (code, cell), there in zip(cells.items(), shown[at], strict=bool(cells))
    }
