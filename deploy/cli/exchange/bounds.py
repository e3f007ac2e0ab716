"""Bounds, bands and hierarchies of numbers and dates. Pure."""

from __future__ import annotations

import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from deploy.cli.exchange.model import ForeignQuestion
from deploy.cli.exchange.report import Report
from deploy.cli.exchange.roles import guess
from deploy.cli.exchange.scope import decimals, special_codes
from deploy.cli.exchange.texts import Filler
from proto.authoring.question_checks import BIGGEST

_STAND_IN = (Decimal(0), Decimal(1_000_000))
_AGES = (0, 18, 25, 35, 45, 55, 65, 75)


def number_bounds(question: ForeignQuestion, report: Report, fill: Filler) -> dict[str, Any]:
    """`min`, `max`, `special`, and bands where a hierarchy needs them."""
    least, greatest = _number(question, question.min, ROUND_CEILING), _number(question, question.max, ROUND_FLOOR)
    if least is not None and greatest is not None and least > greatest:
        report.add("review", "no-bounds", question.place, f"{question.name} allows no number: its bounds are left out", of=question.name)
        least = greatest = None
    banded = "privacy" not in question.kept and guess(question) == "quasi_identifier"
    if banded:
        stood_in = [_plain(bound) for given, bound in zip((least, greatest), _STAND_IN, strict=True) if given is None]
        least = _STAND_IN[0] if least is None else least
        greatest = max(_STAND_IN[1], least) if greatest is None else greatest
        if least > greatest:
            least = greatest
        if stood_in:
            which = "no smallest and largest number" if len(stood_in) == 2 else "no smallest or no largest number"
            stand = "stand" if len(stood_in) == 2 else "stands"
            message = f"{question.name} has {which}; {' and '.join(f'{bound:,}' for bound in stood_in)} {stand} in"
            report.add("review", "no-bounds", question.place, message, of=question.name)
    entry: dict[str, Any] = {}
    if least is not None:
        entry["min"] = _plain(least)
    if greatest is not None:
        entry["max"] = _plain(greatest)
    entry |= specials(question, report, fill)
    if banded and least is not None and greatest is not None:
        entry["bands"] = bands(least, greatest, decimals(question) if question.kind == "numeric" else 0)
    return entry


def specials(question: ForeignQuestion, report: Report, fill: Filler) -> dict[str, Any]:
    if not question.specials:
        return {}
    values = " and ".join(special.value for special in question.specials)
    message = f"{question.name} allows {values} besides its range: what does {'it' if len(question.specials) == 1 else 'each'} mean?"
    report.add("review", "special", question.place, message, of=question.name)
    return {"special": [{"code": code, **fill({}, value)} for value, code in special_codes(question).items()]}


def date_bounds(question: ForeignQuestion, report: Report, fill: Filler) -> dict[str, Any]:
    """`precision`, `min`, `max` of a date."""
    length = {"day": 10, "month": 7, "year": 4}[question.precision]
    entry: dict[str, Any] = {"precision": question.precision}
    least, greatest = _day(question.min), _day(question.max)
    entry["min"] = (least or "1900-01-01")[:length]
    if greatest is not None:
        entry["max"] = greatest if greatest == "today" else greatest[:length]
    elif "max" not in question.kept and "privacy" not in question.kept:
        report.add(
            "review", "date-bounds", question.place, f"{question.name} may lie in the future; max: today stands in", of=question.name
        )
    return entry | specials(question, report, fill)


def hierarchy(question: ForeignQuestion, entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of a hierarchy that fits, and its levels: the answer itself, or nothing, until the author writes better ones."""
    match question.kind:
        case "integer" | "numeric":
            return str(entry["var"]), {"levels": ["exact", "band", "*"], "bands": [entry["bands"]]}
        case "date":
            return "by-year", {"levels": ["date", "year", "*"]}
        case _:
            return "as-given", {"levels": ["answer", "*"]}


def bands(least: Decimal, greatest: Decimal, places: int) -> list[str]:
    """At most nine bands without a gap from the least to the greatest number."""
    step = Decimal(10) ** -places
    starts = [Decimal(age) for age in _AGES] if least >= 0 and greatest <= 150 else [Decimal(10) ** power for power in range(1, 10)]
    inner = [start for start in starts if least < start <= greatest][:8]
    edges = [least, *inner]
    texts: list[str] = []
    for place, edge in enumerate(edges):
        upper = greatest if place == len(edges) - 1 else edges[place + 1] - step
        texts.append(_spelled(edge) if upper == edge else f"{_spelled(edge)}-{_spelled(upper)}")
    return texts


def _spelled(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(question: ForeignQuestion, bound: Decimal | str | None, rounding: str) -> Decimal | None:
    if not isinstance(bound, Decimal):
        return None
    step = Decimal(1) if question.kind == "integer" else Decimal(10) ** -decimals(question)
    rounded = (bound / step).to_integral_value(rounding) * step
    return max(Decimal(-BIGGEST), min(rounded, Decimal(BIGGEST)))


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _day(bound: Decimal | str | None) -> str | None:
    if not isinstance(bound, str):
        return None
    if bound == "today":
        return bound
    try:
        return datetime.date.fromisoformat(bound).isoformat()
    except ValueError:
        return None
