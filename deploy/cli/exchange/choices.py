"""Options, rows and codes of a foreign question as authors write them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deploy.cli.exchange.expressions.tree import Binary, Condition
from deploy.cli.exchange.model import ForeignOption, ForeignQuestion, ForeignRow
from deploy.cli.exchange.naming import Names, code_of, slug
from deploy.cli.exchange.report import Report, quote
from deploy.cli.exchange.texts import Filler
from proto.instrument import NON_SUBSTANTIVE
from proto.nonanswers import meant

NEVER = "never"
"""The key of an option or a row that nobody would see; it is left out."""
MOST_OPTIONS = 500
MOST_ROWS = 200


class Refused(Exception):
    """A question that cannot be asked here: the key, why, and what to do."""

    def __init__(self, key: str, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.key = key
        self.reason = reason
        self.advice = advice


def codes(question: ForeignQuestion, report: Report, guessed: bool = True) -> dict[str, str]:
    """Our code for each foreign one; an option whose code stood before is taken out, since answers cannot tell the two apart.

    `guessed`: options that are no answers by their words get the codes for that. Raises Refused where a list has no options or too many.
    """
    question.options = _once(question, report)
    options = question.options
    if not options:
        raise Refused("no-options", f"{question.name} has no options", "write them by hand")
    if len(options) > MOST_OPTIONS:
        raise Refused("too-many-options", f"{question.name} has {len(options):,} options", f"at most {MOST_OPTIONS} are allowed")
    first = {option.code for option in options}
    names = Names(frozenset(code for code in first if code_of(code, Names()) == code))
    ours: dict[str, str] = {}
    for option in options:
        taken = set(ours.values()) | first
        ours[option.code] = (_code if guessed else _spelled)(option, question, names, taken, report)
    return ours


def _once(question: ForeignQuestion, report: Report) -> list[ForeignOption]:
    first: dict[str, ForeignOption] = {}
    for option in question.options:
        known = first.setdefault(option.code, option)
        if known is option:
            continue
        labels = f"{quote(_label(known))} and {quote(_label(option))}"
        known.show_if = _either(known.show_if, option.show_if)
        if _label(known) != _label(option):
            message = f"the code {option.code} of {question.name} stands twice, for {labels}: the first stands for both"
            report.add("review", "code-twice", option.place or question.place, message, of=question.name)
    return list(first.values())


def _either(one: Condition | None, other: Condition | None) -> Condition | None:
    """An option that stands twice is shown where either would be."""
    if one is None or other is None:
        return None
    node = Binary("or", one.node, other.node) if one.node is not None and other.node is not None else None
    return Condition(one.source, one.place, node, one.reason or other.reason)


def _code(option: ForeignOption, question: ForeignQuestion, names: Names, taken: set[str], report: Report) -> str:
    label = next((code for text in option.text.values() if (code := meant(text))), "")
    if option.code in NON_SUBSTANTIVE and label != option.code:
        renamed = names.once(f"{option.code}_2", 64)
        message = f"the option {quote(_label(option))} (code {option.code}) became {renamed}: {option.code} is counted apart here"
        report.add("review", "apart", option.place or question.place, message, of=question.name)
        return renamed
    if label and option.code != label and question.kind != "ranking":
        if label in taken:
            return _spelled(option, question, names, taken, report)
        message = f"the option {quote(_label(option))} (code {option.code}) became {label}: counted apart, never scored"
        report.add("review", "apart", option.place or question.place, message, of=question.name)
        return label
    return _spelled(option, question, names, taken, report)


def _spelled(option: ForeignOption, question: ForeignQuestion, names: Names, taken: set[str], report: Report) -> str:
    code = code_of(option.code, names)
    if code != option.code:
        report.add("changed", "name", option.place or question.place, f"the code {quote(option.code)} became {code}", of=question.name)
    return code


def _label(option: ForeignOption) -> str:
    return next(iter(option.text.values()), option.code)


def written_options(
    question: ForeignQuestion, ours: dict[str, str], fill: Filler, rule: Callable[[ForeignOption], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Options as authors write them; `rule` gives further keys."""
    listed: list[dict[str, Any]] = []
    for option in question.options:
        entry: dict[str, Any] = {"code": ours[option.code], **fill(option.text, option.code)}
        if option.exclusive and question.kind == "multiple":
            entry["exclusive"] = True
        entry |= rule(option)
        if NEVER not in entry:
            listed.append(entry)
    return listed


def row_codes(question: ForeignQuestion) -> dict[str, str]:
    """Our code for each foreign row. Raises Refused."""
    if not question.rows:
        raise Refused("no-rows", f"{question.name} has no rows", "write them by hand")
    if len(question.rows) > MOST_ROWS:
        raise Refused("too-many-rows", f"{question.name} has {len(question.rows):,} rows", f"at most {MOST_ROWS} are allowed")
    kept = frozenset(row.code for row in question.rows if code_of(row.code, Names()) == row.code)
    names = Names(kept)
    ours = {row.code: code_of(row.code, names) for row in question.rows}
    if len(ours) != len(question.rows):
        raise Refused("code-twice", f"{question.name} has a row twice", "give each its own code")
    return ours


def as_row(text: str, place: int) -> str:
    """The code of a row that the source calls by its words alone."""
    return slug(text)[:40].rstrip("_") or f"row_{place}"


def rows(
    question: ForeignQuestion, ours: dict[str, str], fill: Filler, rule: Callable[[ForeignRow], dict[str, Any]]
) -> list[dict[str, Any]]:
    listed = [{"code": ours[row.code], **fill(row.text, row.code), **rule(row)} for row in question.rows]
    return [entry for entry in listed if NEVER not in entry]
