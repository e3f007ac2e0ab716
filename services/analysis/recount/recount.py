"""Recount: computes every exact statistic again from the stored answers, and compares.

Plain counters over plain JSON: no code book, no matrix, no shared statistics. Only the instrument is shared with the live figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping
from contextlib import AsyncExitStack
from fractions import Fraction
from functools import partial
from math import isclose
from typing import Any, assert_never

import msgspec

from proto.codebook import strata
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Margin,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    Row,
    Rule,
    ShortText,
    Single,
)
from proto.problem import Problem
from proto.snapshot import Snapshot
from services.analysis.disclosure.published_policy import published_policy
from services.analysis.ingest.journal import JournalConsumer
from services.analysis.ingest.totals import Totals
from services.analysis.records import BEGINNING, Position, StoredResponse
from services.analysis.recount.computing import computed_from
from services.analysis.recount.figures import GroupCounts, figures, sections
from services.analysis.recount.report import FigureDifference, RecountReport, UnansweredPartition
from services.analysis.recount.versions import Place, fitting
from services.analysis.recount.weights import Cell, Key, Weighed, weigh
from services.analysis.state.state import State
from services.analysis.state.state_codec import UnreadableState
from services.analysis.statistics import stats
from services.analysis.store import ReadSnapshot, Store

PAGE = 500
PATIENCE = 10.0
"""Seconds to wait until everything accepted before is recorded and counted."""
MOST_SHOWN = 1000
"""Most differences listed: one faulty column shows in thousands of cells."""

Answers = Mapping[str, Any]


async def recount(survey: str, totals: Totals, store: Store, journal: JournalConsumer) -> RecountReport:
    """Returns the differences between live figures and stored responses, over all partitions, each compared at the same position.

    This worker's partitions are compared at their current position. Those of other workers are compared at their checkpoint, which live
    figures are made of: one snapshot of the store has the checkpoint, what it counts, and what was recorded since. The recount waits for
    everything accepted before it began. Partitions that do not get that far, or that nobody holds, are listed in `unanswered`.
    """
    ends = {number: await journal.end(number) for number in range(totals.count)}
    await _until_recorded(survey, totals, store, ends)
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as still:
            own = totals.partitions
            for partition in own:
                await still.enter_async_context(partition.recording)
            counted = await totals.state(survey, others=False)
            if counted is None:
                raise Problem("unavailable", "The responses are still being counted.", retry_after=2)
            snapshot = await stack.enter_async_context(store.snapshot())
        folder, state = counted
        points: dict[int, Position] = {}
        for number in set(range(totals.count)) - {partition.number for partition in own}:
            points[number] = await _add_checkpoint(state, survey, number, snapshot, folder.codebook.digest)
        if (day := await snapshot.deleted(survey)) is not None:
            return RecountReport(survey, state.responses, 0, [], deleted=day.isoformat())
        policy = published_policy(folder.codebook, state.responses)
        live = await asyncio.to_thread(stats.exact, folder.codebook, state, policy, revision=0, as_of="")
        tally = Tally(folder.codebook.instrument, totals.instrument)
        for partition in own:
            await _count(tally, snapshot.responses(survey, partition.number))
        for number, point in points.items():
            await _count(tally, snapshot.counted(survey, number, point))
        held = await snapshot.held()
        unanswered = [
            missing
            for number, end in ends.items()
            if (missing := await _unanswered(survey, number, end, points.get(number), number in held, snapshot, journal)) is not None
        ]
        stored, unrecorded = await snapshot.stored(survey), await snapshot.unrecorded(survey)
    compared, differences = await asyncio.to_thread(compare, live, tally)
    return RecountReport(survey, tally.responses, compared, differences[:MOST_SHOWN], stored, unrecorded, unanswered)


async def _until_recorded(survey: str, totals: Totals, store: Store, ends: Mapping[int, int]) -> None:
    """Waits at most PATIENCE seconds until every held partition is recorded and counted up to its end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while True:
                positions, others = await store.positions(), totals.others
                counted = positions | dict.fromkeys(others, BEGINNING) | await store.progress(survey, others)
                async with store.snapshot() as snapshot:
                    held = await snapshot.held()
                if all(min(positions.get(n, BEGINNING), counted.get(n, BEGINNING)).seq >= end for n, end in ends.items() if n in held):
                    return
                await asyncio.sleep(0.2)


