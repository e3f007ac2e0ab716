"""Compares a version of a survey with the versions before it: its changes, the answers they cost, reasons to refuse it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import msgspec

from proto.conversion import same_kind
from proto.instrument import (
    BIGGEST,
    AnyQuestion,
    Band,
    CaseWeight,
    Closed,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    Matrix,
    Measured,
    Numeric,
    Option,
    Ranking,
    Row,
    WithRows,
)
from proto.problem import Fault

Path = tuple[str | int, ...]
"""To a number in the exact figures of the version before (`view=exact`)."""


class Change(msgspec.Struct, frozen=True):
    """One thing that is another. Where `loses`, `surely` leads to the answers that are lost, `perhaps` to those of which some may be."""

    place: str
    text: str
    loses: bool = False
    surely: tuple[Path, ...] = ()
    perhaps: tuple[Path, ...] = ()


def number(version: str) -> tuple[int, ...]:
    """Versions in their order: 0.10.0 is higher than 0.9.1."""
    return tuple(int(part) for part in version.split("."))


def highest(versions: Iterable[str]) -> str:
    """Raises ValueError where there is none."""
    return max(versions, key=number)


def type_faults(earlier: Iterable[Instrument], new: Instrument) -> list[Fault]:
    """A question that had another type before. `earlier`: in the order of their publication; the last one that had it decides."""
    known = {question.id: question for instrument in earlier for question in instrument.questions}
    return [
        Fault(
            f"/questions/{place}/type",
            "type-changed",
            f"{question.id} was a question of type {kind_of(known[question.id])}: a changed meaning needs a new id.",
        )
        for place, question in enumerate(new.questions)
        if question.id in known and not same_kind(known[question.id], question)
    ]


def policy_faults(earlier: Iterable[Instrument], new: Instrument) -> list[Fault]:
    """A guarantee that is made, or changed, or given up, once a version was published: it is one of the whole life of a survey."""
    if all(_promised(instrument) == _promised(new) for instrument in earlier):
        return []
    detail = "Differential privacy is promised for the whole life of a survey, with one epsilon and delta: publish it under another id."
    return [Fault("/policy", "guarantee-changed", detail)]


def _promised(instrument: Instrument) -> tuple[float, float] | None:
    policy = instrument.policy
    return None if policy.epsilon is None or policy.delta is None else (policy.epsilon, policy.delta)


def kind_of(question: AnyQuestion) -> str:
    return str(type(question).__struct_config__.tag)


def lost(change: Change, exact: dict[str, Any] | None) -> tuple[int, int] | None:
    """The least and the most answers that are lost, by the exact figures of the former version; None where these do not tell."""
    if exact is None:
        return None
    sure, perhaps = ([_at(exact, path) for path in paths] for paths in (change.surely, change.perhaps))
    if any(n is None for n in (*sure, *perhaps)) or not (sure or perhaps):
        return None
    least = sum(n or 0 for n in sure)
    return least, least + sum(n or 0 for n in perhaps)


def _at(node: Any, path: Path) -> int | None:
    try:
        for step in path:
            node = node[step]
    except (KeyError, IndexError, TypeError):
        return None
    return node if isinstance(node, int) else None


def compare(old: Instrument, new: Instrument) -> list[Change]:
    """Everything that differs, question by question; other words are one line."""
    before, after = ({question.id: question for question in instrument.questions} for instrument in (old, new))
    changes = [_taken_out(question) for id, question in before.items() if id not in after]
    for id, question in after.items():
        if id not in before:
            changes.append(Change(id, f"new question: {_news(question)}"))
        elif same_kind(before[id], question):
            changes += _question(before[id], question)
        else:
            changes.append(Change(id, f"{kind_of(question)}, was {kind_of(before[id])}: refused"))
    order = [id for id in before if id in after], [id for id in after if id in before]
    changes += [Change("questions", "in another order")] if order[0] != order[1] else []
    return [*changes, *_strata(old, new), *_rest(old, new)]


def _news(question: AnyQuestion) -> str:
    """Whose answers a new question has."""
    if isinstance(question, Computed):
        return "computed of everybody's answers"
    return "a weight, for rows that are imported" if isinstance(question, CaseWeight) else "not asked of those who answered before"


def _taken_out(question: AnyQuestion) -> Change:
    if isinstance(question, Computed):
        return Change(question.id, "no longer computed")
    return Change(question.id, "question taken out", True, _answers(question))


def _answers(question: AnyQuestion) -> tuple[Path, ...]:
    """Every answer to a question; in a matrix those of each row."""
    at: Path = ("questions", question.id)
    return tuple((*at, "rows", row.code, "answered") for row in question.rows) if isinstance(question, Matrix) else ((*at, "answered"),)


def _question(old: AnyQuestion, new: AnyQuestion) -> Iterator[Change]:
    if kind_of(old) != kind_of(new):
        yield Change(new.id, f"{kind_of(new)}, was {kind_of(old)}: earlier answers count where they fit")
    if isinstance(old, Computed) and isinstance(new, Computed):
        if (old.op, old.of, old.least, old.decimals) != (new.op, new.of, new.least, new.decimals):
            yield Change(new.id, "computed otherwise: everybody is counted anew by it")
        old = msgspec.structs.replace(old, op=new.op, of=new.of, least=new.least, decimals=new.decimals, min=new.min, max=new.max)
    if isinstance(old, Closed) and isinstance(new, Closed):
        yield from _options(old, new)
        yield from _rules(old, new)
    if isinstance(old, Matrix) and isinstance(new, Matrix):
        yield from _rows(old, new)
    if isinstance(old, Ranking) and isinstance(new, Ranking) and old.rank_count != new.rank_count:
        yield _places(old, new)
    if isinstance(old, ConstantSum) and isinstance(new, ConstantSum):
        totals, rows = (old.total, new.total), [{row.code for row in question.rows} for question in (old, new)]
        if totals[0] != totals[1] or rows[0] != rows[1]:
            yield Change(new.id, "shares out another total, or among other rows: earlier answers do not count", True, _answers(old))
    if isinstance(old, Measured) and isinstance(new, Measured):
        yield from _limits(old, new)
        yield from _special(old, new)
    named = {"options", "rows", "rank_count", "min", "max", "decimals", "precision", "special", "total", "piped", *_TEXTS}
    fields = [field for field in type(new).__struct_fields__ if field not in named and hasattr(old, field)]
    for field in fields:
        if getattr(old, field) != getattr(new, field):
            yield Change(new.id, _told(field, getattr(old, field), getattr(new, field)))


_TEXTS = ("text", "help", "unit")
_ASKS = {
    "show_if": "asked of others; who was asked before is told by the version they answered",
    "privacy": "another privacy role or hierarchy",
    "bands": "other bands: counted anew",
    "stats": "other figures are published",
    "section": "in another section",
}


def _told(field: str, old: Any, new: Any) -> str:
    if field in _ASKS:
        return _ASKS[field]
    return f"{field}: {_value(new)}, was {_value(old)}"


def _value(value: Any) -> str:
    return {True: "yes", False: "no", None: "any"}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


def _options(old: Closed, new: Closed) -> Iterator[Change]:
    known, present = {option.code for option in old.options}, {option.code for option in new.options}
    for code in (option.code for option in old.options if option.code not in present):
        rows = [row.code for row in old.rows] if isinstance(old, Matrix) else []
        at: Path = ("questions", old.id)
        paths: list[Path] = [(*at, "rows", row, "cells", code, "n") for row in rows] or [(*at, "cells", code, "n")]
        yield Change(f"{old.id}.{code}", "option taken out", True, tuple(paths))
    for code in (option.code for option in new.options if option.code not in known):
        yield Change(f"{old.id}.{code}", "new option: those who answered before could not choose it")
    yield from _moved(old, "options", old.options, new.options)
    before, after = ({o.code: o.score for o in question.options if o.code in known & present} for question in (old, new))
    if before != after:
        yield Change(old.id, "other scores: means are worked out by them, also of earlier answers")
    alone = ({option.code for option in question.options if option.exclusive} for question in (old, new))
    if len(set(map(frozenset, alone))) > 1:
        yield Change(old.id, "other options stand alone, from now on")


def _rules(old: Closed, new: Closed) -> Iterator[Change]:
    for what, before, after in (("option", old.options, new.options), ("row", _rows_of(old), _rows_of(new))):
        rules = {part.code: part.show_if for part in before}
        for part in after:
            if part.code in rules and rules[part.code] != part.show_if:
                yield Change(f"{new.id}.{part.code}", f"another rule of this {what}, from now on")


def _rows_of(question: Closed) -> tuple[Row, ...]:
    return question.rows if isinstance(question, Matrix) else ()


def _rows(old: Matrix, new: Matrix) -> Iterator[Change]:
    known, present = {row.code for row in old.rows}, {row.code for row in new.rows}
    for code in (row.code for row in old.rows if row.code not in present):
        yield Change(f"{old.id}.{code}", "row taken out", True, (("questions", old.id, "rows", code, "answered"),))
    for code in (row.code for row in new.rows if row.code not in known):
        yield Change(f"{old.id}.{code}", "new row: not asked of those who answered before")
    yield from _moved(old, "rows", old.rows, new.rows)


def _moved(question: AnyQuestion, what: str, old: Sequence[Option | Row], new: Sequence[Option | Row]) -> Iterator[Change]:
    codes = [[part.code for part in parts] for parts in (old, new)]
    one, other = ([code for code in codes[at] if code in codes[1 - at]] for at in (0, 1))
    if one != other:
        yield Change(question.id, f"{what} in another order")


def _places(old: Ranking, new: Ranking) -> Change:
    text = f"{new.rank_count} places, were {old.rank_count}"
    gone: list[Path] = [
        ("questions", old.id, "places", option.code, place) for option in old.options for place in range(new.rank_count, old.rank_count)
    ]
    return Change(new.id, text, bool(gone), tuple(gone))


def _special(old: Measured, new: Measured) -> Iterator[Change]:
    known, present = ([option.code for option in question.special] for question in (old, new))
    for code in known:
        if code not in present:
            yield Change(f"{old.id}.{code}", "special value taken out", True, (("questions", old.id, "cells", code, "n"),))
    for code in present:
        if code not in known:
            yield Change(f"{old.id}.{code}", "new special value: those who answered before could not choose it")


def _limits(old: Measured, new: Measured) -> Iterator[Change]:
    """Answers in bands that lie beyond the new limits are lost, those in bands that hold a limit perhaps."""
    least, most = _bounds(new)
    for name, bound, narrowed in (("min", "at least", _bounds(old)[0] < least), ("max", "at most", _bounds(old)[1] > most)):
        if getattr(old, name) != getattr(new, name):
            gone, some = _beyond(old, least if name == "min" else None, most if name == "max" else None)
            text = f"{bound} {_limit(getattr(new, name))}, was {_limit(getattr(old, name))}"
            yield Change(new.id, text, narrowed, gone if narrowed else (), some if narrowed else ())
    decimals = [question.decimals if isinstance(question, Numeric) else 0 for question in (old, new)]
    if decimals[0] != decimals[1]:
        fewer = decimals[1] < decimals[0]
        yield Change(new.id, f"{decimals[1]} decimals, were {decimals[0]}", fewer, (), _answers(old) if fewer else ())
    if isinstance(old, Date) and isinstance(new, Date) and old.precision != new.precision:
        yield Change(new.id, f"a {new.precision}, was a {old.precision}: earlier dates count by what both tell")


def _limit(bound: float | str) -> str:
    return "any number" if bound in (-BIGGEST, BIGGEST) else str(bound)


def _bounds(question: Measured) -> tuple[float, float]:
    """For dates as years with their fraction, so that they compare with bands, which are years."""
    if not isinstance(question, Date):
        return question.min, question.max
    return _year(question.min, 0), _year("9999-12" if question.max == "today" else question.max, 1)


def _year(date: str, end: int) -> float:
    """The beginning of the day, month or year, or its end."""
    year, *rest = (int(part) for part in date.split("-"))
    if not rest:
        return float(year + end)
    month, *day = rest
    return year + (month - 1 + ((day[0] - 1 + end) / 31 if day else end)) / 12


def _beyond(old: Measured, least: float | None, most: float | None) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    if not old.bands:
        return (), _answers(old)
    gone: list[Path] = []
    some: list[Path] = []
    for band, following in zip(old.bands, (*old.bands[1:], None), strict=True):
        lower, upper = band.lower, _end(band, following, old)
        path: Path = ("questions", old.id, "bands", band.code, "n")
        if (least is not None and upper < least) or (most is not None and lower > most):
            gone.append(path)
        elif (least is not None and lower < least) or (most is not None and upper > most):
            some.append(path)
    return tuple(gone), tuple(some)


def _end(band: Band, following: Band | None, question: Measured) -> float:
    """The greatest number in a band, which has all up to the one that follows; of a date's, the end of its last year."""
    if isinstance(question, Date):
        return _bounds(question)[1] if band.upper is None else band.upper + 1
    greatest = question.max if band.upper is None else band.upper
    return greatest if following is None or isinstance(question, Integer) else max(greatest, following.lower)


