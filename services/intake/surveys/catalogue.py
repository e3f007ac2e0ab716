"""The published surveys: every version as a compiled reader, with its public definition as JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from proto import bounds, notice
from proto import instrument as instruments
from proto.answers import Reader
from proto.instrument import Instrument
from proto.registry import Registry
from services.runtime.error_details import stack_of
from services.runtime.http.encoded_body import Encoded

log = logging.getLogger(__name__)


@dataclass
class CatalogueEntry:
    """Versions in the order of publication. Answers may name any of them; without a version they belong to the last."""

    id: str
    readers: dict[str, Reader] = field(default_factory=dict[str, Reader])
    definitions: dict[str, Encoded] = field(default_factory=dict[str, Encoded])
    """The public JSON of each version."""
    notices: dict[str, str] = field(default_factory=dict[str, str])
    """The version of the information notice, by version of the survey."""

    @property
    def current(self) -> Reader:
        return self.readers[next(reversed(self.readers))]

    def reader(self, version: str) -> Reader:
        """The reader of this version; the current one where there is no such version."""
        return self.readers.get(version) or self.current

    @property
    def body_limit(self) -> int:
        """Most bytes of a response to any of its versions."""
        return max(bounds.body_limit(reader.instrument) for reader in self.readers.values())

    @property
    def invited(self) -> bool:
        """Whether only invited people may answer."""
        return self.current.instrument.participation == "invited"


class Catalogue:
    """Compiles each version once, when it is published, so that no respondent waits for it. `notice_of` hashes the information notice."""

    def __init__(self, notice_of: Callable[[Instrument], str] = notice.version) -> None:
        self._notice_of = notice_of
        self.surveys: dict[str, CatalogueEntry] = {}
        self._broken: set[tuple[str, str]] = set()

    def refresh(self, registry: Registry) -> None:
        """Adds the versions in `registry` that are not compiled yet. One that does not compile is logged once and left out."""
        for id, versions in registry.versions.items():
            for version, instrument in versions.items():
                survey = self.surveys.get(id)
                if (survey is None or version not in survey.readers) and (id, version) not in self._broken:
                    self._add(instrument)

    @property
    def body_limit(self) -> int:
        """Most bytes of a response to any survey."""
        return max((survey.body_limit for survey in self.surveys.values()), default=bounds.LEAST)

    def _add(self, instrument: Instrument) -> None:
        try:
            reader = Reader(instrument)
        except Exception as error:  # publication compiles first, so this version was published without it
            fields = {"survey": instrument.id, "version": instrument.version, "stack": stack_of(error)}
            log.error("a version does not compile here", extra=fields)
            self._broken.add((instrument.id, instrument.version))
            return
        survey = self.surveys.setdefault(instrument.id, CatalogueEntry(instrument.id))
        survey.definitions[instrument.version] = define(instrument)
        survey.notices[instrument.version] = self._notice_of(instrument)
        survey.readers[instrument.version] = reader


def define(instrument: Instrument) -> Encoded:
    """The instrument with every parameter of its disclosure policy. Only the key of the perturbation is secret."""
    definition = msgspec.json.decode(instruments.encode(instrument))
    definition["policy"] = msgspec.structs.asdict(instrument.policy)
    return Encoded.of(msgspec.json.encode(definition, order="deterministic"))
