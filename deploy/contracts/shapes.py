"""JSON Schema of what clients exchange with Platea: the body of a response to each survey, instruments, snapshots, manifests."""

from __future__ import annotations

from typing import Any

import msgspec

from proto import author
from proto.answers import Reader
from proto.instrument import Instrument
from proto.manifest import Manifest
from proto.snapshot import Snapshot

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, dict[str, Any]]:
    schemas = {
        "instrument.schema.json": _schema(Instrument, "An instrument as it is published and served"),
        "snapshot.schema.json": _schema(Snapshot, "The published figures of a survey"),
        "manifest.schema.json": _schema(Manifest, "The manifest of a release"),
    }
    for survey, path in author.bundled().items():
        instrument = author.load(path)
        if not isinstance(instrument, Instrument):
            raise ValueError(str(instrument[0]))  # the tests say so in more words
        schemas[f"responses/{survey}.schema.json"] = _responses(instrument)
    return schemas


def _schema(kind: Any, title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title} | msgspec.json.schema(kind)


def _responses(instrument: Instrument) -> dict[str, Any]:
    """Types and codes. Skip logic and required questions depend on other answers; intake tells them, all faults at once."""
    reader = Reader(instrument)
    schema = _schema(reader.body, f"A response to {instrument.id} {instrument.version}")
    schema["description"] = (
        "Hidden questions must be absent and required ones present: see show_if and required in the survey's definition."
    )
    answers = schema["$defs"]["Answers"]["properties"]
    for question in instrument.asked:
        answers[question.id] = {"title": question.text[instrument.source_language]} | answers[question.id]
    for id in reader.computed:
        del answers[f"={id}"]  # set by the reader alone
    body = schema["$defs"]["Body"]
    body["properties"]["consent"] = {"const": True}
    body["required"] = ["answers", "consent"]
    return schema
