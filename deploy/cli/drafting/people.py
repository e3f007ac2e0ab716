"""What tells of people in a column, by its name and by its cells: what must not be asked again, and which privacy role to propose. Pure.

All of it is a guess for the author to review. What is not recognised here is not proven harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Literal

Role = Literal["quasi_identifier", "sensitive", "insensitive", "free_text"]

_TIME = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T,]+[0-9]{1,2}:[0-9]{2}.*)?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_MONTH = re.compile(r"(19|20)[0-9]{2}[-/.](0?[1-9]|1[0-2])|(0?[1-9]|1[0-2])[-/.](19|20)[0-9]{2}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NETWORK = re.compile(r"([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){3,7}", re.IGNORECASE)
_TELEPHONE = re.compile(r"(\+|00?)[1-9][0-9 ()/.-]{6,18}|\(?0?[1-9][0-9]{2,4}\)?[ /-][0-9][0-9 -]{5,12}")
_DRAWN = re.compile(r"(R_)?(?=[A-Za-z-]*[0-9])[A-Za-z0-9-]{12,}")
_IDENTITY = re.compile(r"\b(id|uuid|guid|respondent|token|serial|record|row|response|key)\b", re.IGNORECASE)
_OF_PROGRAMS = re.compile(
    r"(start|end) ?(date|time|language)?|date submitted|submit ?date|submission ?date|completion time"
    r"|timestamp|last ?page|seed|duration( in seconds)?|progress|finished|distribution channel|user ?language|collector id|redcap .*"
    r"|.* complete"
    r"|version|submission time"
    r"|status|ref ?url|device ?id|submitter id"
)
_NAMES = re.compile(r"((first|last|middle|full|given|family|sur|recipient (first|last)) ?)?name|surname|forename|recipient.*|contact")
_CONTACT = re.compile(r".*\b(e ?mail|mail address|phone|telephone|mobile|passport|iban|address)\b.*|ip|ip ?address")
_PLACE = re.compile(r"(location ?)?(latitude|longitude)|lat|lon|lng|gps.*")
_PERSON = re.compile(
    r"\b(age|how old|gender|sex|birth|born|nation|citizen|educat|income|salary|household|hh|kids|child|famil|post ?code|zip|location|region"
    r"|city"
    r"|town|municipal|country|province|district|marital|occupation|employ|minority|rent"
    r"|alter|geschlecht|einkommen|beruf|wohnort|âge|sexe|revenu|profession|edad|sexo|ingresos|età|sesso|reddito)",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    r"\b(ethnic|race|racial|relig|faith|church|health|illness|disease|disab|diagnos|union|party|politic|vote|voting|sexual|orientation"
    r"|genetic|biometric|convict|offence)",
    re.IGNORECASE,
)

_STATES = (
    r"alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|georgia|hawaii|idaho|illinois|indiana"
    r"|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|montana|nebraska"
    r"|nevada|ohio|oklahoma|oregon|pennsylvania|tennessee|texas|utah|vermont|virginia|washington|wisconsin|wyoming|austria"
    r"|belgium|bulgaria|croatia|cyprus|czechia|denmark|estonia|finland|france|germany|greece|hungary|ireland|italy|latvia"
    r"|lithuania|luxembourg|malta|netherlands|poland|portugal|romania|slovakia|slovenia|spain|sweden|norway|switzerland"
    r"|ukraine|canada|mexico"
)
_PEOPLE = re.compile(
    rf"{_STATES}|(never |not )?(married|divorced|widowed|separated|cohabiting)|single|in a relationship"
    r"|(fe)?male|(wo)?m[ae]n|non-?binary|mann|frau|homme|femme|diverse?"
    r"|[0-9]{1,2} ?(-|\u2013|to) ?[0-9]{1,2}( years.*)?|[0-9]{2} ?(\+|and (over|older))|(under|over|below) [0-9]{2}"
    r"|(less than |under |over )?[$\u20ac\u00a3] ?[0-9][0-9., ]*k?.*"
    r"|(high school|secondary|primary|bachelor|master|doctora|phd|degree|diploma|apprentice).*"
    r"|(un)?employed.*|self-employed|retired|student|homemaker",
    re.IGNORECASE,
)
_BELIEFS = re.compile(
    r"(roman )?catholic|protestant|orthodox|evangelical|jewish|muslim|hindu|buddhist|sikh|atheist|agnostic|mormon|lutheran|anglican"
    r"|christian|black|white|asian|hispanic|latino.?|caucasian|roma|heterosexual|straight|gay|lesbian|bisexual"
    r"|democrat|republican|labour|conservative|green party",
    re.IGNORECASE,
)


TIMES = "times or days; they can single people out"
APART = "tells the rows apart"
WEIGHT = "another weight; figures can be weighted by one"


def plain(name: str) -> str:
    """The words of a column's name: "ResponseId" and "response_id" are the same."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).lower().split())


def left_out(column: str, given: Sequence[str], rows: int) -> str:
    """Why a column is no question, or nothing. `given`: its cells that are not empty."""
    distinct, words = set(given), plain(column)
    if _mostly(_TIME.fullmatch, distinct, 0.5) or _mostly(_MONTH.fullmatch, distinct, 0.9):
        return TIMES
    if _mostly(_MAIL.fullmatch, distinct, 0.5):
        return "mail addresses"
    if _mostly(_NETWORK.fullmatch, distinct, 0.5):
        return "network addresses"
    if _mostly(_TELEPHONE.fullmatch, distinct, 0.5):
        return "telephone numbers"
    if _CONTACT.fullmatch(words):
        return "how people can be reached"
    if _NAMES.fullmatch(words):
        return "names of people"
    if _PLACE.fullmatch(words):
        return "places on the map; they can single people out"
    by_program = column.startswith("_") or _OF_PROGRAMS.fullmatch(words) is not None
    if tells_apart(column, given, rows) and (not by_program or _IDENTITY.search(words)):
        return APART
    if by_program:
        return "written by the program that collected the data"
    if re.fullmatch(r"(case |design |survey |final )*(weight|wgt|wt)s?", words):
        return WEIGHT
    return ""


def tells_apart(column: str, given: Sequence[str], rows: int) -> bool:
    """Whether each row has a cell of its own that is no answer: an id by the column's name, a running number, a drawn sign."""
    distinct = set(given)
    if len(distinct) != rows or rows < 2:
        return False
    if _IDENTITY.search(plain(column)):
        return True
    if rows >= 20 and all(cell.isascii() and cell.isdecimal() and len(cell) < 16 for cell in distinct):
        numbers = sorted(map(int, distinct))
        return numbers[-1] - numbers[0] == rows - 1
    return rows >= 10 and all(_DRAWN.fullmatch(cell) for cell in distinct)


def role(column: str, text: str, labels: Sequence[str]) -> Role:
    """The role that name, question and labels propose."""
    words = f"{plain(column)} {text}"
    if _SPECIAL.search(words) or _mostly(_BELIEFS.fullmatch, labels, 1 / 3):
        return "sensitive"
    if _PERSON.search(words) or _mostly(_PEOPLE.fullmatch, labels, 0.5):
        return "quasi_identifier"
    return "insensitive"


def _mostly(test: Callable[[str], object], cells: Collection[str], share: float) -> bool:
    hits = sum(test(cell) is not None for cell in cells)
    return hits > 0 and hits >= share * len(cells)
