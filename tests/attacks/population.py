"""Made-up people who answer alike in a few ways, written as rows of zeros and ones: one block of columns for each question.

People belong to latent classes, and within a class they answer each question independently (Lazarsfeld and Henry, Latent structure
analysis, 1968). "Skipped" is an option of each question like any other. The last blocks are strata, which nobody skips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FLOOR = 1e-9
CLASSES = 4
SKIPPERS = 0.3
"""So many questions are left out by a third to a half of the people; the others by at most a tenth."""


@dataclass(frozen=True)
class Blocks:
    """How columns belong to questions and strata."""

    sizes: Ints
    """How many options each block has, its last one "skipped"."""
    strata: int
    """So many of the last blocks are strata."""

    @cached_property
    def starts(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def width(self) -> int:
        return int(self.sizes.sum())

    @cached_property
    def of(self) -> Ints:
        """The block of each column. Shape (width,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def members(self) -> Floats:
        """Which columns are of which block. Shape (width, blocks)."""
        return np.eye(len(self.sizes))[self.of]

    @property
    def questions(self) -> int:
        return len(self.sizes) - self.strata

    @cached_property
    def skipped(self) -> Ints:
        """The column of "skipped" of each block."""
        return self.starts + self.sizes - 1

    @cached_property
    def _slices(self) -> list[slice]:
        return [slice(int(start), int(start + size)) for start, size in zip(self.starts, self.sizes, strict=True)]

    def columns(self, block: int) -> slice:
        return self._slices[block]

    def rows(self, answers: Ints) -> NDArray[np.float32]:
        """Answers by block, shape (people, blocks), as zeros and ones, shape (people, width)."""
        found = np.zeros((len(answers), self.width), np.float32)
        found[np.arange(len(answers))[:, None], self.starts + answers] = 1
        return found


class Population:
    """The law by which people answer. The attacker knows it."""

    def __init__(self, draw: np.random.Generator, questions: int = 57, strata: tuple[int, ...] = (4, 6, 8)) -> None:
        sizes = np.concatenate([draw.integers(2, 9, questions), np.array(strata, np.int64)])
        self.blocks = Blocks(sizes + 1, len(strata))
        self.weights = draw.dirichlet(np.full(CLASSES, 5.0))
        found: list[Floats] = []
        for place, size in enumerate(sizes):
            usual = draw.dirichlet(np.full(size, 1.2))
            left_out = draw.uniform(0.33, 0.5) if draw.random() < SKIPPERS else draw.uniform(0.01, 0.1)
            skip = left_out if place < questions else 0.0
            each = [np.append(draw.dirichlet(usual * 6 + 0.05) * (1 - skip), skip) for _ in range(CLASSES)]
            found.append(np.maximum(each, FLOOR).T)
        self.given = np.concatenate(found)
        """How probable each option is in each class. Shape (width, classes)."""
        self.margin = self.given @ self.weights

    def answers(self, draw: np.random.Generator, people: int) -> Ints:
        """Shape (people, blocks)."""
        classes = draw.choice(CLASSES, people, p=self.weights)
        found = np.empty((people, len(self.blocks.sizes)), np.int64)
        for block in range(found.shape[1]):
            heights = np.cumsum(self.given[self.blocks.columns(block)].T[classes], axis=1)
            found[:, block] = (draw.random(people)[:, None] * heights[:, -1:] > heights[:, :-1]).sum(axis=1)
        return found

    def people(self, draw: np.random.Generator, people: int) -> NDArray[np.float32]:
        return self.blocks.rows(self.answers(draw, people))

    def evenly(self, draw: np.random.Generator, people: int) -> Ints:
        """Answers spread evenly over all options, to fill rows and columns. Shape (people, blocks)."""
        return (draw.random((people, len(self.blocks.sizes))) * self.blocks.sizes).astype(np.int64)