def _strata(old: Instrument, new: Instrument) -> Iterator[Change]:
    rules = [{item.id: item.rule for item in instrument.derived} for instrument in (old, new)]
    for name in rules[0].keys() & rules[1].keys():
        if rules[0][name] != rules[1][name]:
            yield Change(name, "another rule: everybody is counted anew by it")
    for name in old.hierarchies.keys() & new.hierarchies.keys():
        one, other = old.hierarchies[name], new.hierarchies[name]
        if (one.levels, one.table, one.bands) != (other.levels, other.table, other.bands):
            yield Change(name, "another hierarchy: everybody is counted anew by it")
    yield from (Change(name, "no figures by it any more") for name in old.strata if name not in new.strata)
    yield from (Change(name, "figures by it, of those who answered before too") for name in new.strata if name not in old.strata)


_TOLD = {
    "policy": "figures are released by other rules",
    "margins": "figures are weighted otherwise",
    "headlines": "other headlines",
    "participation": "others may answer",
    "opens": "it opens at another time",
    "closes": "it closes at another time",
    "quotas": "other quotas",
    "listed": "lists for everybody name it, or no longer do",
    "languages": "other languages",
    "contact_form": "another contact form",
    "one_question_per_page": "other pages of the form",
    "licence": "another licence for releases to come",
}


