"""The skip rules for a page's script, reduced to what the page itself can change. Pure.

`static/rules.js` and `static/answers.js` evaluate an `Ask` as `proto.logic` and `typed_values` do the question; tests compare both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

import msgspec

from proto import logic
from proto.answers import Reader
from proto.comparisons import measure_of
from proto.computed import ComputedPart, answer_to
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Date,
    Derived,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Note,
    Numeric,
    Ranking,
    Rule,
    ShortText,
    Single,
    WithRows,
)
from proto.parts import conditional
from proto.text_patterns import SOURCES
from services.intake.form import typed_values
from services.intake.form.form_layout import Item


class Ask(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A question as the page's script knows it: when it is asked, and which field values are an answer. A note has no fields.

    `leans`: required questions of the page that must be answered first. `min` and `max` bound a number, a date, the choices, or the
    characters of a text. `pattern`: the regular expression of a text. `ruled`: the rules of options, or rows, that the page must judge
    itself; `away`: those that are never there.
    """

    id: str
    type: str
    required: bool = False
    rule: Rule | None = None
    leans: tuple[str, ...] = ()
    min: float | str | None = None
    max: float | str | None = None
    decimals: int = 0
    alone: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    ranks: int = 0
    parts: int = 0
    ruled: dict[str, Rule] = {}
    away: tuple[str, ...] = ()
    pattern: str = ""
    computed: Calculation | None = None


class CalculationItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a computed value: what is known by now (`worth`), or the question `q`, its `row`, and what its codes are worth. A number
    without `worths` is worth itself, times the scale, and a row without them 0 where others are given; with `counts` every answer is worth
    one, and each choice."""

    q: str = ""
    row: str = ""
    worths: dict[str, int] = {}
    worth: int | None = None
    counts: bool = False


class Calculation(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ComputedFormula` for the page's script."""

    op: str
    scale: int
    least: int
    items: tuple[CalculationItem, ...]


