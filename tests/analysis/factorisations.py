"""Which noise over editions costs least where somebody may come, change and leave as often as they like. Run:
python -m tests.analysis.factorisations

What is published at edition t is a histogram of the answers that stand then, A D with D the changes from edition to edition and A the
lower triangle of ones. With A = L R the noise is put on R D, and L makes published counts of it: each edition then has a variance of the
squared length of its row in L, times the squared sensitivity of R D. The identity factorisation (L = 1, R = A) draws fresh noise at each
edition; the square root (L = R = A^½) is that of H. Fichtenberger, M. Henzinger, J. Upadhyay, Constant matters: fine-grained error bound on
differentially private continual observation, ICML 2023.
"""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def root(editions: int) -> Numbers:
    """A^½: on the k-th diagonal below the main one (2k over k) / 4^k. Shape (editions, editions)."""
    first = [comb(2 * k, k) / 4**k for k in range(editions)]
    return np.array([[first[t - s] if t >= s else 0.0 for s in range(editions)] for t in range(editions)])


def cost_of_identity(editions: int) -> float:
    """The standard deviation of the last edition's noise at rho = ½. Whoever is in one cell of a histogram at each edition makes a
    difference of one there, so of sqrt(editions) over all, whatever the history."""
    return sqrt(editions)


def cost_of_root(editions: int, history: str) -> float:
    """The same of the square root. `history`: "once" (somebody comes, and stays as he is), "twice" (comes and leaves, or changes once),
    "any". Of any history the greatest is one that is in another cell at each edition: off the diagonal R⁻ᵀR⁻¹ is negative."""
    matrix = root(editions)
    inverse = np.linalg.inv(matrix)
    length, column = sqrt((matrix[-1] ** 2).sum()), (matrix[:, 0] ** 2).sum()
    squared = {"once": column, "twice": 2 * column, "any": (inverse**2).sum()}[history]
    return length * sqrt(squared)


def main() -> None:
    print(
        "| editions | identity, any history | square root: came once | came and left | any history | identity / square root, any history |"
    )
    print("|---|---|---|---|---|---|")
    for editions in (6, 8, 10, 12, 38):
        fresh, (once, twice, free) = cost_of_identity(editions), (cost_of_root(editions, kind) for kind in ("once", "twice", "any"))
        print(f"| {editions} | {fresh:.2f} | {once:.2f} | {twice:.2f} | {free:.2f} | {fresh / free:.2f} |")


if __name__ == "__main__":
    main()
