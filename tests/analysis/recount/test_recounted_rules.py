"""Rules that compare, and rows that rules hide, mean the same to the recount, which reads them by code of its own."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Rule
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally, compare
from services.analysis.state.fold import Folder
from tests.proto import test_parts as parts
from tests.proto.test_comparisons import answers, instrument, plainly, rules


@given(rules, st.lists(answers, min_size=1, max_size=5))
def test_a_comparison_is_recounted_as_it_is_documented(rule: Rule, people: list[dict[str, Any]]) -> None:
    tally = Tally(instrument(rule), lambda survey, version: None)
    tally.add([StoredResponse(str(number), "1.0.0", json.dumps(person)) for number, person in enumerate(people)])
    groups = tally.figures()["breakdowns"]["met"]
    assert groups["1"]["responses"] == sum(plainly(rule, person) for person in people)


@settings(deadline=None)
@given(st.lists(parts.people, min_size=1, max_size=5), st.booleans())
def test_live_figures_of_hidden_rows_equal_the_recount(group: list[dict[str, Any]], converted: bool) -> None:
    book = CodeBook(Reader(parts.later() if converted else parts.READER.instrument))
    structs = [parts.possible(person) for person in group]
    stored = [StoredResponse(str(i), "1.0.0", msgspec.json.encode(struct).decode()) for i, struct in enumerate(structs)]
    folder = Folder(book)
    state = folder.empty()
    folder.fold(state, [(f"{i:032x}", struct) for i, struct in enumerate(structs)])
    tally = Tally(book.instrument, lambda survey, version: parts.READER.instrument)
    tally.add(stored)
    live = exact_view.snapshot(book, state, revision=1, as_of="")
    assert compare("parts", live, tally)["differences"] == []
