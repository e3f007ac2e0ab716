"""Can a rule ever hold? A search through the answers that it speaks of, hidden questions included. Pure.

Sound in one direction: False means that no respondent can ever meet the rule. True may be too kind, where two tests
meet in one row of a matrix or the search would take too long.
"""

from __future__ import annotations

from typing import Any

import msgspec

from proto.instrument import AnyQuestion, Instrument, Matrix, Multiple, Rule, Single

MOST_STEPS = 2_000
MOST_STEPS_IN_ALL = 100_000


class _Known(msgspec.Struct, frozen=True):
    """What a branch of the search demands of one question so far; None among the codes: no answer."""

    answered: bool | None = None
    codes: frozenset[str | None] | None = None
    some: tuple[frozenset[str], ...] = ()
    cells: dict[str, frozenset[str]] = {}


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
            elif (question := self._questions.get(one.q or "")) is not None:
                met = _demand(known.get(question.id, _Known()), question, one, expected)
                if met is None:
                    branches.pop()
                    continue
                known[question.id] = met
                if expected and one.op != "not_in" and question.id not in shown:
                    shown.add(question.id)
                    if question.show_if is not None:
                        todo.append((question.show_if, True))
        return bool(branches)


def _demand(known: _Known, question: Any, test: Rule, expected: bool) -> _Known | None:
    """What is known with one more test, or None if nothing can meet both."""
    if test.op == "answered":
        if known.answered is (not expected) or (not expected and known.some):
            return None
        known = msgspec.structs.replace(known, answered=expected)
    values = frozenset(test.value)
    if isinstance(question, Single):
        codes = known.codes
        if codes is None:
            codes = frozenset([*(option.code for option in question.options), None])
        if test.op == "answered":
            codes = codes - {None} if expected else codes & {None}
        elif test.op in ("in", "not_in"):
            inside = (test.op == "in") == expected
            codes = codes & values if inside else codes - values
        return msgspec.structs.replace(known, codes=codes) if codes else None
    if isinstance(question, Multiple) and test.op == "any_in":
        codes = known.codes
        if codes is None:
            codes = frozenset(option.code for option in question.options)
        some = known.some
        if expected:
            some = (*some, values)
        else:
            codes -= values
        return msgspec.structs.replace(known, codes=codes, some=some) if _choosable(question, codes, some, known.answered) else None
    if isinstance(question, Matrix) and test.op == "any_row_in":
        every = frozenset(option.code for option in question.options)
        rows = test.rows or tuple(row.code for row in question.rows)
        if expected:
            return known if any(known.cells.get(row, every) & values for row in rows) else None
        return msgspec.structs.replace(known, cells={**known.cells, **{row: known.cells.get(row, every) - values for row in rows}})
    return known


def _choosable(question: Multiple, codes: frozenset[str | None], some: tuple[frozenset[str], ...], answered: bool | None) -> bool:
    """Whether some choice among `codes` has a member of each set in `some`. An exclusive option excludes all others."""
    if not some:
        return bool(codes) or answered is not True
    if answered is False:
        return False
    alone: frozenset[str | None] = frozenset(option.code for option in question.options if option.exclusive)
    together = all((allowed & codes) - alone for allowed in some)
    return together or bool(codes.intersection(*some))
