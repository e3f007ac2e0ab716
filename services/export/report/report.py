"""The report of a release: results of the measures or attacks of this folder, as sentences with figures. Pure.

Claim: the report tells no more of single people than the release does. Figures of the answers as given are risks, errors and bounds over
many people, rounded to whole percents (counts to two digits); no share or count of an answer is told from them, since beside the
released one it would give away those left out. Assumes that at least as many responses as a profile asks for lie behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from proto.instrument import Texts
from services.export.dataset.table import Passages
from services.export.protect.request import Frame
from services.export.report import groups, inference, linkage, risk, utility
from services.export.report.compared import ComparedVariable, everybody
from services.export.report.inference import Inferred
from services.export.report.insensitive import Insensitive, insensitive
from services.export.report.known import Known
from services.export.report.known import known as rare_known
from services.export.report.linkage import Linked
from services.export.report.rare import Rare, rare
from services.export.report.risk import KnownVariable, Risk
from services.export.report.tables import TableErrors, errors
from services.export.report.utility import IdentifierDetail, ReleasedHeadline

S = TypeVar("S", bound=msgspec.Struct)

FORMAT = "platea-report/1"
DECIMALS = 4
ADDED = 2
"""How many answers the second linkage attack knows beside the quasi-identifiers."""
WORST, TRIPLE = 10, 3


@dataclass(frozen=True)
class Share:
    """A headline: how many of those who answered the variable gave one of these codes."""

    label: Texts
    variable: str
    codes: tuple[str, ...]


class ReleasedWeight(msgspec.Struct, frozen=True):
    """What rows weigh by a variable of the release: how many tell it, and to how many of equal weight these are worth (Kish 1965)."""

    variable: str
    rows: int
    worth: float


@dataclass(frozen=True)
class Facts:
    """What the variables alone do not tell. `reasons`: sentences on what protection did; `frame`: places are those of the fields."""

    number: int
    survey: str
    version: str
    title: Texts
    language: str
    profile: str
    k: int
    shares: tuple[Share, ...] = ()
    reasons: tuple[str, ...] = ()
    frame: Frame | None = None
    passages: Passages | None = None
    left_out: tuple[str, ...] = ()
    weight: ReleasedWeight | UnsetType = UNSET


class FreeTextCounts(msgspec.Struct, frozen=True):
    """A question answered in free text: how many texts there were and what became of them. All but `released` in two digits."""

    question: str
    given: int
    accepted: int
    refused: int
    not_reviewed: int
    released: int


class Risks(msgspec.Struct, frozen=True):
    before: Risk
    after: Risk


class Pair(msgspec.Struct, frozen=True):
    """Two variables whose table is off by `variation` (TVD2) and, a cell, by `cells` rows (MAE2)."""

    variables: tuple[str, str]
    variation: float
    cells: float


class Utility(msgspec.Struct, frozen=True):
    """`loss`: NCP over the quasi-identifiers. `tables`: how many two-way tables were compared; the mean error of all, the worst.
    `cut_off`: scales of which answers are withheld and one end stands in no row."""

    loss: float
    told: tuple[IdentifierDetail, ...]
    tables: int
    variation: float
    cells: float
    worst: tuple[Pair, ...]
    headlines: tuple[ReleasedHeadline, ...]
    cut_off: tuple[str, ...] = ()


class ReleaseReport(msgspec.Struct, frozen=True):
    """Everything follows from the answers and the release: no clock, fixed seeds, fixed rounding."""

    survey: str
    version: str
    number: int
    profile: str
    k: int
    responses: int
    released: int
    left_out: int
    reasons: tuple[str, ...]
    labels: dict[str, Texts]
    prosecutor: Risks
    journalist: Risks | None
    journalist_source: str
    alone_by_everything: tuple[float, float]
    """Rows unlike all others when every variable is known: before, after."""
    steps: tuple[KnownVariable, ...]
    linkage: tuple[Linked, ...]
    inference: tuple[Inferred, ...]
    rare: Rare | None
    known: tuple[Known, ...]
    insensitive: Insensitive | None
    utility: Utility
    free_text: tuple[FreeTextCounts, ...] | None = None
    """None where the profile has no free text."""
    without_bands: tuple[str, ...] = ()
    """Variables that are not in the data: numbers and dates without bands."""
    weight: ReleasedWeight | UnsetType = UNSET
    """Absent where rows have no weight."""
    format: str = FORMAT


def report(fields: Sequence[ComparedVariable], facts: Facts) -> ReleaseReport:
    """Measures a release against the answers it was made of. Raises ValueError where there is nothing to measure."""
    fields = list(fields)
    if not fields or not len(fields[0].after):
        raise ValueError("There is no released row to report on.")
    others = [field for field in fields if not field.identifies]
    declared = [field for field in fields if field.identifies]
    identifiers = declared or [everybody(fields[0])]
    sensitive = [field for field in others if field.role == "sensitive"] or others
    rows, released = len(fields[0].before), len(fields[0].after)
    sides = [groups.before(identifiers), groups.after(identifiers)]
    all_of_it = [groups.before(fields), groups.after(fields)]
    known = sorted(others, key=lambda field: (-field.rarity, field.name))[:ADDED]
    attacks = [linkage.link(identifying) for identifying in (declared, declared + known if known else []) if identifying]
    result = ReleaseReport(
        survey=facts.survey,
        version=facts.version,
        number=facts.number,
        profile=facts.profile,
        k=facts.k,
        responses=rows,
        released=released,
        left_out=rows - released,
        reasons=facts.reasons,
        labels={field.name: field.label for field in fields},
        prosecutor=_risks(*(risk.of(counts[of_row], facts.k) for of_row, counts in sides)),
        journalist=_journalist(fields, facts),
        journalist_source=facts.frame.source if facts.frame else "",
        alone_by_everything=(_percent((all_of_it[0][1] == 1).sum() / rows), float((all_of_it[1][1] == 1).sum() / released)),
        steps=tuple(_coarse(step) for step in risk.steps(declared, facts.k)),
        linkage=tuple(_coarse(attack) for attack in attacks),
        inference=tuple(_coarse(variable) for variable in inference.infer(sensitive, identifiers)),
        rare=_coarse(rare(fields)) if len(fields) >= TRIPLE else None,
        known=tuple(_coarse_known(answers) for answers in rare_known(others, facts.k)),
        insensitive=insensitive(fields),
        utility=_utility(fields, declared, facts, rows - released),
        free_text=_free_text_counts(facts.passages),
        without_bands=facts.left_out,
        weight=facts.weight,
    )
    return msgspec.convert(_rounded(msgspec.to_builtins(result)), ReleaseReport)


def encode(result: ReleaseReport) -> bytes:
    """Indented JSON with sorted keys and a final line break: the same report always gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(result, order="sorted"), indent=2) + b"\n"


