"""Noise for whole matrices of counts at once: looked up by count and cell key. Pure.

A cell of two answers has the same noise wherever it appears: the key that noise is looked up by is mixed from its respondents
(the sum of their record keys) and from the two groups that it is the crossing of. With the respondents alone, two groups that
differ by one person would show equal numbers in all cells but that person's, and subtracting one from the other would read all
the answers of this person off (the weak side of cell keys that Fraser and Wooton, UNECE 2005, leave to the design of tables).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis.ptable import KEYS, Noise

Keys = NDArray[np.uint16]


def cell_keys(sums: NDArray[np.float64]) -> Keys:
    """Sums of record keys, modulo the range of the table."""
    return (sums.astype(np.int64) & (KEYS - 1)).astype(np.uint16)


def crossed(keys: Keys, groups: NDArray[np.uint64]) -> Keys:
    """The keys of cells of two answers. `groups`: a secret number for each column; columns of the same people have the same.

    Mixed by the finaliser of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014):
    it is no cipher, but 64 secret bits go in for each column, and of what comes out nothing is seen but noise.
    """
    mixed = groups[:, None] + groups[None, :]
    mixed ^= keys * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed & np.uint64(KEYS - 1)).astype(np.uint16)


def perturb(counts: NDArray[Any], keys: Keys, noise: Noise) -> NDArray[np.int64]:
    """Counts with noise, of any shape; `keys` of the same shape."""
    rows = np.minimum(counts, len(noise) - 1).astype(np.intp)
    return counts + noise.reshape(-1)[rows * noise.shape[1] + keys].astype(np.int64)
