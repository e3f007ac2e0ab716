"""When a survey takes answers: from its opening to its closing, and for those who have begun until the end of the grace. Pure."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from proto.instrument import Closing, Instrument, Opening
from proto.problem import Problem

Phase = Literal["coming", "open", "ending", "closed"]
"""coming: not open yet. ending: closed for whoever has not begun; those who have can still send."""


LONGEST_GRACE = 7 * 24 * 60
"""Minutes."""
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def zone_exists(zone: str) -> bool:
    """Whether this is "UTC" or a place of the tz database, such as "Europe/Brussels"; an offset or an abbreviation is neither."""
    return zone == "UTC" or ("/" in zone and not zone.startswith("Etc/") and zone in available_timezones())


def local(moment: Opening | Closing) -> datetime.datetime:
    """The moment with its zone. Where clocks are set back and it comes twice, an opening is the first of the two, a closing the second.

    Raises ValueError where there is no such time or zone.
    """
    if not zone_exists(moment.zone):
        raise ValueError(moment.zone)
    if not _WRITTEN.fullmatch(moment.at):
        raise ValueError(moment.at)
    written = datetime.datetime.fromisoformat(moment.at)
    told = written.replace(tzinfo=ZoneInfo(moment.zone), fold=int(isinstance(moment, Closing)))
    if told.astimezone(datetime.UTC).astimezone(told.tzinfo).replace(tzinfo=None) != written:
        raise ValueError(moment.at)  # clocks are set forward over it
    return told


@lru_cache(maxsize=1000)
def opening(moment: Opening) -> float:
    """When it opens, in seconds since 1970."""
    return local(moment).timestamp()


@lru_cache(maxsize=1000)
def closing(moment: Closing) -> float:
    """When new respondents are refused, in seconds since 1970."""
    return local(moment).timestamp()


def end(moment: Closing) -> float:
    """When nothing is taken any more, in seconds since 1970."""
    return closing(moment) + 60 * moment.grace_minutes


def last_minute(moment: Closing) -> datetime.datetime:
    """When nothing is taken any more, with the zone."""
    return datetime.datetime.fromtimestamp(end(moment), ZoneInfo(moment.zone))


def phase(instrument: Instrument, now: float, lifted: float | None = None) -> Phase:
    """`now` and `lifted` in seconds since 1970. `lifted`: a closing that says nothing any more, since the survey was reopened after it."""
    closes = instrument.closes
    if closes is not None and closing(closes) != lifted:
        if now >= end(closes):
            return "closed"
        if now >= closing(closes):
            return "ending"
    return "coming" if instrument.opens is not None and now < opening(instrument.opens) else "open"


def refusal(phase: Phase, *, begun: bool = True) -> Problem | None:
    """Why no answers are taken; None where they are. Whoever has not `begun` is refused from the closing on."""
    match phase:
        case "open":
            return None
        case "ending":
            return None if begun else Problem("survey-closed", "Whoever has begun can still send.")
        case "coming":
            return Problem("survey-not-open")
        case "closed":
            return Problem("survey-closed")


def misfits(instrument: Instrument) -> list[tuple[tuple[str, ...], str, str]]:
    """What is wrong with the opening and the closing: where, what, and what to do about it."""
    found: list[tuple[tuple[str, ...], str, str]] = []
    for name, moment in (("opens", instrument.opens), ("closes", instrument.closes)):
        if moment is None:
            continue
        if not zone_exists(moment.zone):
            found.append(((name, "zone"), f"there is no time zone {moment.zone}", "a name such as Europe/Brussels, or UTC"))
            continue
        try:
            local(moment)
        except ValueError:
            found.append(((name, "at"), f"there is no {moment.at} in {moment.zone}", 'a day and a time such as "2026-12-31 18:00"'))
    if instrument.closes is not None and not 0 <= instrument.closes.grace_minutes <= LONGEST_GRACE:
        found.append((("closes", "grace_minutes"), "the grace is too long", f"at most {LONGEST_GRACE:,} minutes"))
    if not found and instrument.opens and instrument.closes and opening(instrument.opens) >= closing(instrument.closes):
        found.append((("closes",), "the survey closes before it opens", "a later closing"))
    return found
