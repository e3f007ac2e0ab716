"""The ledger of a survey's releases: who was released in which class, so that the next release holds together with all before.

Claim: the stored ledger tells nobody who took part. A response is in it under a keyed hash of its id (BLAKE2b, 128 bits); the key is
derived from the one that releases are signed with, which is not in the database. Beside it stand the number of its first release,
its classes, wide and narrow, and the generalised values of these, which are shared by k people. No answer and no time is in it. Whoever
withdrew is gone from it with the next release. Releases of all profiles have this one ledger.

Assumes that the key is kept. With both key and database one could look up the class of a response, but whoever has both has its answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.export.gate.refused import ReleaseRefused
from services.export.protect.anonymise import LEFT_OUT
from services.export.protect.classes import Classes
from services.export.protect.hierarchy import Ladder, ValueHierarchy
from services.export.protect.sequence import Ledger, SequenceStep

Ints = NDArray[np.int64]
Column = NDArray[np.int32]
Labels = tuple[tuple[str, tuple[str, ...]], ...]

DIGEST = 16
People = NDArray[np.bytes_]
"""Keyed hashes in hexadecimal. Shape (rows,)."""


class StoredLedger(msgspec.Struct, frozen=True):
    """Of each person, in the order of their hashes: the first release, the wide class, and the release from which on it is held back for
    good, 0 for none; the release that gave it a narrow class, 0 for none, and that class. None of the latter where nobody has one.

    `nodes[c]`: what class c is released with, as places in `labels`: of each variable its name and the labels of its nodes.
    """

    key: bytes
    """Tells whether the key is still the same."""
    labels: Labels
    people: bytes
    entered: bytes
    classes: bytes
    held: bytes
    nodes: bytes
    narrowed: bytes = b""
    narrow: bytes = b""
    narrow_nodes: bytes = b""


@dataclass(frozen=True)
class LedgerKeys:
    """Keyed hashes for one survey."""

    secret: bytes
    survey: str

    def people(self, ids: Sequence[bytes]) -> People:
        """Keyed hashes of response ids, the same in every release. Shape (rows,)."""
        return np.array([digest.hex().encode() for digest in self._digests("people", ids)], dtype=f"S{2 * DIGEST}")

    def order(self, people: People, number: int) -> Ints:
        """Returns a permutation of the rows that differs between releases; without the key it is random. Shape (rows,)."""
        drawn = b"".join(self._digests(f"order {number}", people.tolist()))
        return np.lexsort(np.frombuffer(drawn, dtype=">u8").reshape(-1, 2).T[::-1])

    @property
    def mark(self) -> bytes:
        return self._derived("mark")[:8]

    def _digests(self, use: str, of: Iterable[bytes]) -> Iterator[bytes]:
        keyed = hashlib.blake2b(key=self._derived(use), digest_size=DIGEST)  # copied, since taking in the key is half of the work
        for value in of:
            one = keyed.copy()
            one.update(value)
            yield one.digest()

    def _derived(self, use: str) -> bytes:
        return hashlib.blake2b(f"{self.survey}\0public\0{use}".encode(), key=self.secret).digest()  # "public": so ledgers began


def before(book: StoredLedger | None, number: int, hierarchies: Sequence[ValueHierarchy], keys: LedgerKeys) -> Ledger | None:
    """The ledger as it stood when release `number` was built. Raises ReleaseRefused where it no longer fits the survey."""
    if book is None:
        return None
    if book.key != keys.mark:
        raise ReleaseRefused(
            "The key of earlier releases is not there, so that nobody can tell who was in them. Bring back the release key."
        )
    now = _Columns.of(book)
    was = now.entered < number
    if not was.any():
        return None
    stays = (now.held == 0) | (now.held >= number)
    divided = (now.narrowed > 0) & (now.narrowed < number)
    wide = Classes(np.where(stays, now.classes, LEFT_OUT)[was].astype(np.int64), _translated(book, book.nodes, hierarchies))
    narrow = Classes(
        np.where(stays & divided, now.narrow, LEFT_OUT)[was].astype(np.int64), _translated(book, book.narrow_nodes, hierarchies)
    )
    return Ledger(_people(book)[was], wide, narrow)


def after(
    book: StoredLedger | None, number: int, step: SequenceStep, hierarchies: Sequence[ValueHierarchy], keys: LedgerKeys
) -> StoredLedger:
    """The book once release `number` is written: those who left are forgotten, those who came have their classes."""
    people = step.ledger.people
    now = _Columns.new(len(people), number)
    nodes = narrow_nodes = np.zeros((0, len(hierarchies)), dtype=np.int32)
    if book is not None:
        nodes, narrow_nodes = (_translated(book, stored, hierarchies) for stored in (book.nodes, book.narrow_nodes))
        now.take(people, _people(book), _Columns.of(book))
    nodes = _entered(now.classes, nodes, step.ledger.wide, now.entered == number)
    divided = (step.ledger.narrow.of != LEFT_OUT) & ((now.narrowed == 0) | (now.narrowed == number))
    now.narrowed[divided] = number
    narrow_nodes = _entered(now.narrow, narrow_nodes, step.ledger.narrow, divided)
    now.held[(step.ledger.wide.of == LEFT_OUT) & (now.held == 0)] = number
    return StoredLedger(
        keys.mark,
        tuple((hierarchy.name, _labels(hierarchy)) for hierarchy in hierarchies),
        people.astype(f"S{2 * DIGEST}").tobytes(),
        *(column.tobytes() for column in (now.entered, now.classes, now.held, nodes, now.narrowed, now.narrow, narrow_nodes)),
    )


def _entered(classes: Column, nodes: Column, given: Classes, new: NDArray[np.bool_]) -> Column:
    """Stores the classes given to these people, removes classes without people, and returns the nodes of the remaining ones."""
    rows = np.flatnonzero(new & (given.of != LEFT_OUT))
    fresh, place = np.unique(given.of[rows], return_inverse=True)
    classes[rows] = len(nodes) + place
    nodes = np.concatenate([nodes, given.nodes[fresh]])
    has = classes != LEFT_OUT
    used, classes[has] = np.unique(classes[has], return_inverse=True)
    return nodes[used].astype(np.int32)


def encode(book: StoredLedger) -> bytes:
    return msgspec.msgpack.encode(book)


def decode(body: bytes) -> StoredLedger:
    """Raises ReleaseRefused where nothing is left but that there was more than one."""
    if not body:
        raise ReleaseRefused(
            "Earlier releases of this survey had a ledger for each profile; further ones could give people away. Start a new survey."
        )
    return msgspec.msgpack.decode(body, type=StoredLedger)


def _people(book: StoredLedger) -> People:
    return np.frombuffer(book.people, dtype=f"S{2 * DIGEST}")


@dataclass(frozen=True)
class _Columns:
    """The book, a number for each person; to be written to where it is new."""

    entered: Column
    classes: Column
    held: Column
    narrowed: Column
    narrow: Column

    @staticmethod
    def new(people: int, number: int) -> _Columns:
        return _Columns(*(np.full(people, first, dtype=np.int32) for first in (number, LEFT_OUT, 0, 0, LEFT_OUT)))

    @staticmethod
    def of(book: StoredLedger) -> _Columns:
        columns = [np.frombuffer(column, dtype=np.int32) for column in (book.entered, book.classes, book.held, book.narrowed, book.narrow)]
        none = _Columns.new(len(columns[0]), 0)
        narrowed, narrow = (columns[3], columns[4]) if book.narrowed else (none.narrowed, none.narrow)
        return _Columns(columns[0], columns[1], columns[2], narrowed, narrow)

    def take(self, people: NDArray[np.generic], former: People, old: _Columns) -> None:
        """Writes what is known of these people from before."""
        at = np.minimum(np.searchsorted(former, people), max(len(former) - 1, 0))
        known = np.flatnonzero(former[at] == people) if len(former) else np.zeros(0, dtype=np.int64)
        for name in ("entered", "classes", "held", "narrowed", "narrow"):
            getattr(self, name)[known] = getattr(old, name)[at[known]]


def _labels(hierarchy: ValueHierarchy) -> tuple[str, ...]:
    return tuple(node.label for node in Ladder.of(hierarchy, np.zeros(0, dtype=np.int64)).nodes)


def _translated(book: StoredLedger, body: bytes, hierarchies: Sequence[ValueHierarchy]) -> Column:
    """Nodes of the book as those of these hierarchies, found by their labels."""
    given = np.frombuffer(body, dtype=np.int32).reshape(-1, len(book.labels))
    if [name for name, _ in book.labels] != [hierarchy.name for hierarchy in hierarchies]:
        raise ReleaseRefused(
            "The survey has other quasi-identifiers than its earlier releases, which together could give people away. "
            "Keep them as they were, or start a new survey."
        )
    nodes = np.zeros_like(given)
    for v, ((name, labels), hierarchy) in enumerate(zip(book.labels, hierarchies, strict=True)):
        place = {label: index for index, label in reversed(list(enumerate(_labels(hierarchy))))}
        used = sorted({labels[int(node)] for node in given[:, v]})
        if missing := [label for label in used if label not in place]:
            raise ReleaseRefused(f"{name} has lost the value {missing[0]}, which earlier releases used. Keep it in the hierarchy.")
        nodes[:, v] = np.array([place.get(label, 0) for label in labels], dtype=np.int32)[given[:, v]]
    return nodes
