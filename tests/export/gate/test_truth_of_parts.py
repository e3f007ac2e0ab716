"""What a release says of computed values and of rows that rules hide is what was answered."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Computed
from services.export.dataset.variables import MISSING, SKIPPED, Encoder, variables
from services.export.gate.truth import Witness
from tests.proto import test_computed as computed
from tests.proto import test_parts as parts


def codes(reader: Reader, structs: list[Any]) -> dict[str, list[str]]:
    """Each column's codes, judged against the answers."""
    columns = variables(reader.instrument)
    places = Encoder(CodeBook(reader), columns).add(structs)
    Witness(reader.instrument, columns).judge(structs, places)
    return {column.name: [column.codes[place] for place in row] for column, row in zip(columns, places.tolist(), strict=True)}


@settings(deadline=None, max_examples=40)
@given(st.lists(parts.people, min_size=1, max_size=5))
def test_a_hidden_row_is_not_asked(group: list[dict[str, Any]]) -> None:
    told = codes(parts.READER, [parts.possible(person) for person in group])
    for person, code in zip(group, told["rated.a"], strict=True):
        given_code = person.get("Rated", {}).get("a", MISSING)
        assert code == (given_code if "a" in person.get("Uses", ()) else SKIPPED)


@settings(deadline=None, max_examples=40)
@given(computed.values(), st.lists(computed.people, min_size=1, max_size=5))
def test_a_computed_value_is_told_as_its_band(value: Computed, group: list[dict[str, Any]]) -> None:
    reader = Reader(computed.instrument(value))
    told = codes(reader, [reader.convert(person)[0] for person in group])
    for person, code in zip(group, told["value"], strict=True):
        number = computed.plainly(value, person)
        assert code == (MISSING if number is None else "high" if number >= 2.5 else "some" if number >= 1 else "low")
