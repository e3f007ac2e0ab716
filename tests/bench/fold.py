"""How fast decoded answers are folded into the matrix of counts, with the code book of Action 3."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from statistics import median

import numpy as np

from proto.answers import Reader
from proto.codebook import CodeBook
from services.analysis.state.fold import Folder
from tests.bench.report import Figure
from tests.bench.servers import bodies
from tests.builders.bundled import questionnaire

TARGET = 25_000


def measure(folder: Path, quick: bool) -> list[Figure]:
    reader = Reader(questionnaire())
    book = CodeBook(reader)
    read = [reader.read(body, "2026-11-22") for body in bodies(2000, folder).read_bytes().splitlines()]
    answers = [found.answers for found in read if not isinstance(found, list)]
    responses = [(secrets.token_hex(16), answers[i % len(answers)]) for i in range(4000 if quick else 20_000)]
    folder_ = Folder(book)
    rates: list[float] = []
    bare: list[float] = []
    for _ in range(3 if quick else 5):
        bare.append(_products(len(book), len(responses)))
        state = folder_.empty()
        begun = time.perf_counter()
        for start in range(0, len(responses), 1000):  # as the worker has them
            folder_.fold(state, responses[start : start + 1000])
        rates.append(len(responses) / (time.perf_counter() - begun))
        assert state.responses == len(responses)
    measured = f"{len(book)} columns, from decoded answers"
    beside = f"the product alone {median(bare):,.0f}/s"
    return [Figure("Counting", "fold", median(rates), "responses/s", TARGET, "more", measured, beside)]


def _products(columns: int, count: int) -> float:
    """What the matrix product alone would allow: random rows of the same shape, added up in the same way."""
    x = (np.random.default_rng(1).random((256, columns)) < 0.1).astype(np.float32)
    burt = np.zeros((columns, columns))
    begun = time.perf_counter()
    for _ in range(max(count // 256, 1)):
        burt += x.T @ x
    return max(count // 256, 1) * 256 / (time.perf_counter() - begun)
