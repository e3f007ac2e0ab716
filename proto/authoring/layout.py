"""The questions of a file as they are asked: a text that an option opens is a question of its own, and notes stand apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from proto.authoring.faults import Faults
from proto.authoring.schema import (
    AnyAuthoredQuestion,
    AuthoredChoice,
    AuthoredFile,
    AuthoredMultiple,
    AuthoredNote,
    AuthoredOption,
    AuthoredPrivacy,
    AuthoredRule,
    AuthoredSingle,
    AuthoredSpecify,
    AuthoredSurvey,
    SpecifyText,
)
from proto.instrument import OptionRef

LONGEST_NAME = 32
"""Characters of a variable's name."""


def laid_out(file: AuthoredFile, faults: Faults) -> AuthoredSurvey:
    """Adds to `faults` each option that cannot open a text."""
    questions: list[AnyAuthoredQuestion] = []
    notes: list[tuple[int, AuthoredNote]] = []
    for written in file.questions:
        if isinstance(written, AuthoredNote):
            notes.append((len(questions), written))
        else:
            questions += (written, *_specify_texts(written, file, faults))
    parts: dict[str, Any] = msgspec.structs.asdict(file) | {"questions": tuple(questions), "notes": tuple(notes)}
    return AuthoredSurvey(**parts)


def _specify_texts(question: AnyAuthoredQuestion, file: AuthoredFile, faults: Faults) -> Iterator[SpecifyText]:
    if not isinstance(question, AuthoredChoice):
        return
    for option in question.options or file.scales.get(question.scale or "", ()):
        if not option.specify:
            continue
        place = (*faults.place(option), "specify") if question.options else (*faults.place(question), "scale")
        if not isinstance(question, AuthoredSingle | AuthoredMultiple):
            message = f"the option {option.code} of {question.id} cannot open a text"
            faults.add(place, message, "specify is for options of single and multiple")
        elif question.enabled:
            text = _specify_text(question, option, option.specify if isinstance(option.specify, AuthoredSpecify) else AuthoredSpecify())
            faults.remember(text, place)
            yield text


def _specify_text(question: AuthoredSingle | AuthoredMultiple, option: AuthoredOption, specify: AuthoredSpecify) -> SpecifyText:
    suffix = re.sub(r"[^A-Za-z0-9_]", "_", option.code)
    short = suffix.lower()[: LONGEST_NAME // 2]
    op = "in" if isinstance(question, AuthoredSingle) else "any_in"
    return SpecifyText(
        id=f"{question.id}_{suffix}",
        var=f"{question.var[: LONGEST_NAME - 1 - len(short)]}_{short}",
        section=question.section,
        text={language: f"{text} \u2013 {option.text.get(language, '')}" for language, text in question.text.items()},
        required=specify.required,
        enabled=question.enabled,
        show_if=AuthoredRule(q=question.id, op=op, value=(option.code,)),
        privacy=AuthoredPrivacy("free_text"),
        max_chars=specify.max_chars,
        specifies=OptionRef(question.id, option.code),
    )