def _rest(old: Instrument, new: Instrument) -> Iterator[Change]:
    for field, text in _TOLD.items():
        if getattr(old, field) != getattr(new, field):
            yield Change(field, text)
    if _notes(old) != _notes(new):
        yield Change("notes", "other notes between questions")
    one, other = dict(_texts(old)), dict(_texts(new))
    changed = sum(one[place] != other[place] for place in one.keys() & other.keys())
    if changed:
        yield Change("texts", f"{changed} in other words")


def _notes(instrument: Instrument) -> dict[str, Any]:
    return {note.id: (note.before, note.show_if) for note in instrument.notes}


def _texts(instrument: Instrument) -> Iterator[tuple[Any, str]]:
    """Every text with its place."""
    for field in ("title", "introduction", "definitions", "notice", "unit_of_response"):
        yield from (((field, language), text) for language, text in getattr(instrument, field).items())
    parts: list[tuple[Any, Any]] = [((part.id,), part) for part in (*instrument.sections, *instrument.notes)]
    for question in instrument.questions:
        parts += [((question.id,), question)]
        listed = chain(
            question.options if isinstance(question, Closed) else (),
            question.rows if isinstance(question, WithRows) else (),
            question.special if isinstance(question, Measured) else (),
        )
        parts += [((question.id, type(part).__name__, part.code), part) for part in listed]
    for place, part in parts:
        for field in _TEXTS:
            texts = cast("dict[str, str]", getattr(part, field, {}))
            yield from (((*place, field, language), text) for language, text in texts.items())
