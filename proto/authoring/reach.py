"""Can a rule ever hold? A search through the answers that it speaks of, hidden questions included.

Sound in one direction: False means that no respondent can ever meet the rule. True may be too kind, where two tests
meet in one row of a matrix or the search would take too long.
"""

from __future__ import annotations

from typing import Any

import msgspec

from proto.instrument import AnyQuestion, Instrument, Matrix, Multiple, Rule, Single

MOST_STEPS = 2_000


class _Known(msgspec.Struct, frozen=True):
    """What a branch of the search already demands of one question; None among the codes stands for no answer."""

    answered: bool | None = None
    codes: frozenset[str | None] | None = None
    some: tuple[frozenset[str], ...] = ()
    cells: dict[str, frozenset[str]] = {}


def can_hold(rule: Rule, instrument: Instrument) -> bool:
    questions: dict[str, AnyQuestion] = {question.id: question for question in instrument.questions}
    derived = {each.id: each.rule for each in instrument.derived}
    branches: list[tuple[list[tuple[Rule, bool]], dict[str, _Known], frozenset[str]]] = [([(rule, True)], {}, frozenset())]
    for _ in range(MOST_STEPS):
        if not branches:
            return False
        todo, known, shown = branches.pop()
        if not todo:
            return True
        (one, wanted), *rest = todo
        if one.not_ is not None:
            branches.append(([(one.not_, not wanted), *rest], known, shown))
        elif one.all or one.any:
            each = [(child, wanted) for child in one.all or one.any]
            if bool(one.all) == wanted:
                branches.append((each + rest, known, shown))
            else:
                branches += [([child, *rest], known, shown) for child in each]
        elif one.op == "derived":
            if one.q not in derived or len(set(one.value)) != 1:
                branches.append((rest, known, shown))
            else:
                branches.append(([(derived[one.q], (one.value[0] == "1") == wanted), *rest], known, shown))
        else:
            question = questions.get(one.q or "")
            if question is None:
                branches.append((rest, known, shown))
                continue
            met = _demand(known.get(question.id, _Known()), question, one, wanted)
            if met is None:
                continue
            if wanted and one.op != "not_in" and question.id not in shown and question.show_if is not None:
                rest = [(question.show_if, True), *rest]
            branches.append((rest, {**known, question.id: met}, shown | {question.id}))
    return True


def _demand(known: _Known, question: Any, test: Rule, wanted: bool) -> _Known | None:
    """What is known with one more test, or None if nothing can meet both."""
    if test.op == "answered":
        if known.answered is (not wanted) or (not wanted and known.some):
            return None
        known = msgspec.structs.replace(known, answered=wanted)
    values = frozenset(test.value)
    if isinstance(question, Single):
        codes = known.codes
        if codes is None:
            codes = frozenset([*(option.code for option in question.options), None])
        if test.op == "answered":
            codes = codes - {None} if wanted else codes & {None}
        elif test.op in ("in", "not_in"):
            inside = (test.op == "in") == wanted
            codes = codes & (values if test.op == "in" else values | {None}) if inside else codes - values
        return msgspec.structs.replace(known, codes=codes) if codes else None
    if isinstance(question, Multiple) and test.op == "any_in":
        codes = known.codes
        if codes is None:
            codes = frozenset(option.code for option in question.options)
        some = known.some
        if wanted:
            some = (*some, values)
        else:
            codes -= values
        return msgspec.structs.replace(known, codes=codes, some=some) if _choosable(question, codes, some, known.answered) else None
    if isinstance(question, Matrix) and test.op == "any_row_in":
        every = frozenset(option.code for option in question.options)
        rows = test.rows or tuple(row.code for row in question.rows)
        if wanted:
            return known if any(known.cells.get(row, every) & values for row in rows) else None
        return msgspec.structs.replace(known, cells={**known.cells, **{row: known.cells.get(row, every) - values for row in rows}})
    return known


def _choosable(question: Multiple, codes: frozenset[str | None], some: tuple[frozenset[str], ...], answered: bool | None) -> bool:
    """Is there a choice among `codes` with a member of each set in `some`? An exclusive option stands alone."""
    if not some:
        return bool(codes) or answered is not True
    if answered is False:
        return False
    alone: frozenset[str | None] = frozenset(option.code for option in question.options if option.exclusive)
    together = all((each & codes) - alone for each in some)
    return together or bool(codes.intersection(*some))
