"""Can a rule ever hold? A search through the answers that it speaks of, hidden questions included. Pure.

Sound in one direction: False means that no respondent can ever meet the rule. True may be too kind, where two tests
meet in one row of a matrix or the search would take too long.
"""

from __future__ import annotations

from typing import Any

import msgspec

from proto.authoring.reachable_values import Bound, can_agree, can_lie
from proto.comparisons import WITH_ANSWERS, WITH_VALUES
from proto.instrument import AnyQuestion, Instrument, Matrix, Measured, Multiple, Rule, Single, special_codes

MOST_STEPS = 2_000
MOST_STEPS_IN_ALL = 100_000


_PLAIN = ""


class _Known(msgspec.Struct, frozen=True):
    """What a branch of the search demands of one question so far. Among the codes None is no answer, and `_PLAIN` a number or date."""

    answered: bool | None = None
    codes: frozenset[str | None] | None = None
    some: tuple[frozenset[Any], ...] = ()
    cells: dict[str, frozenset[str]] = {}
    bounds: tuple[Bound, ...] = ()


class Reach:
    """Answers whether rules of one instrument can hold; patient with each rule, and with all of them together."""

    def __init__(self, instrument: Instrument) -> None:
        self._questions: dict[str, AnyQuestion] = {question.id: question for question in instrument.questions}
        self._derived = {variable.id: variable.rule for variable in instrument.derived}
        self._patience = MOST_STEPS_IN_ALL

    def can_hold(self, rule: Rule) -> bool:
        """A branch is what must still hold, what is known of each question, and whose own rules were taken in."""
        branches: list[tuple[list[tuple[Rule, bool]], dict[str, _Known], set[str]]] = [([(rule, True)], {}, set())]
        for _ in range(min(MOST_STEPS, self._patience)):
            if not branches:
                return False
            self._patience -= 1
            todo, known, shown = branches[-1]
            if not todo:
                return True
            one, expected = todo.pop()
            if one.not_ is not None:
                todo.append((one.not_, not expected))
            elif one.all or one.any:
                children = [(child, expected) for child in one.all or one.any]
                if bool(one.all) == expected:
                    todo += children
                else:
                    branches.pop()
                    branches += [([*todo, child], dict(known), set(shown)) for child in children]
            elif one.op == "derived":
                if one.q in self._derived and len(set(one.value)) == 1:
                    todo.append((self._derived[one.q], (one.value[0] == "1") == expected))
            else:
                asked = [question for name in (one.q, one.other) if (question := self._questions.get(name or "")) is not None]
                if not _meet(known, asked, one, expected):
                    branches.pop()
                    continue
                for question in asked if expected and one.op != "not_in" else ():
                    if question.id not in shown and question.show_if is not None:
                        todo.append((question.show_if, True))
                    shown.add(question.id)
        return bool(branches)


def _meet(known: dict[str, _Known], asked: list[AnyQuestion], test: Rule, expected: bool) -> bool:
    """Takes into `known` what one more test demands of its questions. False if nothing can meet it."""
    if test.op in WITH_ANSWERS:
        if not expected:
            return True
        if len(asked) == 2 and not can_agree(test.op, *asked):  # pyright: ignore[reportArgumentType]
            return False
        test = Rule(op="answered")
    for question in asked:
        met = _demand(known.get(question.id, _Known()), question, test, expected)
        if met is None:
            return False
        known[question.id] = met
    return True


def _demand(known: _Known, question: Any, test: Rule, expected: bool) -> _Known | None:
    """What is known with one more test, or None if nothing can meet both."""
    answered = expected if test.op == "answered" else True if test.op in WITH_VALUES and expected else None
    if answered is not None:
        if known.answered is (not answered) or (not answered and known.some):
            return None
        known = msgspec.structs.replace(known, answered=answered)
    values = frozenset(test.value)
    if test.op in WITH_VALUES:
        known = msgspec.structs.replace(known, bounds=(*known.bounds, (test, expected)))
    if isinstance(question, Single | Measured):
        codes = known.codes
        if codes is None:
            own = (_PLAIN, *special_codes(question)) if isinstance(question, Measured) else (option.code for option in question.options)
            codes = frozenset([*own, None])
        if test.op == "answered":
            codes = codes - {None} if expected else codes & {None}
        elif test.op in ("in", "not_in"):
            inside = (test.op == "in") == expected
            codes = codes & values if inside else codes - values
        elif expected:  # only a number or date can be compared
            codes &= {_PLAIN}
        if _PLAIN in codes and isinstance(question, Measured) and not can_lie(question, known.bounds):
            codes -= {_PLAIN}
        return msgspec.structs.replace(known, codes=codes) if codes else None
    if isinstance(question, Multiple):
        codes = frozenset(option.code for option in question.options) if known.codes is None else known.codes
        if test.op == "any_in" and expected:
            known = msgspec.structs.replace(known, some=(*known.some, values))
        elif test.op == "any_in":
            codes -= values
        return msgspec.structs.replace(known, codes=codes) if _choosable(question, codes, known) else None
    if isinstance(question, Matrix) and test.op == "any_row_in":
        every = frozenset(option.code for option in question.options)
        rows = test.rows or tuple(row.code for row in question.rows)
        if expected:
            return known if any(known.cells.get(row, every) & values for row in rows) else None
        return msgspec.structs.replace(known, cells={**known.cells, **{row: known.cells.get(row, every) - values for row in rows}})
    return known


def _choosable(question: Multiple, codes: frozenset[str | None], known: _Known) -> bool:
    """Whether some choice among `codes` has a member of each set that is known. An exclusive option excludes all others."""
    if not known.some and known.answered is not True:
        return True
    if known.answered is False:
        return False
    alone: frozenset[str | None] = frozenset(option.code for option in question.options if option.exclusive)
    together = all((allowed & codes) - alone for allowed in known.some)
    by_itself = bool(codes.intersection(*known.some) & alone)
    most = max(len(codes - alone) if together else 0, 1 if by_itself else 0)
    return (most > 0 or not known.some) and can_lie(question, known.bounds, most)
