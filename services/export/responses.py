"""Reads the responses to a survey into one table of codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
import pandas as pd

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.export import threads
from services.export.dataset.variables import Encoder, Variable
from services.export.gate.ledger import LedgerKeys, People
from services.export.gate.truth import Witness
from services.export.store import Responses, StoredResponse
from services.export.texts import review
from services.export.texts.accepted import Gathered, GivenText


async def read_responses(
    responses: Responses,
    instrument: Instrument,
    version: Callable[[str], Instrument],
    columns: list[Variable],
    keys: LedgerKeys,
    gathered: Gathered | None,
    progress: Callable[[int], None],
) -> tuple[pd.DataFrame, People]:
    """The codes of every response, a column per variable, with the keyed hash of each response's id.

    Reads one batch at a time, so that the answers themselves are never all in memory. `version`: returns an earlier version of the
    instrument. `gathered`: takes the free texts; None where nobody wants them. `progress`: called with the number of responses read so far.
    Raises what the cursor raises, gate.truth.Untrue where a code is not what was answered; either way no thread is left running.
    """
    table = _Coded(instrument, version, columns, keys, gathered)
    count, adding = 0, None
    try:
        async for batch in responses.batches:
            if adding is not None:
                await threads.finish(adding)
            adding = threads.start(table.add, batch)  # while the database makes the next
            count += len(batch)
            progress(count)
        if adding is not None:
            await threads.finish(adding)
    finally:
        if adding is not None:
            await threads.settle(adding)
    return await threads.run(table.finished)


class _Coded:
    """The table of codes while it grows."""

    def __init__(
        self,
        instrument: Instrument,
        version: Callable[[str], Instrument],
        columns: list[Variable],
        keys: LedgerKeys,
        gathered: Gathered | None,
    ) -> None:
        self._instrument, self._version, self._keys, self._gathered = instrument, version, keys, gathered
        self._readers = {instrument.version: Reader(instrument)}
        # Answers to this version are read as they are, those to others are converted.
        self._encoder = Encoder(CodeBook(self._readers[instrument.version]), columns)
        self._witness = Witness(instrument, columns)
        self._people: list[People] = []

    def add(self, batch: Sequence[StoredResponse]) -> None:
        for version, group in groupby(sorted(batch, key=itemgetter(0)), key=itemgetter(0)):
            if version not in self._readers:
                self._readers[version] = Reader(self._version(version))
            members = list(group)
            answers = [self._readers[version].stored(text) for _, text, _, _ in members]
            codes = self._encoder.add(answers)
            if version == self._instrument.version:
                self._witness.judge(answers, codes)
            self._people.append(self._keys.people([id for _, _, id, _ in members]))
            if self._gathered is not None:
                questions = sorted(review.asked_in(self._instrument, self._version(version)))
                for (_, _, id, language), given in zip(members, answers, strict=True):
                    for question in questions:
                        self._gathered.add(GivenText(id, question, language, getattr(given, question) or ""))

    def finished(self) -> tuple[pd.DataFrame, People]:
        return self._encoder.table(), np.concatenate(self._people) if self._people else self._keys.people([])
