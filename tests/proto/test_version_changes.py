"""What `platea survey diff` says of one edit of a questionnaire, and what it refuses."""

from __future__ import annotations

import pytest

from proto import author
from proto.instrument import Instrument
from proto.version_changes import compare, type_faults

TEXT = """\
format: platea-instrument/1
id: walk
version: "0.1.0"
source_language: en
languages: [en]
title: {en: "Walk"}
notice: {en: "I agree."}
sections: [{id: A, text: {en: "A"}}]
questions:
  - {id: S1, var: dog, section: A, type: single, text: {en: Dog}, privacy: {role: insensitive},
     options: [{code: "no", en: "No"}, {code: "yes", en: "Yes"}, {code: cat, en: A cat}]}
  - {id: M1, var: why, section: A, type: multiple, text: {en: Why}, privacy: {role: insensitive},
     options: [{code: work, en: Work}, {code: fun, en: Fun}, {code: health, en: Health}]}
  - {id: X1, var: agree, section: A, type: matrix, text: {en: Agree}, privacy: {role: insensitive},
     rows: [{code: safe, en: Safe}, {code: nice, en: Nice}], options: [{code: a, en: Yes!}, {code: b, en: No!}]}
  - {id: R1, var: best, section: A, type: ranking, rank_count: 2, text: {en: Best}, privacy: {role: insensitive},
     options: [{code: park, en: Park}, {code: river, en: River}, {code: hill, en: Hill}]}
  - {id: N1, var: steps, section: A, type: integer, min: 0, max: 100, text: {en: Steps}, privacy: {role: insensitive}}
  - {id: N3, var: fare, section: A, type: numeric, decimals: 2, min: 0, max: 100, text: {en: Fare}, privacy: {role: insensitive}}
  - {id: D1, var: day, section: A, type: date, precision: day, min: "2000-01-01", max: "2026-12-31", text: {en: Day},
     privacy: {role: insensitive}}
  - {id: T1, var: word, section: A, type: short_text, max_chars: 100, text: {en: Word}, privacy: {role: free_text}}
"""


def read(text: str) -> Instrument:
    found = author.read(text, "walk.yaml", lambda name: "")
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    return found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"0.1.0"', '"0.2.0"', []),
        (", {code: cat, en: A cat}", "", ["S1.cat: option taken out, loses"]),
        ("{code: health, en: Health}", "{code: health, en: Health, exclusive: true}", ["M1: other options stand alone, from now on"]),
        ("type: multiple,", "type: multiple, max_choices: 1,", ["M1: max_choices: 1, was any"]),
        ("type: multiple,", "type: multiple, min_choices: 2,", ["M1: min_choices: 2, was 1"]),
        (", {code: nice, en: Nice}", "", ["X1.nice: row taken out, loses"]),
        (
            "{code: nice, en: Nice}",
            "{code: nice, en: Nice}, {code: loud, en: Loud}",
            ["X1.loud: new row: not asked of those who answered before"],
        ),
        ("{code: safe, en: Safe}, {code: nice, en: Nice}", "{code: nice, en: Nice}, {code: safe, en: Safe}", ["X1: rows in another order"]),
        ("{code: work, en: Work}, {code: fun, en: Fun}", "{code: fun, en: Fun}, {code: work, en: Work}", ["M1: options in another order"]),
        ("rank_count: 2", "rank_count: 1", ["R1: 1 places, were 2, loses"]),
        ("rank_count: 2", "rank_count: 3", ["R1: 3 places, were 2"]),
        ("type: integer", "type: numeric", ["N1: numeric, was integer: earlier answers count where they fit"]),
        ("type: integer, min: 0, max: 100", "type: integer, min: 0, max: 40", ["N1: at most 40, was 100, loses"]),
        (
            "type: numeric, decimals: 2",
            "type: integer",
            ["N3: integer, was numeric: earlier answers count where they fit", "N3: 0 decimals, were 2, loses"],
        ),
        ("decimals: 2", "decimals: 3", ["N3: 3 decimals, were 2"]),
        ("decimals: 2", "decimals: 1", ["N3: 1 decimals, were 2, loses"]),
        (
            'precision: day, min: "2000-01-01", max: "2026-12-31"',
            'precision: month, min: "2000-01", max: "2026-12"',
            [
                "D1: at least 2000-01, was 2000-01-01",
                "D1: at most 2026-12, was 2026-12-31",
                "D1: a month, was a day: earlier dates count by what both tell",
            ],
        ),
        ('min: "2000-01-01"', 'min: "2011-01-01"', ["D1: at least 2011-01-01, was 2000-01-01, loses"]),
        ("max_chars: 100", "max_chars: 3", ["T1: max_chars: 3, was 100"]),
        ("{code: cat, en: A cat}", "{code: cat, en: Cats}", ["texts: 1 in other words"]),
    ],
)  # fmt: skip
def test_one_edit_is_told_and_nothing_else(old: str, new: str, told: list[str]) -> None:
    assert old in TEXT
    before, after = read(TEXT), read(TEXT.replace(old, new, 1))
    changes = [change for change in compare(before, after) if "bands" not in change.text]
    assert [f"{change.place}: {change.text}" + (", loses" if change.loses else "") for change in changes] == told
    assert type_faults([before], after) == []


def test_another_kind_of_question_is_refused_and_said() -> None:
    before, after = (
        read(TEXT),
        read(TEXT.replace("id: S1, var: dog, section: A, type: single", "id: S1, var: dog, section: A, type: multiple")),
    )
    assert [f"{change.place}: {change.text}" for change in compare(before, after)] == ["S1: multiple, was single: refused"]
    (fault,) = type_faults([before], after)
    assert fault.detail == "S1 was a question of type single: a changed meaning needs a new id."
