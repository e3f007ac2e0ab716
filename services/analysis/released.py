"""The released state of a survey: what every public figure is read from until the next one is released."""

from __future__ import annotations

from dataclasses import dataclass

from proto.snapshot import Snapshot
from services.analysis import disclose, stats
from services.analysis.fold import Folder
from services.analysis.state import State


@dataclass(frozen=True)
class ReleasedState:
    folder: Folder
    state: State
    whole: Snapshot
    """Its exact snapshot, of which tables need the margins."""
    public: Snapshot | None

    @classmethod
    def of(cls, folder: Folder, state: State, revision: int, as_of: str) -> ReleasedState:
        whole = stats.exact(folder.codebook, state, revision=revision, as_of=as_of)
        return cls(folder, state, whole, disclose.publish(whole, folder.codebook.instrument))
