"""The changes of a new version of a survey as an aligned list, with what earlier answers lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from deploy.cli.console import out, say, table
from proto import version_changes
from proto.instrument import Instrument
from proto.version_changes import Change


@dataclass(frozen=True)
class VersionReport:
    """`refused`: why the server would not take the version."""

    changes: list[Change]
    refused: list[str]
    exact: dict[str, Any] | None

    def lost(self, change: Change) -> tuple[int, int] | None:
        """The least and the most answers lost by a change; None where that is unknown."""
        return version_changes.lost(change, self.exact) if change.loses else (0, 0)

    @property
    def losing(self) -> list[Change]:
        """Changes by which answers are lost, or may be."""
        return [change for change in self.changes if (lost := self.lost(change)) is None or lost[1] > 0]

    def show(self, old: Instrument, new: Instrument) -> None:
        if old == new:
            say("Both are the same.")
            return
        say(f"{new.id} {new.version} in place of {old.version}:")
        grid = table("place", "change", "earlier answers")
        for change in self.changes:
            grid.add_row(escape(change.place), escape(change.text), _cost(self.lost(change)) if change.loses else "")
        if self.changes:
            out.print(grid)
        else:
            say("Nothing but the version is another.")
        say("\n".join(f"Refused: {sentence}" for sentence in self.refused) or self.sentence())

    def sentence(self) -> str:
        """What is lost, in all."""
        if not self.losing:
            return "No earlier answer is lost."
        ranges = [self.lost(change) for change in self.losing]
        if any(lost is None for lost in ranges):
            return f"Earlier answers may be lost; how many is not known here. {_STAY}"
        return f"{_cost((sum(lost[0] for lost in ranges if lost), sum(lost[1] for lost in ranges if lost)))} by these changes. {_STAY}"


_STAY = "They stay stored, and count again under a version that has what they say."


def report(old: Instrument, new: Instrument, exact: dict[str, Any] | None = None) -> VersionReport:
    """`exact`: the exact figures of the old version, where there are some."""
    refused: list[str] = []
    if old == new:
        return VersionReport([], [], exact)
    if old.id != new.id:
        refused.append(f"These are two surveys: {old.id} and {new.id}.")
    elif version_changes.number(new.version) <= version_changes.number(old.version):
        refused.append(f"{new.version} is not higher than {old.version}.")
    faults = [*version_changes.type_faults([old], new), *version_changes.policy_faults([old], new)]
    refused += [fault.detail for fault in faults]
    return VersionReport(version_changes.compare(old, new), refused, exact)


def _cost(lost: tuple[int, int] | None) -> str:
    if lost is None:
        return "lost where they say this"
    least, most = lost
    if most == 0:
        return "none concerned"
    number = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    return f"{number} answer{'s' if most != 1 else ''} lost"
