"""Releases of made-up towns, which attacks are played against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.export.protect.anonymise import Result, protect
from services.export.protect.hierarchy import Node, ValueHierarchy
from services.export.protect.request import Closeness, Diversity, Frame, ProtectionRequest, Sensitive
from services.export.report.compared import ComparedVariable, Value

K, FINE, UNITS, T = 10, 5, 5, 0.5
PEOPLE = 400
REGION = ValueHierarchy("region", tuple(f"r{i}" for i in range(16)), tuple((f"n{i // 4}",) for i in range(16)))
AGE = ValueHierarchy("age", tuple(map(str, range(8))), tuple((f"{i // 2 * 2}+",) for i in range(8)), tuple(map(float, range(8))))
KIND = ValueHierarchy("kind", ("city", "town", "village", "_missing"), ((), (), (), ()))
QUASI = (REGION, AGE, KIND)
OPINIONS = 4

Hits = tuple[float, int]
"""Expected successes, and tries."""


@dataclass(frozen=True)
class Town:
    """`codes`: the three quasi-identifiers; `opinion` depends on them. `frame`: how many such authorities there are."""

    codes: np.ndarray
    opinion: np.ndarray
    frame: Frame

    @property
    def sensitive(self) -> list[Sensitive]:
        return [Sensitive("opinion", self.opinion, OPINIONS)]


def town(seed: int, people: int = PEOPLE) -> Town:
    rng = np.random.default_rng(seed)
    region = rng.choice(16, people, p=rng.dirichlet(np.full(16, 0.8)))
    age = rng.integers(0, 8, people)
    kind = rng.choice(4, people, p=(0.5, 0.3, 0.15, 0.05))
    leaning = (region // 4 + (age > 4)) % OPINIONS
    opinion = np.where(rng.random(people) < 0.55, leaning, rng.integers(0, OPINIONS, people))
    asked = np.bincount(region, minlength=16)
    return Town(
        np.column_stack([region, age, kind]), opinion, Frame((0,), np.arange(16)[:, None], np.maximum(asked // 8, asked > 0), UNITS)
    )


def ours(found: Town, request: ProtectionRequest | None = None) -> Result:
    wanted = request or ProtectionRequest(K, diversity=Diversity(2), closeness=Closeness(T), frame=found.frame, suppress=0.05)
    return protect(found.codes, QUASI, found.sensitive, wanted, np.arange(len(found.codes)))


def fields(found: Town, result: Result | None) -> list[ComparedVariable]:
    """Answers beside what is released of them; without `result` they go out as they are."""
    made: list[ComparedVariable] = []
    for v, hierarchy in enumerate(QUASI):
        nodes = result.values[v] if result else tuple(Node(value, (code,)) for code, value in enumerate(hierarchy.values))
        after = result.released[result.kept, v] if result else found.codes[:, v]
        values = tuple(Value(node.label, node.members) for node in nodes)
        made.append(
            ComparedVariable(
                hierarchy.name, {"en": hierarchy.name}, "quasi_identifier", False, hierarchy.values, values, found.codes[:, v], after
            )
        )
    codes = tuple(map(str, range(OPINIONS)))
    kept = found.opinion[result.kept] if result else found.opinion
    values = tuple(Value(code, (place,)) for place, code in enumerate(codes))
    return [*made, ComparedVariable("opinion", {"en": "Opinion"}, "sensitive", False, codes, values, found.opinion, kept)]
