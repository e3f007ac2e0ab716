"""The made-up people of the simulations as respondents of a survey, of whom an edition is published.

Each block of answers is a single choice that may be left open; strata are single choices that must be answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from proto import instrument as i
from proto.instrument import Instrument
from proto.snapshot import Cell, Snapshot, Table
from tests.attacks.population import Blocks, Floats, Ints

ROUNDS = 12
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Pair = tuple[int, int]


def name(block: int) -> str:
    return f"Q{block}"


def codes(blocks: Blocks, block: int) -> list[str]:
    """Of the options, without "skipped"."""
    return [f"o{place}" for place in range(int(blocks.sizes[block]) - 1)]


def questionnaire(id: str, blocks: Blocks, policy: i.Policy) -> Instrument:
    """One question for each block. Its strata are the answers themselves."""

    def question(block: int) -> i.Single:
        stratum = block >= blocks.questions
        role = i.Privacy("quasi_identifier", hierarchy=f"h{block}") if stratum else i.Privacy("insensitive")
        return i.Single(
            id=name(block),
            var=name(block).lower(),
            section="S",
            text={"en": f"Question {block}"},
            privacy=role,
            required=stratum,
            stats=("count", "share"),
            options=tuple(i.Option(code, {"en": code}) for code in codes(blocks, block)),
        )

    strata = range(blocks.questions, len(blocks.sizes))
    return Instrument(
        id=id,
        version="1.0.0",
        source_language="en",
        languages=("en",),
        title={"en": "A survey under attack"},
        sections=(i.Section("S", {"en": "Section"}),),
        questions=tuple(question(block) for block in range(len(blocks.sizes))),
        strata=tuple(f"{name(block).lower()}.group" for block in strata),
        hierarchies={
            f"h{block}": i.Hierarchy((name(block).lower(), "group", "*"), table={code: (code,) for code in codes(blocks, block)})
            for block in strata
        },
        policy=policy,
    )


def body(blocks: Blocks, answers: Ints) -> bytes:
    """The body of a request with somebody's answers. Shape (blocks,)."""
    given = {name(block): f"o{answer}" for block, answer in enumerate(answers) if answer < blocks.sizes[block] - 1}
    return msgspec.json.encode({"answers": given, "language": "en", "version": "1.0.0", "consent": True})


def singles(blocks: Blocks, shown: Snapshot) -> Floats:
    """Published counts of each option, and of who left the question out: the rest. NaN where they are withheld. Shape (width,)."""
    found = np.full(blocks.width, np.nan)
    for block in range(len(blocks.sizes)):
        counts = _counts(shown.questions[name(block)].cells, codes(blocks, block))
        found[blocks.columns(block)] = np.append(counts, shown.responses - counts.sum())
    return found


def margins(blocks: Blocks, found: Mapping[Pair, Table]) -> Floats:
    """Single counts of the edition that tables came with: what their rows and columns add up to. Shape (width,)."""
    counts = np.full(blocks.width, np.nan)
    for (one, other), table in found.items():
        for block, side in ((one, table.rows), (other, table.columns)):
            options = _counts(side, codes(blocks, block))
            counts[blocks.columns(block)] = np.append(options, table.responses - options.sum())
    return counts


def tables(blocks: Blocks, found: Mapping[Pair, Table]) -> tuple[Floats, Mask]:
    """Counts of two answers, shape (width, width), and which of them are known for certain from the tables of pairs of blocks.

    A table shows its cells, and its rows and columns alone: who left a question out is the rest. Withheld cells that do not follow from
    that are estimated, in proportion to what is missing in their rows and columns.
    """
    counts, known = np.full((blocks.width, blocks.width), np.nan), np.zeros((blocks.width, blocks.width), np.bool_)
    for (one, other), table in found.items():
        at, to = blocks.columns(one), blocks.columns(other)
        counts[at, to], known[at, to] = _filled(*_parts(blocks, table, one, other))
        counts[to, at], known[to, at] = counts[at, to].T, known[at, to].T
    return counts, known


def _parts(blocks: Blocks, table: Table, one: int, other: int) -> tuple[Floats, Floats, Floats]:
    """The cells of a table, NaN where unknown, and what its rows and columns add up to."""
    sides = codes(blocks, one), codes(blocks, other)
    cells = np.full((len(sides[0]) + 1, len(sides[1]) + 1), np.nan)
    cells[:-1, :-1] = [_counts(table.cells[code], sides[1]) for code in sides[0]]
    rows, columns = (_counts(each, side) for each, side in zip((table.rows, table.columns), sides, strict=True))
    cells[:-1, -1] = rows - [table.answered.get(code, np.nan) for code in sides[0]]
    return cells, np.append(rows, table.responses - rows.sum()), np.append(columns, table.responses - columns.sum())


def _filled(cells: Floats, rows: Floats, columns: Floats) -> tuple[Floats, Mask]:
    found = _subtracted(cells, rows, columns)
    known = ~np.isnan(found)
    told = np.nan_to_num(found)
    missing_rows, missing_columns = np.maximum(rows - told.sum(axis=1), 0), np.maximum(columns - told.sum(axis=0), 0)
    guess = np.where(known, 0.0, np.outer(rows + 0.5, columns + 0.5))
    for _ in range(ROUNDS):
        guess *= np.divide(missing_rows, sums := guess.sum(axis=1), out=np.zeros(len(rows)), where=sums > 0)[:, None]
        guess *= np.divide(missing_columns, sums := guess.sum(axis=0), out=np.zeros(len(columns)), where=sums > 0)
    return told + guess, known


def _subtracted(cells: Floats, rows: Floats, columns: Floats) -> Floats:
    """With what is the only unknown cell of its row or column worked out, until there is none."""
    found = cells.copy()
    while True:
        before = np.isnan(found).sum()
        for side, sums in ((found, rows), (found.T, columns)):
            unknown = np.isnan(side)
            alone = unknown & (unknown.sum(axis=1, keepdims=True) == 1)
            side[alone] = np.broadcast_to((sums - np.nansum(side, axis=1))[:, None], side.shape)[alone]
        if np.isnan(found).sum() == before:
            return found


def _counts(cells: Mapping[str, Cell], wanted: list[str]) -> Floats:
    return np.array([np.nan if (n := cells[code].n) is None else n for code in wanted], np.float64)
