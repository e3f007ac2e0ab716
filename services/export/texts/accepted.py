"""Free texts in releases: only texts that a person has accepted, apart from the rows, never a few that came or went alone.

Claim: take any releases of a survey and profile. Of one question and language, the texts that are in all of them, those that came
between two of them, and those that went, are each none or at least k. So who sees one row disappear, or knows who answered in between,
still faces k texts.

Argument: texts enter in batches of at least k of one question and language; fewer wait. A batch takes nobody in later. When some of it
must go (withdrawn, changed, no longer accepted) and they are fewer than k, others of it go with them until they are k; where fewer than
k would remain, all go. Nothing that went comes back. Hence what each release holds of a batch, what it has in common with a later one,
and what went in between, is none or at least k, and so is every union of such sets. Rows have no part in it: a text stays or goes whatever
becomes of the row.

Does not protect against what a text says. That is why somebody reads each; `marks` helps them to look. Texts of two profiles would not hold
together, so one alone has them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from services.export.gate.refused import ReleaseRefused

DIGEST = 16
Group = tuple[str, str]
"""Question and language."""


@dataclass(frozen=True)
class Handles:
    """Names for texts: keyed hashes of whose it is, what it answers, in which language, and of the text itself (BLAKE2b, 128 bits).

    A text that was changed has another handle, so what was decided about it no longer applies. Nobody can tell from a handle what it names
    who has not the key.
    """

    secret: bytes
    survey: str

    def of(self, id: bytes, question: str, language: str, text: str) -> bytes:
        """`id`: of the response, 16 bytes."""
        content = f"{self.survey}\0{question}\0{language}\0".encode() + id + text.encode()
        return hashlib.blake2b(content, key=self.secret, digest_size=DIGEST, person=b"text").digest()

    def place(self, handle: bytes, number: int) -> bytes:
        """Sort key of a text: a keyed hash, so that the order differs between releases."""
        return hashlib.blake2b(number.to_bytes(8) + handle, key=self.secret, digest_size=DIGEST, person=b"order").digest()


@dataclass(frozen=True)
class GivenText:
    """A text as it was given. `id`: of the response; it never leaves this service."""

    id: bytes
    question: str
    language: str
    text: str

    @property
    def group(self) -> Group:
        return self.question, self.language


class TextCounts(msgspec.Struct, frozen=True):
    """How many texts there are to a question, and what was decided about them."""

    given: int = 0
    accepted: int = 0
    refused: int = 0

    @property
    def open(self) -> int:
        return self.given - self.accepted - self.refused


class ReleasedText(msgspec.Struct, frozen=True, array_like=True):
    """A text that was released: the release it came with, and the first without it, 0 while it is there."""

    group: Group
    came: int
    left: int = 0


class TextLedger(msgspec.Struct, frozen=True):
    """What was released of the texts of a survey and profile, by handle, and the tallies that each release told."""

    entries: dict[bytes, ReleasedText] = {}
    told: dict[int, dict[str, TextCounts]] = {}

    def at(self, number: int) -> set[bytes]:
        """What release `number` holds."""
        return {handle for handle, entry in self.entries.items() if entry.came <= number and (not entry.left or number < entry.left)}


@dataclass
class Gathered:
    """The texts of a survey that were decided on or released before, read one after the other; the others are only counted."""

    handles: Handles
    decisions: Mapping[bytes, bool]
    known: frozenset[bytes] = frozenset()
    texts: dict[bytes, GivenText] = field(default_factory=dict[bytes, GivenText])
    _given: Counter[str] = field(default_factory=Counter[str])
    _decided: Counter[tuple[str, bool]] = field(default_factory=Counter[tuple[str, bool]])

    def add(self, text: GivenText) -> bytes | None:
        """Returns the text's handle; None for a text without content."""
        if not text.text or text.text.isspace():
            return None
        self._given[text.question] += 1
        handle = self.handles.of(text.id, text.question, text.language, text.text)
        if (accepted := self.decisions.get(handle)) is not None:
            self._decided[text.question, accepted] += 1
        if accepted is not None or handle in self.known:
            self.texts[handle] = text
        return handle

    @property
    def accepted(self) -> dict[bytes, GivenText]:
        return {handle: text for handle, text in self.texts.items() if self.decisions.get(handle)}

    def tallies(self, questions: Iterable[str]) -> dict[str, TextCounts]:
        return {
            question: TextCounts(self._given[question], self._decided[question, True], self._decided[question, False])
            for question in questions
        }

    def gone(self) -> list[bytes]:
        """Decisions about texts that are no longer there."""
        return [handle for handle in self.decisions if handle not in self.texts]


def admit(
    book: TextLedger, accepted: Mapping[bytes, Group], number: int, k: int, tallies: Mapping[str, TextCounts] | None = None
) -> TextLedger:
    """The book once release `number` is written. `accepted`: what is there and accepted now."""
    entries = dict(book.entries)
    batches: defaultdict[tuple[Group, int], list[bytes]] = defaultdict(list)
    for handle, entry in book.entries.items():
        if not entry.left:
            batches[entry.group, entry.came].append(handle)
    for batch in batches.values():
        for handle in _leaving(sorted(batch), accepted, k):
            entries[handle] = msgspec.structs.replace(entries[handle], left=number)
    fresh: defaultdict[Group, list[bytes]] = defaultdict(list)
    for handle, group in accepted.items():
        if handle not in entries:
            fresh[group].append(handle)
    for group, handles in fresh.items():
        if len(handles) >= k:
            entries |= {handle: ReleasedText(group, number) for handle in sorted(handles)}
    return TextLedger(entries, book.told | {number: dict(tallies or {})})


def _leaving(batch: Sequence[bytes], accepted: Mapping[bytes, Group], k: int) -> list[bytes]:
    """Texts of a batch that leave: those no longer accepted, and others until they are k. Chosen by handle, which is random."""
    going = [handle for handle in batch if handle not in accepted]
    if not going:
        return []
    staying = [handle for handle in batch if handle in accepted]
    company = max(k - len(going), 0)
    if len(staying) - company < k:
        return list(batch)
    return going + staying[:company]


def require_accepted(texts: Iterable[GivenText], handles: Handles, decisions: Mapping[bytes, bool], k: int) -> None:
    """Hashes each text again and checks that it was accepted in exactly this form. Raises ReleaseRefused."""
    groups: Counter[Group] = Counter()
    unticked = 0
    for text in texts:
        groups[text.group] += 1
        unticked += decisions.get(handles.of(text.id, text.question, text.language, text.text)) is not True
    if unticked:
        raise ReleaseRefused(f"{unticked} texts would be released that nobody has accepted. Review them with `platea release review`.")
    if lonely := sum(1 for count in groups.values() if count < k):
        raise ReleaseRefused(f"In {lonely} questions fewer than {k} texts of one language would stand together. Review more of them.")


def encode(book: TextLedger) -> bytes:
    return msgspec.msgpack.encode(book)


def decode(body: bytes | None) -> TextLedger:
    """An empty one before the first release."""
    return msgspec.msgpack.decode(body, type=TextLedger) if body else TextLedger()
