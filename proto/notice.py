"""The information notice of a survey: which version somebody agreed to, and what the organiser has not said yet. Pure."""

from __future__ import annotations

import hashlib
import re
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
    "purposes": "for what purpose",
    "officer": "how to reach the data protection officer (or that there is none)",
    "recipients": "who receives the data",
    "transfers": "whether data leave the EU and EEA",
    "rights": "which rights people have",
    "complaint": "to which authority one can complain",
    "voluntary": "whether one has to answer",
    "automated": "whether decisions are automated",
}
_CONSENT = re.compile(
    r"\b(agree|consent|accepte|consens|acepto|consient|stimme|einwillig|acconsent|akkoord|zgadzam|wyrażam zgodę)", re.IGNORECASE
)
"""How people say that they consent. Languages that are not here are not looked at."""


def version(instrument: Instrument, words: Iterable[str] = ()) -> str:
    """Names the texts of the notice, in all languages: the organiser's and, in `words`, those that every survey shows.

    The start of SHA-256 over their canonical JSON, so anybody who keeps the texts can find out which ones were agreed to.
    """
    texts = {"consent": instrument.notice, "data_protection": instrument.data_protection or DataProtection(), "words": list(words)}
    return hashlib.sha256(msgspec.json.encode(texts, order="deterministic")).hexdigest()[:LENGTH]


def missing(instrument: Instrument) -> list[str]:
    """The facts that Article 13 of the GDPR (Article 15 of Regulation (EU) 2018/1725) requires and the instrument leaves open, in words."""
    stated = instrument.data_protection or DataProtection()
    return [what for name, what in _PARTS.items() if not getattr(stated, name)]


def contradicts(instrument: Instrument) -> list[str]:
    """The languages in which people are asked to consent, or not asked to, against the legal basis that the instrument names.

    Consent is one basis of Article 6(1) of the GDPR among six: whoever asks for a public task asks nobody to agree.
    """
    stated = instrument.data_protection
    if stated is None or not stated.legal_basis or stated.legal_basis == "consent":
        return []
    return [language for language, text in instrument.notice.items() if _CONSENT.search(text)]
