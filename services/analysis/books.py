"""What analysis compiles from published instruments, once each: readers, and the folder of each survey's current version."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.events import ResponseWithdrawn, UnreadableEvent, read_response
from proto.instrument import Instrument
from proto.registry import Registry
from services.analysis.draws import Draws
from services.analysis.fold import Answered, Folder
from services.analysis.journal import Entry
from services.analysis.store import Stored

_ID = re.compile(r"[0-9a-f]{32}")


class Books:
    def __init__(self, registry: Registry, secret: bytes) -> None:
        self.registry = registry
        self._secret = secret
        self._readers: dict[tuple[str, str], Reader] = {}
        self._folders: dict[tuple[str, str], Folder] = {}

    def surveys(self) -> list[str]:
        return self.registry.surveys()

    def instrument(self, survey: str, version: str) -> Instrument | None:
        return self.registry.instrument(survey, version)

    def reader(self, survey: str, version: str) -> Reader:
        """Raises KeyError on a version that was never published."""
        if (survey, version) not in self._readers:
            found = self.registry.instrument(survey, version)
            if found is None:
                raise KeyError(survey, version)
            self._readers[survey, version] = Reader(found)
        return self._readers[survey, version]

    def folder(self, survey: str, version: str | None = None) -> Folder | None:
        """The folder of this version, by default the current one: it counts the responses of all versions."""
        found = self.registry.instrument(survey, version)
        if found is None:
            return None
        if (survey, found.version) not in self._folders:
            self._folders[survey, found.version] = Folder(CodeBook(self.reader(survey, found.version)), self._secret)
        return self._folders[survey, found.version]

    def draws(self, survey: str) -> Draws:
        return Draws(self._secret, survey)

    def answered(self, survey: str, stored: Stored) -> Answered:
        """A stored response as the fold takes it."""
        return stored.id, self.reader(survey, stored.version).stored(stored.answers.encode())

    def read(self, entry: Entry) -> tuple[Any, Any]:
        """The event, and its answers as a Struct (None for a withdrawal). Raises UnreadableEvent, or KeyError as `reader`."""
        event = read_response(entry.data)
        if _ID.fullmatch(event.id) is None or not entry.subject.endswith(f".{event.survey}.{event.id}"):
            raise UnreadableEvent("another subject than its own")
        if isinstance(event, ResponseWithdrawn):
            return event, None
        try:
            return event, self.reader(event.survey, event.version).stored(bytes(event.answers))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise UnreadableEvent("answers that do not fit the instrument") from None
