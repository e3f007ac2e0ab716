"""Options and rows of a field that earlier answers show or hide: left out of the page, or marked for its script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from services.intake.form.client_rules import Ask
from services.intake.form.pages.fields import Field, FieldChoice, FieldLine

P = TypeVar("P", FieldChoice, FieldLine)


@dataclass(frozen=True)
class ConditionalParts:
    """Codes of options, or of rows. `away`: never there on this page; `ruled`: the script judges; `hidden`: not there as things are."""

    away: frozenset[str] = frozenset()
    ruled: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ask: Ask, hidden: frozenset[str]) -> ConditionalParts:
        return cls(frozenset(ask.away), frozenset(ask.ruled), hidden & frozenset(ask.ruled))

    def apply(self, field: Field) -> Field:
        if not (self.away or self.ruled):
            return field
        if field.kind == "table":
            return replace(field, lines=self._among(field.lines, lambda line: line.row))
        lines = tuple(replace(line, choices=self._among(line.choices, lambda choice: choice.value)) for line in field.lines)
        return replace(field, choices=self._among(field.choices, lambda choice: choice.value), lines=lines)

    def _among(self, parts: tuple[P, ...], code_of: Callable[[P], str]) -> tuple[P, ...]:
        return tuple(
            replace(part, part=code if code in self.ruled else "", hidden=code in self.hidden)
            for part in parts
            if (code := code_of(part)) not in self.away
        )
