"""A new version counts anew: whatever changes over stored answers, the live figures equal a recount, and nobody who left stays."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Instrument
from services.analysis.publish import exact_view
from services.analysis.records import StoredResponse
from services.analysis.recount.recount import Tally, compare
from services.analysis.state.fold import Folder
from services.analysis.state.state import State
from tests.builders import small_survey, versions


class Counting:
    """One survey as a worker counts it: answers stored with their version, and a state that follows."""

    def __init__(self, survey: Instrument) -> None:
        self.versions: dict[str, Instrument] = {}
        self.readers: dict[str, Reader] = {}
        self.stored: dict[str, StoredResponse] = {}
        self.rebuilt = 0
        self.publish(survey)

    @property
    def instrument(self) -> Instrument:
        return self.folder.codebook.instrument

    def publish(self, survey: Instrument) -> None:
        self.versions[survey.version] = survey
        self.readers[survey.version] = Reader(survey)
        folder = Folder(CodeBook(self.readers[survey.version]))
        if not hasattr(self, "folder") or folder.codebook.digest != self.folder.codebook.digest:
            self.folder = folder
            self.rebuild()
        self.folder = folder

    def rebuild(self) -> None:
        self.rebuilt += 1
        self.state = self.folder.empty()
        self._fold(list(self.stored.values()), 1)

    def restart(self) -> None:
        """From a checkpoint."""
        digest = self.folder.codebook.digest
        self.state = State.load(self.state.dump(digest), digest)

    def answer(self, version: str, draw: Random) -> None:
        id = hashlib.sha256(b"%d" % len(self.stored)).hexdigest()[:32] if len(self.stored) else "0" * 32
        while id in self.stored:
            id = hashlib.sha256(id.encode()).hexdigest()[:32]
        self.stored[id] = StoredResponse(id, version, versions.answered(self.readers[version], draw).decode())
        self._fold([self.stored[id]], 1)

    def withdraw(self, id: str) -> None:
        self._fold([self.stored.pop(id)], -1)

    def differences(self) -> Any:
        tally = Tally(self.instrument, lambda _, version: self.versions.get(version))
        tally.add(list(self.stored.values()))
        live = exact_view.snapshot(self.folder.codebook, self.state, revision=0, as_of="")
        return compare(live, tally)[1]

    def _fold(self, responses: list[StoredResponse], sign: int) -> None:
        answered = [(one.id, self.readers[one.version].stored(one.answers)) for one in responses]
        self.folder.fold(self.state, answered, sign)


OPERATIONS = st.lists(
    st.sampled_from(["publish", "publish", "texts", "answer", "answer", "answer", "answer late", "withdraw", "restart"]), max_size=14
)


@pytest.mark.slow
@settings(max_examples=60)
@given(OPERATIONS, st.integers(0, 2**32))
def test_whatever_versions_come_live_equals_recount_and_all_counts_are_zero_once_everybody_has_withdrawn(
    program: list[str], seed: int
) -> None:
    draw = Random(seed)
    counting = Counting(small_survey.survey())
    for _ in range(6):
        counting.answer("1.0.0", draw)
    for number, operation in enumerate(program, 1):
        match operation:
            case "publish":
                counting.publish(versions.edited(counting.instrument, draw, f"1.{number}.0"))
            case "texts":
                before = counting.rebuilt
                counting.publish(versions.retold(counting.instrument, f"1.{number}.0"))
                assert counting.rebuilt == before, "other words count nobody anew"
            case "answer":
                counting.answer(counting.instrument.version, draw)
            case "answer late":
                counting.answer(draw.choice(list(counting.versions)), draw)
            case "withdraw" if counting.stored:
                counting.withdraw(draw.choice(list(counting.stored)))
            case _:
                counting.restart()
        assert counting.differences() == []
    for id in list(counting.stored):
        counting.withdraw(id)
    assert counting.state == counting.folder.empty()
