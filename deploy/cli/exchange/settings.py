"""What holds for a whole foreign questionnaire as authors write it: when it is open, for whom, and of whom how many are wanted. Pure."""

from __future__ import annotations

import re
from typing import Any

from deploy.cli.exchange.expressions.rules import Rule
from deploy.cli.exchange.model import ForeignQuota, Form
from deploy.cli.exchange.naming import slug
from deploy.cli.exchange.report import Report, quote
from deploy.cli.exchange.scope import Growing, UntranslatableRule
from deploy.cli.exchange.texts import Filler
from proto.quotas import LEAST

Document = dict[str, Any]
_COUNTED = ("insensitive", "quasi_identifier")
"""Roles of questions that a quota may ask: everybody sees whether it is full."""


def settings(form: Form, report: Report, growing: Growing, fill: Filler, roles: dict[str, str]) -> Document:
    """The keys of the whole survey. `growing` knows all its questions, `roles` their roles by id."""
    entry: Document = {}
    if notice := fill(form.notice):
        entry["notice"] = notice
        report.add("review", "notice", form.file, "notice has the words that the source puts before its questions: do they hold here?")
    if form.invited:
        entry["participation"] = "invited"
        message = "whoever answers needs a code in the source: participation: invited stands for it"
        report.add("review", "invited", form.file, message, "platea invite makes codes")
    for key, at in (("opens", form.opens), ("closes", form.closes)):
        if at:
            entry[key] = {"at": at, "zone": "UTC"}
            report.add("review", "zone", form.file, f"it {key} at {at} by clocks that the source does not name: UTC stands for them")
    if not form.listed:
        entry["listed"] = False
        report.add("changed", "listed", form.file, "no list names it in the source: listed: false")
    if form.one_question_per_page:
        entry["one_question_per_page"] = True
    quotas = [written for quota in form.quotas if (written := _quota(quota, report, growing, fill, roles))]
    for place, written in enumerate(quotas):
        taken = {quota["id"] for quota in quotas[:place]}
        base, number = written["id"], 2
        while written["id"] in taken:
            written["id"], number = f"{base}_{number}", number + 1
    return entry | ({"quotas": quotas} if quotas else {})


def _quota(quota: ForeignQuota, report: Report, growing: Growing, fill: Filler, roles: dict[str, str]) -> Document | None:
    text = fill(quota.text)
    reason = ""
    rule: Rule = True
    try:
        rule = growing.rule(quota.rules)
    except UntranslatableRule as refusal:
        reason = refusal.reason
    if not reason and (apart := sorted(name for name in _asked(rule) if roles.get(name) not in _COUNTED)):
        reason = f"everybody sees whether it is full, and {apart[0]} is {roles.get(apart[0], 'computed').replace('_', ' ')}"
    if not reason and quota.limit < LEAST:
        reason = f"a quota of {quota.limit} would tell of single people, at least {LEAST} are needed"
    if not reason and isinstance(rule, bool):
        reason = "it says of nobody in particular whom it counts"
    if not reason and not text:
        reason = "it has no words for those who come after it"
    if reason:
        report.add("review", "quota", quota.place, f"the quota {quote(quota.name)} is left out: {reason}")
        return None
    name = re.sub(r"^[^a-z]+", "", slug(quota.name).lower())[:28].rstrip("_") or "quota"
    return {"id": name, "when": rule, "limit": quota.limit, "text": text}


def _asked(rule: Rule) -> set[str]:
    """The questions that a rule speaks of."""
    if isinstance(rule, bool):
        return set()
    inner = [*rule.get("all", []), *rule.get("any", []), *([rule["not"]] if "not" in rule else [])]
    return {*([rule["q"]] if "q" in rule else []), *(name for part in inner for name in _asked(part))}
