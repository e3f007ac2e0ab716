"""Attacks by somebody who keeps every public state of a survey from its first answer to its last, and every table of each."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from random import Random

import numpy as np

from services.analysis.layout import arrange
from tests.analysis.small import Answers, book, crowd
from tests.attacks import naive
from tests.attacks.likelihood import History, advantage_of_one, moments_of, pair_ratio
from tests.attacks.surveys import Moment, columns, ours

LEVELS = "12345"
ANSWERS = 200
UNKNOWN = {"Use": 2, "Agree.x": 5, "Agree.y": 5}
"""What the watcher does not know of the target, and how many answers each has."""


def person(draw: Random, place: str) -> Answers:
    return {"Place": place, "Use": draw.choice("yn"), "Agree": {"x": draw.choice(LEVELS), "y": draw.choice(LEVELS)}}


def watcher(seed: int) -> tuple[bool, bool, bool]:
    """Knows the place of somebody, after whom that answer came, and the places of all others: takes every cell together that the
    target may be in, at every state, in every table and margin."""
    draw = Random(seed)
    people = crowd(seed, ANSWERS)
    for one in people:
        one["Place"] = draw.choice("aabbcd")
    target, when = person(draw, "b"), draw.randrange(ANSWERS // 4, ANSWERS * 3 // 4)
    people[when] = target
    truth, guess = LEVELS.index(target["Agree"]["x"]), draw.randrange(5)
    arrived = [one["Place"] == "b" for one in people]
    return guess == truth, _from_plain(people, when, guess) == truth, _from_all(ours(people, seed), arrived, when) == truth


def _from_plain(people: list[Answers], when: int, guess: int) -> int:
    """What the naive build says: which count of the row grew as the target came, or came into sight; else it is one that is left out."""
    row, levels = columns("Place")[1], columns("Agree.x")[:5]
    before, after = (naive.counts(people[:end])[row, levels] for end in (when, when + 1))
    grown = np.nan_to_num(after, nan=0.0) - np.nan_to_num(before, nan=0.0)
    left_out = np.flatnonzero(np.isnan(after))
    return int(grown.argmax()) if grown.max() > 0 else int(left_out[guess % len(left_out)]) if len(left_out) else guess


def _from_all(states: list[Moment], arrived: list[bool], when: int) -> int:
    """The level with the greatest likelihood, over whatever else the target may have answered."""
    cells = {name: columns(name)[:size] for name, size in UNKNOWN.items()}
    east = dict(arrange(book()).strata[0].groups)["east"]
    single = {name: [_gain(states, c, c, None, when) for c in at] for name, at in cells.items()}
    rows = {
        name: [sum(_gain(states, row, c, arrived, when) for row in (columns("Place")[1], east)) for c in at] for name, at in cells.items()
    }
    pairs = {
        (one, other): [[_gain(states, a, b, None, when) for b in cells[other]] for a in cells[one]] for one, other in combinations(cells, 2)
    }
    found = np.zeros(UNKNOWN["Agree.x"])
    for answers in product(*(range(size) for size in UNKNOWN.values())):
        given = dict(zip(UNKNOWN, answers, strict=True))
        total = sum(single[name][i] + rows[name][i] for name, i in given.items())
        total += sum(pairs[one, other][given[one]][given[other]] for one, other in pairs)
        found[given["Agree.x"]] += np.exp(total)
    return int(found.argmax())


def _gain(states: list[Moment], row: int, column: int, arrived: list[bool] | None, when: int) -> float:
    """What the history of one cell says for the target being in it. `arrived`: who came into its row, where that is known."""
    anew = row == column
    seen = [place for place, state in enumerate(states) if not np.isnan(state.counts[row, column])]
    moves = moments_of([int(states[place].at[row, column]) for place in seen])
    at = seen if anew else [seen[place] for place in moves]
    if not at:
        return 0.0
    ends = [0, *(states[place].answers for place in at)]
    came = [sum(arrived[a:b]) if arrived else b - a for a, b in pairwise(ends)]
    shown = [int(states[place].counts[row, column]) for place in at]
    share = min(max(shown[-1], 1) / max(sum(came), 1), 0.95)
    step = next((place for place, end in enumerate(ends[1:]) if end > when), len(shown))
    return advantage_of_one(History(shown, came, share, anew), step)


def subtracter(seed: int) -> tuple[bool, bool, bool]:
    """Knows that somebody is the only one from a place: takes the region's other place off the region, in every table and state."""
    draw = Random(seed)
    people = [one | {"Place": draw.choice("aabccc")} for one in crowd(seed, ANSWERS)]
    target, when = person(draw, "d"), draw.randrange(ANSWERS)
    people[when] = target
    levels = columns("Agree.x")[:5]
    truth, guess = LEVELS.index(target["Agree"]["x"]), draw.randrange(5)
    region, place = dict(arrange(book()).strata[0].groups)["south"], columns("Place")[2]
    last = naive.counts(people)
    difference = last[region, levels] - last[place, levels]
    exact = int(np.nan_to_num(difference).argmax()) if np.nansum(difference) > 0 else guess
    after = [state for state in ours(people, seed) if state.answers > when]
    return guess == truth, exact == truth, _subtracted(after, region, place, levels, guess) == truth


def _subtracted(states: list[Moment], region: int, place: int, levels: np.ndarray, guess: int) -> int:
    """The level at which the two rows differ most credibly, each pair of values counted once."""
    pairs: dict[int, set[tuple[int, int]]] = {
        int(column): set() for column in range(len(states[-1].counts)) if column not in (region, place)
    }
    for state in states:
        for column, found in pairs.items():
            one, other = state.counts[region, column], state.counts[place, column]
            if not np.isnan(one + other) and state.at[region, column] == state.at[place, column]:
                found.add((int(one), int(other)))
    every = [one == other for found in pairs.values() for one, other in found if one + other > 0]
    sharing = max(sum(every) / max(len(every), 1) - 0.2, 0.0)  # by chance two noises agree so often
    gains = [sum(pair_ratio(one, other, sharing) for one, other in pairs[int(column)]) for column in levels]
    return int(np.argmax(gains)) if any(gains) else guess
