"""An attacker who holds every release of a survey, against our releases and against ones that forget the earlier ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.protect.anonymise import Result, protect
from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import Diversity, ProtectionRequest, Sensitive
from services.export.protect.sequence import Ledger, SequenceRules, SequenceStep, release

K, WIDE = 3, 5
"""What the narrow rule asks, and every rule where there is one alone; what the wide rule asks beside a narrow one."""
REGION = ValueHierarchy("region", tuple(f"R{i}" for i in range(12)), tuple((f"P{i // 3}", f"N{i // 6}") for i in range(12)))
AGE = ValueHierarchy("age", tuple(map(str, range(10))), tuple((f"{i // 2 * 2}+",) for i in range(10)), tuple(map(float, range(10))))
BOTH = (REGION, AGE)

Seen = dict[int, tuple[str, ...]]
"""What one release tells: the quasi-identifiers of each person in it. The attacker does not know whose row it is; we do."""
People = dict[int, tuple[int, int, int]]


def seen(people: list[int], result: Result) -> Seen:
    rows = zip(*(result.labels(v) for v in range(len(result.values))), strict=True)
    return dict(zip([person for person, kept in zip(people, result.kept, strict=True) if kept], rows, strict=True))


def choices(releases: list[Seen]) -> Iterator[tuple[int, ...]]:
    """Every choice of releases, by their places."""
    return (some for many in range(1, len(releases) + 1) for some in combinations(range(len(releases)), many))


def alike(releases: list[Seen], some: tuple[int, ...]) -> Counter[tuple[tuple[str, ...] | None, ...]]:
    """Of those who are in the last of some releases: how many are in the same of the others and look the same in each."""
    return Counter(tuple(releases[place].get(person) for place in some) for person in releases[some[-1]])


def smallest_intersection(releases: list[Seen]) -> int:
    return min(min(alike(releases, some).values()) for some in choices(releases))


def step(people: People, ledger: Ledger | None, rules: SequenceRules = SequenceRules(ProtectionRequest(K)), **more: Any) -> SequenceStep:  # noqa: B008  a frozen value
    ids, rows = np.array(list(people), dtype=np.int64), np.array(list(people.values()), dtype=np.int64)
    more = {"most_missing": 1.0} | more
    return release(ids, rows[:, :2], BOTH, [Sensitive("opinion", rows[:, 2], 3)], rules, ledger, **more)


person = st.tuples(st.integers(0, 11), st.integers(0, 9), st.integers(0, 2))
moves = st.tuples(
    st.booleans(), st.sets(st.integers(0, 70)), st.lists(person, max_size=12), st.dictionaries(st.integers(0, 70), person, max_size=4)
)
varied = st.sampled_from((None, Diversity(2)))


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(
    st.lists(person, min_size=12, max_size=50),
    st.lists(moves, min_size=1, max_size=5),
    st.builds(
        SequenceRules,
        st.builds(ProtectionRequest, st.just(WIDE), diversity=varied),
        st.builds(ProtectionRequest, st.just(K), diversity=varied),
        st.integers(0, 1),
    ),
    st.sampled_from((0.0, 0.3)),
    st.sampled_from((0.6, 1.0)),
)
def test_no_choice_of_releases_of_both_profiles_ever_comes_below_k(
    first: list[tuple[int, int, int]],
    then: list[tuple[bool, set[int], list[tuple[int, int, int]], People]],
    rules: SequenceRules,
    patience: float,
    most_missing: float,
) -> None:
    """After any joins, changes and withdrawals; and every released value is true of the answers as they are now."""
    people: People = dict(enumerate(first))
    ledger, releases, narrow = None, list[Seen](), list[bool]()
    born = len(first)
    for fine, leave, join, change in then:
        if releases:
            people = {id: change.get(id, row) for id, row in people.items() if id not in leave} | {
                born + i: row for i, row in enumerate(join)
            }
            born += len(join)
        if len(people) < WIDE:
            break
        try:
            found = step(people, ledger, rules, narrow=fine, patience=patience, most_missing=most_missing)
        except Unprotectable as refused:
            assert str(refused).endswith(".")  # noqa: PT017  either a release or a sentence
            continue
        ledger = found.ledger
        releases.append(seen(list(people), found.result))
        narrow.append(fine)
        for row, id in enumerate(people):
            if found.result.kept[row]:
                for v in range(2):
                    assert people[id][v] in found.result.values[v][found.result.released[row, v]].members
    for some in choices(releases):
        for looks, many in alike(releases, some).items():
            told = any(narrow[place] and look is not None for place, look in zip(some, looks, strict=True))
            assert many >= (K if told else WIDE), (some, looks)


def nested() -> SequenceRules:
    return SequenceRules(ProtectionRequest(WIDE, diversity=Diversity(2)), ProtectionRequest(K, diversity=Diversity(2)))


def test_what_a_narrow_release_tells_lies_within_what_a_wide_one_tells() -> None:
    people = town(300, 6)
    wide = step(people, None, nested())
    narrow = step(people, wide.ledger, nested(), narrow=True)
    assert not narrow.held_back.any()
    assert not narrow.waiting.any()
    finer = 0
    for v in range(2):
        for one, other in zip(wide.result.released[:, v], narrow.result.released[:, v], strict=True):
            above, below = (set(wide.result.values[v][node].members) for node in (one, other))
            assert below <= above
            finer += below < above
    assert finer > 0
    assert (step(people, narrow.ledger, nested()).result.released == wide.result.released).all()


def test_wide_classes_are_the_same_whether_or_not_a_narrow_release_came_first() -> None:
    people = town(300, 7)
    first = step(people, None, nested(), narrow=True)
    assert (step(people, first.ledger, nested()).result.released == step(people, None, nested()).result.released).all()


def test_those_whose_narrow_class_is_broken_leave_the_wide_releases_too() -> None:
    people = {i: (0, i % 2 * 9, i // 2 % 3) for i in range(12)}
    wide = step(people, None, SequenceRules(ProtectionRequest(2 * WIDE), ProtectionRequest(WIDE)))
    narrow = step(people, wide.ledger, SequenceRules(ProtectionRequest(2 * WIDE), ProtectionRequest(WIDE)), narrow=True)
    assert len(set(seen(list(people), narrow.result).values())) == 2
    many = people | {100 + i: (0, 0, i % 3) for i in range(20)}
    joined = step(many, narrow.ledger, SequenceRules(ProtectionRequest(2 * WIDE), ProtectionRequest(WIDE)), narrow=True)
    left = {id: row for id, row in many.items() if id not in (1, 3)}
    after = step(left, joined.ledger, SequenceRules(ProtectionRequest(WIDE + 1), ProtectionRequest(WIDE)))
    assert {id for id, held in zip(left, after.held_back, strict=True) if held} == {5, 7, 9, 11}
    again = step(left, after.ledger, SequenceRules(ProtectionRequest(WIDE + 1), ProtectionRequest(3)), narrow=True)
    assert {id for id, held in zip(left, again.held_back, strict=True) if held} == {5, 7, 9, 11}, "for good"


def test_a_narrow_release_comes_first_where_a_wide_one_is_not_possible() -> None:
    rules = SequenceRules(ProtectionRequest(50, diversity=Diversity(2)), ProtectionRequest(K, diversity=Diversity(2)))
    people = town(40, 3)
    with pytest.raises(Unprotectable, match="cannot form a group of 50"):
        step(people, None, rules)
    first = step(people, None, rules, narrow=True, most_missing=0.25)
    assert first.result.kept.all()
    assert len(set(first.result.classes.tolist())) > 3
    more = people | {1000 + id: row for id, row in town(200, 9).items()}
    wide = step(more, first.ledger, rules)
    assert {id for id, held in zip(more, wide.held_back, strict=True) if held} == set(people), "fewer than 50 came in together"


def town(count: int, seed: int) -> People:
    return dict(enumerate(map(tuple, np.random.default_rng(seed).integers(0, [12, 10, 3], (count, 3)).tolist())))


def test_releases_that_forget_the_earlier_ones_pin_people_and_ours_do_not() -> None:
    everybody, rng = town(400, 4), np.random.default_rng(4)
    naive, ours, ledger = list[Seen](), list[Seen](), None
    for _ in range(5):
        ids, rows = list(everybody), np.array(list(everybody.values()))
        naive.append(seen(ids, protect(rows[:, :2], BOTH, [], ProtectionRequest(K), np.array(ids))))
        found = step(everybody, ledger)
        ledger = found.ledger
        ours.append(seen(ids, found.result))
        everybody = {id: row for id, row in everybody.items() if rng.random() > 0.05} | {
            max(everybody) + 1 + i: row for i, row in enumerate(town(20, len(everybody)).values())
        }
    assert smallest_intersection(naive) == 1
    assert smallest_intersection(ours) >= K


def test_what_is_left_of_a_class_stays_as_diverse_as_asked() -> None:
    people = {i: (0, 0, i % 2) for i in range(6)} | {10 + i: (11, 9, i % 3) for i in range(6)}
    rules = SequenceRules(ProtectionRequest(K, diversity=Diversity(2)))
    first = step(people, None, rules)
    assert not first.held_back.any()
    left = {id: row for id, row in people.items() if id not in (1, 3, 5)}
    second = step(left, first.ledger, rules)
    assert [id for id, held in zip(left, second.held_back, strict=True) if held] == [0, 2, 4]


def test_who_joins_waits_until_there_are_enough() -> None:
    people = {i: (i % 2, 0, i % 3) for i in range(12)}
    first = step(people, None)
    second = step(people | {100: (5, 5, 0), 101: (5, 5, 1)}, first.ledger)
    assert second.waiting.sum() == 2
    third = step(people | {100: (5, 5, 0), 101: (5, 5, 1), 102: (4, 5, 1)}, second.ledger)
    assert not third.waiting.any()


def test_few_wait_for_nearer_neighbours_and_the_others_come_in() -> None:
    people = town(400, 2)
    first = step(people, None)
    near, far = {1000 + i: (4, 4, i % 3) for i in range(K)}, {2000 + i: (5 * i, 4 * i, i) for i in range(K)}
    joined = people | near | far
    second = step(joined, first.ledger)
    assert [id for id, waits in zip(joined, second.waiting, strict=True) if waits] == list(far)
    neighbours = {3000 + 10 * i + n: far[2000 + i] for i in range(K) for n in range(K)}
    third = step(joined | neighbours, second.ledger)
    assert not third.waiting.any()
    assert not step(joined, first.ledger, patience=0).waiting.any()


def test_spare_people_keep_a_class_alive() -> None:
    people = {i: (0, 0, i % 3) for i in range(4)} | {10 + i: (11, 9, i % 3) for i in range(4)}
    ids, rows = np.array(list(people)), np.array(list(people.values()))
    whole = release(ids, rows[:, :2], BOTH, [], SequenceRules(ProtectionRequest(K), spare=1))
    stays = ids != 0
    next_ = release(ids[stays], rows[stays][:, :2], BOTH, [], SequenceRules(ProtectionRequest(K)), whole.ledger)
    assert not next_.held_back.any()


def test_a_ledger_forgets_who_withdrew() -> None:
    people = town(60, 1)
    first = step(people, None)
    del people[7]
    assert 7 not in step(people, first.ledger).ledger.people


def test_a_sequence_that_would_lose_too_many_is_refused_with_the_reason() -> None:
    people = town(60, 2)
    first = step(people, None)
    ids = np.array([id for id in people if id % 2])
    rows = np.array([people[id] for id in ids.tolist()])
    with pytest.raises(Unprotectable, match="held back, because fewer than 3"):
        release(ids, rows[:, :2], BOTH, [], SequenceRules(ProtectionRequest(K)), first.ledger)
    with pytest.raises(Unprotectable, match="twice"):
        release(np.zeros(60, dtype=np.int64), np.array(list(people.values()))[:, :2], BOTH, [], SequenceRules(ProtectionRequest(K)))
    with pytest.raises(Unprotectable, match="kind hierarchy"):
        release(ids, rows[:, :2], BOTH, [], SequenceRules(ProtectionRequest(K, "sets")))
