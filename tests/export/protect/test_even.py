"""Large groups give equally many rows to a class that they share with their nearest equals, and keep k for themselves."""

from __future__ import annotations

from collections import Counter

import numpy as np

from services.export.protect.anonymise import protect
from services.export.protect.combinations import combine
from services.export.protect.even import even
from services.export.protect.gather import ClassPieces
from services.export.protect.regions import Space
from services.export.protect.request import ProtectionRequest
from tests.export.protect.test_protect import ALL

SPACE = Space([2, 2], [None, None])
"""Two variables of two unordered values: groups that differ in one are at a distance of 1, in both of 2."""


def _evened(groups: dict[tuple[int, int], int], k: int) -> list[tuple[int, int, int]]:
    """The combination, the class and the rows of each piece, all groups standing alone before."""
    rows = np.array(list(Counter(groups).elements()), dtype=np.int64)
    combinations = combine([rows[:, 0], rows[:, 1]], [2, 2])
    pieces = even(ClassPieces.of(np.arange(len(groups)), combinations.counts), combinations, SPACE, k)
    return list(zip(pieces.combination.tolist(), pieces.classes.tolist(), pieces.rows.tolist(), strict=True))


def test_two_large_groups_each_give_a_sixth_of_both_to_a_class_of_their_own() -> None:
    assert _evened({(0, 0): 12, (0, 1): 12, (1, 1): 3}, k=3) == [(0, 0, 8), (1, 1, 8), (2, 2, 3), (0, 3, 4), (1, 3, 4)]


def test_the_pair_that_saves_most_for_its_cost_shares() -> None:
    """42 rows at a distance of 1 before 42 at 2 and 24 at 1; the third group is left alone."""
    assert _evened({(0, 0): 12, (0, 1): 12, (1, 1): 30}, k=3) == [(0, 0, 12), (1, 1, 5), (2, 2, 23), (2, 3, 7), (1, 3, 7)]


def test_nothing_is_shared_where_a_group_would_keep_fewer_than_k() -> None:
    """A sixth of 6 + 30 is 6: the smaller would keep none."""
    assert _evened({(0, 0): 6, (0, 1): 30}, k=3) == [(0, 0, 6), (1, 1, 30)]


def test_one_large_group_has_nobody_to_share_with() -> None:
    assert _evened({(0, 0): 5, (0, 1): 30}, k=3) == [(0, 0, 5), (1, 1, 30)]


def test_three_large_groups_are_released_whole() -> None:
    """Two of them share. The third once shared with itself, and then there were more rows to deal than answered."""
    codes = np.array([[0, 0, 0]] * 12 + [[0, 1, 0]] * 12 + [[1, 1, 0]] * 30)
    result = protect(codes, ALL, [], ProtectionRequest(3, "sets", even=True))
    assert result.kept.all()
    assert sorted(np.bincount(result.classes).tolist()) == [5, 12, 14, 23]
