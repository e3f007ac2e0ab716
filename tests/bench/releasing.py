"""How long a new public state takes, noise included, and any two-way table of it, few or many respondents: processor time."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import AnyQuestion, Instrument
from services.analysis.disclosure import public_tables
from services.analysis.disclosure.editions import Due, Marks
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.published_state import PublishedState, next_edition
from services.analysis.state.fold import Folder
from tests.bench.report import Figure
from tests.bench.servers import bodies
from tests.builders.bundled import questionnaire

COLUMNS = 600
TARGET_RELEASE, TARGET_TABLE = 0.150, 0.005
PAIR = ("A04", "A05")


def measure(folder: Path, quick: bool) -> list[Figure]:
    whole = Reader(questionnaire())
    read = [whole.read(body, "2026-11-22") for body in bodies(400, folder).read_bytes().splitlines()]
    answers = [found.answers for found in read if not isinstance(found, list)]
    book = CodeBook(Reader(_shorter(questionnaire())))
    counted, noise = Folder(book), Noise(b"k" * 32, "bench")
    state = counted.empty()
    counted.fold(state, [(f"{number:032x}", one) for number, one in enumerate(answers)])
    figures: list[Figure] = []
    for times in (max(1_000 // len(answers), 1), 1_000_000 // len(answers)):
        many = counted.empty()
        many.burt, many.products = state.burt * times, state.products * times
        before: PublishedState | None = None
        releases: list[float] = []
        looks: list[float] = []
        for revision in range(1, 4 if quick else 10):
            begun = time.thread_time()
            marks = before.marks if before else Marks()
            before = next_edition(counted, many, before, marks, Due(True, True), noise, revision, 0.0, "now")
            msgspec.json.encode(before.public)
            releases.append(time.thread_time() - begun)
            begun = time.thread_time()
            msgspec.json.encode(public_tables.public(before, *PAIR))
            looks.append(time.thread_time() - begun)
        said = f"{len(book)} columns, {int(np.max(many.burt)):,} respondents"
        figures.append(
            Figure("Publishing", f"release of {many.responses:,}, noise included", median(releases), "s", TARGET_RELEASE, "less", said)
        )
        figures.append(Figure("Publishing", f"a two-way table of {many.responses:,}", median(looks), "s", TARGET_TABLE, "less", said))
    return figures


def _shorter(whole: Instrument) -> Instrument:
    """The questionnaire without its last questions, so that about so many columns are left."""
    kept = list(whole.questions)
    while len(CodeBook(Reader(_of(whole, kept)))) > COLUMNS:
        kept.pop()
    return _of(whole, kept)


def _of(whole: Instrument, kept: list[AnyQuestion]) -> Instrument:
    ids = {question.id for question in kept}
    derived = tuple(item for item in whole.derived if item.rule.q in ids)
    strata = tuple(name for name in whole.strata if "." in name or name in {item.id for item in derived})
    return msgspec.structs.replace(whole, questions=tuple(kept), derived=derived, strata=strata)
