"""Texts that show earlier answers, checked and written in two ways: in words for figures and data, to be filled in for the form. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from proto import piping
from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.schema import FORMAT, AuthoredSurvey, SpecifyText
from proto.instrument import AnyQuestion, Closed, Computed, Instrument, Multiple, Note, Single, Texts, WithRows

MOST = 10
"""Answers that one text may show."""


def spelled_out(survey: AuthoredSurvey, instrument: Instrument, faults: Faults) -> Instrument:
    """The instrument with the question's text in brackets where a text shows an answer, and the text itself in `piped`.

    Braces are letters like any other in files of format 1.
    """
    if survey.format != FORMAT:
        return instrument
    placeholders = _Placeholders(survey, instrument, faults)
    questions = tuple(placeholders.question(index, question) for index, question in enumerate(instrument.questions))
    notes = tuple(placeholders.note(*each) for each in zip(survey.notes, instrument.notes, strict=True))
    return msgspec.structs.replace(instrument, questions=questions, notes=notes)


class _Placeholders:
    def __init__(self, survey: AuthoredSurvey, instrument: Instrument, faults: Faults) -> None:
        self._survey = survey
        self._questions = instrument.questions
        self._position = {question.id: index for index, question in enumerate(instrument.questions)}
        self._faults = faults

    def question(self, index: int, question: AnyQuestion) -> AnyQuestion:
        if isinstance(question, Computed):
            return question
        written = self._survey.questions[index]
        path = None if isinstance(written, SpecifyText) else self._faults.place(written)  # its parts are checked where they are written
        piped: dict[str, Texts] = {}

        def texts(place: tuple[str, ...], at: tuple[str | int, ...], own: Texts) -> Texts:
            return self._texts("/".join(place), None if path is None else (*path, *at), index, own, piped)

        changed: dict[str, Any] = {
            "text": texts(("text",), ("text",), question.text),
            "help": texts(("help",), ("help",), question.help),
        }
        if isinstance(question, Closed):
            changed["options"] = tuple(
                msgspec.structs.replace(option, text=texts(("options", option.code), ("options", i), option.text))
                for i, option in enumerate(question.options)
            )
        if isinstance(question, WithRows):
            changed["rows"] = tuple(
                msgspec.structs.replace(row, text=texts(("rows", row.code), ("rows", i), row.text)) for i, row in enumerate(question.rows)
            )
        return msgspec.structs.replace(question, **changed, piped=piped)

    def note(self, written: tuple[int, Any], note: Note) -> Note:
        piped: dict[str, Texts] = {}
        text = self._texts("text", (*self._faults.place(written[1]), "text"), written[0], note.text, piped)
        return msgspec.structs.replace(note, text=text, piped=piped)

    def _texts(self, place: str, path: Path | None, before: int, own: Texts, piped: dict[str, Texts]) -> Texts:
        """The texts in words. Where one shows an answer they are added to `piped` as they are written."""
        if not any("{" in text or "}" in text for text in own.values()):
            return own
        if path is not None:
            for language, text in own.items():
                self._check(text, (*path, language), before)
        if any(piping.named(text) for text in own.values()):
            piped[place] = own
        return {language: piping.fill(text, lambda id, language=language: self._words(id, language)) for language, text in own.items()}

    def _words(self, id: str, language: str) -> str:
        """The question in brackets; answers that its own text shows are left out, so that texts do not grow."""
        if id not in self._position:
            return piping.STAND_IN
        text = self._questions[self._position[id]].text.get(language, "")
        return f"[{piping.fill(text, lambda _: piping.STAND_IN)}]"

    def _check(self, text: str, path: Path, before: int) -> None:
        if piping.has_stray_brace(text):
            self._faults.add(path, "a brace opens that names no question", "{A01} shows the answer to A01; a brace is written {{")
        names = piping.named(text)
        if len(names) > MOST:
            self._faults.add(path, f"the text shows {len(names)} answers; at most {MOST} are allowed")
        for id in names:
            if (message := self._refusal(id, before)) is not None:
                self._faults.add(path, *message)

    def _refusal(self, id: str, before: int) -> tuple[str, str] | None:
        position = self._position.get(id)
        if position is None:
            return None if id in self._faults.lost else (f"there is no question {id}", nearest(id, list(self._position)))
        question = self._questions[position]
        if position >= before:
            return f"the text shows the answer to {id}, which is not given yet", "only answers to earlier questions can be shown"
        if not isinstance(question, Single | Multiple):
            return f"the answer to {id} cannot be shown", "only those to single and multiple choices can"
        if question.privacy.role == "identifying":
            return f"the answer to {id} is identifying, so no text shows it", ""
        if not self._survey.questions[position].enabled:
            return f"{id} is not enabled, so nobody answers it", ""
        if any(piping.named(text) for option in question.options for text in option.text.values()):
            return f"the answer to {id} cannot be shown", "its options show answers themselves"
        return None
