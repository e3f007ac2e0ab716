"""Which shares the report follows: the headlines of the questionnaire, or else the answers most often given. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from proto.instrument import (
    ConstantSum,
    Date,
    Headline,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
)
from services.export.dataset.words import text
from services.export.report.compared import ABSENT, ComparedVariable
from services.export.report.report import Share

MOST = 30


def shares(instrument: Instrument, fields: Sequence[ComparedVariable]) -> tuple[Share, ...]:
    """At most so many; headlines about derived variables, texts and numbers have no share of their own in a release."""
    by_name = {field.name: field for field in fields}
    candidates = [share for headline in instrument.headlines for share in _of(headline, instrument) if share.variable in by_name]
    distinct = list({(share.variable, share.codes): share for share in candidates}.values())
    return tuple((distinct or _frequent(instrument, fields))[:MOST])


def _of(headline: Headline, instrument: Instrument) -> list[Share]:
    question = instrument.question(headline.question)
    language = instrument.source_language
    match question:
        case Single() if headline.options:
            return [Share(headline.label, question.var, headline.options)]
        case Single():
            return [Share(option.text, question.var, (option.code,)) for option in question.options if option.code not in ABSENT]
        case Multiple():
            codes = headline.options or tuple(option.code for option in question.options)
            return [Share(option.text, f"{question.var}.{option.code}", ("1",)) for option in question.options if option.code in codes]
        case Matrix() if headline.options:
            rows = [row for row in question.rows if headline.row in (None, row.code)]
            chosen = ", ".join(text(option.text, language) for option in question.options if option.code in headline.options)
            return [
                Share({language: f"{text(row.text, language)}: {chosen}"}, f"{question.var}.{row.code}", headline.options) for row in rows
            ]
        case Matrix() | Ranking() | ConstantSum() | Integer() | Numeric() | Date() | ShortText() | LongText():
            return []
        case _:
            assert_never(question)


def _frequent(instrument: Instrument, fields: Sequence[ComparedVariable]) -> list[Share]:
    """Of each variable the answer of substance that most released rows give; of an option, that it was chosen."""
    most_frequent: list[Share] = []
    language = instrument.source_language
    for field in fields:
        real = np.array([field.telling[place] and len(value.members) == 1 for place, value in enumerate(field.released)])
        counts = np.where(real, field.counts, 0)
        if not field.identifies and counts.any():
            code = field.released[int(counts.argmax())].code
            asked = text(field.label, language)
            label = asked if field.harmless else f"{asked} {_words(instrument, field.name, code, language)}"
            most_frequent.append(Share({language: label}, field.name, (code,)))
    return most_frequent


def _words(instrument: Instrument, variable: str, code: str, language: str) -> str:
    """An answer in the words of the questionnaire; the code where it has none, as a band has."""
    asked = [question for question in instrument.questions if f"{variable}.".startswith(f"{question.var}.")]
    options = getattr(max(asked, key=lambda question: len(question.var)), "options", ())
    return next((text(option.text, language) for option in options if option.code == code), code)
