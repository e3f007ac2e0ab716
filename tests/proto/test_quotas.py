"""Quotas: who is counted in one, what may be asked for it, and until when it is full."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import author, quotas
from proto import instrument as i
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.events import QuotasFilled
from proto.instrument import Quota, Rule
from proto.registry import Registry, published
from tests.builders.no_table import no_table
from tests.builders.small_survey import book, respondents, survey

TEXT = {"en": "Enough of you."}
RULES = (
    Rule(q="Place", op="in", value=("a",)),
    Rule(q="Use", op="not_in", value=("y",)),
    Rule(all=(Rule(q="uses", op="derived", value=("1",)), Rule(q="Why", op="any_in", value=("p", "q")))),
    Rule(not_=Rule(q="Agree", op="any_row_in", value=("4", "5"), rows=("x",))),
)
QUOTAS = tuple(Quota(f"q{place}", rule, 10 + place, TEXT) for place, rule in enumerate(RULES))


def _with(*given_quotas: Quota, **changes: Any) -> i.Instrument:
    return msgspec.structs.replace(survey(), quotas=given_quotas, **changes)


READER = Reader(_with(*QUOTAS))
BOOK = CodeBook(READER)


@given(respondents(fewest=1))
def test_a_quota_counts_whom_its_rule_describes(people: list[dict[str, Any]]) -> None:
    answers = [READER.convert(person)[0] for person in people]
    cells = BOOK.cells(answers, BOOK.empty(len(answers)))
    for quota in QUOTAS:
        expected = [READER.quotas[quota.id](one) for one in answers]
        assert np.array_equal(cells[:, BOOK.quotas[quota.id]] == 1, expected), quota


def test_another_rule_is_counted_anew_and_another_limit_or_text_is_not() -> None:
    first = QUOTAS[0]
    changed = msgspec.structs.replace
    for same in (changed(first, limit=99), changed(first, text={"en": "Thank you."})):
        assert CodeBook(Reader(_with(same, *QUOTAS[1:]))).digest == BOOK.digest
    other = CodeBook(Reader(_with(changed(first, when=Rule(q="Place", op="in", value=("b",))), *QUOTAS[1:])))
    assert other.digest != BOOK.digest
    assert CodeBook(Reader(_with())).digest == book().digest


def test_it_is_told_at_the_end_of_the_last_section_that_its_rule_speaks_of() -> None:
    sections = (i.Section("S", TEXT), i.Section("T", TEXT))
    moved = tuple(msgspec.structs.replace(q, section="T") if q.id in ("Why", "Agree") else q for q in survey().questions)
    instrument = _with(*QUOTAS, sections=sections, questions=moved)
    assert [quotas.last(instrument, quota).section for quota in QUOTAS] == ["S", "S", "T", "T"]


def test_a_rule_on_a_computed_value_speaks_of_what_it_is_computed_from() -> None:
    sum_of = i.Computed(
        id="Sum", var="sum", section="S", text=TEXT, privacy=i.Privacy("insensitive"), min=0, max=99, op="sum", of=("Count", "Agree.x")
    )
    instrument = _with(Quota("many", Rule(q="Sum", op="at_least", value=(5,)), 10, TEXT), questions=(*survey().questions, sum_of))
    assert quotas.asked(instrument, instrument.quotas[0].when) == {"Count", "Agree"}
    assert quotas.last(instrument, instrument.quotas[0]).id == "Count"


@pytest.mark.parametrize(
    ("quota", "pointer"),
    [
        (Quota("few", RULES[0], 9, TEXT), "/quotas/0/limit"),
        (Quota("texts", Rule(q="Word", op="answered"), 10, TEXT), "/quotas/0/when"),
        (Quota("none", Rule(q="nobody", op="answered"), 10, TEXT), "/quotas/0/when"),
        (Quota("harm", Rule(all=(RULES[0], Rule(q="Use", op="answered"))), 10, TEXT), "/quotas/0/when"),
        (Quota("through", Rule(q="uses", op="derived", value=("1",)), 10, TEXT), "/quotas/0/when"),
    ],
)
def test_no_quota_tells_of_few_or_asks_what_is_nobodys_business(quota: Quota, pointer: str) -> None:
    roles: dict[str, i.Role] = {"Word": "free_text", "Use": "sensitive"}
    questions = tuple(msgspec.structs.replace(q, privacy=i.Privacy(roles.get(q.id, q.privacy.role))) for q in survey().questions)
    instrument = _with(quota, questions=questions)
    assert ["/" + "/".join(map(str, path)) for path, _, _ in quotas.misfits(instrument)] == [pointer]


@given(st.lists(st.tuples(st.sampled_from(["q0", "q1"]), st.integers(10, 30)), max_size=6), st.integers(10, 30), st.integers(10, 30))
def test_a_quota_stays_full_until_a_version_allows_more(filled: list[tuple[str, int]], first: int, second: int) -> None:
    registry, instrument = Registry(), _with(Quota("q0", RULES[0], first, TEXT), Quota("q1", RULES[1], second, TEXT))
    registry.apply(published(instrument))
    full: dict[str, int] = {}
    for id, limit in filled:
        full = full | {id: limit}
        registry.apply(QuotasFilled(instrument.id, full))
    expected = {id for id, limit in (("q0", first), ("q1", second)) if full.get(id, 0) >= limit}
    assert registry.full_quotas(instrument) == expected


FILE = """format: platea-instrument/2
id: square
version: "0.1.0"
source_language: en
languages: [en]
title: {{en: "The square"}}
sections: [{{id: A, text: {{en: "You"}}}}]
questions:
  - id: A1
    var: age
    section: A
    type: single
    text: {{en: "How old are you?"}}
    options: [{{code: young, en: "Young"}}, {{code: old, en: "Old"}}]
    privacy: {{role: {role}}}
quotas:
  - id: young
    when: {{q: A1, op: in, value: [{code}]}}
    limit: {limit}
    text: {{en: "Enough young people have answered."}}
"""


def test_an_author_writes_a_quota_and_is_told_the_line_of_a_fault() -> None:
    read = author.read(FILE.format(role="insensitive", code="young", limit=50), "square.yaml", no_table)
    assert isinstance(read, i.Instrument), read
    assert read.quotas == (Quota("young", Rule(q="A1", op="in", value=("young",)), 50, {"en": "Enough young people have answered."}),)
    for role, code, limit, line in (("sensitive", "young", 50, 18), ("insensitive", "yung", 50, 18), ("insensitive", "young", 9, 19)):
        faults = author.read(FILE.format(role=role, code=code, limit=limit), "square.yaml", no_table)
        assert isinstance(faults, list)
        assert [fault.line for fault in faults] == [line], faults
