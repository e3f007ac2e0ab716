"""How large a response may become follows from its questionnaire."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
import pytest

from proto import author, bounds
from proto.events import ResponseSubmitted, encode
from proto.instrument import Instrument, LongText, Privacy, Section
from services.runtime.stream_settings import responses_stream

HEAD = """\
format: platea-instrument/1
id: long
version: "1.0.0"
source_language: en
languages: [en]
title: {en: "Long"}
sections:
  - {id: A, text: {en: "A"}}
questions:
"""
TEXT = """\
  - {id: TNUMBER, var: tNUMBER, section: A, type: long_text, text: {en: "Tell us"}, max_chars: 20000, privacy: {role: free_text}}
"""


def texts(number: int, max_chars: int, sections: int = 1) -> Instrument:
    """So many texts, dealt out to sections."""
    names = [f"S{i}" for i in range(sections)]
    asked = (
        LongText(
            id=f"T{i}",
            var=f"t{i}",
            section=names[i % sections],
            text={"en": "T"},
            privacy=Privacy("free_text"),
            max_chars=max_chars,
            stats=(),
        )
        for i in range(number)
    )
    return Instrument(
        id="texts",
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "Texts"},
        sections=tuple(Section(name, {"en": name}) for name in names),
        questions=tuple(sorted(asked, key=lambda question: question.section)),
    )


@pytest.mark.parametrize("letter", ["a", "\u03b1", "\u20ac", "\U0001f30d", '"', "\n", "\u0001"])
def test_every_text_that_fits_its_question_fits_into_a_body_and_into_an_event(letter: str) -> None:
    instrument = texts(number=20, max_chars=2_000, sections=4)
    limit = bounds.body_limit(instrument)
    answers = {question.id: letter * 2_000 for question in instrument.questions}
    for escaped in (True, False):
        assert len(json.dumps({"answers": answers, "consent": True}, ensure_ascii=escaped).encode()) <= limit
    sheet = msgspec.json.encode({"version": "1.0.0", "answers": answers}).decode()
    page = {f"q.T{i}": letter.replace("\n", "\r\n") * 2_000 for i in range(0, 20, 4)}
    assert len(urlencode({"sheet": sheet, **page})) <= limit
    assert quote("\U0001f30d") == "%F0%9F%8C%8D", "the twelve bytes that are counted on"


def test_the_most_that_a_questionnaire_may_ask_for_fits_into_one_event() -> None:
    most = responses_stream(4, 1, None).max_msg_size
    assert most
    answers = msgspec.Raw(msgspec.json.encode({"T0": "\u0001" * bounds.MOST_TEXT}))
    assert len(encode(ResponseSubmitted("0" * 32, "texts", "1.0.0", answers, ""))) + 256 * 1024 < most


def test_a_survey_without_texts_takes_what_every_survey_takes() -> None:
    assert bounds.body_limit(texts(0, 1)) == bounds.LEAST


@pytest.mark.parametrize(
    ("number", "told"), [(20, []), (21, ["the texts may have 420,000 characters together; at most 400,000 can be sent"])]
)
def test_authors_are_told_of_texts_that_are_too_long_together(tmp_path: Path, number: int, told: list[str]) -> None:
    asked = "".join(TEXT.replace("NUMBER", str(i)) for i in range(number))
    path = tmp_path / "long.yaml"
    path.write_text(HEAD + asked)
    found = author.load(path)
    assert ([fault.message for fault in found] if isinstance(found, list) else []) == told
