"""Rules that compare mean the same to the recount, which reads them by code of its own."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proto.instrument import Rule
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally
from tests.proto.test_comparisons import answers, instrument, plainly, rules


@given(rules, st.lists(answers, min_size=1, max_size=5))
def test_a_comparison_is_recounted_as_it_is_documented(rule: Rule, people: list[dict[str, Any]]) -> None:
    tally = Tally(instrument(rule), lambda survey, version: None)
    tally.add([StoredResponse(str(number), "1.0.0", json.dumps(person)) for number, person in enumerate(people)])
    groups = tally.figures()["breakdowns"]["met"]
    assert groups["1"]["responses"] == sum(plainly(rule, person) for person in people)
