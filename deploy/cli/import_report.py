"""What `platea import --dry-run` says: for each column what was understood, with counts, and what would be refused. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from statistics import median

from deploy.cli.answering import Answering, ColumnTally
from deploy.cli.import_map import ImportMap
from deploy.cli.mapping import ColumnMapping
from proto import case_weights
from proto.instrument import AnyQuestion, CaseWeight, Integer, Multiple, Numeric, Ranking
from proto.intervals import Z

MOST_VALUES = 8
MOST_EXAMPLES = 3


def lines(answering: Answering, map_: ImportMap | None, unmapped: list[str]) -> Iterator[str]:
    """One line for each column, or for the columns of one multiple choice or ranking; below it what is unclear or refused."""
    done: set[str] = set()
    for name, column in answering.columns.items():
        if name in done:
            continue
        question = answering.known[column.target]
        family = _family(name, column, question, answering)
        done.update(family)
        title = name if len(family) == 1 else f"{family[0]} to {family[-1]}"
        kind = _kind(question)
        what = (
            "weight"
            if isinstance(question, CaseWeight)
            else f"{kind} {column.target}"
            + (f" row {column.row}" if column.row else "")
            + (" (text of an option)" if column.specify else "")
        )
        yield f"  {_cut(title):<24}  {what:<24}  {_read(family, question, answering)}".rstrip()
        if isinstance(question, CaseWeight) and answering.tallies[name].numbers:
            yield f"  {'':<24}  {_as_classes(question, answering.tallies[name].numbers)}"
        if isinstance(question, CaseWeight) and (sentence := without_weight(answering.tallies[name])):
            yield f"  {'':<24}  {sentence}"
        for member in family:
            yield from (f"  {'':<24}  {line}" for line in _unclear(member if len(family) > 1 else "", answering.tallies[member]))
    if map_ is not None:
        yield from _beside(map_)
    if unmapped:
        yield f"in neither    {', '.join(map(_cut, unmapped))}: send each to a question, or put it under `ignored`"


def undeclared(answering: Answering) -> Iterator[str]:
    """Signs of no answer that nobody declared, with the columns that hold them, and rows without a weight."""
    for name, column in answering.columns.items():
        if isinstance(answering.known[column.target], CaseWeight) and (sentence := without_weight(answering.tallies[name])):
            yield f"{_cut(name)}: {sentence}."
    columns: dict[str, dict[str, int]] = {}
    for name, tally in answering.tallies.items():
        for token, count in tally.suspect.items():
            columns.setdefault(token, {})[name] = count
    for token, found in columns.items():
        where = ", ".join(map(_cut, list(found)[:3])) + (f" and {len(found) - 3} more columns" if len(found) > 3 else "")
        yield f'"{token}" stands {sum(found.values()):,} times in {where}: if it means no answer, declare it under `missing` in the map.'


def without_weight(tally: ColumnTally) -> str:
    """What becomes of rows without a weight; empty where each has one."""
    count = tally.empty + sum(tally.missing.values())
    return f"{count:,} row{'s have' if count > 1 else ' has'} no weight: in no weighted figure" if count else ""


def there_before(known: Mapping[str, int], replace: bool) -> str:
    """What the server has of the rows already: the `same`, with `other` answers, and `withdrawn`."""
    found: list[str] = []
    if known.get("same"):
        found.append(f"{known['same']:,} were there before")
    if known.get("other"):
        what = "which --replace changes" if replace else "refused unless --replace is said"
        found.append(f"{known['other']:,} were there before with other answers, {what}")
    if known.get("withdrawn"):
        found.append(f"{known['withdrawn']:,} were withdrawn since and stay so")
    return f" Of these rows {'; '.join(found)}." if found else " None of these rows was there before."


def _family(name: str, column: ColumnMapping, question: AnyQuestion, answering: Answering) -> list[str]:
    """The columns that are told together: those of one multiple choice or one ranking."""
    if not isinstance(question, Multiple | Ranking) or column.specify is not None:
        return [name]
    return [other for other, entry in answering.columns.items() if entry.target == column.target and entry.specify is None]


def _kind(question: AnyQuestion) -> str:
    tag: object = type(question).__struct_config__.tag
    return str(tag).replace("_", " ")


def _read(family: list[str], question: AnyQuestion, answering: Answering) -> str:
    tallies = [answering.tallies[name] for name in family]
    numbers = [number for tally in tallies for number in tally.numbers]
    if isinstance(question, CaseWeight) and numbers:
        ends, worth = f"{_number(min(numbers))} to {_number(max(numbers))}", _effective(numbers)
        found = [f"{ends}, mean {sum(numbers) / len(numbers):.3f}, effective sample {worth:,.0f} of {len(numbers):,}"]
    elif isinstance(question, Integer | Numeric) and numbers:
        found = [f"{_number(min(numbers))} to {_number(max(numbers))}, median {_number(median(numbers))}"]
        found += [f"{code} {count:,}" for code, count in tallies[0].read.items()]
    elif isinstance(question, Ranking) and len(family) > 1:
        full = max((sum(tally.read.values()) for tally in tallies), default=0)
        found = [f"places in up to {full:,} rows"]
    else:
        counts: dict[str, int] = {}
        for tally in tallies:
            for value, count in tally.read.items():
                counts[value] = counts.get(value, 0) + count
        shown = sorted(counts.items(), key=lambda entry: -entry[1])
        found = [f"{value} {count:,}" for value, count in shown[:MOST_VALUES]]
        if len(shown) > MOST_VALUES:
            found.append(f"{len(shown) - MOST_VALUES:,} other values")
    if len(family) == 1:
        texts = answering.seen(family[0]) - sum(tallies[0].read.values()) - len(tallies[0].numbers)
        if texts > 0 and not isinstance(question, Multiple | Ranking):
            found.append(f"{texts:,} texts")
        if tallies[0].empty:
            found.append(f"empty {tallies[0].empty:,}")
    if none := answering.none_ticked[question.id]:
        found.append(f"{none:,} rows with none ticked, read as unanswered")
    return ", ".join(found) or "no answers"


def _as_classes(question: CaseWeight, weights: list[float]) -> str:
    """What it costs that a weight is kept as its class: how far weighted shares may move, in parts of their interval.

    A share moves by the sum over respondents of what each weight is off, times 1 - p or -p. Where that has nothing to do with the answers,
    its standard deviation is to that of the share as the root of Σ off² to that of Σ w².
    """
    codes = [case_weights.code_of(question, weight) for weight in weights]
    classes = [float(code) for code in codes if code is not None]
    scale = sum(weights) / sum(classes)
    off = sum((scale * of_class - weight) ** 2 for of_class, weight in zip(classes, weights, strict=True))
    moved = sqrt(off / sum(weight * weight for weight in weights)) / Z
    return (
        f"kept as {len(set(classes))} of {len(question.options)} classes, effective sample {_effective(classes):,.0f}: "
        f"weighted shares move by about {moved:.0%} of half their interval"
    )


def _effective(weights: list[float]) -> float:
    return sum(weights) ** 2 / sum(weight * weight for weight in weights)


def _unclear(name: str, tally: ColumnTally) -> Iterator[str]:
    start = f"{_cut(name)}: " if name else ""
    if tally.missing:
        yield start + ", ".join(f'{count:,} × "{token}" → missing' for token, count in tally.missing.items())
    for token, count in tally.suspect.items():
        yield f'{start}{count:,} × "{token}" is not declared: missing, or an answer?'
    reasons: dict[str, list[int]] = {}
    for line, why in tally.refused:
        reasons.setdefault(why, []).append(line)
    for why, where in list(reasons.items())[:MOST_EXAMPLES]:
        places = ", ".join(map(str, where[:MOST_EXAMPLES])) + (" …" if len(where) > MOST_EXAMPLES else "")
        yield f"{start}refused {len(where):,} × (line{'s' if len(where) > 1 else ''} {places}): {why}"
    if len(reasons) > MOST_EXAMPLES:
        yield f"{start}refused for {len(reasons) - MOST_EXAMPLES:,} other reasons"


def _beside(map_: ImportMap) -> Iterator[str]:
    ignored: Mapping[str, str] = map_.ignored if isinstance(map_.ignored, dict) else dict.fromkeys(map_.ignored, "")
    if ignored:
        yield "left out      " + ", ".join(_cut(name) + (f" ({why})" if why else "") for name, why in ignored.items())


def _number(value: float) -> str:
    """Years and other numbers of four digits have no mark of thousands."""
    return f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:.10g}"


def _cut(name: str) -> str:
    plain = " ".join(name.split())
    return plain if len(plain) <= 40 else plain[:39] + "…"
