"""Rules in words: who is asked a question, or offered an option, as a short formula that needs no grammar."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from babel.lists import format_list

from proto.instrument import AnyQuestion, Closed, Date, Instrument, Integer, Matrix, Multiple, Numeric, Rule
from services.intake.form.pages.voice import Voice
from services.intake.form.pages.words import words
from services.runtime.localised_text import LocalisedText

LONG = 200
"""Characters from which on a condition that stood at an earlier question is told by the number of that question."""


def only_if(voice: Voice, instrument: Instrument, rule: Rule | None, earlier: Mapping[Rule, str] = MappingProxyType({})) -> str:
    """ "Only if: A01 (Do you use it?) = “Yes” or “No”", in the language of the questionnaire's texts; "" without a rule.

    `earlier`: the rules (as `plain` gives them) that were told before, and the questions they are about.
    """
    if rule is None:
        return ""
    tongue = Voice(words(voice.tongue), voice.tongue, voice.tongue, instrument.source_language)
    text = tongue.words("only_if", condition=_RuleWords(tongue, instrument, earlier).condition(rule))
    return text if voice.tongue == voice.words.language else LocalisedText.of(text, tongue.words.language)


def plain(instrument: Instrument, rule: Rule) -> Rule:
    """The rule of a derived variable in place of its name."""
    if rule.op != "derived":
        return rule
    inner = next(item.rule for item in instrument.derived if item.id == rule.q)
    return plain(instrument, inner) if "1" in rule.value else Rule(not_=inner)


class _RuleWords:
    def __init__(self, voice: Voice, instrument: Instrument, earlier: Mapping[Rule, str]) -> None:
        self._voice = voice
        self._instrument = instrument
        self._earlier = earlier

    def condition(self, rule: Rule) -> str:
        rule = plain(self._instrument, rule)
        text = self._whole(rule)
        return self._voice.words("rule_as", question=self._earlier[rule]) if len(text) > LONG and rule in self._earlier else text

    def _whole(self, rule: Rule) -> str:
        say = self._voice.words
        if rule.all or rule.any:
            joint = "standard" if rule.all else "or"
            return format_list([self._part(part) for part in rule.all or rule.any], joint, say.language)
        if rule.not_ is not None:
            return say("rule_not", condition=self._part(rule.not_))
        return self._test(rule, self._instrument.question(rule.q or ""))

    def _part(self, rule: Rule) -> str:
        """In brackets where it has parts or values of its own to join, so that it can be read in one way."""
        text = self.condition(rule)
        joined = rule.all or rule.any or rule.not_ is not None or rule.op in ("derived", "not_in") or len(rule.value) > 1
        return f"({text})" if joined else text

    def _test(self, rule: Rule, question: AnyQuestion) -> str:
        say, named = self._voice.words, self._named(question)
        match rule.op:
            case "in" | "any_in":
                return f"{named} = {self._chosen(rule, question)}"
            case "not_in":
                return say("rule_not", condition=f"{named} = {self._chosen(rule, question)}")
            case "any_row_in":
                rows = question.rows if isinstance(question, Matrix) else ()
                among = [self._quoted(self._voice.text(row.text)) for row in rows if row.code in rule.rows]
                where = f"{named}, {self._either(among)}" if among else say("rule_rows", question=named)
                return f"{where} = {self._chosen(rule, question)}"
            case "answered":
                return say("rule_answered", question=named)
            case "at_least":
                return f"{self._measured(question)} ≥ {self._value(question, rule.value[0])}"
            case "at_most":
                return f"{self._measured(question)} ≤ {self._value(question, rule.value[0])}"
            case "between":
                low, high = (self._value(question, value) for value in (rule.value[0], rule.value[-1]))
                return f"{low} ≤ {self._measured(question)} ≤ {high}"
            case "same_as" | "before":
                sign = "=" if rule.op == "same_as" else "<"
                return f"{self._measured(question)} {sign} {self._measured(self._instrument.question(rule.other or ''))}"
            case "derived" | None:
                raise KeyError(rule.q)
            case _:
                assert_never(rule.op)

    def _named(self, question: AnyQuestion) -> str:
        return f"{question.id} ({self._voice.text(question.text)})"

    def _measured(self, question: AnyQuestion) -> str:
        named = self._named(question)
        return self._voice.words("rule_choices", question=named) if isinstance(question, Multiple) else named

    def _value(self, question: AnyQuestion, value: str | float) -> str:
        return self._voice.words.date(value) if isinstance(value, str) else self._voice.words.number(value)

    def _chosen(self, rule: Rule, question: AnyQuestion) -> str:
        options = (
            question.options if isinstance(question, Closed) else question.special if isinstance(question, Integer | Numeric | Date) else ()
        )
        labels = {option.code: self._voice.text(option.text) for option in options}
        return self._either([self._quoted(labels.get(str(code), str(code))) for code in rule.value])

    def _either(self, items: list[str]) -> str:
        return format_list(items, "or", self._voice.words.language)

    def _quoted(self, text: str) -> str:
        return self._voice.words("quoted", text=f"{text}")
