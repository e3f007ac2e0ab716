"""The information notice of a survey: which version somebody agreed to, and what the organiser has not said yet. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from proto.instrument import DataProtection, Instrument

LENGTH = 12
"""Hexadecimal digits of a version: enough to tell texts apart, short enough to read aloud."""
_PARTS = {
    "controller": "who is responsible",
    "basis": "the legal basis",
    "retention": "how long answers are kept",
    "contact": "whom to ask about data protection",
}


def version(instrument: Instrument, words: Iterable[str] = ()) -> str:
    """Names the texts of the notice, in all languages: the organiser's and, in `words`, those that every survey shows.

    The start of SHA-256 over their canonical JSON, so anybody who keeps the texts can find out which ones were agreed to.
    """
    texts = {"consent": instrument.notice, "data_protection": instrument.data_protection or DataProtection(), "words": list(words)}
    return hashlib.sha256(msgspec.json.encode(texts, order="deterministic")).hexdigest()[:LENGTH]


def missing(instrument: Instrument) -> list[str]:
    """The facts that Article 13 of the GDPR requires and the instrument leaves open, in words."""
    stated = instrument.data_protection or DataProtection()
    return [what for name, what in _PARTS.items() if not getattr(stated, name)]
