"""What a recount found, as it is told to organisers. Pure."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class FigureDifference(msgspec.Struct, frozen=True):
    """A figure that differs. `path`: where it stands in the exact view; None where one side does not have it."""

    path: str
    live: bool | int | float | str | None
    recount: bool | int | float | str | None


class UnansweredPartition(msgspec.Struct, frozen=True):
    """A partition that nobody holds, or whose worker is behind.

    `waiting`: accepted events that are not recorded. `uncounted`: stored responses that are not in the live figures.
    """

    partition: int
    held: bool
    waiting: int
    uncounted: int


class RecountReport(msgspec.Struct, frozen=True):
    """How many figures were compared, and the differences, of which at most a thousand are listed.

    `responses`: those that were counted anew. `stored`: rows of the survey in the database. `unrecorded`: accepted events of the survey
    that could not be read. `deleted`: the day on which the answers were deleted; then nothing could be compared, and the other three are
    absent.
    """

    survey: str
    responses: int
    compared: int
    differences: list[FigureDifference]
    stored: int | UnsetType = UNSET
    unrecorded: int | UnsetType = UNSET
    unanswered: list[UnansweredPartition] | UnsetType = UNSET
    deleted: str | UnsetType = UNSET
