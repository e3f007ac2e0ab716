"""The request to the protecting core: rules that the table must meet, with what is known about its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["hierarchy", "sets"]


@dataclass(frozen=True)
class Diversity:
    """l-diversity (Machanavajjhala et al., ICDE 2006): how varied the sensitive answers of a class are.

    distinct: at least l different answers. entropy: the exponential of their entropy is at least l.
    recursive: the most frequent answer has fewer than c times the rows of all but the l - 1 most frequent.
    """

    l: float  # noqa: E741  the literature's letter
    kind: Literal["distinct", "entropy", "recursive"] = "distinct"
    c: float = 3.0


@dataclass(frozen=True)
class Closeness:
    """t-closeness (Li, Li and Venkatasubramanian, ICDE 2007): how far a class may lie from all rows, by equal or ordered distance."""

    t: float
    ordered: bool = False


@dataclass(frozen=True)
class Sensitive:
    """A sensitive answer as codes below `size`, missing being one of them. Shape (rows,).

    `harmless`: codes that may be known of everybody in a class, such as an option that was left unticked. `everybody`: the share of
    each answer among all people, where these rows are only some of them.
    """

    name: str
    codes: NDArray[np.integer[Any]]
    size: int
    harmless: tuple[int, ...] = ()
    everybody: NDArray[np.float64] | None = None

    def of(self, rows: NDArray[np.bool_]) -> Sensitive:
        """The answer of these rows alone."""
        return self if rows.all() else replace(self, codes=self.codes[rows])


@dataclass(frozen=True)
class Frame:
    """A public list counted: `counts[i]` units have the values `codes[i]` in these variables; -1 where the list does not tell.

    A unit with an untold value counts only where a release tells nothing about that variable either.
    """

    variables: tuple[int, ...]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]
    least: int
    source: str = ""


@dataclass(frozen=True)
class ProtectionRequest:
    """`kind`: whether released values are nodes of the hierarchies (stable labels) or sets of values (least loss); never mixed.

    `even`: large groups of identical rows are evened out. `suppress`: the share of rows that may be left out where joining
    another class would lose more.
    """

    k: int = 5
    kind: Kind = "hierarchy"
    diversity: Diversity | None = None
    closeness: Closeness | None = None
    frame: Frame | None = None
    even: bool = False
    suppress: float = 0.0
