"""What answers to another version are worth: what both versions know is kept, and nothing else goes with what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from proto import fingerprint as fingerprints
from proto import instrument as i
from proto.answers import Reader
from proto.conversion import UNASKED, Conversion
from proto.fingerprint import IRRELEVANT, fingerprint, relevant
from proto.instrument import AnyQuestion, Instrument


def _options(codes: str) -> tuple[i.Option, ...]:
    return tuple(i.Option(code, {"en": code}) for code in codes.split())


def _rows(codes: str) -> tuple[i.Row, ...]:
    return tuple(i.Row(code, {"en": code}) for code in codes.split())


COMMON: dict[str, Any] = {"id": "Q", "var": "q", "section": "A", "text": {"en": "?"}, "privacy": i.Privacy("insensitive")}
SINGLE = i.Single(**COMMON, options=_options("yes no cat"))
TICKS = i.Multiple(**COMMON, options=_options("work fun health"))
MATRIX = i.Matrix(**COMMON, rows=_rows("safe nice loud"), options=_options("1 2 3"))
RANKS = i.Ranking(**COMMON, options=_options("a b c d"), rank_count=3)
WHOLE = i.Integer(**COMMON, min=0, max=100)
DECIMAL = i.Numeric(**COMMON, min=0, max=100, decimals=2)
MONTH = i.Date(**COMMON, min="2000-01", max="2026-12")
DAY = i.Date(**COMMON, precision="day", min="2000-01-01", max="2026-12-31")
TEXT = i.LongText(**COMMON, max_chars=100)


def survey(*questions: AnyQuestion, version: str = "0.1.0", **more: Any) -> Instrument:
    return Instrument(
        id="changing",
        version=version,
        source_language="en",
        languages=("en",),
        title={"en": "Changing"},
        sections=(i.Section("A", {"en": "A"}),),
        questions=questions,
        **more,
    )


def converted(then: AnyQuestion, now: AnyQuestion, said: Any) -> Any:
    reader = Reader(survey(then))
    answers = reader.stored(msgspec.json.encode({"Q": said} if said is not None else {}))
    return Conversion(reader, survey(now, version="0.2.0"))([answers])["Q"][0]


@pytest.mark.parametrize(
    ("then", "now", "said", "left"),
    [
        (SINGLE, replace(SINGLE, options=_options("yes no")), "no", "no"),
        (SINGLE, replace(SINGLE, options=_options("yes no")), "cat", UNASKED),
        (SINGLE, replace(SINGLE, options=_options("yes no")), None, UNSET),
        (SINGLE, replace(SINGLE, options=_options("yes no cat dog"), required=True), None, UNSET),
        (TICKS, replace(TICKS, options=_options("work fun")), ["health", "work"], ["work"]),
        (TICKS, replace(TICKS, options=_options("work fun")), ["health"], []),
        (TICKS, replace(TICKS, max_choices=1), ["work", "fun"], ["work", "fun"]),
        (TICKS, replace(TICKS, min_choices=2), ["work"], ["work"]),
        (MATRIX, replace(MATRIX, rows=_rows("nice safe")), {"safe": "1", "loud": "2"}, (UNSET, "1")),
        (MATRIX, replace(MATRIX, rows=_rows("safe dark")), {"safe": "1"}, ("1", UNASKED)),
        (MATRIX, replace(MATRIX, rows=_rows("safe dark")), None, (UNSET, UNASKED)),
        (MATRIX, replace(MATRIX, rows=_rows("dark")), {"safe": "1"}, UNASKED),
        (MATRIX, replace(MATRIX, options=_options("1 2")), {"safe": "3", "nice": "2"}, (UNASKED, "2", UNSET)),
        (RANKS, replace(RANKS, rank_count=2), ["a", "b", "c"], ["a", "b"]),
        (RANKS, replace(RANKS, rank_count=4), ["a", "b", "c"], ["a", "b", "c", UNASKED]),
        (RANKS, replace(RANKS, options=_options("a c d")), ["a", "b", "c"], ["a", UNASKED, "c"]),
        (RANKS, replace(RANKS, rank_count=1, options=_options("c d")), ["a", "b", "c"], UNASKED),
        (WHOLE, replace(WHOLE, max=20), 20, 20),
        (WHOLE, replace(WHOLE, max=20), 50, UNASKED),
        (WHOLE, replace(WHOLE, min=5), 4, UNASKED),
        (WHOLE, DECIMAL, 7, 7),
        (DECIMAL, WHOLE, 7, 7),
        (DECIMAL, WHOLE, 7.5, UNASKED),
        (DECIMAL, replace(DECIMAL, decimals=0), 0.4, UNASKED),
        (DECIMAL, replace(DECIMAL, decimals=1), 0.4, 0.4),
        (DAY, MONTH, "2026-11-22", "2026-11"),
        (MONTH, DAY, "2026-11", "2026-11"),
        (MONTH, replace(MONTH, max="2019-12"), "2020-01", UNASKED),
        (DAY, replace(DAY, min="2010-06-15"), "2010-06-14", UNASKED),
        (MONTH, replace(DAY, min="2010-06-15"), "2010-06", "2010-06"),
        (TEXT, replace(TEXT, max_chars=3), "a long text", "a long text"),
        (TEXT, i.ShortText(**COMMON), "a text", "a text"),
        (SINGLE, TICKS, "yes", UNASKED),
    ],
)
def test_one_thing_taken_out_takes_nothing_else_away(then: AnyQuestion, now: AnyQuestion, said: Any, left: Any) -> None:
    assert converted(then, now, said) == left


def test_who_was_asked_is_told_by_the_version_that_was_answered() -> None:
    only_yes = i.Rule(q="Q", op="in", value=("yes",))
    later = replace(TEXT, id="L", var="l")
    then = Reader(survey(SINGLE, replace(later, show_if=only_yes)))
    answers = [then.stored(b'{"Q":"yes"}'), then.stored(b'{"Q":"no"}'), then.stored(b'{"Q":"yes","L":"so"}')]
    for rule in (None, only_yes, i.Rule(not_=only_yes)):
        now = survey(SINGLE, replace(later, show_if=rule), version="0.2.0")
        assert Conversion(then, now)(answers)["L"] == (UNSET, UNASKED, "so")


def _structs(kind: Any, seen: set[type]) -> Iterator[type]:
    """Every Struct that an instrument may hold."""
    for inner in getattr(kind, "__args__", ()):
        yield from _structs(inner, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        yield kind
        for hint in get_type_hints(kind, dict(vars(i))).values():
            yield from _structs(hint, seen)


SCHEMA = [(kind, field) for kind in _structs(Instrument, set()) for field in kind.__struct_fields__]


@pytest.mark.parametrize(("kind", "field"), SCHEMA, ids=[f"{kind.__name__}.{field}" for kind, field in SCHEMA])
def test_each_field_of_an_instrument_counts_anew_or_is_named_with_a_reason_why_not(kind: type, field: str) -> None:
    one, other = (_made(kind, **{field: value}) for value in ("this", "that"))
    assert (fingerprints._relevant(one) != fingerprints._relevant(other)) == relevant(kind, field)
    reasons = [reason for (each, name), reason in IRRELEVANT.items() if name == field and issubclass(kind, each)]
    assert len(reasons) == (0 if relevant(kind, field) else 1)


def _made(kind: type, **given: Any) -> Any:
    """A Struct of this kind; what is not given is of no importance."""
    return kind(**dict.fromkeys(kind.__struct_fields__) | given)


def test_nothing_is_named_that_an_instrument_does_not_have() -> None:
    known = {(base, field) for kind, field in SCHEMA for base in kind.__mro__}
    assert set(IRRELEVANT) <= known


def test_texts_leave_the_fingerprint_as_it_is_and_every_kind_of_field_moves_it() -> None:
    one = survey(SINGLE, hierarchies={"h": i.Hierarchy(("a", "b"), table={"x": ("y",)})})
    assert fingerprint(one) == fingerprint(replace(one, version="0.2.0", title={"en": "Other"}))
    assert fingerprint(one) != fingerprint(replace(one, hierarchies={"h": i.Hierarchy(("a", "b"), table={"x": ("z",)})}))
    assert fingerprint(survey(WHOLE)) != fingerprint(survey(DECIMAL))
