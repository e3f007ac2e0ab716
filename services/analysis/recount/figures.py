"""Recount of figures: every exact figure from plain counters of answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import sqrt
from operator import mul
from typing import Any, assert_never

from proto.instrument import (
    NON_SUBSTANTIVE,
    AnyQuestion,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
)
from proto.intervals import student
from services.analysis.recount.weights import Key, Weighed


@dataclass
class GroupCounts:
    """Counts of everybody, or of one group."""

    n: int = 0
    counts: Counter[Key] = field(default_factory=Counter[Key])
    sums: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    squares: dict[str, Fraction] = field(default_factory=dict[str, Fraction])

    def add(self, keys: list[Key], numbers: Mapping[str, Fraction]) -> None:
        self.n += 1
        self.counts.update(keys)
        for id, value in numbers.items():
            self.sums[id] = self.sums.get(id, Fraction(0)) + value
            self.squares[id] = self.squares.get(id, Fraction(0)) + value * value


def sections(instrument: Instrument, group: GroupCounts) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in instrument.sections:
        pairs: list[tuple[int, int]] = []
        for question in instrument.questions:
            if question.section == section.id and "none" not in question.stats and question.privacy.role != "identifying":
                shown = group.n - group.counts[question.id, "skipped"]
                rows: list[Key] = [(row.code,) for row in question.rows] if isinstance(question, Matrix) else [()]
                rows *= len(question.rows) if isinstance(question, ConstantSum) else 1
                for row in rows:
                    asked = shown - (group.counts[question.id, "skipped", *row] if row else 0)
                    pairs.append((asked, asked - group.counts[question.id, "missing", *row]))
        if pairs:
            asked, answered = (sum(column) for column in zip(*pairs, strict=True))
            share = {"share": answered / asked} if asked else {}
            yield section.id, {"asked": asked, "answered": answered, "reached": max(pair[1] for pair in pairs)} | share


def figures(question: AnyQuestion, group: GroupCounts, weighed: Weighed | None) -> dict[str, Any]:
    """Returns the figures of a question. `weighed`: the weights of everybody; None for a group, which has no weighted figures."""
    id, counts = question.id, group.counts
    skipped, missing = counts[id, "skipped"], counts[id, "missing"]
    answered = group.n - skipped - missing
    base = {"type": str(type(question).__struct_config__.tag), "answered": answered, "skipped": skipped, "missing": missing}
    absent: list[Key] = [(id, "skipped"), (id, "missing")]
    codes: dict[str, list[Key]] = {}
    match question:
        case Single() | Multiple():
            codes = {option.code: [(id, "cell", option.code)] for option in question.options}
            result = base | _cells("cells", codes, counts, answered, weighed, absent)
            if isinstance(question, Single) and {"mean", "net_agreement"} & set(question.stats):
                result |= _scale(question, codes, counts, weighed, absent)
        case Matrix():
            rows = {row.code: _row(question, row.code, group.n - skipped, counts, weighed) for row in question.rows}
            return {"type": base["type"], "skipped": skipped, "rows": rows}
        case Ranking():
            ranks = [str(place) for place in range(question.rank_count)]
            codes = {option.code: [(id, "rank", option.code, place) for place in ranks] for option in question.options}
            first = {code: keys[:1] for code, keys in codes.items()}
            result = base | _cells("cells", codes, counts, answered, weighed, absent)
            result |= {"first": _cells("cells", first, counts, answered, weighed, absent)["cells"]}
            if answered:
                points = {code: sum((len(keys) - at) * counts[key] for at, key in enumerate(keys)) for code, keys in codes.items()}
                result["rank_score"] = {code: value / answered for code, value in points.items()}
            result["places"] = {code: [counts[key] for key in keys] for code, keys in codes.items()}
        case ConstantSum():
            shares = {row.code: _share_of_total(question, row.code, answered, group, weighed, absent) for row in question.rows}
            result = base | {"rows": shares}
        case Integer() | Numeric() | Date():
            bands: dict[str, list[Key]] = {band.code: [(id, "cell", band.code)] for band in question.bands}
            special: dict[str, list[Key]] = {option.code: [(id, "cell", option.code)] for option in question.special}
            codes = bands | special
            result = base | _cells("bands", bands, counts, answered, weighed, absent) | _median(bands, counts)
            if special:
                result |= _cells("cells", special, counts, answered, weighed, absent)
            values = answered - sum(counts[id, "cell", option.code] for option in question.special)
            if isinstance(question, Integer | Numeric) and values:
                result |= _moments(group, id, values)
        case ShortText() | LongText():
            result = base
        case _:
            assert_never(question)
    return result | ({"nonresponse": _nonresponse(group.n - skipped, missing, codes, counts)} if weighed else {})


def _nonresponse(asked: int, missing: int, codes: Mapping[str, list[Key]], counts: Counter[Key]) -> dict[str, Any]:
    other = {code: sum(counts[key] for key in codes[code]) for code in ("dk", "na", "pnts") if code in codes}
    result: dict[str, Any] = {"asked": asked, "missing": missing} | other
    return result | ({"rate": (missing + other.get("dk", 0) + other.get("pnts", 0)) / asked} if asked else {})


def _row(question: Matrix, row: str, shown: int, counts: Counter[Key], weighed: Weighed | None) -> dict[str, Any]:
    id, missing = question.id, counts[question.id, "missing", row]
    codes: dict[str, list[Key]] = {option.code: [(id, "cell", row, option.code)] for option in question.options}
    shown -= counts[id, "skipped", row]
    absent: list[Key] = [(id, "skipped"), (id, "skipped", row), (id, "missing", row)]
    result = {"answered": shown - missing} | _cells("cells", codes, counts, shown - missing, weighed, absent)
    if question.ordered:
        result |= _scale(question, codes, counts, weighed, absent)
    return result | ({"nonresponse": _nonresponse(shown, missing, codes, counts)} if weighed else {})


def _share_of_total(
    question: ConstantSum, row: str, answered: int, group: GroupCounts, weighed: Weighed | None, absent: list[Key]
) -> dict[str, Any]:
    bands: dict[str, list[Key]] = {band.code: [(question.id, "cell", row, band.code)] for band in question.bands}
    result = {"answered": answered} | _cells("cells", bands, group.counts, answered, weighed, absent)
    if not answered:
        return result
    digits = [group.counts[question.id, "digit", row, str(place)] for place in range(len(f"{question.total:b}"))]
    mean = group.sums[f"{question.id}.{row}"] / answered
    ends = _wilson(float(mean / question.total), answered)
    result |= {"mean": float(mean), "mean_ci95": [end * question.total for end in ends], "digits": digits}
    if weighed and (n_eff := result.get("n_eff")):
        mean = weighed.sum(f"{question.id}.{row}") / weighed.answered(absent)[0]
        ends = _wilson(mean / question.total, n_eff)
        result["weighted"] = {"mean": mean, "mean_ci95": [end * question.total for end in ends]}
    return result


def _cells(
    name: str, codes: Mapping[str, list[Key]], counts: Counter[Key], answered: int, weighed: Weighed | None, absent: list[Key]
) -> dict[str, Any]:
    """Returns the cells of a question, and the effective size of those who answered. The keys of a code exclude each other."""
    cells = {code: _cell(sum(counts[key] for key in keys), answered) for code, keys in codes.items()}
    total, n_eff = weighed.answered(absent) if weighed else (0.0, 0.0)
    if weighed and n_eff and cells:
        for code, keys in codes.items():
            share = sum(weighed.of(key) for key in keys) / total
            cells[code]["weighted"] = {"share": share, "ci95": _wilson(share, n_eff)}
        return {name: cells, "n_eff": n_eff}
    return {name: cells}


def _scale(
    question: Single | Matrix, codes: Mapping[str, list[Key]], counts: Counter[Key], weighed: Weighed | None, absent: list[Key]
) -> dict[str, Any]:
    declared = {option.code: option.score for option in question.options if option.code not in NON_SUBSTANTIVE}
    given = sorted((score, code) for code, score in declared.items() if score is not None)
    scores = {code: score for score, code in given} or _scores([*declared])
    scale = [key for code in scores for key in codes[code][:1]]
    worth = list(scores.values())
    unweighted = _likert([counts[key] for key in scale], worth)
    total, n_eff = weighed.answered(absent) if weighed else (0.0, 0.0)
    if unweighted and weighed and n_eff:
        weighted = _likert([weighed.of(key) / total * n_eff for key in scale], worth)
        return unweighted | ({"weighted": weighted} if weighted else {})
    return unweighted


def _scores(scale: list[str]) -> dict[str, int]:
    """Returns the score of each code, in ascending order: its number, or its rank where codes are no numbers."""
    digits = [code[1:] if code[0] in "+-" else code for code in scale]
    worth = {code: int(code) for code, bare in zip(scale, digits, strict=True) if bare.isdigit() and len(bare) < 10}
    if len(set(worth.values())) < len(scale):
        return {code: at + 1 for at, code in enumerate(scale)}
    return {code: worth[code] for code in sorted(scale, key=worth.__getitem__)}


def _likert(scale: list[Any], worth: list[int]) -> dict[str, Any]:
    total, half = sum(scale), len(scale) // 2
    if not total:
        return {}
    above, below = sum(scale[len(scale) - half :]), sum(scale[:half])
    steps = [score - worth[0] for score in worth]
    beyond, net = sum(map(mul, steps, scale)) / total, (above - below) / total
    mean = worth[0] + beyond
    result: dict[str, Any] = {"mean": mean, "net_agreement": net}
    if total >= 2:
        squares = sum(step * step * count for step, count in zip(steps, scale, strict=True))
        error = sqrt(max(squares - total * beyond * beyond, 0.0) / (total - 1) / total) * student(total - 1)
        result["mean_ci95"] = [max(mean - error, float(worth[0])), min(mean + error, float(worth[-1]))]
    centre, both = (above - below) / (total + 2), (above + below + 2) / (total + 2)
    error = 1.959963984540054 * sqrt((both - centre * centre) / (total + 2))
    return result | {"net_agreement_ci95": [max(centre - error, -1.0), min(centre + error, 1.0)]}


def _median(codes: Mapping[str, list[Key]], counts: Counter[Key]) -> dict[str, str]:
    everyone = [code for code, keys in codes.items() for key in keys for _ in range(counts[key])]
    return {"median_band": everyone[(len(everyone) - 1) // 2]} if everyone else {}


def _moments(group: GroupCounts, id: str, answered: int) -> dict[str, float]:
    total = group.sums[id]
    result = {"sum": float(total), "mean": float(total / answered)}
    if answered > 1:
        result["variance"] = float((group.squares[id] - total * total / answered) / (answered - 1))
    return result


def _cell(n: int, answered: int) -> dict[str, Any]:
    return {"n": n, "share": n / answered, "ci95": _wilson(n / answered, answered)} if answered else {"n": n}


def _wilson(share: float, answered: float) -> list[float]:
    """The solutions of (p - share)² = z² p (1 - p) / answered.

    The discriminant is written as a product: as a difference of two numbers near 4 it loses six digits where nearly all of 100,000 agree.
    """
    t = 1.959963984540054**2 / answered
    a, b = 1 + t, -(2 * share + t)
    root = sqrt(t * (t + 4 * share * (1 - share)))
    return [0.0 if share <= 0 else (-b - root) / (2 * a), 1.0 if share >= 1 else (-b + root) / (2 * a)]