class Skips:
    """The rules of one instrument. Created once per published version."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._derived: dict[str, Derived] = {item.id: item for item in reader.instrument.derived}
        self.leans_on = _leans_on(reader.instrument)
        """The required questions that the rule of each question and note depends on."""

    def asks(self, items: Iterable[Item], answers: Any, unsettled: set[str], today: str) -> dict[str, Ask]:
        """Of the items of a page those that it may show, whatever is answered on it, in order.

        `answers` and `unsettled` (required questions without a valid answer, and questions that wait for them) are as the page begins.
        """
        asks: dict[str, Ask] = {}
        stuck: set[str] = set()
        for item in items:
            if isinstance(item, Computed):
                if (ask := self._computed(item, answers, asks)) is not None:
                    asks[item.id] = ask
                continue
            leans = self.leans_on[item.id]
            if any(id in stuck or (id in unsettled and id not in asks) for id in leans):
                stuck.add(item.id)
                continue
            rule = True if item.show_if is None else self._settle(item.show_if, answers, asks)
            if rule is not False:
                ask = _ask(item, None if rule is True else rule, tuple(id for id in leans if id in asks), today)
                asks[item.id] = ask if isinstance(item, Note) else self._with_parts(ask, item, answers, asks)
        return asks

    def _computed(self, question: Computed, answers: Any, asks: dict[str, Ask]) -> Ask | None:
        """A value that answers on this page change: its script computes it, too. None where they do not."""
        formula = self._reader.computed[question.id]
        if not any(part.id in asks for part in formula.parts):
            return None
        items = tuple(_item(part, self._reader.questions[part.id], answers, here=part.id in asks) for part in formula.parts)
        how = Calculation(question.op, formula.scale, question.least, items)
        return Ask(id=question.id, type="computed", decimals=question.decimals, computed=how)

    def _with_parts(self, ask: Ask, question: AnyQuestion, answers: Any, asks: dict[str, Ask]) -> Ask:
        rules = {part.code: self._settle(part.show_if, answers, asks) for part in conditional(question) if part.show_if is not None}
        ruled = {code: rule for code, rule in rules.items() if isinstance(rule, Rule)}
        away = tuple(code for code, rule in rules.items() if rule is False)
        rows = tuple(row for row in ask.rows if row not in away)
        return msgspec.structs.replace(ask, ruled=ruled, away=away, rows=rows) if rules else ask

    def _settle(self, rule: Rule, answers: Any, asks: dict[str, Ask]) -> Rule | bool:
        """The rule with every test evaluated that this page cannot change, derived variables expanded; a bool where nothing is left."""
        if rule.all or rule.any:
            decides = not rule.all  # one true part decides `any`, one false part decides `all`
            parts = [self._settle(part, answers, asks) for part in rule.all or rule.any]
            open_ = tuple(part for part in parts if isinstance(part, Rule))
            if decides in parts or not open_:
                return decides if decides in parts else not decides
            return open_[0] if len(open_) == 1 else Rule(any=open_) if decides else Rule(all=open_)
        if rule.not_ is not None:
            inner = self._settle(rule.not_, answers, asks)
            return Rule(not_=inner) if isinstance(inner, Rule) else not inner
        if rule.op == "derived" and rule.q is not None:
            holds, fails = "1" in rule.value, "0" in rule.value
            if holds == fails:
                return holds
            inner = self._derived[rule.q].rule
            return self._settle(inner if holds else Rule(not_=inner), answers, asks)
        here = [name for name in (rule.q, rule.other) if name is not None and name in asks]
        if here:
            return rule if rule.other is None or len(here) == 2 else self._with_one_known(rule, here[0], answers)
        return logic.compile_rule(rule, self._reader.questions, self._derived)(answers)

    def _with_one_known(self, rule: Rule, here: str, answers: Any) -> Rule | bool:
        """A comparison of two answers of which this page asks one: the other is a value by now."""
        away = rule.other if here == rule.q else rule.q
        known = measure_of(self._reader.questions[away or ""])(getattr(answers, away or ""))
        if known is None:
            return False
        least, most = (Rule(q=here, op=op, value=(known,)) for op in ("at_least", "at_most"))
        if rule.op == "same_as":
            return Rule(all=(least, most))
        return Rule(all=(most, Rule(not_=least))) if here == rule.q else Rule(all=(least, Rule(not_=most)))


def _item(part: ComputedPart, question: AnyQuestion, answers: Any, *, here: bool) -> CalculationItem:
    if not here:
        return CalculationItem(worth=part.worth(answer_to(part, answers)))
    codes = {option.code for option in question.options} if isinstance(question, Single | Matrix) else set[str]()
    worths = {code: worth for code in sorted(codes) if (worth := part.worth(code)) is not None}
    row = question.rows[part.row].code if isinstance(question, WithRows) and part.row is not None else ""
    return CalculationItem(q=question.id, row=row, worths=worths, counts=part.counts)


def needed(asks: dict[str, Ask], piped: Iterable[str] = ()) -> frozenset[str]:
    """The questions that the script must know: those with a rule, those that rules refer to, and those whose answers texts show."""
    ruled = [ask for ask in asks.values() if ask.rule is not None or ask.leans or ask.ruled]
    rules = {ask.id: [ask.rule, *ask.ruled.values()] for ask in ruled}
    known = frozenset(
        id for ask in ruled for id in (ask.id, *ask.leans, *(name for rule in rules[ask.id] for name in logic.questions_in(rule, {})))
    )
    parts = (item.q for id in known if (ask := asks.get(id)) is not None and ask.computed is not None for item in ask.computed.items)
    return known.union(filter(None, parts), asks.keys() & frozenset(piped))


def _leans_on(instrument: Instrument) -> dict[str, frozenset[str]]:
    derived = {item.id: item.rule for item in instrument.derived}
    required = {question.id for question in instrument.questions if question.required}
    parts = {question.id: question.of for question in instrument.questions if isinstance(question, Computed)}

    def asked(rule: Rule | None) -> Iterator[str]:
        """Also through computed values."""
        for name in logic.questions_in(rule, derived):
            yield from (part.partition(".")[0] for part in parts.get(name, (name,)))

    items = (*instrument.questions, *instrument.notes)
    return {item.id: frozenset(id for id in asked(item.show_if) if id in required) for item in items}


def _ask(item: Item, rule: Rule | None, leans: tuple[str, ...], today: str) -> Ask:
    if isinstance(item, Note):
        return Ask(id=item.id, type="note", rule=rule, leans=leans)
    kind = str(type(item).__struct_config__.tag)
    return Ask(id=item.id, type=kind, required=item.required, rule=rule, leans=leans, **_limits(item, today))


def _limits(question: AnyQuestion, today: str) -> dict[str, Any]:
    match question:
        case Single():
            return {}
        case Multiple():
            alone = tuple(option.code for option in question.options if option.exclusive)
            return {"min": question.min_choices, "max": question.max_choices or len(question.options), "alone": alone}
        case Matrix():
            alone = tuple(row.code for row in question.rows if row.exclusive)
            return {"rows": tuple(row.code for row in question.rows), "alone": alone}
        case Ranking():
            return {"ranks": question.rank_count}
        case ConstantSum():
            return {"rows": tuple(row.code for row in question.rows), "max": question.total}
        case Integer():
            return {"min": question.min, "max": question.max}
        case Numeric():
            return {"min": question.min, "max": question.max, "decimals": question.decimals}
        case Date():
            last = today if question.max == "today" else question.max
            return {"min": question.min, "max": last, "parts": len(typed_values.date_parts(question))}
        case ShortText():
            return {"max": question.max_chars, "pattern": SOURCES[question.pattern] if question.pattern else ""}
        case LongText():
            return {"max": question.max_chars}
        case _:
            assert_never(question)
