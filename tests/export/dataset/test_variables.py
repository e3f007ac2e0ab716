"""What is read by products of matrices equals what one reads answer by answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import AnyQuestion, ConstantSum, Instrument, Matrix, Multiple, Option, Ranking, Row, Single
from proto.logic import row_attribute
from services.export.dataset.variables import MISSING, SKIPPED, Encoder, Variable, variables
from tests.builders.bundled import questionnaire
from tests.export.tables import answers, every_kind

INSTRUMENT = every_kind()
READER = Reader(INSTRUMENT)
BOOK = CodeBook(READER)
ADDED = "a-long.and+odd-code-of-more-than-32"
"""An option of a multiple choice that the version before did not have."""


def _older() -> Instrument:
    """The version before: it asked nothing about ranks, had an option more for reasons and units, and one reason and one statement less."""
    gone = Option("gone", {"en": "Gone"})
    questions: list[AnyQuestion] = []
    for question in INSTRUMENT.questions:
        match question:
            case Single() if question.id == "A6":
                questions.append(replace(question, options=(gone, *question.options)))
            case Multiple():
                questions.append(replace(question, options=(gone, *(option for option in question.options if option.code != ADDED))))
            case Matrix():
                questions.append(replace(question, rows=(question.rows[0], Row("loud", {"en": "Loud"}))))
            case _ if question.id != "A5":
                questions.append(question)
            case _:
                pass
    return replace(INSTRUMENT, version="0.0.9", questions=tuple(questions))


VERSIONS = {"0.1.0": READER, "0.0.9": Reader(_older())}
_ROWS = st.dictionaries(st.sampled_from(["safe", "light"]), st.sampled_from(["1", "2", "dk"]), min_size=1)
_REASONS = st.one_of(st.just(["none"]), st.lists(st.sampled_from(["market", ADDED]), min_size=1, unique=True))
_EVERYTHING: dict[str, st.SearchStrategy[Any]] = {
    "A1": st.integers(16, 120) | st.just("pnts"),
    "A2": st.sampled_from(["old", "harbour", "hill", "pnts"]),
    "A3": _REASONS,
    "A4": _ROWS,
    "A5": st.permutations("abc").map(lambda ranks: ranks[:2]),
    "A6": st.sampled_from(["u000", "u127", "u259"]),
    "A7": st.sampled_from(["1990-01", "2009-12", "2010-01", "2026-11", "dk", "never"]),
    "A8": st.text(min_size=1, max_size=5),
    "A9": st.integers(0, 10).map(lambda share: {"police": share, "light": 10 - share}),
}


_OLDER = _EVERYTHING | {
    "A3": st.one_of(st.just(["none"]), st.lists(st.sampled_from(["market", "gone"]), min_size=1, unique=True)),
    "A4": st.dictionaries(st.sampled_from(["safe", "loud"]), st.sampled_from(["1", "2", "dk"]), min_size=1),
    "A6": st.sampled_from(["u000", "u127", "u259", "gone"]),
}


@st.composite
def stored(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A version, and answers to it as they may be in the store: no hidden question is answered, any other may be left out."""
    version = draw(st.sampled_from(list(VERSIONS)))
    known = _EVERYTHING if version == INSTRUMENT.version else _OLDER
    said = {id: draw(answer) for id, answer in known.items() if draw(st.booleans())}
    if version != INSTRUMENT.version:
        said.pop("A5", None)
    if not {"market", "none"} & set(said.get("A3", [])):
        said.pop("A4", None)
    return version, said


def read_by_hand(variable: Variable, reader: Reader, given: Any) -> str:
    """The oracle: one cell, as one would fill it in by hand."""
    question, answer = variable.question, getattr(given, variable.question.id, None)
    last = variable.name.removeprefix(f"{question.var}.")
    if answer is None or (answer is UNSET and not reader.visible(given, question.id)):
        return SKIPPED
    if answer is UNSET:
        return MISSING
    match question:
        case Single():
            return answer
        case Multiple():
            return "1" if last in answer else "0"
        case Matrix():
            place = [row.code for row in question.rows].index(last)
            code = getattr(answer, row_attribute(place), UNSET)
            return MISSING if code is UNSET else code
        case Ranking():
            return answer[int(last) - 1] if int(last) <= len(answer) else MISSING
        case ConstantSum():
            number = getattr(answer, row_attribute([row.code for row in question.rows].index(last)))
            return [band.code for band in variable.bands if band.lower <= number][-1]
        case _ if answer in ("dk", "never", "pnts"):
            return answer
        case _:
            number = float(str(answer)[:4]) if isinstance(answer, str) else answer
            return [band.code for band in variable.bands if band.lower <= number][-1]


def read_older_by_hand(variable: Variable, reader: Reader, given: Any) -> str:
    """The same of somebody who answered the version before: what it did not have was not asked, and what it had more was no answer
    to this one."""
    if variable.name in (f"reasons.{ADDED}", "statements.light") or variable.question.id == "A5":
        return SKIPPED
    if variable.name == "statements.safe" and given.A4 is not UNSET:
        return MISSING if given.A4.r0 is UNSET else given.A4.r0
    code = read_by_hand(variable, reader, given)
    return SKIPPED if code == "gone" else code


@pytest.mark.parametrize("instrument", [every_kind(), questionnaire()], ids=["every kind", "action 3"])
def test_codes_are_those_one_would_write_by_hand(instrument: Instrument) -> None:
    columns = variables(instrument)
    reader, given = answers(instrument, 150)
    given.append(reader.type())  # nothing answered at all
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add(given[:100])
    encoder.add(given[100:])
    table = encoder.table()
    for variable in columns:
        assert table[variable.name].tolist() == [read_by_hand(variable, reader, one) for one in given], variable.name


@settings(max_examples=25)
@given(st.lists(st.lists(stored(), min_size=1, max_size=12), min_size=1, max_size=4))
def test_whatever_is_stored_is_read_as_by_hand_in_batches_of_any_size_and_version(batches: list[list[tuple[str, dict[str, Any]]]]) -> None:
    columns = variables(INSTRUMENT)
    encoder = Encoder(BOOK, columns)
    read: list[tuple[str, Any]] = []
    for batch in batches:
        for version, reader in VERSIONS.items():
            if of_version := [said for each, said in batch if each == version]:
                encoder.add([reader.stored(msgspec.json.encode(said)) for said in of_version])
                read += [(version, said) for said in of_version]
    table = encoder.table()
    for variable in columns:
        expected: list[str] = []
        for version, said in read:
            by_hand = read_by_hand if version == INSTRUMENT.version else read_older_by_hand
            reader = VERSIONS[version]
            expected.append(by_hand(variable, reader, reader.stored(msgspec.json.encode(said))))
        assert table[variable.name].tolist() == expected, variable.name


def test_answers_to_an_older_version_fill_the_columns_it_had() -> None:
    instrument = every_kind()
    older = msgspec.structs.replace(instrument, questions=tuple(q for q in instrument.questions if q.id != "A5"))
    _, given = answers(older, 20)
    encoder = Encoder(CodeBook(Reader(instrument)), variables(instrument))
    encoder.add(given)
    table = encoder.table()
    assert set(table["rank.1"]) == {SKIPPED}
    assert set(table["district"]) <= {"old", "harbour", "hill", "pnts"}
