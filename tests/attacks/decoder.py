"""Reads one person's answers from what their coming changed in single counts and in all tables of two answers.

The difference that a person x makes in all tables is x xᵀ, so every table speaks of every answer, and a decoder that takes all of them
together reads what none of them tells. The search is approximate message passing: what an answer would add to itself by way of the
others is taken off (Bayati and Montanari, The dynamics of message passing on dense graphs, IEEE Transactions on Information Theory
57, 2011). It finds the nearest solution only, so it starts from the margins and along the first eigenvectors of the difference; started
half at the truth, it shows what a perfect search could find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from tests.attacks.population import Blocks, Floats, Population

ROUNDS = 30
TRUSTS = (1.0, 2.0, 4.0)
"""The attacker tries to take tables for so much noisier than they are; the best counts."""
SURE = 50.0
EIGENVECTORS = 2


@dataclass(frozen=True)
class Seen:
    """What is known of the difference that one person made."""

    field: Floats
    """From single counts: the log-likelihood of each option, up to a constant for each block. Shape (width,)."""
    difference: Floats | None
    """From tables. Shape (width, width); None where no table moved both before and after."""
    precision: Floats
    """The inverse variance of each; 0 where nothing is known. Shape (width, width)."""
    left: Floats
    """How much of each option is left once tables add up to their margins: the squared length of its projection. Shape (width,)."""


def step(noise: Floats, turn: int) -> tuple[Floats, float]:
    """How to weigh editions to estimate what changed at `turn`, the level unknown, and the variance of that (generalised least squares)."""
    design = np.column_stack([np.ones(len(noise)), np.arange(len(noise)) >= turn])
    inverse = np.linalg.inv(noise)
    spread = np.linalg.inv(design.T @ inverse @ design)
    return (spread @ design.T @ inverse)[1], float(spread[1, 1])


def best_turn(noise: Floats) -> int:
    """Between which editions a person must come to be read best."""
    return min(range(1, len(noise)), key=lambda turn: step(noise, turn)[1])


def shares(blocks: Blocks, singles: Floats) -> Floats:
    """Of each option within its block."""
    counts = np.maximum(singles, 0.5)
    return counts / (counts @ blocks.members)[blocks.of]


def centred(blocks: Blocks, counts: Floats, share: Floats) -> Floats:
    """What is left of counts of two answers once all that its row and column add up to is taken off in proportion to the shares."""
    members = blocks.members
    rows = counts - share[:, None] * (members.T @ counts)[blocks.of]
    return rows - (rows @ members)[:, blocks.of] * share


def undone(blocks: Blocks, share: Floats) -> tuple[Floats, Floats]:
    """The matrix that makes noise white again after `centred`, and how much of each option is then left."""
    found, left = np.zeros((blocks.width, blocks.width)), np.zeros(blocks.width)
    for block in range(len(blocks.sizes)):
        at = blocks.columns(block)
        found[at, at] = np.linalg.pinv(np.eye(at.stop - at.start) - share[at][:, None])
        left[at] = 1 - share[at] ** 2 / (share[at] @ share[at])
    return found, left


def starts(population: Population, seen: Seen) -> Floats:
    """Where a search begins: the margins, and along the eigenvectors of the difference with the largest values, either way.
    Shape (starts, width)."""
    blocks = population.blocks
    found = [population.margin]
    if seen.difference is not None:
        weighed = seen.difference * seen.precision / seen.precision.max()
        top = [blocks.width - EIGENVECTORS, blocks.width - 1]
        for vector in eigh((weighed + weighed.T) / 2, subset_by_index=top)[1].T:
            for way in (-1, 1):
                leaning = np.maximum(population.margin + way * 0.7 * np.sqrt(len(blocks.sizes)) * vector, 0.01)
                found.append(leaning / (leaning @ blocks.members)[blocks.of])
    return np.array(found)


def read(population: Population, seen: Seen, known: dict[int, int], trusts: Floats, begins: Floats) -> tuple[Floats, Floats]:
    """Searches side by side, each from its own start and with its own trust, shapes (searches, width) and (searches,): how probable each
    option is, shape (searches, width), and the log-likelihood of the likeliest answers, shape (searches,). `known`: answers that
    the attacker has, by block."""
    blocks = population.blocks
    field = seen.field.copy()
    for block, answer in known.items():
        field[blocks.columns(block)] -= SURE
        field[blocks.starts[block] + answer] += SURE
    if seen.difference is None:
        return _answers(population, field + np.zeros_like(begins)), np.zeros(len(begins))
    pulls = seen.difference * seen.precision
    crossed = seen.precision * np.outer(seen.left, seen.left)
    doubt = trusts[:, None]
    belief, former, reaction = begins, np.zeros_like(begins), np.zeros_like(begins)
    for _ in range(ROUNDS):
        heard = field + (belief @ (pulls - crossed / 2) - reaction * former) / doubt
        heard = np.clip(heard - np.maximum.reduceat(heard, blocks.starts, axis=1)[:, blocks.of], -60, 0)
        former, belief = belief, (belief + _answers(population, heard)) / 2
        reaction = (belief * (1 - belief)) @ crossed / doubt
    return belief, np.array([_likelihood(population, field, pulls - crossed / 2, *one) for one in zip(belief, trusts, strict=True)])


def _likelihood(population: Population, field: Floats, pairs: Floats, belief: Floats, trust: float) -> float:
    blocks = population.blocks
    at = np.array([first + belief[first : first + size].argmax() for first, size in zip(blocks.starts, blocks.sizes, strict=True)])
    law = np.logaddexp.reduce(np.log(population.weights) + np.log(population.given[at]).sum(axis=0))
    return float(field[at].sum() + law + pairs[np.ix_(at, at)].sum() / (2 * trust))


def _answers(population: Population, heard: Floats) -> Floats:
    """How probable each option is in the latent class model, given what was heard of each. Both of shape (searches, width)."""
    blocks = population.blocks
    each = np.exp(heard)[:, :, None] * population.given
    sums = np.maximum(np.add.reduceat(each, blocks.starts, axis=1), 1e-300)
    classes = np.log(sums).sum(axis=1) + np.log(population.weights)
    classes = np.exp(classes - classes.max(axis=1, keepdims=True))
    classes /= classes.sum(axis=1, keepdims=True)
    return np.einsum("swc,sc->sw", each / sums[:, blocks.of], classes)


def likeliest(population: Population, seen: Seen, known: dict[int, int], begins: Floats) -> dict[float, Floats]:
    """For each trust the best of several starts."""
    trusts = np.repeat(TRUSTS, len(begins))
    beliefs, told = read(population, seen, known, trusts, np.tile(begins, (len(TRUSTS), 1)))
    best = [place * len(begins) + int(told[trusts == trust].argmax()) for place, trust in enumerate(TRUSTS)]
    return {trust: beliefs[place] for trust, place in zip(TRUSTS, best, strict=True)}