def _free_text_counts(passages: Passages | None) -> tuple[FreeTextCounts, ...] | None:
    if passages is None:
        return None
    return tuple(
        FreeTextCounts(
            question.name, _two(question.given), _two(question.accepted), _two(question.refused), _two(question.open), question.released
        )
        for question in passages.questions
    )


def _two(count: int) -> int:
    """In two digits."""
    return int(_digits(count))


def _risks(before: Risk, after: Risk) -> Risks:
    return Risks(
        msgspec.structs.replace(before, **{name: _percent(getattr(before, name)) for name in ("highest", "average", "alone", "at_risk")}),
        after,
    )


def _journalist(fields: list[ComparedVariable], facts: Facts) -> Risks | None:
    if facts.frame is None:
        return None
    return _risks(*(risk.of(risk.listed(fields, facts.frame, side), facts.k) for side in (False, True)))


def _utility(fields: list[ComparedVariable], identifiers: list[ComparedVariable], facts: Facts, left_out: int) -> Utility:
    details = tuple(utility.identifier_detail(field, left_out) for field in identifiers)
    by_name = {field.name: field for field in fields}
    heads = _released_headlines([share for share in facts.shares if share.variable in by_name], by_name, facts.language)
    table_errors = errors(fields) if len(fields) > 1 else None
    return Utility(
        loss=float(np.mean([detail.loss for detail in details])) if details else 0.0,
        told=details,
        tables=len(table_errors.pairs) if table_errors else 0,
        variation=_digits(float(table_errors.variation.mean())) if table_errors else 0.0,
        cells=_digits(float(table_errors.cells.mean())) if table_errors else 0.0,
        worst=_worst(fields, table_errors) if table_errors else (),
        headlines=tuple(head for head in heads if head is not None),
        cut_off=tuple(field.name for field in fields if utility.cut_off(field)),
    )


def _released_headlines(shares: list[Share], by_name: dict[str, ComparedVariable], language: str) -> list[ReleasedHeadline | None]:
    """The headline shares of the release. Merged answers share one headline; its label names their values in the files."""
    headlines = dict[tuple[str, tuple[str, ...]], ReleasedHeadline | None]()
    for share in shares:
        codes, values = utility.as_released(by_name[share.variable], share.codes)
        label = share.label.get(language) or share.label.get("en", "")
        key = share.variable, codes
        if key not in headlines:
            headlines[key] = utility.headline(f"{label} ({values})" if values else label, by_name[share.variable], codes)
    return list(headlines.values())


def _worst(fields: list[ComparedVariable], table_errors: TableErrors) -> tuple[Pair, ...]:
    order: list[int] = np.argsort(-table_errors.variation, kind="stable")[:WORST].tolist()
    names = [(fields[one].name, fields[other].name) for one, other in table_errors.pairs]
    return tuple(Pair(names[p], _percent(table_errors.variation.item(p)), _digits(table_errors.cells.item(p))) for p in order)


def _percent(share: float) -> float:
    return round(float(share), 2)


def _digits(number: float, digits: int = 2) -> float:
    return float(f"{float(number):.{digits}g}")


def _coarse(measured: S) -> S:
    """Rounds what describes the original answers: shares to whole percents, counts to two digits."""
    names = [name for name in type(measured).__struct_fields__ if name == "before" or name.endswith("_before")]
    return msgspec.structs.replace(measured, **{name: _rounded_before(getattr(measured, name)) for name in names})


def _coarse_known(known: Known) -> Known:
    """Rounds all figures: each follows from how many respondents gave which answer."""
    return msgspec.structs.replace(_coarse(known), people=_two(known.people), found=_percent(known.found))


def _rounded_before(figure: Any) -> Any:
    return _percent(figure) if isinstance(figure, float) else tuple(int(_digits(count)) for count in figure)


def _rounded(figure: Any) -> Any:
    """Every float to the same number of decimals, whatever it is in."""
    if isinstance(figure, float):
        return round(figure, DECIMALS)
    if isinstance(figure, dict):
        return {name: _rounded(value) for name, value in figure.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(figure, list | tuple):
        return [_rounded(value) for value in figure]  # pyright: ignore[reportUnknownVariableType]
    return figure
