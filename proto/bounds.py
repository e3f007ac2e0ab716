"""How large what a respondent sends can become: it follows from how much text a questionnaire asks for. Pure."""

from __future__ import annotations

from collections import Counter

from proto.instrument import Instrument, LongText, ShortText

LEAST = 512 * 1024
"""Bytes of a body that every survey takes: far more than all closed answers need, so that a text that is too long can be sent back to be
shortened."""
MOST_TEXT = 400_000
"""Characters of all texts of a questionnaire together. JSON takes six bytes for the least convenient of them, and an event holds them all
(`proto.stream_settings.responses_stream`)."""
_BYTES = 12
"""For one character: in a form as %F0%9F%8C%8D, in JSON as two escaped halves."""


def text(instrument: Instrument) -> int:
    """Characters that the texts of one response may have together."""
    return sum(question.max_chars for question in instrument.questions if isinstance(question, ShortText | LongText))


def body_limit(instrument: Instrument) -> int:
    """Bytes that a response may take, in JSON or as a form, which carries the texts of its page beside those of the pages before."""
    pages: Counter[str] = Counter()
    for question in instrument.questions:
        if isinstance(question, ShortText | LongText):
            pages[question.section] += question.max_chars
    return LEAST + _BYTES * (pages.total() + max(pages.values(), default=0))
