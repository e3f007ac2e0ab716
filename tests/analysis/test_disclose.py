"""What the public sees: counts with bounded noise that are right on average, never 1 or 2, and everything else from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.instrument import Policy
from proto.snapshot import Snapshot
from services.analysis import disclose, stats, tables
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.standing import advance, nothing
from tests.analysis.small import KEY, Answers, book, crowd, crowds, released, state_of, survey

SURVEYS = 1000
POLICY = survey().policy


def counts(of: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Every count of a snapshot or table that is about answers, with its place."""
    for name, value in of.items():
        if isinstance(value, dict):
            yield from counts(value, f"{path}/{name}")
        elif path.endswith("/places"):
            yield from ((f"{path}/{name}/{place}", n) for place, n in enumerate(value))
        elif name in ("n", "answered", "skipped", "missing") and not path.endswith(("nonresponse", "rank_score")):
            yield f"{path}/{name}", value


def exact(people: list[Answers]) -> Snapshot:
    return stats.exact(book(), state_of(people), revision=1, as_of="now")


def test_published_counts_are_never_further_off_than_the_maximum_and_never_one_or_two() -> None:
    for number in range(12):
        people = crowd(number, 40 + 10 * number)
        real = dict(counts(msgspec.to_builtins(exact(people).questions)))
        shown = dict(counts(msgspec.to_builtins(released(people, key=b"key %28d" % number).public.questions)))
        assert shown.keys() == real.keys()
        for place, n in shown.items():
            assert abs(n - real[place]) <= POLICY.max_noise, place
            assert n not in (1, 2), place
            assert n == 0 or real[place] > 0, place


@cache
def many() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A thousand surveys with the same answers and other keys: single counts, their noise, noise of two answers together, whether shown."""
    reader, layout, draw = Reader(survey()), arrange(book()), np.random.default_rng(1)
    x, _ = book().tabulate([reader.convert(person)[0] for person in crowd(5, 60)])
    state = Folder(book(), KEY).empty()
    state.burt = (x.T @ x).astype(np.float64)
    single, two, shown = [], [], []
    upper = np.triu_indices(layout.width, 1)
    for number in range(SURVEYS):
        draws = Draws(b"key %28d" % number, "small")
        state.keys = x.T.astype(np.float64) @ (x * draw.integers(0, 2**16, (len(x), 1)))
        standing = advance(nothing(layout.width, 10, draws), layout, state, 1, 10, draws)
        noisy = disclose.noisy(standing, layout, POLICY, draws)
        single.append(noisy.diagonal() - standing.single)
        two.append((noisy - standing.counts)[upper])
        shown.append(standing.shown(10)[upper])
    return standing.single, np.array(single), np.array(two), np.array(shown)


def test_over_a_thousand_surveys_the_mean_difference_is_zero_within_its_error() -> None:
    count, single, two, shown = many()
    error = math.sqrt(POLICY.variance / SURVEYS)
    assert np.abs(single).max() == np.abs(two).max() == POLICY.max_noise
    assert np.abs(single.mean(axis=0)).max() < 4.5 * error, "of each figure"
    assert not single[:, count == 0].any(), "a zero stays zero"
    assert not np.isin(single + count, (1, 2)).any()
    noisy = single[:, single.any(axis=0)]
    assert abs(noisy.var() / POLICY.variance - 1) < 0.1
    often = shown.sum(axis=0) > 200
    means = (two * shown).sum(axis=0)[often] / shown.sum(axis=0)[often]
    assert np.abs(means).max() < 5 * math.sqrt(POLICY.variance / 200), "of each count of two answers that is shown"


@settings(max_examples=25, deadline=None)
@given(crowds(10, 150), st.integers(0, 3))
def test_shares_and_intervals_keep_within_zero_and_one_whatever_the_noise(people: list[Answers], key: int) -> None:
    found = released(people, 10, len(people) // 2 + 5, key=b"key %28d" % key)
    some = [tables.public(found, *pair).cells for pair in (("Place", "Use"), ("Rank", "Agree.x"), ("uses", "Why"), ("Why", "place.region"))]
    cells = [cell for figures in _figures(found.public) for cell in [*figures["cells"], *figures["bands"], *figures["first"]]]
    cells += [msgspec.to_builtins(cell) for table in some for line in table.values() for cell in line.values()]
    for cell in cells:
        if cell.get("share") is not None:
            low, high = cell["ci95"]
            assert 0 <= low <= cell["share"] <= high <= 1
        assert cell.get("n") not in (1, 2)
    assert b"NaN" not in msgspec.json.encode(found.public)
    assert msgspec.json.decode(msgspec.json.encode(found.public), type=Snapshot).responses == len(people)


def _figures(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    groups = [group.questions for each in snapshot.breakdowns.values() for group in each.values()]
    for questions in [snapshot.questions, *groups]:
        for figures in questions.values():
            for one in list(figures.rows.values()) or [figures]:
                names = ("cells", "bands", "first")
                yield {name: [msgspec.to_builtins(cell) for cell in getattr(one, name, {}).values()] for name in names}


def test_the_same_cell_says_the_same_in_the_snapshot_and_in_every_table() -> None:
    found = released(crowd(5, 300), 100, 200)
    table = tables.public(found, "place.region", "Use")
    turned = tables.public(found, "Use", "place.region")
    for group, line in table.cells.items():
        of_group = found.public.breakdowns["place.region"][group].questions
        for code, cell in line.items():
            assert cell.n == turned.cells[code][group].n
            assert cell == of_group["Use"].cells[code]
    assert any(cell.n for line in table.cells.values() for cell in line.values())


def test_no_sum_of_numbers_and_no_forbidden_question_leaves_the_exact_view() -> None:
    found = released(crowd(5, 300)).public
    for figures in (found.questions["Cost"], found.breakdowns["uses"]["1"].questions["Cost"]):
        assert figures.sum is figures.mean is figures.variance is None
    named = msgspec.structs.replace(survey(), questions=tuple(_named(q) if q.id in ("Use", "Cost") else q for q in survey().questions))
    whole = exact(crowd(5, 300))
    layout = arrange(book())
    layout_of = type(layout)(**{**vars(layout), "book": type("Book", (), {"instrument": named})()})
    veiled = disclose.conceal(whole, layout_of, np.ones((layout.width, layout.width), bool))
    assert {"Use", "Cost"}.isdisjoint(veiled.questions)
    assert all({"Use", "Cost"}.isdisjoint(group.questions) for each in veiled.breakdowns.values() for group in each.values())


def _named(question: Any) -> Any:
    return msgspec.structs.replace(question, stats=("none",))


def test_a_group_below_the_minimum_is_withheld_whole() -> None:
    people = [person for person in crowd(7, 200) if person["Place"] in "ab"] + [{"Place": "c"}] * 9
    found = released(people).public.breakdowns["place.region"]
    assert found["south"].withheld
    assert found["south"].responses is None
    assert not found["south"].questions
    table = tables.public(released(people), "Place", "Use")
    assert all(cell.withheld for code in "cd" for cell in table.cells[code].values())


def test_states_are_released_by_minimum_batch_and_clock() -> None:
    policy = Policy(minimum=10, batch=10, clock=1.0)
    assert not disclose.may_release(policy, None, 9, 9, 1e9)
    assert disclose.may_release(policy, None, 10, 10, 0)
    assert not disclose.may_release(policy, 10, 19, 9, 1e9)
    assert not disclose.may_release(policy, 10, 20, 10, 0.5)
    assert disclose.may_release(policy, 10, 20, 10, 1.0)
    assert not disclose.may_release(policy, 12, 9, 20, 1e9), "many left: what was released stays"
