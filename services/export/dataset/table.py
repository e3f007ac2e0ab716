"""The typed table that every format of a release writes: columns of category codes, with their metadata. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto.instrument import NON_SUBSTANTIVE, CaseWeight, Instrument, Role, Texts
from services.export.dataset import universe
from services.export.dataset.naming import short_names
from services.export.dataset.numbering import numbers
from services.export.dataset.quoting import one_line
from services.export.dataset.variables import MISSING, SKIPPED, WITHHELD, Variable, left_out
from services.export.dataset.words import in_each, phrase, say, text

Measure = Literal["nominal", "ordinal"]
Codes = NDArray[np.integer[Any]]

NUMBERS = {MISSING: -1, SKIPPED: -2, "dk": -3, "pnts": -4, "na": -5, WITHHELD: -6}
"""How SPSS sees the codes that are no answers: below zero, user-missing."""
LETTERS = {MISSING: "m", SKIPPED: "s", "dk": "d", "pnts": "p", "na": "n", WITHHELD: "x"}
"""How Stata sees them: extended missing values .m, .s, .d, .p, .n, .x."""
_ABSENT = {MISSING: "missing", SKIPPED: "skipped", WITHHELD: "withheld"}
ROWS = 65_536
"""Rows that are written at once: what a format holds in memory."""


@dataclass(frozen=True)
class Category:
    """`number`: the value in SPSS, and in Stata where `letter` is None. `absent`: no answer, or none of substance (user-missing)."""

    code: str
    labels: Texts
    number: int
    letter: str | None = None

    @property
    def absent(self) -> bool:
        return self.letter is not None


@dataclass(frozen=True)
class DatasetColumn:
    """One variable. `codes` are places in `categories`, one for each row. Shape (rows,)."""

    name: str
    short: str
    """Name in SPSS and Stata, which allow less."""
    question: str
    text: Texts
    """Of the question."""
    part: Texts
    """Of the row, option or place; empty where the question is one column."""
    section: Texts
    measure: Measure
    categories: tuple[Category, ...]
    universe: Texts
    role: Role
    level: str | None
    """To which level of its hierarchy it was generalised; None for what was not generalised at all."""
    codes: Codes
    weighs: bool = False
    """Whether its codes are what each row weighs."""

    @cached_property
    def counts(self) -> list[int]:
        """Rows in each category."""
        return np.bincount(self.codes, minlength=len(self.categories)).tolist()

    def label(self, language: str) -> str:
        """What tells the variable from its neighbours first, then the question."""
        part, asked = one_line(text(self.part, language)), one_line(text(self.text, language))
        return f"{part} – {asked}" if part else asked

    def shown(self, language: str) -> list[str]:
        """A label for each category, no two alike; where one has no text, its code."""
        return self.fitting(language, lambda label, _: label)

    def fitting(self, language: str, fit: Callable[[str, int], str]) -> list[str]:
        """Labels made to fit by `fit(label, taken)`; `taken`: bytes and characters of the room that the code needs."""
        labels = [one_line(text(category.labels, language)) or category.code for category in self.categories]
        return told_apart(labels, [category.code for category in self.categories], fit)


@dataclass(frozen=True)
class ReleaseInfo:
    """Which release this is, and how it was protected."""

    number: int
    survey: str
    version: str
    title: Texts
    languages: tuple[str, ...]
    language: str
    """Of the labels in formats that hold only one."""
    licence: str
    publisher: Texts
    profile: str
    k: int
    smallest: int
    """The smallest group with equal quasi-identifiers."""
    responses: int
    generalised: int
    suppressed: int
    date: str = ""
    """The day of the release, ISO 8601."""
    address: str = ""
    """Of the page of the survey's releases, where the site knows its own."""


@dataclass(frozen=True)
class Passage:
    """A free text as released. It belongs to no row. `question`: the name that a variable would have."""

    question: str
    language: str
    text: str


@dataclass(frozen=True)
class PassageQuestion:
    """A question answered in free text: how many texts there were, what was decided about them, and how many are released."""

    name: str
    question: str
    text: Texts
    given: int
    accepted: int
    refused: int
    open: int
    released: int


@dataclass(frozen=True)
class Passages:
    questions: tuple[PassageQuestion, ...]
    lines: tuple[Passage, ...]


@dataclass(frozen=True)
class Dataset:
    """`passages`: free texts beside the table; None where the profile has none. `left_out`: variables that have no column, since nothing
    of them can be told."""

    edition: ReleaseInfo
    columns: tuple[DatasetColumn, ...]
    rows: int
    passages: Passages | None = None
    left_out: tuple[str, ...] = ()

    def absent(self) -> list[tuple[Category, str]]:
        """Every code of the table that is no answer, and what it means in general; a question may say it in its own words."""
        by_code = {category.code: category for column in self.columns for category in column.categories if category.absent}
        return [(by_code[code], say(_ABSENT.get(code, code), self.edition.language)) for code in NUMBERS if code in by_code]

    @property
    def weight(self) -> DatasetColumn | None:
        """The column that says what each row weighs; None where there is none."""
        return next((column for column in self.columns if column.weighs), None)

    def labels(self, language: str, fit: Callable[[str, int], str]) -> list[str]:
        """A label for each variable, no two alike, made to fit as in `DatasetColumn.fitting`."""
        return told_apart([column.label(language) for column in self.columns], [column.short for column in self.columns], fit)

    def batches(self) -> Iterator[slice]:
        """The rows in pieces of `ROWS`."""
        for begin in range(0, self.rows, ROWS):
            yield slice(begin, min(begin + ROWS, self.rows))


