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
_CONSENT = {
    "bg": "съгласие|съгласен|съгласна|съгласяв",
    "cs": "souhlas",
    "da": "samtyk|accepter|indforstået",
    "de": "einwillig|willige|zustimm|stimme|einverst|akzeptier",
    "el": "συγκατ|συναιν|συμφων|αποδέχομαι",
    "en": "agree|consent|accept|permission",
    "es": "acepto|consient|consent|autorizo|estoy de acuerdo",
    "et": r"nõus\b|nõusol|nõustun",
    "fi": "suostu|hyväksy",
    "fr": "accepte|consen|autorise|d.accord|mon accord",
    "ga": "toiliú|toilím|aontaím|aontú",
    "hr": "slažem|suglas|prista[jn]|privol",
    "hu": "hozzájárul|beleegy|egyetért|elfogad",
    "it": "accett|acconsent|consens|autorizz|d.accordo",
    "lt": "sutink|sutik",
    "lv": "piekrīt|piekriš",
    "mt": "kunsens|naqbel|naċċetta",
    "nl": "akkoord|toestem|instem",
    "pl": "zgadzam|zgod[aęyą]|akceptuj",
    "pt": "aceito|consen|concordo|autorizo|estou de acordo",
    "ro": "sunt de acord|consim|accept",
    "sk": "súhlas",
    "sl": "strinja|sogla[sš]|privol",
    "sv": "samtyck|godkän|accepterar",
}
"""How words begin with which people consent, by language: "according to" is none of them. Other languages are not looked at."""


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
    return [language for language, text in instrument.notice.items() if _asks_for_consent(text, language)]


def _asks_for_consent(text: str, language: str) -> bool:
    words = _CONSENT.get(language.partition("-")[0])
    return words is not None and re.search(rf"\b({words})", text, re.IGNORECASE) is not None
