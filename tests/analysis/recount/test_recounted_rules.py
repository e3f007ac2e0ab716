"""Rules that compare, and rows that rules hide, mean the same to the recount, which reads them by code of its own."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Computed, Rule
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally, compare
from services.analysis.state.fold import Folder
from tests.proto import test_computed as computed
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
    now = Reader(parts.later()) if converted else parts.READER
    assert differences(now, parts.READER, [parts.possible(person) for person in group]) == []


@settings(deadline=None)
@given(computed.values(), computed.values(), st.lists(computed.people, min_size=1, max_size=5), st.booleans())
def test_live_figures_of_computed_values_equal_the_recount(
    value: Computed, former: Computed, group: list[dict[str, Any]], converted: bool
) -> None:
    """Computed of every answer anew, also of those to a version that computed otherwise, or that lacked a part."""
    now = Reader(computed.instrument(value))
    then = Reader(computed.instrument(former, version="0.9.0", asked=computed.ASKED)) if converted else now
    assert differences(now, then, [then.convert(person)[0] for person in group]) == []


def differences(now: Reader, then: Reader, structs: list[Any]) -> Any:
    """Between live figures and the recount, under one version, of answers to another."""
    book = CodeBook(now)
    folder = Folder(book)
    state = folder.empty()
    folder.fold(state, [(f"{i:032x}", struct) for i, struct in enumerate(structs)])
    tally = Tally(now.instrument, lambda survey, version: then.instrument)
    stored = [then.canonical(struct).decode() for struct in structs]
    tally.add([StoredResponse(str(i), then.instrument.version, answers) for i, answers in enumerate(stored)])
    live = exact_view.snapshot(book, state, revision=1, as_of="")
    return compare(live, tally)[1]