def told_apart(labels: Sequence[str], names: Sequence[str], fit: Callable[[str, int], str]) -> list[str]:
    """Each label as `fit` leaves it, no two alike: those that would be have their name behind them in brackets. Names are all different.

    `fit(label, taken)`: the label in what is left of the room when so many characters, of one byte each, are taken.
    """
    behind = [""] * len(labels)
    while True:
        shown = [fit(label, len(ending)) + ending for label, ending in zip(labels, behind, strict=True)]
        many = Counter(shown)
        alike = [place for place, label in enumerate(shown) if many[label] > 1 and not behind[place]]
        if not alike:
            return shown
        for place in alike:
            behind[place] = f" [{names[place]}]"


def tabulate(
    edition: ReleaseInfo,
    instrument: Instrument,
    columns: list[Variable],
    released: pd.DataFrame,
    levels: Mapping[str, str],
    earlier: Mapping[str, Sequence[Variable]] | None = None,
) -> Dataset:
    """The table of a release. `released`: a column of codes per variable; `levels`: that of each generalised variable; `earlier`: each
    variable, by name, in the versions of the questionnaire before this one, the first one first."""
    sections = {section.id: section.text for section in instrument.sections}
    short = short_names([column.name for column in columns])
    dataset_columns: list[DatasetColumn] = []
    for column in columns:
        given = pd.Categorical(released[column.name], copy=False)
        places = {code: place for place, code in enumerate(given.categories) if (given.codes == place).any()}
        categories = _categories(column, set(places), instrument.languages, numbers(column, (earlier or {}).get(column.name, ())))
        dataset_columns.append(
            DatasetColumn(
                name=column.name,
                short=short[column.name],
                question=column.question.id,
                text=column.question.text,
                part=column.part,
                section=sections[column.question.section],
                measure="ordinal" if column.ordered else "nominal",
                categories=categories,
                universe=_universe(instrument, column),
                role=column.role,
                level=levels.get(column.name),
                codes=_codes(places, given.codes, categories),
                weighs=isinstance(column.question, CaseWeight),
            )
        )
    return Dataset(edition, tuple(dataset_columns), len(released), left_out=left_out(instrument))


def _universe(instrument: Instrument, column: Variable) -> Texts:
    return in_each(instrument.languages, lambda language: universe.universe(instrument, column.rule, language))


def _codes(places: dict[str, int], codes: Codes, categories: tuple[Category, ...]) -> Codes:
    """Places as in `places` turned into places among `categories`, in the smallest type that holds them; the same ones if none moves."""
    place = {category.code: index for index, category in enumerate(categories)}
    small = np.dtype(np.int8 if len(categories) <= np.iinfo(np.int8).max else np.int16)
    if codes.dtype == small and all(place[code] == at for code, at in places.items()):
        return codes
    moved = np.zeros(max(places.values(), default=0) + 1, small)
    for code, at in places.items():
        moved[at] = place[code]
    return moved[codes]


def _categories(column: Variable, present: set[str], languages: tuple[str, ...], known: Mapping[str, int]) -> tuple[Category, ...]:
    """Returns the categories of a variable: answers that could be given, or the coarser or merged values in their place, then absent ones.

    `known`: the number of each answer and coarser value.
    """
    merged = {code: members for code in present if len(members := column.merged(code)) > 1}
    nodes = list(dict.fromkeys(node for step in column.ladder() for node in step.values() if node != WITHHELD))
    generalised = bool(present & set(nodes) - set(column.labels))
    codes = [code for code in column.labels if code in present or not generalised]
    codes += [node for node in nodes if node in present and node not in column.labels]
    for code, members in merged.items():
        codes[codes.index(members[0])] = code
        codes = [other for other in codes if other not in members]
    substantive = [code for code in codes if code not in NON_SUBSTANTIVE and code != WITHHELD]
    possible = {MISSING} if not column.question.required else set[str]()
    possible |= {SKIPPED} if column.rule is not None else set()
    absent = [code for code in NUMBERS if code in codes or code in present | possible]
    coarse = column.hierarchy.labels if column.hierarchy else {}
    labels = coarse | column.labels if not generalised else column.labels | coarse
    labels = labels | {code: phrase(name, languages) for code, name in _ABSENT.items()}
    for code, members in merged.items():
        labels[code] = in_each(languages, partial(_joint, [(member, labels.get(member, {})) for member in members]))
    answers = [Category(code, labels.get(code, {}), known[code]) for code in substantive]
    return (*answers, *(Category(code, labels.get(code, {}), NUMBERS[code], LETTERS[code]) for code in absent))


def _joint(members: Sequence[tuple[str, Texts]], language: str) -> str:
    """The label of merged answers: both of two, the first and the last of more."""
    shown = [text(texts, language) or code for code, texts in members]
    return " / ".join(shown) if len(shown) == 2 else f"{shown[0]} … {shown[-1]}"
