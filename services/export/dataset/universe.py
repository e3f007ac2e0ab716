"""Who was asked a question, in words: its skip rule as a sentence. Pure."""

from __future__ import annotations

from functools import reduce

from proto.comparisons import COMPARING
from proto.instrument import AnyQuestion, Closed, Date, Instrument, Matrix, Measured, Multiple, Rule
from services.export.dataset.words import say, text


def universe(instrument: Instrument, rule: Rule | None, language: str) -> str:
    """ "All respondents", or those whose earlier answers fit the rule, in this language (English where words lack it)."""
    if rule is None:
        return say("everyone", language)
    return say("those", language, _clause(instrument, rule, language))


def _clause(instrument: Instrument, rule: Rule, language: str) -> str:
    """What they did, as the rest of a sentence that begins "Respondents who"."""
    if rule.all or rule.any:
        joint = "and" if rule.all else "or"
        parts = [_part(instrument, part, joint, language) for part in rule.all or rule.any]
        return reduce(lambda left, right: say(joint, language, left, right), parts)
    if rule.not_ is not None:
        return say("not", language, _clause(instrument, rule.not_, language))
    if rule.op == "derived":
        inner = next(item.rule for item in instrument.derived if item.id == rule.q)
        return _clause(instrument, inner if "1" in rule.value else Rule(not_=inner), language)
    return _test(instrument, rule, language)


def _part(instrument: Instrument, rule: Rule, joint: str, language: str) -> str:
    """In brackets where "and" meets "or", or the sentence could be read in two ways."""
    clause = _clause(instrument, rule, language)
    other = rule.any if joint == "and" else rule.all
    several = len(other) > 1 or (joint == "or" and rule.op == "between")
    return f"({clause})" if several or rule.not_ is not None or rule.op == "derived" else clause


def _test(instrument: Instrument, rule: Rule, language: str) -> str:
    question = instrument.question(rule.q or "")
    named = f"{question.id} ({text(question.text, language)})"
    if rule.op == "answered":
        return say("answered", language, named)
    if rule.op in COMPARING:
        return _comparison(instrument, rule, question, named, language)
    options = question.options if isinstance(question, Closed) else question.special if isinstance(question, Measured) else ()
    labels: dict[str | float, str] = {option.code: text(option.text, language) for option in options}
    chosen = reduce(lambda left, right: say("or", language, left, right), [f"“{labels.get(code, code)}”" for code in rule.value])
    if rule.op == "any_row_in" and isinstance(question, Matrix):
        rows = ", ".join(f"“{text(row.text, language)}”" for row in question.rows if row.code in rule.rows)
        return say("chose in a row", language, chosen, named + (f": {rows}" if rows else ""))
    return say("chose not" if rule.op == "not_in" else "chose", language, chosen, named)


def _comparison(instrument: Instrument, rule: Rule, question: AnyQuestion, named: str, language: str) -> str:
    kind = "date" if isinstance(question, Date) else "choices" if isinstance(question, Multiple) else "number"
    if rule.other is not None:
        other = instrument.question(rule.other)
        phrase = "same" if rule.op == "same_as" else "earlier" if kind == "date" else "lower"
        return say(phrase, language, named, f"{other.id} ({text(other.text, language)})")
    ends = [] if rule.op == "at_most" else [say(f"at least {kind}", language, f"{rule.value[0]}", named)]
    ends += [] if rule.op == "at_least" else [say(f"at most {kind}", language, f"{rule.value[-1]}", named)]
    return reduce(lambda left, right: say("and", language, left, right), ends)
