"""What a cell of a data file says: a label, a number, a day, or nothing. Pure.

What can be read in two ways is never guessed: the reader gives both readings, and its caller refuses the cell.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Literal

TOKENS = frozenset(
    {"na", "n/a", "n.a.", "n. a.", "#n/a", "#na", "nan", "null", ".", "-", "--", "\\n"}
    | {"k.a.", "k. a.", "n.d.", "n. d.", "n/d", "s/d", "s/o", "b.d.", "b/d", "#nv", "#n/d", "#n/b", "#i/t", "#hiányzik"}
)
"""Words that programs and people write where there is no answer, in small letters. They are so only where the import map declares them."""
_ERROR = re.compile(r"#[¡¿]?[^\W\d_][\w/ ]{1,24}[!?]")
"""What a spreadsheet writes in the language of its user where a formula failed: #DIV/0!, #WERT!, #¿NOMBRE?"""
SENTINELS = frozenset(
    {"77", "88", "96", "97", "98", "99", "777", "888", "996", "997", "998", "999", "-7", "-8", "-9", "-66"}
    | {"-77", "-88", "-89", "-96", "-97", "-98", "-99", "-777", "-888", "-998", "-999"}
)
"""Numbers that programs write for an answer that is none."""

YES = frozenset(
    {"1", "true", "yes", "y", "x", "checked", "selected"}
    | {"да", "ano", "áno", "ja", "ναι", "sí", "si", "sì", "jah", "kyllä", "oui", "tá", "sea", "da", "igen", "taip", "jā", "iva", "tak"}
    | {"sim", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "ausgewählt", "angekreuzt", "gewählt", "sélectionné", "seleccionado"}
)
NO = frozenset(
    {"0", "false", "no", "n", "unchecked", "unselected", *(f"not {word}" for word in ("selected", "checked", "chosen", "ticked"))}
    | {"не", "ne", "nej", "nein", "όχι", "ei", "non", "níl", "ní hea", "nem", "nē", "le", "nee", "nie", "não", "nu"}
    | {"falsch", "faux", "falso", "nicht ausgewählt", "nicht angekreuzt", "nicht gewählt", "non sélectionné", "no seleccionado"}
)
"""Words that say whether an option was chosen, in small letters, in the languages of the interface."""

CACHED = 1 << 16
"""Cells repeat, so what was found of one is kept."""

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_SPACES = "\u0020\u00a0\u2009\u202f"
_POINT = re.compile(rf"([+-]?)([0-9]{{1,15}}|[1-9][0-9]{{0,2}}(?:[,{_SPACES}'\u2019][0-9]{{3}})+)(?:\.([0-9]{{1,15}}))?")
_COMMA = re.compile(rf"([+-]?)([0-9]{{1,15}}|[1-9][0-9]{{0,2}}(?:[.{_SPACES}'\u2019][0-9]{{3}})+)(?:,([0-9]{{1,15}}))?")
_PATTERNS = {".": _POINT, ",": _COMMA}
_BARE = re.compile(r"^([+-]?)(?=[.,][0-9])")
_MARKS = re.compile(r"[^0-9+-]")
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?(?:[ T].*)?")
_PARTS = re.compile(r"([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})(?:[ T].*)?")

Order = Literal["ymd", "dmy", "mdy"]


@lru_cache(CACHED)
def tidy(label: str) -> str:
    """The label without what nobody sees: signs without a glyph, double spaces, another composition of letters."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", label)).split())


def is_token(cell: str) -> bool:
    """Whether programs write this where there is no answer."""
    return cell.lower() in TOKENS or (cell.startswith("#") and _ERROR.fullmatch(cell) is not None)


def whole(cell: str) -> str:
    """A code that a program wrote as a float: "2.0" as "2"; any other cell as it is."""
    match = _WHOLE.fullmatch(cell)
    return match[1] if match else cell


@lru_cache(CACHED)
def readings(cell: str, decimals: tuple[str, ...] | str = (".", ",")) -> frozenset[Decimal]:
    """The numbers that a cell can stand for, under each of these decimal marks; none where it is no number.

    A mark between groups of three digits is one for thousands: "1,250" is 1.25 or 1250, "0,250" and "1,25" are one number each.
    """
    found: set[Decimal] = set()
    cell = _BARE.sub(r"\g<1>0", cell.replace("\u2212", "-"))
    for decimal in decimals:
        match = _PATTERNS[decimal].fullmatch(cell)
        if match and len(set(_MARKS.findall(match[2]))) <= 1:
            sign, digits, fraction = match.groups()
            found.add(Decimal(f"{sign}{_MARKS.sub('', digits)}.{fraction or 0}"))
    return frozenset(found)


def decimal_marks(cells: Iterable[str]) -> tuple[str, ...]:
    """The decimal marks under which all numbers among the cells can be read: one where they tell, else both."""
    marks = {".", ","}
    for cell in cells:
        fitting = {mark for mark in marks if readings(cell, mark)}
        if fitting:
            marks = fitting
        elif readings(cell):
            return (".", ",")  # the cells are written in two ways, so each speaks for itself
    return tuple(sorted(marks))


def outlying(cells: Iterable[str]) -> frozenset[str]:
    """The signs of no answer that lie beyond all other numbers among the cells: an age of 77 is one of many, 99 may be none."""
    distinct = set(cells)
    found = SENTINELS & distinct
    others = [number for cell in distinct - found for number in readings(cell)] if found else []
    return frozenset(cell for cell in found if not others or not min(others) <= Decimal(cell) <= max(others))


def day(cell: str, order: Order | None) -> str | None:
    """The day, or the month, in ISO 8601; a time after it is cut off. None where it cannot be told without `order`."""
    iso = _ISO.fullmatch(cell)
    if iso:
        year, month, date = iso.groups()
        return _checked(year, month, date)
    match = _PARTS.fullmatch(cell)
    if match is None or order is None:
        return None
    parts = dict(zip(order, match.groups(), strict=True))
    return _checked(parts["y"], parts["m"], parts["d"]) if len(parts["y"]) == 4 else None


def _checked(year: str, month: str, date: str | None) -> str | None:
    try:
        found = datetime.date(int(year), int(month), int(date or 1))
    except ValueError:
        return None
    return found.isoformat() if date else found.isoformat()[:7]
