"""What in a free text looks as if it pointed to a person: marks for whoever reads it, never a decision.

Claim: none. Shapes are found (addresses, numbers, titles before names), meaning is not: "the mayor's brother", a bare surname or a rare
event pass unmarked, and harmless figures are marked. A reader decides; the marks say where to look first.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Kind = Literal["e-mail", "web address", "account", "IBAN", "date", "phone", "number plate", "address", "name", "number"]


class Mark(msgspec.Struct, frozen=True):
    """`text[begin:end]` looks like this kind of thing. Places count characters (code points)."""

    kind: Kind
    begin: int
    end: int


_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮĶĹĽŁŃŇŌŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩΆΈ-ΏА-Я"
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|sept|janvier|février|mars|avril|mai|juin|juillet|"
    "août|septembre|octobre|novembre|décembre|januar|februar|märz|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|junio|julio|"
    "agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|jan|feb|mar|apr|"
    "jun|jul|aug|sep|oct|nov|dec"
)
_TITLES = (
    "mr|mrs|ms|miss|mx|sir|madam|lady|lord|dr|prof|professor|doctor|mayor|councillor|commissioner|inspector|officer|sergeant|captain|"
    "herr|frau|hr|fr|bürgermeister|bürgermeisterin|m|mm|mme|mlle|monsieur|madame|maître|maire|"
    "señor|señora|sr|sra|don|doña|alcalde|alcaldesa|sig|signor|signora|dott|dottoressa|sindaco|sindaca|"
    "dhr|mevr|mevrouw|meneer|fru|pan|pani|pán|paní|gospod|gospa|domnul|doamna|κύριος|κυρία|κ|госпожа|господин"
)
_STREETS = (
    "street|road|avenue|lane|square|drive|court|rue|boulevard|bd|allée|impasse|chemin|quai|calle|avenida|avda|paseo|plaza|via|viale|"
    "piazza|corso|vicolo|rua|travessa|praça|ulica|ul|aleja|straat|strada|strasse|straße|οδός"
)

_SHAPES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("e-mail", re.compile(r"[\w.+-]{1,64}(?:@|\s?[\[(]at[\])]\s?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.IGNORECASE)),
    (
        "web address",
        re.compile(r"(?:https?://|www\.)[^\s<>\"]{1,300}|\b[\w-]{2,63}\.(?:com|org|net|eu|[a-z]{2})/[^\s]{1,200}", re.IGNORECASE),
    ),
    ("account", re.compile(r"(?<![\w@])@\w{3,40}")),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("date", re.compile(r"\b(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2}))\b")),
    (
        "date",
        re.compile(
            rf"\b\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?\s(?:de\s)?(?:{_MONTHS})\.?(?:\s(?:de\s)?\d{{4}})?\b"
            rf"|\b(?:{_MONTHS})\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?\b",
            re.IGNORECASE,
        ),
    ),
    ("phone", re.compile(r"(?<![\w.,])(?!\d{4}\s?[-/]\s?\d{4}(?!\d))(?:\+|00)?\(?\d(?:[ ().\-/]{0,2}\d){6,14}(?![\w])")),
    (
        "number plate",
        re.compile(
            r"\b(?:[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}|[A-Z]{2}-?\d{3}-?[A-Z]{2}|(?<!-)\d{4} ?[BCDFGHJKLMNPRSTVWXYZ]{3}"
            r"|[A-Z]{2}\d{2} [A-Z]{3}|[A-Z]{3}-\d{3,4}|\d-[A-Z]{3}-\d{3})\b"
        ),
    ),
    (
        "address",
        re.compile(
            rf"\b(?i:{_STREETS})\b\.?(?:\s[\w'’.-]{{1,30}}){{1,5}}[,\s]{{1,2}}(?:n[º°.]?\s?)?\d{{1,4}}[a-z]?\b"
            rf"|\b\d{{1,4}}[a-z]?,?\s(?i:bis\s|ter\s)?(?i:{_STREETS})\s(?:(?:de\s|du\s|des\s|d['’]|l['’]|la\s){{0,2}}[{_UPPER}][\w'’-]{{1,30}}\s?){{1,3}}"
            rf"|\b\d{{1,4}}[a-z]?,?\s(?:[{_UPPER}][\w'’-]{{1,30}}\s){{1,3}}(?i:{_STREETS})\b"
            r"|\b\w{2,40}(?:straße|strasse|straat|gasse|weg|platz|allee|gatan|vägen|vej|gade|katu)\s\d{1,4}[a-z]?\b"
        ),
    ),
    ("address", re.compile(rf"\b(?:[A-Z]{{1,2}}-)?\d{{5}}\s[{_UPPER}][\w'’-]{{1,40}}")),
    (
        "name",
        re.compile(
            rf"\b(?:(?i:{_TITLES})\b\.?\s){{1,3}}(?:(?:von|van|de|der|di|da|del|le|la)\s){{0,3}}[{_UPPER}][\w'’-]{{1,40}}(?:\s[{_UPPER}][\w'’-]{{1,40}}){{0,2}}"
        ),
    ),
    ("number", re.compile(r"\d{6,}")),
)
"""What comes first wins where two meet. Every repetition is bounded, so that no text takes long."""


def marks(text: str) -> tuple[Mark, ...]:
    """In the order of the text; no two overlap."""
    free, hints = bytearray(len(text)), list[Mark]()
    for kind, shape in _SHAPES:
        for match in shape.finditer(text):
            begin, end = match.span()
            if not any(free[begin:end]):
                free[begin:end] = b"\1" * (end - begin)
                hints.append(Mark(kind, begin, end))
    return tuple(sorted(hints, key=lambda mark: mark.begin))
