"""Events that were taken from the journal and are not recorded: those that wait for this worker to know more, and the hopeless. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_ID = re.compile(r"[0-9a-f]{32}")

NEWER = "written by a newer version of Platea"
UNPUBLISHED = "a version of the survey that is not known here"


class Waiting(NamedTuple):
    """An event that is not known *here*. `version` None: not the version of the survey is unknown, but the kind of event."""

    seq: int
    survey: str
    version: str | None
    id: str | None

    @property
    def needs(self) -> tuple[str, str | None]:
        return self.survey, self.version


class Parked(NamedTuple):
    """An event that cannot be read or stored. `reason` quotes nothing of it."""

    seq: int
    reason: str
    survey: str | None
    id: str | None


@dataclass
class Unread:
    waiting: list[Waiting] = field(default_factory=list[Waiting])
    parked: list[Parked] = field(default_factory=list[Parked])

    def __bool__(self) -> bool:
        return bool(self.waiting or self.parked)

    def seqs(self) -> set[int]:
        return {each.seq for each in self.waiting} | {each.seq for each in self.parked}

    def between(self, after: int, until: int) -> Unread:
        """Those with numbers above `after`, up to `until`."""
        return Unread(
            [each for each in self.waiting if after < each.seq <= until], [each for each in self.parked if after < each.seq <= until]
        )


def whose(subject: str) -> tuple[str | None, str | None]:
    """Survey and response id in a subject of the journal, which the server holds to be true whatever the message says."""
    parts = subject.split(".")
    if len(parts) != 5:
        return None, None
    return parts[3], parts[4] if _ID.fullmatch(parts[4]) else None
