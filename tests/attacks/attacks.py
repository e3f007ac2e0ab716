"""What attackers try against public figures. Each attack runs on the naive build and on ours, against the same guess without figures.

A trial is a survey drawn at random with other keys. A hit is the truth about one person, or about one small count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from proto.answers import Reader
from services.analysis.draws import Draws
from services.analysis.fold import Folder
from services.analysis.layout import arrange
from services.analysis.released import ReleasedState, release
from tests.analysis.small import Answers, book, crowd, released, state_of, survey
from tests.attacks import naive
from tests.attacks.formats import comparer
from tests.attacks.surveys import POLICY, columns, key
from tests.attacks.watching import LEVELS, subtracter, watcher

_READER = Reader(survey())
Trial = tuple[bool, bool, bool]
"""Whether the guess without figures, the attack on the naive build, and the attack on ours were right."""


@dataclass(frozen=True)
class Attack:
    name: str
    wants: str
    run: Callable[[int], Trial]
    bound: float
    """The advantage over guessing on ours stays below this."""


def shown(found: ReleasedState) -> NDArray[np.float64]:
    """What ours publishes over the widened columns; NaN where it shows nothing."""
    visible = found.shown | np.eye(len(found.shown), dtype=np.bool_)
    return np.where(visible, found.noisy.burt, np.nan)


def _person(draw: Random, place: str) -> Answers:
    return {"Place": place, "Use": draw.choice("yn"), "Agree": {"x": draw.choice(LEVELS)}}


def _most_moved(before: NDArray[np.float64], after: NDArray[np.float64], known: NDArray[np.float64], guess: int) -> int:
    """The option with most unexplained change; the guess where nothing can be seen."""
    change = np.nan_to_num(after - before - known, nan=0.0)
    return int(change.argmax()) if change.max() > 0 else guess


def controller(seed: int) -> Trial:
    """Sent nine of the last ten responses, and takes them off every figure."""
    draw = Random(seed)
    people = crowd(seed, 80)
    target, mine = _person(draw, draw.choice("abcd")), [_person(draw, "a") for _ in range(9)]
    levels = columns("Agree.x")[:5]
    known = np.array([sum(one["Agree"]["x"] == level for one in mine) for level in LEVELS], float)
    truth, guess = LEVELS.index(target["Agree"]["x"]), draw.randrange(5)
    exact = [np.diagonal(naive.counts(some))[levels] for some in (people, [*people, *mine, target])]
    ours = [np.diagonal(shown(found))[levels] for found in _states(seed, people, [*people, *mine, target])]
    seen = [_most_moved(one, other, known, guess) for one, other in (exact, ours)]
    return guess == truth, seen[0] == truth, seen[1] == truth


def _states(seed: int, *states: list[Answers]) -> list[ReleasedState]:
    """Released one after the other, the first after many others."""
    folder, draws = Folder(book(), key(seed)), Draws(key(seed), "small")
    found = [released(states[0], 20, 40, 60, key=key(seed))]
    for revision, people in enumerate(states[1:], 5):
        found.append(release(folder, state_of(people, key=key(seed)), found[-1], revision, "now", draws))
    return found


def resubmitter(seed: int) -> Trial:
    """Withdraws ten responses and sends them again eight times, to see a small count of two answers with noise drawn anew."""
    draw = Random(seed)
    people = crowd(seed, 120)
    row, column = columns("Place")[1], columns("Agree.x")[0]
    people = [one for one in people if not (one["Place"] == "b" and (one.get("Agree") or {}).get("x") == "1")]
    truth = draw.randrange(1, 5)
    people += [{"Place": "b", "Agree": {"x": "1"}}] * truth + [{"Place": "b"}] * 20 + [{"Place": "a", "Agree": {"x": "1"}}] * 20
    mine: list[Answers] = [{"Place": "b", "Agree": {"x": "1"}}] * 10
    guess = draw.randrange(1, 5)
    lifted = naive.counts([*people, *mine])[row, column] - len(mine)
    folder, draws = Folder(book(), key(seed)), Draws(key(seed), "small")
    found, seen, others = None, list[float](), state_of(people, key=key(seed))
    for revision in range(1, 10):
        state = others.copy()
        folder.fold(state, [(f"{1000 * revision + number:032x}", _READER.convert(one)[0]) for number, one in enumerate(mine)])
        found = release(folder, state, found, revision, "now", draws)
        seen.append(shown(found)[row, column] - len(mine))
    ours = guess if np.isnan(seen).all() else round(float(np.clip(np.nanmean(seen), 1, 4)))
    return guess == truth, lifted == truth, ours == truth


def solver(seed: int) -> Trial:
    """Takes all tables of two answers of a small survey together and looks for counts with one possible value left."""
    draw = Random(seed)
    people = [{"Place": draw.choice("aaabbcc"), "Use": draw.choice("yyyn")} for _ in range(40)]
    one, other = columns("Place"), columns("Use")
    layout = arrange(book())
    exact = layout.widen(layout.widen(state_of(people).burt).T)
    small = [(i, j) for i in range(4) for j in range(2) if 0 < exact[one[i], other[j]] < naive.HIDDEN]
    if not small:
        return False, False, False
    i, j = small[draw.randrange(len(small))]
    plain, ours = naive.counts(people), shown(released(people, 20, key=key(seed)))
    truth = exact[one[i], other[j]]
    pinned = [_pinned(figures, one, other, (i, j), slack) for figures, slack in ((plain, 0), (ours, POLICY.max_noise))]
    return draw.randrange(1, naive.HIDDEN) == truth, pinned[0] == truth, pinned[1] == truth


def _pinned(figures: NDArray[np.float64], one: NDArray[np.intp], other: NDArray[np.intp], at: tuple[int, int], slack: int) -> float | None:
    """The only value of a cell that agrees with all figures, each off by at most `slack`; None where there are several."""
    rows, limits = [], []
    shape = len(one), len(other)
    for i, j in np.ndindex(shape):
        rows.append(_line(shape, [(i, j)]))
        limits.append(_limits(figures[one[i], other[j]], slack))
    for i in range(shape[0]):
        rows.append(_line(shape, [(i, j) for j in range(shape[1])]))
        limits.append(_limits(figures[one[i], one[i]], slack))
    for j in range(shape[1]):
        rows.append(_line(shape, [(i, j) for i in range(shape[0])]))
        limits.append(_limits(figures[other[j], other[j]], slack))
    constraint = LinearConstraint(np.array(rows), *zip(*limits, strict=True))
    wanted = _line(shape, [at])
    ends = [milp(sign * wanted, constraints=constraint, integrality=np.ones(len(wanted)), bounds=Bounds(0, 1000)) for sign in (1, -1)]
    if not all(end.success for end in ends):
        return None
    low, high = (round(float(wanted @ end.x)) for end in ends)
    return low if low == high else None


def _line(shape: tuple[int, int], cells: list[tuple[int, int]]) -> NDArray[np.float64]:
    found = np.zeros(shape)
    found[tuple(zip(*cells, strict=True))] = 1
    return found.ravel()


def _limits(value: float, slack: int) -> tuple[float, float]:
    if np.isnan(value):
        return (1, naive.HIDDEN - 1) if slack == 0 else (0, np.inf)
    return max(value - slack, 1 if value and slack else 0), value + slack


ATTACKS = (
    Attack("A watcher of every state and every table", "an answer of somebody whose place and batch are known", watcher, 0.2),
    Attack("Subtracting a group from one that holds it", "an answer of the only respondent between the two", subtracter, 0.15),
    Attack("A controller of all but one of a batch", "an answer of the last respondent", controller, 0.15),
    Attack("Withdrawing and sending again", "a count of two answers from 1 to 4", resubmitter, 0.35),
    Attack("All tables and integer programming", "a count of two answers from 1 to 4", solver, 0.05),
    Attack("Comparing all formats, languages and charts", "a count of one answer from 1 to 4", comparer, 0.35),
)
