"""Noise for whole matrices of counts at once: looked up by count and cell key. Pure.

The same respondents always give the same count and the same key, and so the same noise, in whichever table they appear.
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


def perturb(counts: NDArray[Any], keys: Keys, noise: Noise) -> NDArray[np.int64]:
    """Counts with noise, of any shape; `keys` of the same shape."""
    rows = np.minimum(counts, len(noise) - 1).astype(np.intp)
    return counts + noise.reshape(-1)[rows * noise.shape[1] + keys].astype(np.int64)
