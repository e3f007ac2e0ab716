"""What is told beside a consumer's floor: never more than is recorded, whatever is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.runtime import withheld

numbers = st.sets(st.integers(1, 10**12), max_size=60)


@given(numbers, st.integers(1, 10**12))
def test_exactly_what_was_withheld_is_withheld(seqs: set[int], other: int) -> None:
    found = withheld.read({withheld.KEY: withheld.written(seqs)})
    assert all(seq in found for seq in seqs)
    assert (other in found) is (other in seqs)


def test_of_very_many_the_first_are_told_apart_and_all_after_them_are_withheld() -> None:
    seqs = range(2, 3 * withheld.MOST, 2)
    text = withheld.written(seqs)
    found = withheld.read({withheld.KEY: text})
    assert all(seq in found for seq in seqs)
    assert 3 not in found
    assert 10**12 in found
    assert len(withheld.written(range(10**12, 10**12 + withheld.MOST))) < 128 * 1024


def test_without_a_list_or_with_one_that_is_not_understood_nothing_is_recorded() -> None:
    for metadata in (None, {}, {"_nats.ver": "2"}, {withheld.KEY: "1,x"}, {withheld.KEY: "one of these days"}):
        assert 1 in withheld.read(metadata)
    assert 1 not in withheld.read({withheld.KEY: ""})
