"""An attack beside the guarantee: how large an epsilon somebody *shows* who knows everything but one person. Run:
python -m tests.attacks.guarantee

Many surveys are published with this person and without; from all editions of each the attacker guesses which. Where he is right with a
rate of at least t and wrong with one of at most f, no mechanism with an epsilon below log((t - delta) / f) has that delta: a lower bound
for the true one (M. Jagielski, J. Ullman, A. Oprea, Auditing differentially private machine learning, NeurIPS 2020), here with the ends
of intervals of 95 % (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934). The threshold is chosen on one half of the surveys and used on
the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from services.analysis.disclosure.accountant import Guarantee
from services.analysis.disclosure.noise import Noise, NoisePart
from services.analysis.disclosure.parameters import EDITIONS, Parameters
from services.analysis.disclosure.projection import Whole
from services.analysis.disclosure.publication import Blocks, Publication

Numbers = NDArray[np.float64]
DELTA = 1e-6
HISTOGRAMS = 8


@dataclass(frozen=True)
class Careless(Guarantee):
    """A deliberately wrong build: the standard deviation of its noise is divided by this."""

    by: int = 2

    @cached_property
    def variance(self) -> Fraction:
        return self.histograms * self.editions / (2 * self.rho) / self.by**2


def shown(with_: Numbers, without: Numbers, delta: float = DELTA) -> float:
    """The largest epsilon that these scores rule out; larger scores speak for the person."""
    chosen, used = ([each[place::2] for each in (with_, without)] for place in (0, 1))
    tries = np.quantile(np.concatenate(chosen), np.linspace(0.001, 0.99999, 400))
    best = max(tries, key=lambda threshold: _bound(chosen, threshold, delta))
    return _bound(used, best, delta)


def _bound(scores: Sequence[Numbers], threshold: float, delta: float) -> float:
    """The lower end of the rate of the right above the threshold, the upper end of that of the wrong."""
    (right, wrong), n = (int((each > threshold).sum()) for each in scores), len(scores[0])
    low = float(beta.ppf(0.025, right, n - right + 1)) if right else 0.0
    high = float(beta.ppf(0.975, wrong + 1, n - wrong)) if wrong < n else 1.0
    return math.log((low - delta) / high) if low > delta else -math.inf


def counts_attacked(guarantee: Guarantee, surveys: int, seed: int = 1) -> float:
    """The epsilon shown by all noisy counts of the person's cells, before anything is moved, clipped or rounded: nothing that is made of
    them can tell more. The likelihood ratio grows with their sum."""
    noise, scores = Noise(b"%032d" % seed, "attacked"), list[Numbers]()
    for person in (1, 0):
        total = np.zeros(surveys)
        for edition in range(1, guarantee.editions + 1):
            names = np.arange(guarantee.histograms * surveys, dtype=np.uint64) + np.uint64(person * 2**40)
            drawn = noise.guaranteed(NoisePart.GUARANTEED, edition, guarantee.variance, names)
            total += drawn.reshape(surveys, guarantee.histograms).sum(axis=1) + person * guarantee.histograms
        scores.append(total)
    with_, without = scores
    return shown(with_, without)


def survey_attacked(guarantee: Guarantee, surveys: int, seed: int = 1) -> float:
    """The epsilon shown by what is published, of somebody whose answers are one thing or another: single counts and the breakdowns of all
    editions, moved, clipped and rounded. The attacker adds up what speaks for the one and takes off what speaks for the other."""
    sizes, n = (4, 3, 4, 5), 2_000
    stratum, questions = 0, range(1, len(sizes))
    pairs = [(stratum, question) for question in questions]
    draw = np.random.default_rng(seed)
    people = [draw.integers(0, size, n) for size in sizes]
    names = np.arange(sum(sizes), dtype=np.uint64)
    blocks = Blocks(names, np.array(sizes), np.arange(len(sizes)) == stratum, even=True)
    assert guarantee.histograms == len(sizes) + len(pairs)
    worlds = [_counted(people, sizes, pairs, answer) for answer in (1, 0)]
    scores = np.zeros((2, surveys))
    for number in range(surveys):
        for world, (singles, tables) in enumerate(worlds):
            noise = Noise(b"%016d%016d" % (seed * 2 + world, number), "attacked")
            engine = Publication(blocks, Parameters(guarantee=guarantee), noise)
            for edition in range(1, guarantee.editions + 1):
                told = engine.singles(edition, singles)
                crossed = engine.tables(edition, pairs, tables, told)
                scores[world, number] += sum(int(told[start + 1] - told[start]) for start in blocks.starts)
                scores[world, number] += sum(int(table[1, 1] - table[0, 0]) for table in crossed)
    with_, without = scores
    return shown(with_, without)


def _counted(
    people: list[NDArray[np.int64]], sizes: tuple[int, ...], pairs: list[tuple[int, int]], answer: int
) -> tuple[Whole, list[Whole]]:
    """Exact counts where the first person gives this answer to everything."""
    hot = [np.eye(size, dtype=np.int64)[np.concatenate([[answer], each[1:]])] for size, each in zip(sizes, people, strict=True)]
    return np.concatenate([each.sum(axis=0) for each in hot]), [hot[one].T @ hot[other] for one, other in pairs]


def guarantee_of(epsilon: float, histograms: int = HISTOGRAMS) -> Guarantee:
    return Guarantee(epsilon, DELTA, EDITIONS, histograms)


def careless(guarantee: Guarantee, by: int = 2) -> Careless:
    return Careless(guarantee.epsilon, guarantee.delta, guarantee.editions, guarantee.histograms, by)


def main() -> None:
    print("| epsilon promised | shown | with half of the noise |")
    print("|---|---|---|")
    for epsilon in (1.0, 2.0, 4.0, 8.0):
        guarantee = guarantee_of(epsilon)
        told = [counts_attacked(each, 400_000) for each in (guarantee, careless(guarantee))]
        print(f"| {epsilon:g} | {told[0]:.2f} | {told[1]:.2f} |", flush=True)
    guarantee = guarantee_of(2.0, 7)
    told = [survey_attacked(each, 1_500) for each in (guarantee, careless(guarantee, 4))]
    print(f"published figures, {guarantee.of_other_answers:.2f} between two answers: {told[0]:.2f}, a quarter of the noise {told[1]:.2f}")


if __name__ == "__main__":
    main()
