"""l-diversity with t-closeness: how varied the sensitive answers of each class are, how far from those of everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.export.protect.request import Closeness, Diversity, Sensitive

Floats = NDArray[np.float64]
Histograms = NDArray[np.integer[Any]]
"""Rows per class and answer. Shape (classes, answers)."""

ROUNDING = 1e-9


def histograms(classes: NDArray[np.int64], count: int, answer: Sensitive) -> Histograms:
    """`classes`: of each row, from 0 below `count`. Each answer's counts lie side by side, since what follows goes answer by answer."""
    cells = answer.codes * np.int64(count)
    cells += classes
    return np.bincount(cells, minlength=count * answer.size).reshape(answer.size, count).T.astype(np.int32)


def shares(answer: Sensitive) -> Floats:
    """The share of each answer among everybody."""
    if answer.everybody is not None:
        return answer.everybody
    return np.bincount(answer.codes, minlength=answer.size) / len(answer.codes)


def distinct(counts: Histograms) -> NDArray[np.int64]:
    """How many different answers each class has."""
    return (counts > 0).sum(axis=1)


def entropy(counts: Histograms) -> Floats:
    """The exponential of the entropy: as many answers as would be equally frequent."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.exp(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1))


def recursive(counts: Histograms, c: float) -> NDArray[np.int64]:
    """The greatest l for which a class is recursively (c, l)-diverse; 0 where it is for none."""
    falling = -np.sort(-counts, axis=1)
    rest = np.cumsum(falling[:, ::-1], axis=1)[:, ::-1]
    return (falling[:, :1] < c * rest).sum(axis=1)


def distance(counts: Histograms, of_all: Floats, ordered: bool) -> Floats:
    """Earth mover's distance of each class from the shares of everybody: equal ground distance, or by rank. Between 0 and 1."""
    apart = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) - of_all
    if not ordered:
        return np.abs(apart).sum(axis=1) / 2
    return np.abs(np.cumsum(apart, axis=1)).sum(axis=1) / max(apart.shape[1] - 1, 1)


def telling(counts: Histograms, harmless: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which classes have an answer that is not harmless."""
    return counts[:, list(harmless)].sum(axis=1) < counts.sum(axis=1)


def diverse(counts: Histograms, required: Diversity, harmless: tuple[int, ...] = ()) -> NDArray[np.bool_]:
    """Whether each class is as varied as wanted, or has harmless answers only."""
    return ~telling(counts, harmless) | _varied(counts, required)


def _varied(counts: Histograms, required: Diversity) -> NDArray[np.bool_]:
    match required.kind:
        case "distinct":
            return distinct(counts) >= required.l
        case "entropy":
            return entropy(counts) >= required.l - ROUNDING
        case "recursive":
            return recursive(counts, required.c) >= required.l


def close(counts: Histograms, required: Closeness, of_all: Floats) -> NDArray[np.bool_]:
    return distance(counts, of_all, required.ordered) <= required.t + ROUNDING
