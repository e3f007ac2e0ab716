"""Recounting: every exact statistic again from the stored answers, by another way than the live ones, and what differs.

Plain counters over plain JSON: no code book, no matrix, no shared statistics. Only the instrument is common.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from math import isclose, sqrt
from typing import Any

import msgspec

from proto.answers import Reader
from proto.codebook import strata
from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    Date,
    Instrument,
    Integer,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    Rule,
    Single,
)
from proto.problem import Problem
from services.analysis import stats
from services.analysis.store import Store, Stored
from services.analysis.totals import Totals

PAGE = 500
MOST_SHOWN = 1000
"""Differences listed; one faulty column shows in thousands of cells."""

Answers = Mapping[str, Any]
Key = tuple[str, ...]
"""(question, what, …): ("B02", "cell", "cctv", "live")."""


async def recount(survey: str, totals: Totals, store: Store) -> dict[str, Any]:
    """Live figures against the stored responses at the very same point. Covers the partitions that this worker counts."""
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as still:
            for partition in totals.partitions:
                await still.enter_async_context(partition.recording)
            found = await totals.state(survey, others=False)
            if found is None:
                raise Problem("unavailable", "The responses are still being counted.", retry_after=2)
            reading = await stack.enter_async_context(store.reading())
        folder, state = found
        instrument = folder.codebook.instrument
        live = await asyncio.to_thread(stats.exact, folder.codebook, state, revision=0, as_of="")
        tally = Tally(instrument, totals.instrument)
        for partition in totals.partitions:
            await _count(tally, reading.responses(survey, partition.number))
    return await asyncio.to_thread(_compare, survey, live, tally)


async def _count(tally: Tally, stored: AsyncIterator[Stored]) -> None:
    page: list[Stored] = []
    async for one in stored:
        page.append(one)
        if len(page) == PAGE:
            await asyncio.to_thread(tally.add, page)
            page = []
    await asyncio.to_thread(tally.add, page)


def _compare(survey: str, live: Any, tally: Tally) -> dict[str, Any]:
    shown = msgspec.to_builtins(live)
    figures = {name: shown.get(name, {}) for name in ("responses", "questions", "breakdowns")}
    one, other = dict(_leaves("", figures)), dict(_leaves("", tally.figures()))
    paths = sorted(one.keys() | other.keys())
    differences = [
        {"path": path, "live": one.get(path), "recount": other.get(path)} for path in paths if not _same(one.get(path), other.get(path))
    ]
    return {"survey": survey, "responses": tally.responses, "compared": len(paths), "differences": differences[:MOST_SHOWN]}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _leaves(f"{path}/{name}", inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
            yield from _leaves(f"{path}/{place}", inner)
    elif value is not None:
        yield path, value


def _same(one: Any, other: Any) -> bool:
    """Counts to the last digit; quotients as near as the last bits of floating point allow."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
    return one == other and type(one) is type(other)


@dataclass
class Group:
    """Counts among everybody, or among one stratum."""

    n: int = 0
    counts: Counter[Key] = field(default_factory=Counter[Key])
    sums: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    squares: dict[str, Fraction] = field(default_factory=dict[str, Fraction])

    def add(self, keys: list[Key], numbers: Mapping[str, Fraction]) -> None:
        self.n += 1
        self.counts.update(keys)
        for id, value in numbers.items():
            self.sums[id] = self.sums.get(id, Fraction(0)) + value
            self.squares[id] = self.squares.get(id, Fraction(0)) + value * value


class Tally:
    """Responses of one survey, counted one by one. `instrument_of` gives the instrument of a version."""

    def __init__(self, instrument: Instrument, instrument_of: Callable[[str, str], Instrument | None]) -> None:
        self._instrument, self._instrument_of = instrument, instrument_of
        self._everybody = Group()
        self._groups = {name: {code: Group() for code in _groups(instrument, name)} for name in instrument.strata}
        self._crossed = {question.id for question in instrument.questions if "crosstab" in question.stats}
        self._asked: dict[str, set[str]] = {}

    @property
    def responses(self) -> int:
        return self._everybody.n

    def add(self, page: list[Stored]) -> None:
        for stored in page:
            self._add(stored.version, json.loads(stored.answers))

    def figures(self) -> dict[str, Any]:
        questions = self._instrument.questions
        return {
            "responses": self.responses,
            "questions": {question.id: _figures(question, self._everybody, everybody=True) for question in questions},
            "breakdowns": {
                name: {
                    code: {
                        "responses": group.n,
                        "questions": {q.id: _figures(q, group, everybody=False) for q in questions if q.id in self._crossed},
                    }
                    for code, group in groups.items()
                }
                for name, groups in self._groups.items()
            },
        }

    def _add(self, version: str, answers: Answers) -> None:
        asked = self._questions_of(version)
        if version != self._instrument.version:
            answers = _fitting(self._instrument, answers)
        keys: list[Key] = []
        numbers: dict[str, Fraction] = {}
        for question in self._instrument.questions:
            id = question.id
            if id in answers:
                keys += _given(question, answers[id])
                if isinstance(question, Integer | Numeric):
                    numbers[id] = Fraction(str(answers[id]))
            elif id not in asked or (question.show_if and not _holds(question.show_if, answers, self._instrument)):
                keys.append((id, "skipped"))
            elif isinstance(question, Matrix):
                keys += [(id, "missing", row.code) for row in question.rows]
            else:
                keys.append((id, "missing"))
        self._everybody.add(keys, numbers)
        crossed = [key for key in keys if key[0] in self._crossed]
        for name, groups in self._groups.items():
            code = _group_of(self._instrument, name, answers)
            if code in groups:
                groups[code].add(crossed, numbers)

    def _questions_of(self, version: str) -> set[str]:
        if version not in self._asked:
            found = self._instrument_of(self._instrument.id, version)
            self._asked[version] = {question.id for question in found.questions} if found else set()
        return self._asked[version]


