"""Cache of what is compiled from published instruments: readers and folders, once per version."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.events import ResponseEvent, ResponseWithdrawn, UnreadableEvent, read_response
from proto.instrument import Instrument
from proto.registry import Registry
from services.analysis.disclosure.noise import Noise
from services.analysis.ingest.journal import JournalMessage
from services.analysis.records import StoredResponse
from services.analysis.state.fold import Answered, Folder
from services.runtime.error_details import stack_of

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{32}")


class UnknownVersion(KeyError):
    """The version of a survey is not known here: not published, not yet received, or not understood."""

    def __init__(self, event: ResponseEvent, version: str) -> None:
        super().__init__(event.survey, version)
        self.event, self.version = event, version


class CompiledSurveys:
    def __init__(self, registry: Registry, secret: bytes) -> None:
        self.registry = registry
        self._secret = secret
        self._readers: dict[tuple[str, str], Reader] = {}
        self._folders: dict[tuple[str, str], Folder] = {}
        self._broken: set[tuple[str, str]] = set()

    def surveys(self) -> list[str]:
        return self.registry.surveys()

    def instrument(self, survey: str, version: str) -> Instrument | None:
        return self.registry.instrument(survey, version)

    def knows(self, survey: str, version: str) -> bool:
        """Returns whether answers to this version can be read here. A version that does not compile is logged once."""
        if self.registry.instrument(survey, version) is None or (survey, version) in self._broken:
            return False
        try:
            self.reader(survey, version)
        except Exception as error:  # a newer version of Platea knows what it means
            self._broken.add((survey, version))
            log.error("a version does not compile here", extra={"survey": survey, "version": version, "stack": stack_of(error)})
            return False
        return True

    def reader(self, survey: str, version: str) -> Reader:
        """Returns the reader of answers to this version. Raises KeyError for an unknown version."""
        if (survey, version) not in self._readers:
            instrument = self.registry.instrument(survey, version)
            if instrument is None:
                raise KeyError(survey, version)
            self._readers[survey, version] = Reader(instrument)
        return self._readers[survey, version]

    def folder(self, survey: str, version: str | None = None) -> Folder | None:
        """Returns the folder of this version (by default the current one), which counts responses of all versions; None if unknown."""
        instrument = self.registry.instrument(survey, version)
        if instrument is None:
            return None
        key = survey, instrument.version
        if key not in self._folders:
            self._folders[key] = Folder(CodeBook(self.reader(*key)))
        return self._folders[key]

    def noise(self, survey: str) -> Noise:
        return Noise(self._secret, survey)

    def answered(self, survey: str, stored: StoredResponse) -> Answered:
        """Returns a stored response as `Folder.fold` takes it."""
        return stored.id, self.reader(survey, stored.version).stored(stored.answers.encode())

    def read(self, entry: JournalMessage) -> tuple[Any, Any]:
        """Returns the event, and its answers as a Struct (None for a withdrawal). Raises UnreadableEvent or UnknownVersion."""
        event = read_response(entry.data)
        if _ID.fullmatch(event.id) is None or not entry.subject.endswith(f".{event.survey}.{event.id}"):
            raise UnreadableEvent("another subject than its own")
        if isinstance(event, ResponseWithdrawn):
            return event, None
        if not self.knows(event.survey, event.version):
            raise UnknownVersion(event, event.version)
        try:
            return event, self.reader(event.survey, event.version).stored(bytes(event.answers))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise UnreadableEvent("answers that do not fit the instrument") from None
