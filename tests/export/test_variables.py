"""What is read by products of matrices equals what one reads answer by answer."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument, Matrix, Multiple, Ranking, Single
from proto.logic import row_attribute
from services.export.variables import MISSING, SKIPPED, Encoder, Variable, variables
from tests.export.tables import answers, every_kind
from tests.faults.respondents import action3


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
        case _:
            number = float(str(answer)[:4]) if isinstance(answer, str) else answer
            return [band.code for band in variable.bands if band.lower <= number][-1]


@pytest.mark.parametrize("instrument", [every_kind(), action3()], ids=["every kind", "action 3"])
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


def test_answers_to_an_older_version_fill_the_columns_it_had() -> None:
    import msgspec

    instrument = every_kind()
    older = msgspec.structs.replace(instrument, questions=tuple(q for q in instrument.questions if q.id != "A5"))
    _, given = answers(older, 20)
    encoder = Encoder(CodeBook(Reader(instrument)), variables(instrument))
    encoder.add(given)
    table = encoder.table()
    assert set(table["rank.1"]) == {SKIPPED}
    assert set(table["district"]) <= {"old", "harbour", "hill", "pnts"}
