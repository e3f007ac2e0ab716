"""Counts afresh what a protected table holds, from its released columns, against the rules of the profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.dataset.profiles import Profile
from services.export.dataset.variables import Variable
from services.export.gate.quasi_identifiers import ABSENT, QuasiIdentifierTable, codes_of
from services.export.protect import diversity, frame
from services.export.protect.anonymise import LEFT_OUT, Result
from services.export.protect.combinations import numbered
from services.export.protect.hierarchy import Ladder, Node
from services.export.protect.measure import Measures, Variety, measured
from services.export.protect.request import Sensitive

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Broken:
    """A rule of the profile that does not hold, for so many rows."""

    rule: str
    rows: int

    def __str__(self) -> str:
        return f"{self.rule}: {self.rows} {'row breaks' if self.rows == 1 else 'rows break'} this."


def read_back(quasi_identifiers: QuasiIdentifierTable, released: pd.DataFrame, rows: Ints, total: int) -> Result:
    """The released identifiers as nodes again. `rows[i]`: which response released row i came from; of `total`.

    A label that two nodes share is taken for the wider one. Raises ValueError where a released value is no node, or not true.
    """
    ladders = [Ladder.of(hierarchy, quasi_identifiers.codes[:, v]) for v, hierarchy in enumerate(quasi_identifiers.hierarchies)]
    nodes = np.full((total, len(ladders)), LEFT_OUT, dtype=np.int32)
    for v, ladder in enumerate(ladders):
        if not quasi_identifiers.identifiers:
            nodes[rows, v] = 0
            continue
        given = pd.Categorical(released[quasi_identifiers.hierarchies[v].name])
        place = _places(ladder.nodes)
        nodes[rows, v] = np.array([place[label] for label in given.categories], dtype=np.int32)[given.codes]
        if not ladder.holds[nodes[rows, v], quasi_identifiers.codes[rows, v]].all():
            raise ValueError(f"{ladder.hierarchy.name} would be released with a value that is not true")
    classes = np.full(total, LEFT_OUT, dtype=np.int64)
    classes[rows], _ = numbered(zip(nodes[rows].T, [len(ladder.nodes) for ladder in ladders], strict=True), len(rows))
    return Result(nodes, tuple(ladder.nodes for ladder in ladders), classes, ())


def sensitive_back(
    quasi_identifiers: QuasiIdentifierTable, released: pd.DataFrame, rows: Ints, columns: list[Variable]
) -> tuple[Sensitive, ...]:
    """Returns the sensitive answers as released; withheld and merged ones, and those of rows left out, as given.

    Diversity and closeness are then measured against an attacker who knows what was withheld; any other attacker knows less.
    """
    by_name = {column.name: column for column in columns}
    answers: list[Sensitive] = []
    for answer in quasi_identifiers.sensitive:
        codes, shown = answer.codes.copy(), codes_of(released, by_name[answer.name])
        codes[rows] = np.where(shown == ABSENT, codes[rows], shown)
        answers.append(Sensitive(answer.name, codes, answer.size, answer.harmless))
    return tuple(answers)


def weighed(
    quasi_identifiers: QuasiIdentifierTable, back: Result, sensitive: tuple[Sensitive, ...], profile: Profile
) -> tuple[list[Broken], Measures]:
    """Returns the rules of the profile that the table breaks (empty: it may be released), and the measures of the table."""
    kept = back.kept
    of_row = back.classes[kept]
    sizes = np.bincount(of_row)
    rules = [_count(f"At least {profile.k} people must share all quasi-identifiers", sizes < profile.k, sizes)]
    if quasi_identifiers.frame is not None:
        example = np.zeros(len(sizes), dtype=np.int64)
        example[of_row] = np.flatnonzero(kept)
        ladders = [Ladder.of(hierarchy, quasi_identifiers.codes[:, v]) for v, hierarchy in enumerate(quasi_identifiers.hierarchies)]
        units = frame.population(
            quasi_identifiers.frame, ladders, [back.released[example, v].astype(np.int64) for v in quasi_identifiers.frame.variables]
        )
        short = units < quasi_identifiers.frame.least
        rules.append(
            _count(f"At least {quasi_identifiers.frame.least} authorities of the public list must share the released values", short, sizes)
        )
    varieties: dict[str, Variety] = {}
    for answer in sensitive:
        table, of_all = diversity.histograms(of_row, len(sizes), answer.of(kept)), diversity.shares(answer)
        varieties[answer.name] = Variety.of(table, of_all, answer.harmless)
        alike = ~diversity.diverse(table, profile.diversity, answer.harmless)
        rules.append(_count(f"No class may agree in its answer to {answer.name}", alike, sizes))
        far = ~diversity.close(table, profile.closeness, of_all)
        rules.append(_count(f"No class may answer {answer.name} so unlike everybody (t {profile.closeness.t:g})", far, sizes))
    measures = measured(quasi_identifiers.codes, quasi_identifiers.hierarchies, varieties, back, quasi_identifiers.frame)
    return [rule for rule in rules if rule.rows], measures


def _count(rule: str, wrong: NDArray[np.bool_], sizes: Ints) -> Broken:
    return Broken(rule, int(sizes[wrong].sum()))


def _places(nodes: tuple[Node, ...]) -> dict[str, int]:
    place: dict[str, int] = {}
    for index, node in enumerate(nodes):
        if node.label not in place or len(node.members) > len(nodes[place[node.label]].members):
            place[node.label] = index
    return place
