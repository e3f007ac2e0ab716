"""The same over a real journal and store: each thing that an editor may change, over stored answers, with restarts in between."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import msgspec
import nats
from msgspec.structs import replace

from proto import instrument as i
from proto.answers import Reader
from proto.events import ResponseSubmitted, ResponseWithdrawn
from proto.instrument import Instrument
from services.analysis.main import Analysis
from services.analysis.publish import worker_questions as questions
from tests.analysis.conftest import Pen, Service, until
from tests.builders import small_survey, versions
from tests.builders.small_survey import REGIONS

EARLIER, LATER = 12, 4
"""Responses to the first version of each survey, and to the second."""


def _with(survey: Instrument, id: str, **changed: Any) -> Instrument:
    questions = tuple(replace(question, **changed) if question.id == id else question for question in survey.questions)
    return replace(survey, questions=questions)


def _pairs() -> dict[str, tuple[Instrument, Instrument]]:
    """Surveys of which the second version changes one thing. No column comes or goes, but for the last five."""
    one = replace(small_survey.survey(), policy=i.Policy(minimum=3, batch=1, clock=0, i_understand_that_this_protects_nobody=True))
    one = _with(one, "Since", precision="day", min="2000-01-01", max="2026-12-31")
    day, month = one, _with(one, "Since", precision="month", min="2000-01", max="2026-12")
    other = i.Rule(q="Use", op="in", value=("n",))
    moved = {"place": i.Hierarchy(("place", "region", "*"), table={code: (REGIONS["c" if code == "a" else code],) for code in "abcd"})}
    matrix, ticks = one.question("Agree"), one.question("Why")
    assert isinstance(matrix, i.Matrix)
    assert isinstance(ticks, i.Multiple)
    return {
        "texts": (one, versions.retold(one, "1.0.0")),
        "rule": (one, replace(one, derived=(replace(one.derived[0], rule=other),))),
        "skips": (one, _with(_with(one, "Why", show_if=other), "Count", show_if=i.Rule(q="Use", op="not_in", value=("y",)))),
        "map": (one, replace(one, hierarchies=moved)),
        "most-choices": (one, _with(one, "Why", max_choices=1)),
        "fewest-choices": (one, _with(one, "Why", min_choices=2)),
        "most": (one, _with(one, "Count", max=4)),
        "length": (one, _with(one, "Word", max_chars=3)),
        "month": (day, month),
        "day": (month, day),
        "decimals": (one, _with(one, "Cost", decimals=0)),
        "ranks": (one, _with(one, "Rank", rank_count=2)),
        "row": (one, _with(one, "Agree", rows=(matrix.rows[0],))),
        "added-row": (one, _with(one, "Agree", rows=(*matrix.rows, i.Row("z", {"en": "Row z"})))),
        "scale": (one, _with(one, "Agree", options=matrix.options[1:])),
        "option": (one, _with(one, "Why", options=ticks.options[1:])),
    }


PAIRS = {name: tuple(replace(each, id=name, version=f"{n}.0.0") for n, each in enumerate(pair, 1)) for name, pair in _pairs().items()}


def _id(survey: str, number: int) -> str:
    return hashlib.sha256(f"{survey} {number}".encode()).hexdigest()[:32]


def _written(survey: Instrument, numbers: range) -> list[ResponseSubmitted]:
    reader, draw = Reader(survey), Random(f"{survey.id} {numbers.start}")
    answers = [msgspec.Raw(versions.answered(reader, draw)) for _ in numbers]
    return [
        ResponseSubmitted(_id(survey.id, number), survey.id, survey.version, said, "sha256:x", "en")
        for number, said in zip(numbers, answers, strict=True)
    ]


async def _ask(service: Service, what: str) -> dict[str, Any]:
    """The same question about every survey."""
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    found = {name: msgspec.json.decode(await questions.hear(client, name, {"what": what})) for name in PAIRS}
    await client.close()
    return found


async def _counted(analysis: Analysis, version: str, responses: int) -> None:
    """Until every survey is counted in this version, and so many responses of each are."""

    def all_there() -> bool:
        return all(
            analysis.totals.ready(name)
            and analysis.compiled.registry.current(name) == pair[int(version) - 1]
            and analysis.totals.own(name) == responses
            for name, pair in PAIRS.items()
        )

    await until(all_there, 60)


async def _nothing_differs(service: Service) -> None:
    found = await _ask(service, "recount")
    assert {name: report["differences"] for name, report in found.items() if report["differences"]} == {}
    assert all(report["compared"] > 50 for report in found.values())


def _counts(view: Any) -> list[int]:
    """Every count in figures, however deep."""
    if isinstance(view, dict):
        own = [
            view[name] for name in ("n", "answered", "missing", "skipped", "asked", "responses", "sum") if isinstance(view.get(name), int)
        ]
        return own + [count for inner in view.values() for count in _counts(inner)]
    return [count for inner in view for count in _counts(inner)] if isinstance(view, list) else []


async def test_each_kind_of_change_counts_anew_over_restarts_and_leaves_nothing_of_who_withdrew(pen: Pen, service: Service) -> None:
    for first, _ in PAIRS.values():
        await pen.publish(first)
    async with service.running() as analysis:
        await pen.write(*(event for first, _ in PAIRS.values() for event in _written(first, range(EARLIER))))
        await _counted(analysis, "1", EARLIER)
        before = [partition.counts.get("texts") for partition in analysis.partitions]
        for _, second in PAIRS.values():
            await pen.publish(second)
        await _counted(analysis, "2", EARLIER)
        await _nothing_differs(service)
        after = [partition.counts.get("texts") for partition in analysis.partitions]
        assert all(one is other for one, other in zip(before, after, strict=True)), "other words count nobody anew"
        await pen.write(*(event for _, second in PAIRS.values() for event in _written(second, range(EARLIER, EARLIER + LATER))))
        await _counted(analysis, "2", EARLIER + LATER)
        await _nothing_differs(service)
    async with service.running() as analysis:
        await _counted(analysis, "2", EARLIER + LATER)
        await _nothing_differs(service)
        await pen.write(*(ResponseWithdrawn(_id(name, number), name) for name in PAIRS for number in range(EARLIER + LATER)))
        await _counted(analysis, "2", 0)
        await _nothing_differs(service)
        assert {name: set(_counts(view)) for name, view in (await _ask(service, "exact")).items()} == {name: {0} for name in PAIRS}
    async with service.running() as analysis:
        await _counted(analysis, "2", 0)
        assert {name: set(_counts(view)) for name, view in (await _ask(service, "exact")).items()} == {name: {0} for name in PAIRS}
