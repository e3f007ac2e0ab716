"""What singles a row out although its quasi-identifiers do not: rare answers and far-out numbers."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.protect.outliers import cap
from services.export.protect.refusal import Unprotectable
from services.export.protect.uniques import uniques

answers = st.lists(st.tuples(*[st.integers(0, 3)] * 5), min_size=1, max_size=25)


@settings(max_examples=60)
@given(answers)
def test_minimal_uniques_equal_a_search_through_all_sets(rows: list[tuple[int, ...]]) -> None:
    found = uniques(np.array(rows))
    for index, row in enumerate(rows):
        minimal: list[tuple[int, ...]] = []
        for size in (1, 2, 3):
            for where in combinations(range(5), size):
                alone = sum(all(other[c] == row[c] for c in where) for other in rows) == 1
                if alone and not any(set(part) <= set(where) for part in minimal):
                    minimal.append(where)
        by_size = Counter(map(len, minimal))
        assert found.counts[index].tolist() == [by_size[1], by_size[2], by_size[3]]
        assert found.rows[index] == bool(minimal)


def test_a_row_unique_by_fewer_answers_scores_higher() -> None:
    found = uniques(np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1], [0, 1, 0], [0, 0, 1]]))
    assert found.scores[0] > found.scores[3] > found.scores[1] == 0
    assert found.shares.argmax() == 0 or found.shares[0] > 0


numbers = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=60)


@given(numbers, st.integers(1, 5))
def test_at_least_k_rows_stand_at_either_end_of_a_capped_column(given_: list[float], k: int) -> None:
    values = np.array(given_)
    known = values[~np.isnan(values)]
    if len(known) < 2 * k:
        with pytest.raises(Unprotectable, match="too few"):
            cap(values, k)
        return
    capped = cap(values, k)
    assert (capped.values == capped.lowest).sum() >= k
    assert (capped.values == capped.highest).sum() >= k
    inside = (values > capped.lowest) & (values < capped.highest)
    assert (capped.values[inside] == values[inside]).all()
    assert np.isnan(capped.values).sum() == np.isnan(values).sum()
