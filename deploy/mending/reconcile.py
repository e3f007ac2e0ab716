"""Decides for each response whether journal or store has the last word, with the events that make both agree. Pure.

Numbers up to `highest`, the highest in the store, may have been given twice: by the journal that the store recorded, and by this one,
where it is an older copy that intake went on writing to. So every word that the two do not share under one number is appended to the
journal anew, above `highest`; analysis reads it as it reads any event, and the row takes the new number. What is above `highest` already is
read as usual.

A word of this journal that the store never read was said after the copy came back, so it is later than whatever the store has. Where it
cannot be known whether the store read it, the higher number wins, and the response is counted as `unclear`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from proto.events import ResponseEvent, ResponseReplaced, ResponseSubmitted, ResponseWithdrawn


class Held(NamedTuple):
    """A response as the store has it."""

    seq: int
    withdrawn: bool
    partition: int
    deleted: bool = False
    """Whether the answers to its survey are being deleted because their time is over."""


class JournaledResponse(NamedTuple):
    """The state of one response after all its events in the journal."""

    seq: int
    kind: type[ResponseEvent]
    same: bool
    """Whether the store has the same answers, or as well that they were withdrawn."""
    partition: int
    deleted: bool = False
    others: tuple[int, ...] = ()
    """The numbers of events that this one made obsolete."""

    @property
    def withdrawn(self) -> bool:
        return self.kind is ResponseWithdrawn


def after(before: JournaledResponse | None, event: JournaledResponse) -> JournaledResponse:
    """The state after one more event: a submission counts only if there is no earlier event; a withdrawal is final.

    Of two withdrawals the second stays, which may be one that mending appended.
    """
    if before is None:
        return event
    wins = event.withdrawn or (not before.withdrawn and event.kind is not ResponseSubmitted)
    last, other = (event, before) if wins else (before, event)
    return last._replace(others=(*before.others, other.seq))


class Repair(Enum):
    KEEP = auto()
    """Nothing to do, or nothing but to read it."""
    FROM_STORE = auto()
    """Append what the store has."""
    FROM_JOURNAL = auto()
    """Append what the journal has, under a number that will be read."""
    WITHDRAW = auto()
    """Append a withdrawal."""
    DROP = auto()
    """Erase it from the journal: its answers are deleted."""


@dataclass
class Plan:
    """`acts` holds what differs from KEEP."""

    acts: dict[str, Repair] = field(default_factory=dict[str, Repair])
    moved: dict[str, int] = field(default_factory=dict[str, int])
    """Withdrawn responses and the number of the event that says so from now on."""
    obsolete: set[int] = field(default_factory=set[int])
    """Events to erase from the journal."""
    unclear: int = 0
    shared: int = 0
    """How many responses both homes know by the same number."""
    doubtful: int = 0
    """How many the journal knows by a number that the store has seen, whether the store knows them or not."""

    def ids(self, *acts: Repair) -> list[str]:
        return [id for id, act in self.acts.items() if act in acts]

    @property
    def appends(self) -> list[str]:
        return self.ids(Repair.FROM_STORE, Repair.FROM_JOURNAL, Repair.WITHDRAW)

    @property
    def strangers(self) -> bool:
        """Whether the two have nothing in common although both have something under the same numbers."""
        return self.doubtful > 0 and self.shared == 0


def reconcile(journal: Mapping[str, JournaledResponse], store: Mapping[str, Held], highest: int, positions: Mapping[int, int]) -> Plan:
    """Plans a repair for each response. `positions`: the highest sequence that the store has read, by partition."""
    plan = Plan()
    low, high = _fork(journal, store, highest, positions)
    for id in journal.keys() | store.keys():
        journaled, stored = journal.get(id), store.get(id)
        if journaled is not None and stored is not None:
            repair = _both(plan, journaled, stored, highest, low, high)
            plan.shared += _shared(journaled, stored)
        elif journaled is not None:
            repair = _journal_alone(journaled, highest)
        elif stored is not None:
            repair = _store_alone(stored)
        else:
            raise AssertionError
        if journaled is not None:
            plan.doubtful += journaled.seq <= highest
            if repair is not Repair.KEEP:
                plan.obsolete.update((journaled.seq, *journaled.others))
            else:
                plan.obsolete.update(_superseded(journaled, stored, highest))
                if stored is not None and journaled.withdrawn and stored.withdrawn and journaled.seq != stored.seq:
                    plan.moved[id] = journaled.seq
        if repair is not Repair.KEEP:
            plan.acts[id] = repair
    return plan


def _shared(journaled: JournaledResponse, stored: Held) -> bool:
    return journaled.seq == stored.seq and journaled.same


def _journal_alone(journaled: JournaledResponse, highest: int) -> Repair:
    if journaled.seq > highest:
        return Repair.KEEP
    if journaled.withdrawn:
        return Repair.WITHDRAW
    return Repair.DROP if journaled.deleted else Repair.FROM_JOURNAL


def _store_alone(held: Held) -> Repair:
    if held.withdrawn:
        return Repair.WITHDRAW
    return Repair.KEEP if held.deleted else Repair.FROM_STORE


def _both(plan: Plan, journaled: JournaledResponse, stored: Held, highest: int, low: int, high: int) -> Repair:
    if _shared(journaled, stored):
        return Repair.KEEP
    unread = journaled.seq > highest
    if journaled.withdrawn or stored.withdrawn:
        return Repair.KEEP if unread and journaled.withdrawn else Repair.WITHDRAW
    if unread and journaled.kind is ResponseReplaced:
        return Repair.KEEP
    if stored.deleted:
        return Repair.KEEP if unread else Repair.DROP
    if journaled.same:
        return Repair.FROM_STORE
    if journaled.seq <= low:  # the store read it, and has a later word or had an earlier one that stands
        return Repair.FROM_STORE if stored.seq > journaled.seq or journaled.kind is ResponseSubmitted else Repair.FROM_JOURNAL
    if journaled.seq >= high or stored.seq <= journaled.seq:
        return Repair.FROM_JOURNAL
    plan.unclear += 1
    return Repair.FROM_STORE


def _superseded(journaled: JournaledResponse, stored: Held | None, highest: int) -> Iterable[int]:
    """Earlier sequences of a kept event that analysis will not erase by itself."""
    own = stored.seq if stored is not None and not stored.withdrawn else 0
    return (seq for seq in journaled.others if seq <= highest and seq != own)


def _fork(
    journal: Mapping[str, JournaledResponse], store: Mapping[str, Held], highest: int, positions: Mapping[int, int]
) -> tuple[int, int]:
    """Returns two sequences: the store read this journal up to the first; from the second on it read another. Between them, unknown.

    A sequence with two different events was given twice. A sequence with the same answers in both counts as given once; with the same
    withdrawal, it may be chance.
    """
    by_number = {stored.seq: id for id, stored in store.items()}
    known = {journaled.seq for id, journaled in journal.items() if id in store and _shared(journaled, store[id])}
    twice = (
        seq
        for id, journaled in journal.items()
        for seq in (journaled.seq, *journaled.others)
        if seq in by_number and (by_number[seq] != id or (seq == journaled.seq and seq not in known))
    )
    high = min(twice, default=highest + 1)
    low = max(
        (journaled.seq for journaled in journal.values() if journaled.seq in known and journaled.seq < high and not journaled.withdrawn),
        default=0,
    )
    for id, journaled in journal.items():
        if id not in store and not journaled.deleted:
            passed = (seq for seq in (journaled.seq, *journaled.others) if low < seq <= positions.get(journaled.partition, 0))
            high = min([high, *passed])  # the store would have read it
    return low, high


def count_missing(numbers: Sequence[int], last: int, highest: int, known: Collection[int]) -> int:
    """How many sequences are in neither journal nor store although no withdrawal can have erased them.

    `numbers`: sequences of the journal, ascending; `last`: its end; `known`: those of the store. Nothing above `highest` was read, so
    nothing of it was erased; between the end of a shorter journal and `highest` only the store counts.
    """
    between = range(last + 1, highest + 1)
    lost = sum(number not in known for number in between)
    above = sum(number > highest for number in numbers)
    return lost + max(last - highest, 0) - above
