"""What all readers share: findings of one form, and questions that are left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from deploy.cli.exchange.expressions.tree import Binary, Call, Condition, Literal, Negation, Node, Ref, refs
from deploy.cli.exchange.model import ForeignQuestion, Form
from deploy.cli.exchange.report import Report, quote

OTHER = (
    r"(?i)\b(others?|oth|specify|autres?|précise[rz]?|sonstige[sn]?|andere[srn]?|angeben|otr[oa]s?|especif|outr[oa]s?|altro)\b"
    r"|^(96|-96|-77|77|888?|-oth-)$"
)
"""Words and codes of an option that stands for what the list leaves out."""

OTHER_WORDS = {
    "en": "Other", "fr": "Autre", "de": "Sonstiges", "es": "Otro", "it": "Altro", "nl": "Anders", "pl": "Inne", "pt": "Outro",
}  # fmt: skip
"""The label of an "other" that the source calls so only in its own pages."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Reading:
    """A form under way, with its report."""

    def __init__(self, form: Form, report: Report) -> None:
        self.form = form
        self.report = report
        self._names: set[str] = set()

    def unique(self, name: str, otherwise: str) -> str:
        """The name, or one with what else is known of it, where it stood before."""
        base = name or otherwise
        candidate, number = base, 2
        while candidate in self._names:
            candidate, number = f"{base}_{number}", number + 1
        self._names.add(candidate)
        return candidate

    def refuse(self, name: str, key: str, place: str, message: str, advice: str = "", askable: bool = False) -> None:
        """A question that is left out. `askable`: its kind is asked here."""
        self.form.left_out.add(name)
        self.report.add("refused", key, place, message, advice, name)
        self.report.outcome.asked += 1
        self.report.outcome.refused += 1
        self.report.outcome.askable += askable


def local_time(text: str) -> str:
    """ "2026-12-31 18:00" of a time as other tools write it; empty where there is none."""
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2}.*)?", text.strip())
    return f"{found[1]} {found[2]}" if found and not found[1].startswith("0000") else ""


def renamed(node: Node, names: dict[str, str]) -> Node:
    """The condition with other names of questions."""
    match node:
        case Ref():
            return Ref(names.get(node.name, node.name), node.part, node.path, node.strict)
        case Binary():
            return Binary(node.op, renamed(node.left, names), renamed(node.right, names))
        case Negation():
            return Negation(renamed(node.inner, names))
        case Call():
            return Call(node.name, tuple(renamed(argument, names) for argument in node.arguments))
        case _:
            return node


def shown_with(question: ForeignQuestion) -> tuple[str, str] | None:
    """The question and the option of it that alone show this one."""
    if len(question.rules) != 1:
        return None
    match question.rules[0].node:
        case Binary(op="=" | "contains", left=Ref() as ref, right=Literal() as literal):
            return ref.name, ref.part or literal.text
        case Call(name="selected" | "choice", arguments=(Ref() as ref, Literal() as literal)):
            return ref.name, literal.text
        case _:
            return None


def fold_specify(form: Form, report: Report) -> None:
    """A text that stands behind a choice and is shown with one "other" of its options alone becomes the text of that option."""
    kept: list[ForeignQuestion] = []
    asked_elsewhere = _spoken_of(form)
    for question in form.questions:
        if mark := question.kept.get("specify"):
            _marked(form, cast("list[str]", mark))
            form.left_out.add(question.name)
            continue
        shown = shown_with(question)
        owner = next((known for known in reversed(kept) if known.kind not in ("note",)), None)
        if (
            shown is None
            or owner is None
            or question.kind != "short_text"
            or owner.name != shown[0]
            or owner.kind not in ("single", "multiple")
            or question.name in asked_elsewhere
            or form.ours
        ):
            kept.append(question)
            continue
        option = next((option for option in owner.options if shown[1] in (option.code, *option.aliases)), None)
        words = (
            ""
            if option is None
            else " ".join([option.code, *option.text.values(), *question.text.values(), question.name.replace("_", " ")])
        )
        if option is None or option.specify or not re.search(OTHER, words):
            kept.append(question)
            continue
        option.specify, option.text_name = True, question.name
        form.left_out.add(question.name)
        report.outcome.asked += 1
        report.outcome.askable += 1
        report.outcome.enabled += 1
        report.outcome.changed += 1
        message = f"{question.name} became the text of the option {quote(option.code)} of {owner.name}"
        report.add("changed", "specify", question.place, message, of=question.name)
    form.questions = kept


def _marked(form: Form, mark: list[str]) -> None:
    """A text that an export of ours made of an option that opens one."""
    for question in form.questions:
        for option in question.options:
            if [question.name, option.code] == mark:
                option.specify = True


def number_texts(form: Form, report: Report) -> None:
    """A short text that rules hold to be less or more than a number, and compare with numbers alone, is asked as a number: a guess."""
    compared: dict[str, list[tuple[str, Literal]]] = {}
    for condition in _conditions(form):
        for name, op, literal in _comparisons(condition.node) if condition.node is not None else ():
            compared.setdefault(form.numbered.get(name, name), []).append((op, literal))
    for question in form.questions:
        tests = [(op, literal) for op, literal in compared.get(question.name, []) if literal.text]
        if question.kind != "short_text" or question.pattern or not all(_NUMBER.fullmatch(literal.text) for _, literal in tests):
            continue
        if any(op in ("<", "<=", ">", ">=") and literal.number for op, literal in tests):
            question.kind = "numeric"
            message = f"{question.name} is a text which rules compare with numbers: it is asked as a number"
            report.add("review", "number-text", question.place, message, of=question.name)


def _conditions(form: Form) -> Iterator[Condition]:
    for question in form.questions:
        yield from question.rules
        yield from (part.show_if for part in (*question.options, *question.rows) if part.show_if is not None)
        if question.required_if is not None:
            yield question.required_if
    yield from (check.when for check in form.soft_checks)
    yield from (rule for quota in form.quotas for rule in quota.rules)


def _comparisons(node: Node) -> Iterator[tuple[str, str, Literal]]:
    match node:
        case Binary(left=Ref(part="") as ref, right=Literal() as literal) | Binary(left=Literal() as literal, right=Ref(part="") as ref):
            yield ref.name, node.op, literal
        case Binary():
            yield from (*_comparisons(node.left), *_comparisons(node.right))
        case Negation():
            yield from _comparisons(node.inner)
        case Call():
            yield from (found for argument in node.arguments for found in _comparisons(argument))
        case _:
            pass


def _spoken_of(form: Form) -> set[str]:
    """Names that conditions speak of."""
    conditions = [condition for question in form.questions for condition in question.rules]
    return {ref.name for condition in conditions if condition.node is not None for ref in refs(condition.node)}