async def _add_checkpoint(state: State, survey: str, number: int, snapshot: ReadSnapshot, digest: str) -> Position:
    """Adds the checkpoint of another worker, and returns its position: the beginning where live figures contain nothing of it."""
    checkpoint = await snapshot.checkpoint(survey, number)
    if checkpoint is None or checkpoint.codebook != digest:
        return BEGINNING
    try:
        state.merge(await asyncio.to_thread(State.load, checkpoint.state, digest))
    except UnreadableState:
        return BEGINNING
    return checkpoint.at


async def _unanswered(
    survey: str, number: int, end: int, point: Position | None, held: bool, snapshot: ReadSnapshot, journal: JournalConsumer
) -> UnansweredPartition | None:
    """Returns what is missing of a partition that nobody holds, or that is not recorded and counted up to its end; None if all is well."""
    position = await snapshot.position(number)
    recorded = position.seq >= end
    counted = point is None or point >= min(position, Position(end))
    if held and recorded and counted:
        return None
    waiting = None if recorded else await journal.backlog(number)
    uncounted = 0 if point is None else await snapshot.stored_after(survey, number, point)
    return UnansweredPartition(number, held, waiting.events if waiting else 0, uncounted)


async def _count(tally: Tally, stored: AsyncIterator[StoredResponse]) -> None:
    page: list[StoredResponse] = []
    async for one in stored:
        page.append(one)
        if len(page) == PAGE:
            await asyncio.to_thread(tally.add, page)
            page = []
    await asyncio.to_thread(tally.add, page)


