"""Which shares the report follows: the headlines of the questionnaire, or else the answers most often given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from proto.instrument import Headline, Instrument, Matrix, Multiple, Single
from services.export.report.compared import ABSENT, Field
from services.export.report.report import Share
from services.export.words import text

MOST = 30


def shares(instrument: Instrument, fields: Sequence[Field]) -> tuple[Share, ...]:
    """At most so many; headlines about derived variables, texts and numbers have no share of their own in a release."""
    by_name = {field.name: field for field in fields}
    found = [share for headline in instrument.headlines for share in _of(headline, instrument) if share.variable in by_name]
    distinct = list({(share.variable, share.codes): share for share in found}.values())
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
            wanted = headline.options or tuple(option.code for option in question.options)
            return [Share(option.text, f"{question.var}.{option.code}", ("1",)) for option in question.options if option.code in wanted]
        case Matrix() if headline.options:
            rows = [row for row in question.rows if headline.row in (None, row.code)]
            chosen = ", ".join(text(option.text, language) for option in question.options if option.code in headline.options)
            return [
                Share({language: f"{text(row.text, language)}: {chosen}"}, f"{question.var}.{row.code}", headline.options) for row in rows
            ]
        case _:
            return []


def _frequent(instrument: Instrument, fields: Sequence[Field]) -> list[Share]:
    """Of each variable the answer of substance that most released rows give."""
    found: list[Share] = []
    for field in fields:
        real = np.array([field.substantive[list(value.members)].all() and len(value.members) == 1 for value in field.released])
        counts = np.where(real, field.counts, 0)
        if not field.identifies and counts.any():
            code = field.released[int(counts.argmax())].code
            found.append(
                Share({instrument.source_language: f"{text(field.label, instrument.source_language)}: {code}"}, field.name, (code,))
            )
    return found
