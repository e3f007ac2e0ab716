"""A table holds what a dictionary would, without the order in which it came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.intake.invitations.sorted_names import NAME, SortedNames

names = st.binary(min_size=1, max_size=1).map(lambda first: first.ljust(NAME, b"\0")) | st.binary(min_size=NAME, max_size=NAME)
entries = st.lists(st.tuples(names, st.binary(min_size=3, max_size=3)), max_size=30)


@given(entries, st.integers(0, 30), names)
def test_a_table_is_a_dictionary_whatever_is_written_at_once(pairs: list[tuple[bytes, bytes]], cut: int, missing: bytes) -> None:
    known = dict(pairs)
    table = SortedNames(3).changed(dict(pairs[:cut])).changed(dict(pairs[cut:]))
    assert dict(table) == known
    assert len(table) == len(known)
    for name in (*known, missing):
        assert table.get(name) == known.get(name)


@given(entries, st.randoms())
def test_the_same_entries_are_the_same_bytes_in_whatever_order_they_came(pairs: list[tuple[bytes, bytes]], chance: object) -> None:
    known = list(dict(pairs).items())
    shuffled = known.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = SortedNames(3), SortedNames(3)
    for name, value in known:
        one = one.changed({name: value})
    for name, value in shuffled:
        other = other.changed({name: value})
    assert one.data == other.data == b"".join(name + value for name, value in sorted(known))


def test_names_without_values() -> None:
    table = SortedNames(0).changed({b"a" * NAME: b"", b"b" * NAME: b""})
    assert (table.get(b"b" * NAME), table.get(b"c" * NAME), len(table)) == (b"", None, 2)
