"""Of two homes that do not belong together any more, the last word on each response wins: the rules against a simulated history."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from deploy.mending.reconcile import Held, JournaledResponse, Plan, Repair, after, count_missing, reconcile
from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, ResponseWithdrawn
from services.analysis.ingest.record_rules import changes_of
from services.analysis.records import ResponseRow

PARTITIONS = 2
IDS = "abcdef"

Journal = dict[int, ResponseEvent]
"""Events by their number."""


def partition_of(id: str) -> int:
    return ord(id) % PARTITIONS


@dataclass
class Store:
    """What analysis has made of the events it read."""

    rows: dict[str, ResponseRow] = field(default_factory=dict[str, ResponseRow])
    positions: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    erasures: set[int] = field(default_factory=set[int])

    def read(self, journal: Journal, until: dict[int, int]) -> None:
        for seq, event in sorted(journal.items()):
            partition = partition_of(event.id)
            if self.positions[partition] < seq <= until[partition]:
                made = changes_of(self.rows, [(seq, event)])
                self.rows |= made.inserted | made.changed
                self.erasures |= made.erased
        for partition, seq in until.items():
            there = [number for number, event in journal.items() if partition_of(event.id) == partition and number <= seq]
            self.positions[partition] = max([self.positions[partition], *there])

    @property
    def highest(self) -> int:
        return max([*self.positions.values(), *(row.seq for row in self.rows.values()), *self.erasures, 0])

    def held(self) -> dict[str, Held]:
        return {id: Held(row.seq, row.withdrawn, partition_of(id)) for id, row in self.rows.items()}

    def word(self, id: str) -> str | None:
        return self.rows[id].answers if id in self.rows else None


def answers(event: ResponseEvent) -> str | None:
    return None if isinstance(event, ResponseWithdrawn) else bytes(event.answers).decode()


def said(journal: Journal, store: Store) -> dict[str, JournaledResponse]:
    found: dict[str, JournaledResponse] = {}
    for seq, event in sorted(journal.items()):
        same = event.id in store.rows and store.word(event.id) == answers(event)
        found[event.id] = after(found.get(event.id), JournaledResponse(seq, type(event), same, partition_of(event.id)))
    return found


def planned(journal: Journal, store: Store) -> Plan:
    return reconcile(said(journal, store), store.held(), store.highest, store.positions)


def replaced(id: str, content: str) -> ResponseReplaced:
    return ResponseReplaced(id, "s", "1", msgspec.Raw(content.encode()), "")


def write(journal: Journal, end: int, id: str, what: str, content: str) -> int:
    """As intake does: one submission, no change after a withdrawal. Returns where the journal ends then."""
    last = max((seq for seq, event in journal.items() if event.id == id), default=0)
    gone = last and isinstance(journal[last], ResponseWithdrawn)
    if what == "submit" and not last:
        journal[end + 1] = ResponseSubmitted(id, "s", "1", msgspec.Raw(content.encode()), "")
    elif what == "replace" and last and not gone:
        journal[end + 1] = replaced(id, content)
    elif what == "withdraw" and last and not gone:
        journal[end + 1] = ResponseWithdrawn(id, "s")
    else:
        return end
    return end + 1


@dataclass
class Case:
    """`journal` is a copy from before `fork`, without what it lost, and with what was written to it since the copy came back."""

    journal: Journal
    end: int
    store: Store
    fork: int
    since: dict[str, ResponseEvent]
    """Of each response the last word written since."""


operations = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(["submit", "replace", "withdraw"])), max_size=14)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    journal: Journal = {}
    end = 0
    number = iter(range(10**6))
    for id, what in draw(operations):
        end = write(journal, end, id, what, str(next(number)))
    fork, copy, store = end, dict(journal), Store()
    store.read(journal, {partition: draw(st.integers(0, end)) for partition in range(PARTITIONS)})
    for seq in draw(st.sets(st.sampled_from(sorted(store.erasures)))) if store.erasures else ():
        copy.pop(seq, None)
        journal.pop(seq)
    for id, what in draw(operations):
        end = write(journal, end, id, what, str(next(number)))
    store.read(journal, {partition: draw(st.integers(0, end)) for partition in range(PARTITIONS)})
    store.erasures -= draw(st.sets(st.sampled_from(sorted(store.erasures)))) if store.erasures else set()
    for seq in draw(st.sets(st.sampled_from(sorted(copy)))) if copy else ():
        del copy[seq]
    end = draw(st.sampled_from([fork, max(copy, default=0)]))
    since: dict[str, ResponseEvent] = {}
    for id, what in draw(operations):
        now = write(copy, end, id, what, str(next(number)))
        if now > end:
            since[id] = copy[now]
        end = now
    return Case(copy, end, store, fork, since)


def append(case: Case, made: Plan, ids: list[str]) -> None:
    """As deploy/mending/mending.py does."""
    found = said(case.journal, case.store)
    case.end = max(case.end, case.store.highest)
    for id in ids:
        case.end += 1
        if made.acts[id] is Repair.WITHDRAW:
            case.journal[case.end] = ResponseWithdrawn(id, "s")
        else:
            word = case.store.word(id) if made.acts[id] is Repair.FROM_STORE else answers(case.journal[found[id].seq])
            assert word is not None
            case.journal[case.end] = replaced(id, word)


def mend(case: Case) -> int:
    """Returns how many responses were unclear."""
    highest = case.store.highest
    made = planned(case.journal, case.store)
    append(case, made, made.appends)
    last = planned(case.journal, case.store)
    assert last.appends == []
    for id, seq in last.moved.items():
        case.store.rows[id] = ResponseRow(seq, "s")
    case.store.erasures |= last.obsolete
    case.store.positions = dict.fromkeys(range(PARTITIONS), highest)
    return made.unclear


def expected(case: Case, id: str) -> str | None:
    """The last word by the clock, a withdrawal in either home being final."""
    words = [event for _, event in sorted(case.journal.items()) if event.id == id]
    row = case.store.rows.get(id)
    if (row is not None and row.withdrawn) or any(isinstance(event, ResponseWithdrawn) for event in words):
        return None
    if id in case.since:
        return answers(case.since[id])
    before = [(seq, answers(event)) for seq, event in case.journal.items() if event.id == id and seq <= case.fork]
    known = [(row.seq, row.answers)] if row is not None else []
    return max(before + known)[1]


@given(cases(), st.integers(0, 20))
def test_after_mending_both_homes_have_the_last_word_of_both_also_when_it_was_killed_in_the_middle(case: Case, killed: int) -> None:
    ids = {event.id for event in case.journal.values()} | case.store.rows.keys()
    wanted = {id: expected(case, id) for id in ids}
    first = planned(case.journal, case.store)
    append(case, first, first.appends[:killed])
    unclear = first.unclear
    mend(case)
    store, journal = case.store, case.journal
    store.read(journal, dict.fromkeys(range(PARTITIONS), case.end))
    differing = [id for id in ids if store.word(id) != wanted[id]]
    assert len(differing) <= unclear
    assert store.rows.keys() == ids
    for seq in store.erasures:
        journal.pop(seq, None)
    assert sorted((event.id, seq, answers(event)) for seq, event in journal.items()) == sorted(
        (id, row.seq, row.answers) for id, row in store.rows.items()
    ), "each response has one event, under the number of its row"
    store.erasures.clear()
    again = planned(journal, store)
    assert not again.acts
    assert not again.moved
    assert not again.obsolete


@given(operations, st.integers(0, 14), st.integers(0, 14))
def test_two_homes_that_belong_together_are_left_alone(written: list[tuple[str, str]], one: int, other: int) -> None:
    journal: Journal = {}
    end = 0
    for number, (id, what) in enumerate(written):
        end = write(journal, end, id, what, str(number))
    store = Store()
    store.read(journal, dict.fromkeys(range(PARTITIONS), min(one, other)))
    for seq in store.erasures:
        del journal[seq]
    made = planned(journal, store)
    assert not made.acts
    assert not made.moved
    assert not made.obsolete
    assert not made.strangers


def test_homes_of_two_installations_are_told_apart() -> None:
    journal: Journal = {number: replaced("abc"[number - 1], "1") for number in (1, 2, 3)}
    store = Store({"d": ResponseRow(2, "s", "1", None, "9")}, {0: 3, 1: 2})
    assert planned(journal, store).strangers


def test_numbers_that_neither_home_has_are_counted() -> None:
    assert count_missing([1, 2, 3], 3, 3, {1, 2, 3}) == 0
    assert count_missing([1, 2], 2, 5, {1, 2, 3, 5}) == 1
    assert count_missing([1, 2, 3, 6, 8], 9, 3, {1, 2, 3}) == 4, "4, 5, 7 and 9, which nobody had read"