def _fitting(instrument: Instrument, answers: Answers) -> Answers:
    """Answers to an older version, as far as the current one knows them."""
    reader = Reader(instrument)
    return msgspec.to_builtins(reader.convert({id: value for id, value in answers.items() if id in reader.types})[0])


def _given(question: AnyQuestion, value: Any) -> list[Key]:
    id = question.id
    match question:
        case Single():
            return [(id, "cell", value)]
        case Multiple():
            return [(id, "cell", code) for code in value]
        case Ranking():
            return [(id, "rank", code, str(place)) for place, code in enumerate(value)]
        case Matrix():
            return [(id, "cell", row.code, value[row.code]) if row.code in value else (id, "missing", row.code) for row in question.rows]
        case Integer() | Numeric() | Date():
            number = int(value[:4]) if isinstance(question, Date) else value
            reached = [band.code for band in question.bands if band.lower <= number]
            return [(id, "cell", reached[-1])] if reached else []
        case _:
            return []


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
        case "any_row_in":
            rows: dict[str, str] = given or {}
            return any(code in rule.value for row, code in rows.items() if not rule.rows or row in rule.rows)
        case _:
            return given is not None


def _groups(instrument: Instrument, stratum: str) -> list[str]:
    if any(item.id == stratum for item in instrument.derived):
        return ["0", "1"]
    return list(dict.fromkeys(strata(instrument, stratum)[1].values()))


def _group_of(instrument: Instrument, stratum: str, answers: Answers) -> str | None:
    for item in instrument.derived:
        if item.id == stratum:
            return "1" if _holds(item.rule, answers, instrument) else "0"
    question, groups = strata(instrument, stratum)
    return groups.get(answers.get(question, ""))


def _figures(question: AnyQuestion, group: Group, *, everybody: bool) -> dict[str, Any]:
    id, counts = question.id, group.counts
    skipped, missing = counts[id, "skipped"], counts[id, "missing"]
    answered = group.n - skipped - missing
    base = {"type": str(type(question).__struct_config__.tag), "answered": answered, "skipped": skipped, "missing": missing}
    match question:
        case Single() | Multiple():
            return base | {"cells": {o.code: _cell(counts[id, "cell", o.code], answered) for o in question.options}}
        case Matrix():
            rows = {row.code: _row(question, row.code, group.n - skipped, counts) for row in question.rows}
            return {"type": base["type"], "skipped": skipped, "rows": rows}
        case Ranking():
            return base | _ranks(question, counts, answered)
        case Integer() | Numeric():
            return base | _bands(question, counts, answered) | (_moments(group, id, answered, everybody) if answered else {})
        case Date():
            return base | _bands(question, counts, answered)
        case _:
            return base


def _row(question: Matrix, row: str, shown: int, counts: Counter[Key]) -> dict[str, Any]:
    answered = shown - counts[question.id, "missing", row]
    n = {option.code: counts[question.id, "cell", row, option.code] for option in question.options}
    found: dict[str, Any] = {"answered": answered, "cells": {code: _cell(count, answered) for code, count in n.items()}}
    scale = [count for code, count in n.items() if code not in NON_SUBSTANTIVE]
    total, half = sum(scale), len(scale) // 2
    if question.ordered and total:
        found["mean"] = sum(place * count for place, count in enumerate(scale, 1)) / total
        found["net_agreement"] = (sum(scale[len(scale) - half :]) - sum(scale[:half])) / total
    return found


def _ranks(question: Ranking, counts: Counter[Key], answered: int) -> dict[str, Any]:
    places = range(question.rank_count)
    ranked = {o.code: [counts[question.id, "rank", o.code, str(place)] for place in places] for o in question.options}
    found: dict[str, Any] = {
        "cells": {code: _cell(sum(n), answered) for code, n in ranked.items()},
        "first": {code: _cell(n[0], answered) for code, n in ranked.items()},
    }
    if answered:
        points = {code: sum((question.rank_count - place) * n[place] for place in places) for code, n in ranked.items()}
        found["rank_score"] = {code: value / answered for code, value in points.items()}
    return found


def _bands(question: Integer | Numeric | Date, counts: Counter[Key], answered: int) -> dict[str, Any]:
    n = {band.code: counts[question.id, "cell", band.code] for band in question.bands}
    everyone = [code for code, count in n.items() for _ in range(count)]
    median = {"median_band": everyone[(len(everyone) - 1) // 2]} if everyone else {}
    return {"bands": {code: _cell(count, answered) for code, count in n.items()}} | median


def _moments(group: Group, id: str, answered: int, everybody: bool) -> dict[str, float]:
    total = group.sums[id]
    found = {"sum": float(total), "mean": float(total / answered)}
    if everybody and answered > 1:
        found["variance"] = float((group.squares[id] - total * total / answered) / (answered - 1))
    return found


def _cell(n: int, answered: int) -> dict[str, Any]:
    """With the Wilson interval, as the solutions of (p - share)² = z² p (1 - p) / answered."""
    if not answered:
        return {"n": n}
    z2, share = 1.959963984540054**2, n / answered
    a, b, c = 1 + z2 / answered, -(2 * share + z2 / answered), share * share
    root = sqrt(max(b * b - 4 * a * c, 0.0))
    return {"n": n, "share": share, "ci95": [0.0 if n == 0 else (-b - root) / (2 * a), 1.0 if n == answered else (-b + root) / (2 * a)]}