def compare(live: Snapshot, tally: Tally) -> tuple[int, list[FigureDifference]]:
    """Returns how many figures there are, and those that differ, the outermost first."""
    shown = msgspec.to_builtins(live)
    figures = {name: shown.get(name, {}) for name in ("responses", "questions", "breakdowns", "sections", "weighting")}
    one, other = dict(_leaves("", figures)), dict(_leaves("", tally.figures()))
    paths = sorted(one.keys() | other.keys(), key=lambda path: (path.count("/"), path))
    differences = [
        FigureDifference(path, one.get(path), other.get(path))
        for path in paths
        if not _same(one.get(path), other.get(path), 1e-9 if "weight" in path or "n_eff" in path else 1e-12)
    ]
    return len(paths), differences


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _leaves(f"{path}/{name}", inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
            yield from _leaves(f"{path}/{place}", inner)
    elif value is not None:
        yield path, value


def _same(one: Any, other: Any, near: float) -> bool:
    """Returns whether two values agree: counts exactly, quotients and weights within a relative and absolute tolerance."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=near, abs_tol=near)
    return one == other and type(one) is type(other)


class Tally:
    """Counts the responses of one survey one by one. `instrument_of`: (survey, version) → its instrument."""

    def __init__(self, instrument: Instrument, instrument_of: Callable[[str, str], Instrument | None]) -> None:
        self._instrument, self._instrument_of = instrument, instrument_of
        self._everybody = GroupCounts()
        self._groups = {name: {code: GroupCounts() for code in _groups(instrument, name)} for name in instrument.strata}
        self._cells: dict[Cell, GroupCounts] = {}
        self._crossed = {question.id for question in instrument.questions if "crosstab" in question.stats}
        self._versions = {instrument.version: instrument}

    @property
    def responses(self) -> int:
        return self._everybody.n

    def add(self, page: list[StoredResponse]) -> None:
        for stored in page:
            self._add(stored.version, json.loads(stored.answers))

    def figures(self) -> dict[str, Any]:
        questions = self._instrument.questions
        sizes = {cell: group.n for cell, group in self._cells.items()}
        weighting, weights = weigh(self._instrument, sizes)
        cells = self._cells.items()
        weighed = Weighed(weights, sizes, {cell: group.counts for cell, group in cells}, {cell: group.sums for cell, group in cells})
        return {
            "responses": self.responses,
            "weighting": weighting,
            "sections": dict(sections(self._instrument, self._everybody)),
            "questions": {question.id: figures(question, self._everybody, weighed) for question in questions},
            "breakdowns": {
                name: {
                    code: {
                        "responses": group.n,
                        "current": group.n,
                        "questions": {q.id: figures(q, group, None) for q in questions if q.id in self._crossed},
                    }
                    for code, group in groups.items()
                }
                for name, groups in self._groups.items()
            },
        }

    def _add(self, version: str, answers: Answers) -> None:
        then = self._instrument_at(version)
        answers = computed_from(then, answers)
        if then is not self._instrument:
            answers, unasked = fitting(self._instrument, then, answers, partial(_shown, then))
            answers = computed_from(self._instrument, answers)
        else:
            matrices = (question for question in then.questions if isinstance(question, Matrix))
            unasked = {(matrix.id, row.code) for matrix in matrices for row in matrix.rows if not _shown(then, row, answers)}
        keys: list[Key] = []
        numbers: dict[str, Fraction] = {}
        for question in self._instrument.questions:
            id = question.id
            if id in answers:
                keys += _given(question, answers[id], unasked)
                if isinstance(question, Integer | Numeric) and not isinstance(answers[id], str):
                    numbers[id] = Fraction(str(answers[id]))
                if isinstance(question, ConstantSum):
                    numbers |= {f"{id}.{row.code}": Fraction(answers[id].get(row.code, 0)) for row in question.rows}
            elif (id,) in unasked or (then is self._instrument and not _shown(then, question, answers)):
                keys.append((id, "skipped"))
            elif isinstance(question, Matrix):
                keys += _given(question, {}, unasked)
            else:
                keys.append((id, "missing"))
        self._everybody.add(keys, numbers)
        crossed = [key for key in keys if key[0] in self._crossed]
        for name, groups in self._groups.items():
            code = _group_of(self._instrument, name, answers)
            if code in groups:
                groups[code].add(crossed, numbers)
        if (weight := self._instrument.case_weight) is not None:
            cell = [answers.get(weight.id)]
        else:
            cell = [_portion_of(self._instrument, margin, answers) for margin in self._instrument.margins]
        if cell and None not in cell:
            self._cells.setdefault(tuple(code for code in cell if code), GroupCounts()).add(
                keys, {name: share for name, share in numbers.items() if "." in name}
            )

    def _instrument_at(self, version: str) -> Instrument:
        """Returns the instrument of a version. Raises KeyError for a version that was never published."""
        if version not in self._versions:
            instrument = self._instrument_of(self._instrument.id, version)
            if instrument is None:
                raise KeyError(version)
            self._versions[version] = instrument
        return self._versions[version]


def _shown(then: Instrument, question: AnyQuestion | Row, answers: Answers) -> bool:
    return question.show_if is None or _holds(question.show_if, answers, then)


def _given(question: AnyQuestion, value: Any, unasked: Container[Place] = ()) -> list[Key]:
    """Returns the cells that an answer counts in; of a matrix also the rows that were missing or not asked."""
    id = question.id
    match question:
        case Single():
            return [(id, "cell", value)]
        case Multiple():
            return [(id, "cell", code) for code in value]
        case Ranking():
            return [(id, "rank", code, str(place)) for place, code in enumerate(value) if code is not None]
        case Matrix():
            rows = [row.code for row in question.rows]
            absent: list[Key] = [(id, "skipped" if (id, row) in unasked else "missing", row) for row in rows if row not in value]
            return [*((id, "cell", row, value[row]) for row in rows if row in value), *absent]
        case ConstantSum():
            lower = {row.code: [band.code for band in question.bands if band.lower <= value.get(row.code, 0)] for row in question.rows}
            digits: list[Key] = [
                (id, "digit", row.code, str(place))
                for row in question.rows
                for place, digit in enumerate(reversed(f"{value.get(row.code, 0):b}"))
                if digit == "1"
            ]
            return [*((id, "cell", row, codes[-1]) for row, codes in lower.items()), *digits]
        case Integer() | Numeric() | Date() if any(option.code == value for option in question.special):
            return [(id, "cell", value)]
        case Integer() | Numeric() | Date():
            number = int(value[:4]) if isinstance(question, Date) else value
            reached = [band.code for band in question.bands if band.lower <= number]
            return [(id, "cell", reached[-1])] if reached else []
        case ShortText() | LongText():
            return []
        case _:
            assert_never(question)


def _holds(rule: Rule, answers: Answers, instrument: Instrument) -> bool:
    if rule.all:
        return all(_holds(part, answers, instrument) for part in rule.all)
    if rule.any:
        return any(_holds(part, answers, instrument) for part in rule.any)
    if rule.not_ is not None:
        return not _holds(rule.not_, answers, instrument)
    given = answers.get(rule.q or "")
    match rule.op:
        case "derived":
            derived = next(item for item in instrument.derived if item.id == rule.q)
            return ("1" if _holds(derived.rule, answers, instrument) else "0") in rule.value
        case "in":
            return given in rule.value
        case "not_in":
            return given not in rule.value
        case "any_in":
            return any(code in rule.value for code in given or ())
        case "at_least" | "at_most" | "between" | "same_as" | "before":
            one = _measure(given, instrument.question(rule.q or ""))
            if rule.other is not None:
                other = _measure(answers.get(rule.other), instrument.question(rule.other))
                return _below(one, other) if rule.op == "before" else _reaches(one, other) and _reaches(other, one)
            return (rule.op == "at_most" or _reaches(one, rule.value[0])) and (rule.op == "at_least" or _reaches(rule.value[-1], one))
        case "any_row_in":
            rows: dict[str, str] = given or {}
            return any(code in rule.value for row, code in rows.items() if not rule.rows or row in rule.rows)
        case _:
            return given is not None


def _measure(given: Any, question: AnyQuestion) -> Any:
    """Returns what is compared of an answer: a number, a date, how many were chosen; None where it is a code in place of one of these."""
    coded = isinstance(given, str) and not (isinstance(question, Date) and given[:4].isdigit())
    return len(given) if isinstance(given, list) else None if coded else given  # pyright: ignore[reportUnknownArgumentType]


def _below(one: Any, other: Any) -> bool:
    return one is not None and other is not None and not _reaches(one, other)


def _reaches(one: Any, other: Any) -> bool:
    """Returns whether one is as high as the other at least. A month reaches each of its days."""
    if one is None or other is None:
        return False
    return one[: len(other)] >= other[: len(one)] if isinstance(one, str) else one >= other


def _groups(instrument: Instrument, stratum: str) -> list[str]:
    if any(item.id == stratum for item in instrument.derived):
        return ["0", "1"]
    return list(dict.fromkeys(strata(instrument, stratum)[1].values()))


def _group_of(instrument: Instrument, stratum: str, answers: Answers) -> str | None:
    for item in instrument.derived:
        if item.id == stratum:
            return "1" if _holds(item.rule, answers, instrument) else "0"
    question, groups = strata(instrument, stratum)
    asked = instrument.question(question)
    if isinstance(asked, Computed):
        return next((key[2] for key in _given(asked, answers[question])), None) if question in answers else None
    return groups.get(answers.get(question, ""))


def _portion_of(instrument: Instrument, margin: Margin, answers: Answers) -> str | None:
    """Returns the group of a margin that a respondent belongs to; None if none."""
    asked = next((question for question in instrument.questions if question.id == margin.of), None)
    if asked is None:
        code = _group_of(instrument, margin.of, answers)
    else:
        code = next((key[2] for key in _given(asked, answers[margin.of])), None) if margin.of in answers else None
    return code if any(portion.code == code for portion in margin.portions) else None
