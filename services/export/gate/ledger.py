"""The ledger of a survey's releases: who was released in which class, so that the next release holds together with all before.

Claim: the stored ledger tells nobody who took part. A response is in it under a keyed hash of its id (BLAKE2b, 128 bits); the key is
derived from the one that releases are signed with, which is not in the database. Beside it stand the number of its first release,
its class, and the generalised values of that class, which are published and shared by k people. No answer and no time is in it. Whoever
withdrew is gone from it with the next release.

Assumes that the key is kept. With both key and database one could look up the class of a response, but whoever has both has its answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.export.gate.refused import Refused
from services.export.protect.hierarchy import Hierarchy, Ladder
from services.export.protect.protection import LEFT_OUT
from services.export.protect.sequence import Ledger, Step

Ints = NDArray[np.int64]
Labels = tuple[tuple[str, tuple[str, ...]], ...]

DIGEST = 16
People = NDArray[np.bytes_]
"""Keyed hashes in hexadecimal. Shape (rows,)."""


class Book(msgspec.Struct, frozen=True):
    """Of each person, in the order of their hashes: the first release, the class, and the release that held it back, 0 for none.

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


@dataclass(frozen=True)
class Keys:
    """Keyed hashes for one survey and profile."""

    secret: bytes
    survey: str
    profile: str

    def people(self, ids: Sequence[bytes]) -> People:
        """What stands for each response, the same in every release."""
        return np.array([digest.hex().encode() for digest in self._digests("people", ids)], dtype=f"S{2 * DIGEST}")

    def order(self, people: People, number: int) -> Ints:
        """An order of the rows that is another in every release, and tells nothing to who has not the key."""
        drawn = b"".join(self._digests(f"order {number}", people.tolist()))
        return np.lexsort(np.frombuffer(drawn, dtype=">u8").reshape(-1, 2).T[::-1])

    @property
    def mark(self) -> bytes:
        return self._derived("mark")[:8]

    def _digests(self, use: str, of: Iterable[bytes]) -> Iterator[bytes]:
        keyed = hashlib.blake2b(key=self._derived(use), digest_size=DIGEST)  # copied, since taking in the key is half of the work
        for each in of:
            one = keyed.copy()
            one.update(each)
            yield one.digest()

    def _derived(self, use: str) -> bytes:
        return hashlib.blake2b(f"{self.survey}\0{self.profile}\0{use}".encode(), key=self.secret).digest()


def before(book: Book | None, number: int, hierarchies: Sequence[Hierarchy], keys: Keys) -> Ledger | None:
    """The ledger as it stood when release `number` was built. Raises Refused where it no longer fits the survey."""
    if book is None:
        return None
    if book.key != keys.mark:
        raise Refused("The key of earlier releases is not there, so that nobody can tell who was in them. Bring back the release key.")
    people, entered, classes, held = _people(book), *_columns(book)
    was = entered < number
    if not was.any():
        return None
    known = np.where((held > 0) & (held < number), LEFT_OUT, classes)[was]
    return Ledger(people[was], known.astype(np.int64), _translated(book, hierarchies))


def after(book: Book | None, number: int, step: Step, hierarchies: Sequence[Hierarchy], keys: Keys) -> Book:
    """The book once release `number` is written: those who left are forgotten, those who came have their class."""
    people, groups = step.ledger.people, step.ledger.groups
    entered, classes, held = (np.full(len(people), first, dtype=np.int32) for first in (number, LEFT_OUT, 0))
    nodes = np.zeros((0, len(hierarchies)), dtype=np.int32)
    if book is not None:
        old_people, old = _people(book), _columns(book)
        nodes = _translated(book, hierarchies)
        at = np.minimum(np.searchsorted(old_people, people), max(len(old_people) - 1, 0))
        known = np.flatnonzero(old_people[at] == people) if len(old_people) else np.zeros(0, dtype=np.int64)
        for column, former in zip((entered, classes, held), old, strict=True):
            column[known] = former[at[known]]
    new = np.flatnonzero((entered == number) & (groups != LEFT_OUT))
    fresh, place = np.unique(groups[new], return_inverse=True)
    classes[new] = len(nodes) + place
    nodes = np.concatenate([nodes, step.ledger.nodes[fresh]])
    held[(groups == LEFT_OUT) & (held == 0)] = number
    used, classes_now = np.unique(classes[classes != LEFT_OUT], return_inverse=True)
    classes[classes != LEFT_OUT] = classes_now
    return Book(
        keys.mark,
        tuple((hierarchy.name, _labels(hierarchy)) for hierarchy in hierarchies),
        people.astype(f"S{2 * DIGEST}").tobytes(),
        entered.tobytes(),
        classes.astype(np.int32).tobytes(),
        held.tobytes(),
        nodes[used].astype(np.int32).tobytes(),
    )


def encode(book: Book) -> bytes:
    return msgspec.msgpack.encode(book)


def decode(body: bytes) -> Book:
    return msgspec.msgpack.decode(body, type=Book)


def _people(book: Book) -> People:
    return np.frombuffer(book.people, dtype=f"S{2 * DIGEST}")


def _columns(book: Book) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    entered, classes, held = (np.frombuffer(column, dtype=np.int32) for column in (book.entered, book.classes, book.held))
    return entered, classes, held


def _labels(hierarchy: Hierarchy) -> tuple[str, ...]:
    return tuple(node.label for node in Ladder.of(hierarchy, np.zeros(0, dtype=np.int64)).nodes)


def _translated(book: Book, hierarchies: Sequence[Hierarchy]) -> NDArray[np.int32]:
    """The nodes of the book as those of these hierarchies, found by their labels."""
    given = np.frombuffer(book.nodes, dtype=np.int32).reshape(-1, len(book.labels))
    if [name for name, _ in book.labels] != [hierarchy.name for hierarchy in hierarchies]:
        raise Refused(
            "The survey has other quasi-identifiers than its earlier releases, which together could give people away. "
            "Keep them as they were, or start a new survey."
        )
    nodes = np.zeros_like(given)
    for v, ((name, labels), hierarchy) in enumerate(zip(book.labels, hierarchies, strict=True)):
        place = {label: index for index, label in reversed(list(enumerate(_labels(hierarchy))))}
        used = sorted({labels[int(node)] for node in given[:, v]})
        if missing := [label for label in used if label not in place]:
            raise Refused(f"{name} has lost the value {missing[0]}, which earlier releases used. Keep it in the hierarchy.")
        nodes[:, v] = np.array([place.get(label, 0) for label in labels], dtype=np.int32)[given[:, v]]
    return nodes
