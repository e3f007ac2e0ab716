"""Quotas: how many respondents of a kind are wanted, and which questions say who is of that kind. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from proto.instrument import AnyQuestion, Computed, Instrument, Quota, Rule
from proto.logic import questions_in

LEAST = 10
"""The smallest limit. That a quota is full tells everybody that about so many were counted."""


def asked(instrument: Instrument, rule: Rule) -> set[str]:
    """The questions that a rule speaks of, also through derived variables and computed values."""
    derived = {item.id: item.rule for item in instrument.derived}
    questions = {question.id: question for question in instrument.questions}
    found: set[str] = set()
    for name in questions_in(rule, derived):
        question = questions.get(name)
        parts = (part.partition(".")[0] for part in question.of) if isinstance(question, Computed) else (name,)
        found |= questions.keys() & parts
    return found


def last(instrument: Instrument, quota: Quota) -> AnyQuestion:
    """The last question that the rule speaks of. At the end of its section it is known whether a respondent meets the quota."""
    names = asked(instrument, quota.when)
    return [question for question in instrument.questions if question.id in names][-1]


def column(quota: Quota) -> str:
    """The name under which a quota is counted. With another rule it is another one, so nobody is counted by a former rule."""
    rule = msgspec.json.encode(quota.when, order="deterministic")
    return f"{quota.id}.{hashlib.sha256(rule).hexdigest()[:16]}"


def misfits(instrument: Instrument) -> list[tuple[tuple[str | int, ...], str, str]]:
    """What is wrong with the quotas: where, what, and what to do about it."""
    found: list[tuple[tuple[str | int, ...], str, str]] = []
    roles = {question.id: question.privacy.role for question in instrument.questions}
    for place, quota in enumerate(instrument.quotas):
        path = ("quotas", place)
        if quota.limit < LEAST:
            found.append(((*path, "limit"), f"a quota of {quota.limit} would tell of single people", f"at least {LEAST}"))
        if any(other.id == quota.id for other in instrument.quotas[:place]):
            found.append(((*path, "id"), f"the quota {quota.id} is used twice", "another id"))
        names = asked(instrument, quota.when)
        if not names:
            found.append(((*path, "when"), f"the rule of {quota.id} speaks of no question", "a rule on what respondents answer"))
        for name in sorted(names):
            if roles[name] not in ("insensitive", "quasi_identifier"):
                message = f"the quota {quota.id} asks {name}, which is {roles[name].replace('_', ' ')}"
                found.append(((*path, "when"), message, "everybody sees whether a quota is full: ask what may be seen of a person"))
    return found
