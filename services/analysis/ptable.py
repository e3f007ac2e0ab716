"""The perturbation table: which noise a count gets by its cell key, as uncertain as its limits allow.

Claim. Noise never exceeds `most`; its mean is exactly 0 and its variance `variance` for every count, so totals and
differences of published counts are unbiased; a count of 1 or 2 never comes out, and 0 comes out of 0 always.

How. For each count the distribution of greatest entropy among those that keep these limits: whoever knows table and count
can say as little as possible about the outcome. It has the form p(e) ∝ exp(a e + b e²) over the noise e that is allowed.
Counts of `most` + 3 and more cannot come near a forbidden one, so they share the last row.

Literature: Giessing, Computational issues in the design of transition probabilities and disclosure risk estimation for
additive noise (PSD 2016); Marley and Leaver, A method for confidentialising user-defined tables (ISI 2011); Fraser and
Wooton, A proposed method for confidentialising tabular output to protect against differencing (UNECE 2005).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

KEYS = 1 << 16
"""Cell keys are sums of record keys modulo this."""
FORBIDDEN = (1, 2)
STEPS = 100

Noise = NDArray[np.int8]


@lru_cache(maxsize=16)
def table(most: int, variance: float, keys: int = KEYS) -> Noise:
    """Noise by (count, cell key); counts above the last row use it. Shape (most + 4, keys). Raises ValueError where no
    noise has these limits: the variance must lie between 2 and `most`, both excluded."""
    rows = [np.zeros(keys, np.int8), *(_spread(*distribution(n, most, variance), keys) for n in range(1, most + 4))]
    return np.vstack(rows)


def distribution(count: int, most: int, variance: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The noise allowed for a count above 0, and how probable each is. Raises ValueError."""
    if not 2 < variance < most:
        raise ValueError(f"no noise of at most {most} has a variance of {variance:g} for every count")
    noise = np.array([e for e in range(-min(count, most), most + 1) if count + e not in FORBIDDEN])
    powers = np.vstack([noise / most, (noise / most) ** 2])
    wanted = np.array([0.0, variance / most**2])
    ab = np.zeros(2)
    p = _weights(ab, powers)
    for _ in range(STEPS):  # Newton on the convex dual; half steps until it descends
        off = powers @ p - wanted
        if np.abs(off).max() < 1e-13:
            return noise, p
        spread = (powers * p) @ powers.T - np.outer(powers @ p, powers @ p)
        step, scale = np.linalg.solve(spread, off), 1.0
        while scale > 1e-9 and _dual(ab - scale * step, powers, wanted) > _dual(ab, powers, wanted) + 1e-12:
            scale /= 2
        ab = ab - scale * step
        p = _weights(ab, powers)
    if np.abs(powers @ p - wanted).max() > 1e-10:
        raise ValueError(f"no noise of at most {most} with a variance of {variance:g} was found for a count of {count}")
    return noise, p


def _weights(ab: NDArray[np.float64], powers: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = ab @ powers
    raw = np.exp(logs - logs.max())
    return raw / raw.sum()


def _dual(ab: NDArray[np.float64], powers: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    logs = ab @ powers
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).sum())) - float(ab @ wanted)


def _spread(noise: NDArray[np.int64], p: NDArray[np.float64], keys: int) -> Noise:
    """So many keys for each noise that the mean over all keys is exactly 0."""
    share = p * keys
    each = np.floor(share).astype(np.int64)
    for place in np.argsort(each - share)[: keys - each.sum()]:
        each[place] += 1
    neighbours = [i for i in range(len(noise) - 1) if noise[i + 1] == noise[i] + 1]
    pair = max(neighbours, key=lambda i: min(each[i], each[i + 1]))
    too_much = int(each @ noise)
    each[pair] += too_much
    each[pair + 1] -= too_much
    return np.repeat(noise, each).astype(np.int8)
