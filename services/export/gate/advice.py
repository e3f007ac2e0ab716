"""What would help a release that was refused: each quasi-identifier left out, or one level coarser, is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.dataset.profiles import NARROW, SPARE, WIDE, Profile
from services.export.gate.quasi_identifiers import QuasiIdentifierTable
from services.export.protect import diversity
from services.export.protect.anonymise import protect
from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import Frame, ProtectionRequest
from services.export.protect.sequence import SequenceRules

Ints = NDArray[np.int64]

LARGE, MANY = 5_000_000, 20
"""Cells, and quasi-identifiers, up to which every way is tried."""


def request_of(table: QuasiIdentifierTable, profile: Profile) -> ProtectionRequest:
    """What a profile asks of the protecting core."""
    sensitive = bool(table.sensitive)
    return ProtectionRequest(
        profile.k,
        diversity=profile.diversity if sensitive else None,
        closeness=profile.closeness if sensitive else None,
        frame=table.seen_by(profile).frame,
    )


def rules_of(table: QuasiIdentifierTable) -> SequenceRules:
    """The rules of both profiles, for the one sequence that all releases of a survey belong to."""
    return SequenceRules(request_of(table, WIDE), request_of(table, NARROW), SPARE)


def advise(table: QuasiIdentifierTable, profile: Profile) -> str:
    """A sentence with the ways that would work, each tried alone; empty where none does."""
    ways = [f"leave out {answer.name}" for answer in table.sensitive if _agrees(answer.codes, answer.size, answer.harmless, profile)]
    if ways:
        return _sentence(ways)
    if len(table.identifiers) > MANY:
        return _sentence([f"declare fewer quasi-identifiers: there are {len(table.identifiers)}"])
    if table.codes.size * len(table.identifiers) <= LARGE:
        for v, hierarchy in enumerate(table.hierarchies):
            if wide := _coarser(hierarchy):
                codes = table.codes.copy()
                codes[:, v] = wide[1][codes[:, v]]
                hierarchies = (*table.hierarchies[:v], wide[0], *table.hierarchies[v + 1 :])
                if _works(replace(table, codes=codes, hierarchies=hierarchies, frame=_without(table, v)), profile):
                    ways.append(f"merge the values of {hierarchy.name} one level up")
            if len(table.hierarchies) > 1:
                rest = [place for place in range(len(table.hierarchies)) if place != v]
                hierarchies = tuple(table.hierarchies[place] for place in rest)
                if _works(replace(table, codes=table.codes[:, rest], hierarchies=hierarchies, frame=None), profile):
                    ways.append(f"drop {hierarchy.name}")
    return _sentence(ways)


def _agrees(codes: NDArray[np.integer[Any]], size: int, harmless: tuple[int, ...], profile: Profile) -> bool:
    return not diversity.diverse(np.bincount(codes, minlength=size)[None, :], profile.diversity, harmless).all()


def _coarser(hierarchy: ValueHierarchy) -> tuple[ValueHierarchy, Ints] | None:
    """The hierarchy without its finest level, and the new code of each old one."""
    now = [path[0] if path else value for value, path in zip(hierarchy.values, hierarchy.above, strict=True)]
    values = tuple(dict.fromkeys(now))
    if len(values) == len(hierarchy.values):
        return None
    above = {label: path[1:] for label, path in zip(now, hierarchy.above, strict=True)}
    codes = np.array([values.index(label) for label in now], dtype=np.int64)
    return ValueHierarchy(hierarchy.name, values, tuple(above[value] for value in values)), codes


def _without(table: QuasiIdentifierTable, variable: int) -> Frame | None:
    return None if table.frame is None or variable in table.frame.variables else table.frame


def _works(table: QuasiIdentifierTable, profile: Profile) -> bool:
    try:
        result = protect(table.codes, table.hierarchies, table.sensitive, request_of(table, profile))
    except Unprotectable:
        return False
    return len(np.unique(result.released, axis=0)) > 1


def _sentence(ways: Sequence[str]) -> str:
    return f"It would help to {', or to '.join(ways)}." if ways else ""
