"""Computed values as an author writes them, put among the questions: each behind the last question that it is computed from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.schema import AuthoredComputed, AuthoredComputedQuestion, AuthoredFile, AuthoredPrivacy, AuthoredQuestion
from proto.computed import ComputedFormula, ends_of
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Integer,
    Matrix,
    Multiple,
    Numeric,
    Question,
    Role,
    Rule,
    Single,
    WithRows,
)
from proto.scores import scored

STRICTER: tuple[Role, ...] = ("insensitive", "sensitive", "quasi_identifier", "identifying")
"""What a role lets others do with an answer, the least last."""


UNSAID = -1
"""In place of a number that follows from the parts."""


def placed(survey: AuthoredFile, faults: Faults) -> AuthoredFile:
    """The survey with its computed values as questions. One without any part that exists stands behind all questions."""
    if not survey.computed:
        return survey
    places = {question.id: place for place, question in enumerate(survey.questions)}
    behind: dict[int, list[AuthoredQuestion]] = {}
    for written in survey.computed:
        known = [places[id] for id in map(_id_of, written.of) if id in places]
        question = _as_question(written, survey.questions[max(known, default=-1)].section)
        faults.remember(question, faults.place(written))
        behind.setdefault(max(known, default=len(places) - 1), []).append(question)
    questions: list[Any] = [item for place, question in enumerate(survey.questions) for item in (question, *behind.get(place, ()))]
    return msgspec.structs.replace(survey, questions=tuple(questions))


def _as_question(written: AuthoredComputed, section: str) -> AuthoredComputedQuestion:
    return AuthoredComputedQuestion(
        id=written.id,
        var=written.var or written.id.lower(),
        section=section,
        text=written.label,
        privacy=AuthoredPrivacy(written.privacy.role, written.privacy.hierarchy),
        stats=written.stats,
        op=written.op,
        of=written.of,
        least=written.least or UNSAID,
        decimals=UNSAID if written.decimals is None else written.decimals,
        unit=written.unit,
        bands=written.bands,
    )


def finished(question: Computed, before: Mapping[str, AnyQuestion], path: Path, faults: Faults) -> Computed:
    """The computed value with what follows from its parts: how many must be known, decimals, limits, who has one. `before`: the questions
    above it, by id."""
    if not _parts_fit(question, before, path, faults):
        faults.doubt((*path, "min"))
        return msgspec.structs.replace(question, of=(), decimals=max(question.decimals, 0))
    parts = [before[part.id] for part in ComputedFormula(question, before).parts]
    least, decimals = question.least, question.decimals
    if least == UNSAID:
        least = len(parts) if question.op in ("sum", "score") else 1
    elif least > len(parts):
        faults.add((*path, "least"), f"{least} of {len(parts)} parts can never be known")
    if decimals == UNSAID:
        finest = max(part.decimals if isinstance(part, Numeric) else 0 for part in parts)
        decimals = 2 if question.op in ("mean", "score") else 0 if question.op == "count" else finest
    question = msgspec.structs.replace(question, least=least, decimals=decimals)
    low, high = ends_of(question, before)
    rules = dict.fromkeys(part.show_if for part in parts)
    asked = [rule for rule in rules if rule is not None] if None not in rules else []
    rule = None if not asked else asked[0] if len(asked) == 1 else Rule(any=tuple(asked))
    _role(question, parts, path, faults)
    return msgspec.structs.replace(question, min=low, max=high, show_if=rule)


def _parts_fit(question: Computed, before: Mapping[str, AnyQuestion], path: Path, faults: Faults) -> bool:
    fit = True
    faults.once(((name, (*path, "of", index)) for index, name in enumerate(question.of)), f"part of {question.id}")
    for index, name in enumerate(question.of):
        id, _, row = name.partition(".")
        part, place = before.get(id), (*path, "of", index)
        if part is None:
            fit = False
            if id not in faults.lost:
                faults.add(place, f"there is no question {id[:60]}", nearest(id, list(before)))
        elif isinstance(part, Computed):
            fit = False
            faults.add(place, f"{id} is computed itself", "name the questions that it is computed from")
        elif row and not (isinstance(part, WithRows) and any(item.code == row for item in part.rows)):
            fit = False
            faults.add(
                place, f"{id} has no row {row[:60]}", nearest(row, [item.code for item in part.rows]) if isinstance(part, WithRows) else ""
            )
        elif not _has_number(part, question.op):
            fit = False
            advice = "numbers, constant sums, ordered single choices and matrices; count takes choices, and no constant sum"
            faults.add(place, f"{id} has no number for {question.op}", advice)
    return fit


def _has_number(question: AnyQuestion, op: str) -> bool:
    if isinstance(question, Integer | Numeric):
        return True
    if isinstance(question, Single | Matrix):
        worth = question.ordered or any(option.score is not None for option in question.options)
        return (worth or op == "count") and bool(scored(question))
    return isinstance(question, Multiple if op == "count" else ConstantSum)


def _role(question: Computed, parts: list[AnyQuestion], path: Path, faults: Faults) -> None:
    """A value tells of its parts, so it is as protected as the one of them that is protected most."""
    if question.privacy.role not in STRICTER:
        return
    strictest: Question = max(parts, key=lambda part: STRICTER.index(part.privacy.role) if part.privacy.role in STRICTER else 0)
    role = strictest.privacy.role
    if role in STRICTER and STRICTER.index(role) > STRICTER.index(question.privacy.role):
        advice = "a computed value is as protected as the most protected of its parts"
        faults.add((*path, "privacy", "role"), f"{question.id} is {question.privacy.role}, and {strictest.id} is {role}", advice)


def _id_of(name: str) -> str:
    return name.partition(".")[0]
