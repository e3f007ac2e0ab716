"""The values that cross the border of the store. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

NEWER = "written by a newer version of Platea"
UNPUBLISHED = "a version of the survey that is not known here"


class Position(NamedTuple):
    """How far a partition is recorded: events of the journal up to `seq`, and this number of late batches.

    A late batch holds events that had waited. A count at this position contains the responses recorded in turn up to `seq`, and those of
    late batches up to `late`.
    """

    seq: int = 0
    late: int = 0


BEGINNING = Position()


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response, or a former content of one, as rebuilding and recounting read it. `answers`: JSON."""

    id: str
    version: str
    answers: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The packed state of a survey in one partition. `codebook`: the digest of the code book that it was counted by."""

    at: Position
    codebook: str
    state: bytes


@dataclass(frozen=True, slots=True)
class StoredEdition:
    """The last edition of a survey's figures. `codebook`: the digest of its code book; `state`: what `PublishedState.dump` wrote."""

    version: str
    revision: int
    codebook: str
    as_of: str
    state: bytes


@dataclass(frozen=True)
class JournalClaim:
    """What the store says about the journal that it was recorded from."""

    highest: int
    """The highest position of a partition."""
    known: Sequence[tuple[int, str]]
    """Sequences of stored responses and their ids, the last ones among them. The journal holds under each an event of this response, or a
    later one."""
    journal: str | None = None
    """The id of the journal; None where the store was never told one."""
    settled: bool = True
    """False while `platea mend` has begun and not finished."""


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response as stored. Without `answers` it is the tombstone of a withdrawn response."""

    seq: int
    survey: str
    version: str | None = None
    language: str | None = None
    answers: str | None = None
    notice: str | None = None
    late: int | None = None
    """The number of the late batch that recorded it; None where it was recorded in turn."""

    @property
    def withdrawn(self) -> bool:
        return self.answers is None


@dataclass
class Changes:
    """What one batch changes in the stored responses. Rows are by response id."""

    inserted: dict[str, ResponseRow] = field(default_factory=dict[str, ResponseRow])
    changed: dict[str, ResponseRow] = field(default_factory=dict[str, ResponseRow])
    retracted: dict[str, ResponseRow] = field(default_factory=dict[str, ResponseRow])
    """Former contents, which were counted until now."""
    erased: set[int] = field(default_factory=set[int])
    """Sequences of messages to delete from the journal."""
    ignored: int = 0
    """How many events changed nothing: repetitions and late arrivals."""

    @property
    def counted(self) -> Iterable[tuple[str, ResponseRow]]:
        """The responses that count from now on."""
        for rows in (self.inserted, self.changed):
            yield from ((id, row) for id, row in rows.items() if not row.withdrawn)


class WaitingEvent(NamedTuple):
    """An event that this worker cannot read yet. `version`: of the survey; None where the kind of event is unknown."""

    seq: int
    survey: str
    version: str | None
    id: str | None

    @property
    def needs(self) -> tuple[str, str | None]:
        return self.survey, self.version


class Parked(NamedTuple):
    """An event that nobody can read or store. `reason` quotes nothing of it."""

    seq: int
    reason: str
    survey: str | None
    id: str | None


@dataclass
class Unread:
    """Events of a batch that were taken from the journal and are not recorded."""

    waiting: list[WaitingEvent] = field(default_factory=list[WaitingEvent])
    parked: list[Parked] = field(default_factory=list[Parked])

    def __bool__(self) -> bool:
        return bool(self.waiting or self.parked)

    def between(self, after: int, until: int) -> Unread:
        """Returns those with a sequence above `after` and up to `until`."""
        return Unread(
            [event for event in self.waiting if after < event.seq <= until], [event for event in self.parked if after < event.seq <= until]
        )
