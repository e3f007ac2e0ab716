"""The case weight as an author writes it, put behind the questions, with its classes and how they are generalised. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from proto import case_weights
from proto.authoring.faults import Faults
from proto.authoring.schema import (
    AuthoredCaseWeight,
    AuthoredCaseWeightQuestion,
    AuthoredFile,
    AuthoredHierarchy,
    AuthoredOption,
    AuthoredPrivacy,
)

HIERARCHY = "case-weight"
"""The hierarchy of a weight for which the author names none."""


def with_weight(survey: AuthoredFile, faults: Faults) -> AuthoredFile:
    """The survey with its case weight as the last question; without it where its classes cannot be told."""
    written = survey.case_weight
    if written is None:
        return survey
    path = faults.place(written)
    unread = any(faults.touched((*path, key)) for key in ("least", "greatest", "classes"))
    if unread or not written.least > 0 or not 2 <= written.classes <= case_weights.MOST:  # the reader has told it
        return survey
    if written.least >= written.greatest:
        faults.broken((*path, "least"), "the least weight is not below the greatest", "for example least: 0.2 and greatest: 5")
        return survey
    hierarchies, hierarchy = survey.hierarchies, written.privacy.hierarchy
    if written.privacy.role == "quasi_identifier" and hierarchy is None:
        hierarchy, pairs = HIERARCHY, _pairs(written)
        hierarchies = {**hierarchies, HIERARCHY: pairs}
        faults.remember(pairs, path)
    codes = case_weights.grid(written.least, written.greatest, written.classes)
    question = AuthoredCaseWeightQuestion(
        id=written.id,
        var=written.var or written.id.lower(),
        section=survey.questions[-1].section,
        text=written.label,
        privacy=AuthoredPrivacy(written.privacy.role, hierarchy),
        stats=("none",),
        options=tuple(AuthoredOption(code, dict.fromkeys(survey.languages, code)) for code in codes),
        least=written.least,
        greatest=written.greatest,
    )
    faults.remember(question, path)
    questions: tuple[Any, ...] = (*survey.questions, question)
    return msgspec.structs.replace(survey, questions=questions, hierarchies=hierarchies)


def _pairs(written: AuthoredCaseWeight) -> AuthoredHierarchy:
    """Two neighbouring classes become one, which weighs what lies in its middle."""
    codes = case_weights.grid(written.least, written.greatest, written.classes)
    halves = (written.classes + 1) // 2
    spread = (written.greatest / written.least) ** (2 * halves / written.classes)
    wider = case_weights.grid(written.least, written.least * spread, halves)
    return AuthoredHierarchy(levels=("class", "pair", "*"), map={code: wider[place // 2] for place, code in enumerate(codes)})
