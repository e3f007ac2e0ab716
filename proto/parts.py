"""Options and rows that are there for some respondents only, by their answers to earlier questions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from proto.instrument import AnyQuestion, Closed, Matrix, Multiple, Option, Ranking, Row, Rule, Single
from proto.logic import Predicate


def conditional(question: AnyQuestion) -> Iterator[Option | Row]:
    """The parts of a question that have a rule: rows of a matrix, options of other questions."""
    if isinstance(question, Matrix):
        yield from (row for row in question.rows if row.show_if is not None)
    elif isinstance(question, Closed):
        yield from (option for option in question.options if option.show_if is not None)


def together(outer: Rule | None, own: Rule | None) -> Rule | None:
    """The rule of what stands in something that has a rule itself: both must hold."""
    return Rule(all=(outer, own)) if outer and own else outer or own


class Parts:
    """The conditional parts of one question, by code. Answers are the Struct of `proto.answers`."""

    def __init__(self, question: AnyQuestion, compiled: Callable[[Rule], Predicate]) -> None:
        self._question = question
        self._shown: dict[str, Predicate] = {part.code: compiled(part.show_if) for part in conditional(question) if part.show_if}

    def hidden(self, answers: Any) -> frozenset[str]:
        """The codes of the parts that are not there for a respondent with these answers."""
        return frozenset(code for code, shown in self._shown.items() if not shown(answers))

    def possible(self, answers: Any, value: Any) -> Any:
        """What is left of an answer without hidden parts: a new value; UNSET where that is no answer any more."""
        hidden = self.hidden(answers)
        match self._question:
            case Single():
                return UNSET if value in hidden else value
            case Multiple():
                left = [code for code in value if code not in hidden]
                return value if len(left) == len(value) else left if len(left) >= max(1, self._question.min_choices) else UNSET
            case Ranking():
                return UNSET if any(code in hidden for code in value) else value
            case Matrix():
                given = zip(self._question.rows, msgspec.structs.astuple(value), strict=True)
                left = [UNSET if row.code in hidden else code for row, code in given]
                return UNSET if all(code is UNSET for code in left) else type(value)(*left)
            case _:
                return value
