"""k-map: how many units of a public list share the values that a class would be released with (Sweeney 2002).

An attacker who holds the list finds the respondent among so many, however few of them answered. Assumes that the list is
complete for the values it tells; what it does not tell counts for nothing, which errs on the safe side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.export.protect.hierarchy import Ladder
from services.export.protect.request import Frame


def population(frame: Frame, ladders: list[Ladder], nodes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Units of the frame behind each class. `nodes[i]`: the released node of the frame's variable i, per class."""
    distinct, of_class = np.unique(np.stack(nodes), axis=1, return_inverse=True)
    inside = np.ones((distinct.shape[1], len(frame.counts)), dtype=bool)
    for variable, released, codes in zip(frame.variables, distinct, frame.codes.T, strict=True):
        ladder = ladders[variable]
        untold = np.arange(len(ladder.nodes)) == len(ladder.nodes) - 1  # "*" alone stands for what the list does not tell
        known = np.column_stack([ladder.holds, untold])
        inside &= known[released][:, codes]
    return (inside @ frame.counts)[of_class.ravel()]


def climb(frame: Frame, ladders: list[Ladder], nodes: list[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    """The nodes of all variables per class, those of the frame made wider, step by step and the cheapest first, until it holds.

    Also how many classes that took. Assumes that the whole frame has enough units.
    """
    nodes, touched = list(nodes), np.zeros(len(nodes[0]), dtype=bool)
    while True:
        short = np.flatnonzero(population(frame, ladders, [nodes[v] for v in frame.variables]) < frame.least)
        if not len(short):
            return nodes, int(touched.sum())
        touched[short] = True
        wider = [ladders[v].parents[nodes[v][short]] for v in frame.variables]
        dearer = np.stack([ladders[v].costs[up] - ladders[v].costs[nodes[v][short]] for v, up in zip(frame.variables, wider, strict=True)])
        dearer[np.stack([up == nodes[v][short] for v, up in zip(frame.variables, wider, strict=True)])] = np.inf
        chosen = dearer.argmin(axis=0)
        for i, (v, up) in enumerate(zip(frame.variables, wider, strict=True)):
            nodes[v] = nodes[v].copy()
            nodes[v][short[chosen == i]] = up[chosen == i]
