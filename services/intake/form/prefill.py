"""Answers in the address of the start page, `?A01=FR&A03=12`: of questions that allow it, and only such as the form would take. Pure.

They begin the form as if somebody had filled them in: each is shown with its question, where it can be changed, and nothing is sent
without being looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, assert_never, cast
from urllib.parse import parse_qs, urlencode

from proto.answers import Reader
from proto.instrument import AnyQuestion, ConstantSum, Date, Integer, LongText, Matrix, Multiple, Numeric, Ranking, ShortText, Single

MAX_TEXT = 2000
"""Characters of an address that are read."""
MAX_FIELDS = 200
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_DECIMAL = re.compile(r"-?[0-9]{1,12}\.[0-9]{1,4}")


def answers(reader: Reader, text: str, today: str) -> dict[str, Any]:
    """The answers in this query string, by question. What is not one of this questionnaire is passed over. `today` is an ISO date."""
    try:
        given = parse_qs(text[:MAX_TEXT], errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    asked = {id: _value(question, given[id]) for id, question in reader.questions.items() if question.prefill and id in given}
    return {id: value for id, value in asked.items() if _fits(reader, id, value, today)}


def written(answers: Mapping[str, Any]) -> str:
    """The query string that `answers` reads these from."""
    return urlencode({id: ",".join(cast("list[str]", value)) if isinstance(value, list) else value for id, value in answers.items()})


def _value(question: AnyQuestion, texts: Sequence[str]) -> Any:
    """As the API would have it; several choices stand in one text with commas, or in texts of their own."""
    match question:
        case Single() | Date():
            return texts[0]
        case Multiple():
            return list(dict.fromkeys(code for text in texts for code in text.split(",")))
        case Integer() | Numeric():
            if _WHOLE.fullmatch(texts[0]):
                return int(texts[0])
            return float(texts[0]) if _DECIMAL.fullmatch(texts[0]) else texts[0]
        case Matrix() | Ranking() | ConstantSum() | ShortText() | LongText():
            return None
        case _:
            assert_never(question)


def _fits(reader: Reader, id: str, value: Any, today: str) -> bool:
    """Whether the form would take it. Whether its question is asked at all depends on others, and shows later."""
    struct, refused = reader.convert({id: value})
    return not refused and not any(
        fault.pointer.split("/")[2] == id and fault.code != "hidden"
        for fault in reader.check(struct, today)
        if fault.pointer.count("/") > 1
    )
