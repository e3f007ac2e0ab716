"""What must hold of margins: a stratum or question whose groups exist, shares that make a whole, combinations few enough to count. Pure."""

from __future__ import annotations

from math import prod

from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.schema import AuthoredMargin, AuthoredSurvey
from proto.codebook import groups_of
from proto.instrument import Date, Instrument, Integer, Numeric, Single

MOST_COMBINATIONS = 100
"""Of the groups of several margins. Each is a column of the live state, and needs respondents to stand for it."""


def check(survey: AuthoredSurvey, instrument: Instrument, strata: list[str], faults: Faults) -> None:
    """Adds to `faults` what is wrong with the margins, each alone and all together. `strata`: those that can be counted."""
    faults.once(((margin.of, (*faults.place(margin), "of")) for margin in survey.margins), "margin of")
    enabled = {question.id for question in survey.questions if question.enabled}
    questions = {q.id: q for q in instrument.questions if isinstance(q, Single | Integer | Numeric | Date)}
    unsound = any(fault.path.startswith(("/strata", "/hierarchies")) for fault in faults.found)
    for margin in survey.margins:
        path = faults.place(margin)
        _shares(margin, path, faults)
        if faults.touched((*path, "of")) or faults.touched(("questions",)) or (unsound and margin.of not in questions):
            continue
        question = questions.get(margin.of)
        if question is None and margin.of not in instrument.strata:
            message = f"{margin.of} is neither a stratum nor a question with one closed answer or bands"
            faults.add((*path, "of"), message, nearest(margin.of, [*instrument.strata, *questions]))
        elif question is not None and question.id not in enabled:
            faults.add((*path, "of"), f"{margin.of} is not enabled, so nobody answers it")
        elif question is not None or margin.of in strata:
            _codes(margin, groups_of(instrument, margin.of), path, faults)
    combinations = prod(len(margin.counts or margin.shares) for margin in survey.margins)
    if len(survey.margins) > 1 and combinations > MOST_COMBINATIONS:
        message = f"the margins make {combinations:,} combinations of groups; at most {MOST_COMBINATIONS} can be counted"
        faults.add(("margins",), message, "coarser groups, or fewer margins")


def _shares(margin: AuthoredMargin, path: Path, faults: Faults) -> None:
    if bool(margin.counts) == bool(margin.shares):
        if not faults.touched((*path, "counts")) and not faults.touched((*path, "shares")):
            faults.broken(path, f"the margin of {margin.of} needs either counts or shares")
        return
    key, given = ("counts", margin.counts) if margin.counts else ("shares", margin.shares)
    if faults.touched((*path, key)):
        return
    if len(given) < 2:
        faults.add((*path, key), "a margin divides the population into two groups at least")
    for code, n in given.items():
        if n == 0:
            faults.add((*path, key, code), f"the group {code} is empty", "leave it out: its respondents are not of the population")
    if margin.shares and abs(sum(given.values()) - 1) > 0.001:
        faults.add((*path, key), f"the shares add up to {sum(given.values()):.4g}", "they must add up to 1")


def _codes(margin: AuthoredMargin, known: list[str], path: Path, faults: Faults) -> None:
    key, given = ("counts", margin.counts) if margin.counts else ("shares", margin.shares)
    for code in given:
        if code not in known:
            faults.add((*path, key, code), f"{margin.of} has no group {code}", nearest(code, known))
