"""The public view: when a new state may be released, and what readers see of it. Pure.

Claim. Every public count, in whichever table, page or file, carries noise by the cell-key method (`ptable`, `perturb`): it is
off by at most the policy's `max_noise`, never 1 or 2, and on average right; a 0 is a true 0 or a small count. Everything else
(shares, intervals, means, scores) is worked out from such counts alone, so it tells nothing that they do not. Nothing is shown
below `minimum` responses, nothing of a group or of a row or column of a two-way table below it, and nothing of questions that
name somebody. A new state is released only after `batch` respondents joined or left and `clock` seconds passed; in tables of
two questions each row and column waits besides for a batch of its own (`standing`). Noise belongs to the crossing of two groups: it is
the same wherever this crossing is shown, and another one where two other groups have the same people in common (`perturb`).

How. The number of responses itself is exact: it says nothing about any answer. Counts of single answers get their noise anew at
each release, by their cell keys and that release's secret: were it left alone where nobody joined, the figures that moved would be the
answers of those who did. Counts of two answers keep theirs until their members change, because there the batch of the row and of
the column hides who moved, and noise that is never drawn again cannot be averaged away.

Assumes that record keys are secret. Does not protect against: whoever knows the answers of all respondents but one, and many
tables: with hundreds of counts per respondent no useful noise can (Dinur and Nissim, Revealing information while preserving
privacy, PODS 2003); averaging: the exact count of a single answer can be had from many releases, or from many tables that each
add up to it (Asghar and Kaafar, Averaging attacks on bounded noise-based disclosure control algorithms, PETS 2020), which is why
rows and columns below the minimum are not shown, and in a long survey the difference of two groups that nearly hold the same
people; groups that all answer alike. `docs/disclosure.md` says it in plain words, and
`tests/attacks` measures it.

Literature: see `ptable`; Thompson, Broadfoot and Elazar, Methodology for the automatic confidentialisation of statistical
outputs from remote servers at the Australian Bureau of Statistics (UNECE 2013).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from proto.instrument import AnyQuestion, Instrument, Integer, Matrix, Numeric, Policy, Ranking
from proto.snapshot import Cell, Figures, Group, Row, Snapshot
from services.analysis import glance, rounding
from services.analysis.draws import Draws
from services.analysis.layout import Layout, Part
from services.analysis.perturb import perturb
from services.analysis.ptable import KEYS, table
from services.analysis.response import live
from services.analysis.standing import Standing

Mask = NDArray[np.bool_]


def may_release(policy: Policy, previous: int | None, current: int, joined_or_left: int, seconds: float) -> bool:
    """Whether the current state may become the released one. `previous` and `current` are numbers of responses (None:
    nothing was released yet), `seconds` the time since the last release."""
    if current < policy.minimum:
        return False
    return previous is None or (joined_or_left >= policy.batch and seconds >= policy.clock)


def noisy(standing: Standing, layout: Layout, policy: Policy, draws: Draws) -> NDArray[np.int64]:
    """The public counts of everything, in the widened columns: single answers on the diagonal, two together off it."""
    noise = table(policy.max_noise, policy.variance)
    found = perturb(standing.counts, standing.keys, noise)
    other = (draws.numbers("single", standing.revision, KEYS) % np.uint64(KEYS)).astype(np.uint16)
    single = perturb(standing.single, other[standing.single_keys], noise)
    everybody = [0, *(part.answered for part in layout.parts if standing.single[part.answered] == standing.responses)]
    single[everybody] = standing.responses  # that nobody left a question out, its zeros say already
    np.fill_diagonal(found, single)
    return found


def public_questions(instrument: Instrument) -> Iterator[AnyQuestion]:
    """Questions with public figures: not those that name somebody, nor those without statistics."""
    return (question for question in instrument.questions if live(question))


def conceal(whole: Snapshot, layout: Layout, shown: Mask) -> Snapshot:
    """The snapshot of noisy counts without what is not shown. `shown`: which counts of two answers are."""
    instrument = layout.book.instrument
    parts: dict[str, list[Part]] = {}
    for part in layout.parts:
        parts.setdefault(part.question.id, []).append(part)
    public = {question.id for question in public_questions(instrument)}
    everybody = np.ones(layout.width, np.bool_)
    questions = {id: _veiled(whole.questions[id], parts[id], everybody, shown[0]) for id in whole.questions if id in public}
    breakdowns: dict[str, dict[str, Group]] = {}
    for stratum in layout.strata:
        groups = whole.breakdowns[stratum.name]
        breakdowns[stratum.name] = {}
        for code, column in stratum.groups:
            if not shown[column, 0]:
                breakdowns[stratum.name][code] = Group(withheld=True)
                continue
            of_group = groups[code].questions
            there = shown[column]
            kept = {id: _veiled(of_group[id], parts[id], there, there) for id in of_group if id in public and id != stratum.source}
            breakdowns[stratum.name][code] = msgspec.structs.replace(groups[code], questions=kept)
    groups = {name: one for name, one in glance.groups_of(instrument, whole).items() if not breakdowns[name]["1"].withheld}
    headlines = glance.at_a_glance(instrument, questions, groups)
    return msgspec.structs.replace(
        whole,
        questions=questions,
        breakdowns=breakdowns,
        sections=rounding.of_sections(whole.sections),
        weighting=rounding.of_weighting(whole.weighting),
        headlines={id: rounding.of_headline(headline) for id, headline in headlines.items()},
    )


def _veiled(figures: Figures, parts: list[Part], shown: Mask, counted: Mask) -> Figures:
    part = parts[0]
    if isinstance(part.question, Matrix):
        rows = {one.row: _veiled_row(figures.rows[one.row], one, shown, counted) for one in parts if one.row is not None}
        skipped = figures.skipped if shown[part.skipped] else None
        return msgspec.structs.replace(figures, rows=rows, skipped=skipped, withheld=all(row.withheld for row in rows.values()))
    if not shown[part.answered]:
        return Figures(type=figures.type, withheld=True)
    cells, bands = (_seen(each, part.cells, shown, counted) for each in (figures.cells, figures.bands))
    first = _seen(figures.first, part.first, shown, counted) if part.first else {}
    if not shown[_all_of(part)].all():
        return Figures(type=figures.type, answered=figures.answered, cells=cells, bands=bands, first=first)
    absent = {
        "skipped": figures.skipped if shown[part.skipped] else None,
        "missing": figures.missing if shown[part.missing] else None,
    }
    # sums of numbers have no cell key: they never leave the exact view
    numbers = {"sum": None, "mean": None, "variance": None} if isinstance(part.question, Integer | Numeric) else {}
    whole = msgspec.structs.replace(figures, cells=cells, bands=bands, first=first, **absent, **numbers)
    return rounding.of_figures(whole)


def _veiled_row(row: Row, part: Part, shown: Mask, counted: Mask) -> Row:
    if not shown[part.answered]:
        return Row(withheld=True)
    cells = _seen(row.cells, part.cells, shown, counted)
    if not shown[part.cells].all():
        return Row(answered=row.answered, cells=cells)
    return rounding.of_row(msgspec.structs.replace(row, cells=cells))


def _all_of(part: Part) -> slice:
    """The columns that a part's scores and means rest on: of a ranking, every place of every option."""
    if isinstance(part.question, Ranking) and part.first is not None:
        return slice(part.first.start, part.first.start + part.question.rank_count * len(part.codes))
    return part.cells


def _seen(cells: Mapping[str, Cell], at: slice, shown: Mask, counted: Mask) -> dict[str, Cell]:
    """`counted`: of which columns counts of two answers stand, without which weighted shares rest on nothing."""
    return {
        code: rounding.of_cell(cell if there and known else msgspec.structs.replace(cell, weighted=None)) if there else Cell(withheld=True)
        for (code, cell), there, known in zip(cells.items(), shown[at], counted[at], strict=bool(cells))
    }
