"""k-anonymity by generalisation: every respondent shares the quasi-identifiers with at least k - 1 others.

Claim: in the returned table each combination of quasi-identifier values occurs at least k times (Samarati and Sweeney
1998). Method: greedy top-down specialisation over whole columns (after Fung, Wang and Yu 2005): start with everything
generalised to "*", make finer the column that gains most while the rows that would then stand in too small a group stay
few; those rows keep "*" in every quasi-identifier, and leave the table where they are fewer than k themselves.
Missing is a value like any other, never a wildcard.

Assumes that the declared quasi-identifiers are all that an outsider knows. Does not protect against somebody who knows
other answers, against groups in which all gave the same answer (homogeneity), or against comparing two releases; nor
does it count against the public list of authorities. Those are the tasks of l-diversity, t-closeness, the release
ledger and k-map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.variables import MISSING, SKIPPED, Ladder

TOP = "*"


@dataclass(frozen=True)
class Protected:
    """The protected table; the level at which each quasi-identifier stands; how many rows were fully generalised or left out."""

    table: pd.DataFrame
    levels: dict[str, int]
    generalised: int
    suppressed: int


def generalise(values: pd.Series, ladder: Ladder, level: int) -> pd.Series:
    """The column at this level: 0 is as given, `len(ladder) + 1` is "*". Absent answers stay as they are below "*"."""
    if level == 0:
        return values
    if level > len(ladder):
        return pd.Series(TOP, index=values.index, dtype="object")
    mapping = {MISSING: MISSING, SKIPPED: SKIPPED} | ladder[level - 1]
    return values.map(mapping).fillna(TOP)


def class_sizes(table: pd.DataFrame, columns: list[str]) -> NDArray[np.int64]:
    """For each row, how many rows share its values in these columns. Shape (rows,)."""
    if not columns:
        return np.full(len(table), len(table), dtype=np.int64)
    codes = table.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    return np.bincount(codes)[codes].astype(np.int64)


def anonymise(table: pd.DataFrame, ladders: dict[str, Ladder], k: int, most_generalised: float = 0.05) -> Protected:
    """Generalises the columns named in `ladders` to k-anonymity. At most that share of rows is fully generalised.

    Deterministic: ties go to the column named first. Raises ValueError where there are fewer than k rows.
    """
    if len(table) < k:
        raise ValueError(f"{len(table)} responses cannot be {k}-anonymous")
    columns = list(ladders)
    given = {name: pd.Series(table[name]) for name in columns}
    forms = {name: [generalise(given[name], steps, level) for level in range(len(steps) + 2)] for name, steps in ladders.items()}
    levels = {name: len(forms[name]) - 1 for name in columns}
    allowed = int(most_generalised * len(table))

    def small(at: dict[str, int]) -> NDArray[np.bool_]:
        view = pd.DataFrame({name: forms[name][level] for name, level in at.items()}, index=table.index)
        return class_sizes(view, columns) < k

    while True:
        best: tuple[float, str] | None = None
        for name in columns:
            if levels[name] > 0:
                finer = levels | {name: levels[name] - 1}
                lost = int(small(finer).sum())
                gain = _gain(forms[name], levels[name]) * (1 - lost / len(table))
                if lost <= allowed and (best is None or gain > best[0]):
                    best = (gain, name)
        if best is None:
            break
        levels[best[1]] -= 1

    return _apply(table, forms, levels, small(levels), k)


def _gain(forms: list[pd.Series], level: int) -> float:
    """How much information the next finer level of a column adds: the growth of its entropy, in bits."""
    return _entropy(forms[level - 1]) - _entropy(forms[level])


def _entropy(values: pd.Series) -> float:
    shares = values.value_counts(normalize=True).to_numpy()
    return float(-(shares * np.log2(shares)).sum())


def _apply(table: pd.DataFrame, forms: dict[str, list[pd.Series]], levels: dict[str, int], small: NDArray[np.bool_], k: int) -> Protected:
    out = table.copy()
    for name, level in levels.items():
        out[name] = forms[name][level].where(~small, TOP)
    out, suppressed = _drop_small(out, list(levels), k)
    kept = int(small.sum()) - suppressed
    return Protected(_canonical_order(out), levels, max(kept, 0), suppressed)


def _drop_small(table: pd.DataFrame, columns: list[str], k: int) -> tuple[pd.DataFrame, int]:
    keep = class_sizes(table, columns) >= k
    return table.take(np.flatnonzero(keep)), int((~keep).sum())


def _canonical_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by their content: the order of arrival is gone, and the same rows always give the same file."""
    return table.sort_values(list(table.columns), kind="stable").reset_index(drop=True)
