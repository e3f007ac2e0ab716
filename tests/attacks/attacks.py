"""The list of attacks: each is played against any build, against the best guess from the final exact margins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tests.attacks import groups
from tests.attacks.builds import Build
from tests.attacks.cells import TRUSTS, small_cell
from tests.attacks.frozen import frozen
from tests.attacks.participant import Setting, play
from tests.attacks.population import Population
from tests.attacks.solver import solver

TOGETHER = 10
"""So many victims share the law by which people answer."""
BAR, CELLS, INVITED, TENFOLD = 0.15, 0.10, 0.05, 0.30
"""What is to be reached: in open surveys, of small cells, with five own answers in invited surveys, of single counts with ten times as many
own answers as respondents."""


@dataclass(frozen=True)
class Trial:
    """Shares of right answers about one victim or one count: of the best guess, and of each way to read it."""

    guess: float
    readings: dict[str, float]


Play = Callable[[Build, int, np.random.Generator], list[Trial]]
"""Of so many victims."""


@dataclass(frozen=True)
class Attack:
    name: str
    wants: str
    play: Play
    reads: tuple[str, ...]
    """The readings that are this attack's; the best counts, in the attacker's favour."""
    reach: float | None = None
    """What the upper end of the interval of the advantage over guessing has to stay below; None where it is only told."""
    fails: bool = True
    """Whether the naive build fails against it."""


@dataclass(frozen=True)
class Outcome:
    """Shares of right answers over all trials, and the advantage over guessing with half of its 95 % interval."""

    trials: int
    guess: float
    success: float
    advantage: float
    half: float

    @property
    def upper(self) -> float:
        return self.advantage + self.half

    @property
    def lower(self) -> float:
        return self.advantage - self.half


def outcome(attack: Attack, trials: list[Trial]) -> Outcome:
    names = [name for name in trials[0].readings if name.split()[0] in attack.reads]
    gains = {name: np.array([trial.readings[name] - trial.guess for trial in trials]) for name in names}
    best = max(gains.values(), key=lambda gain: float(gain.mean()))
    guess = float(np.mean([trial.guess for trial in trials]))
    mean = float(best.mean())
    half = 1.96 * float(best.std(ddof=1)) / len(best) ** 0.5 if len(best) > 1 else float("inf")
    return Outcome(len(trials), guess, guess + mean, mean, half)


def participants(setting: Setting) -> Play:
    """One victim of a survey each; questions often left out are told apart as `skips`."""

    def victims(build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
        found: list[Trial] = []
        population = Population(draw)
        for place in range(trials):
            if place and place % TOGETHER == 0:
                population = Population(draw)
            reading = play(build, setting, draw, population)
            found.append(
                Trial(reading.answers["guess"], reading.answers | {f"skips-{name}": right for name, right in reading.skips.items()})
            )
        return found

    return victims


def skips(trials: list[Trial]) -> list[Trial]:
    """The same trials, judged by whether questions that many leave out were left out."""
    each = [{name.removeprefix("skips-"): right for name, right in one.readings.items() if name.startswith("skips-")} for one in trials]
    return [Trial(one["guess"], one) for one in each if one]


def _small_cells(people: int, own: int, build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
    found: list[Trial] = []
    for _ in range(trials):
        guess, one, every = small_cell(build, people, own, draw)
        readings = {f"one {trust:g}": float(right) for trust, right in zip(TRUSTS, one, strict=True)}
        readings |= {f"every {trust:g}": float(right) for trust, right in zip(TRUSTS, every, strict=True)}
        found.append(Trial(float(guess), readings))
    return found


def _frozen(people: int, own: int, build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
    found = [frozen(build, people, own, draw) for _ in range(trials)]
    return [Trial(float(guess), {"frozen": float(right)}) for guess, right in found]


def _solved(build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
    found = [one for one in (solver(build, draw) for _ in range(trials)) if one is not None]
    return [Trial(float(guess), {"pinned": float(right)}) for guess, right in found]


Existence = Callable[..., dict[str, groups.Evidence]]


def _existence(what: Existence, setting: Setting, build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
    """Half of the victims are there. Tables are judged by their median, which the attacker would learn from surveys of his own making."""
    population = Population(draw, groups.QUESTIONS, groups.STRATA)
    truth, told = np.arange(trials) % 2 == 1, list[dict[str, groups.Evidence]]()
    for place, there in enumerate(truth):
        if place and place % TOGETHER == 0:
            population = Population(draw, groups.QUESTIONS, groups.STRATA)
        told.append(what(build, setting, draw, population, there=bool(there)))
    right: dict[str, np.ndarray] = {}
    for name in told[0]:
        singles, tables, unlike = (np.array([getattr(one[name], kind) for one in told]) for kind in ("singles", "tables", "unlike"))
        centred = tables - np.median(tables)
        for kind, evidence in (("singles", singles), ("tables", centred), ("both", singles + centred), ("half", singles + centred / 2)):
            right[f"{kind} {name}"] = (evidence > 0) == truth
        right[f"unlike {name}"] = (unlike > unlike.mean()) == truth
    return [Trial(0.5, {name: float(found[place]) for name, found in right.items()}) for place in range(trials)]


def _between(setting: Setting, build: Build, trials: int, draw: np.random.Generator) -> list[Trial]:
    population = Population(draw, groups.QUESTIONS, groups.STRATA)
    found = [groups.between(build, setting, draw, population) for _ in range(trials)]
    return [Trial(guess, {"between": right}) for guess, right in found]


EVIDENCE = ("singles", "tables", "both", "half", "unlike")


def existence(setting: Setting) -> tuple[Attack, ...]:
    """Attacks on whether one person is there at all."""
    bar = INVITED if setting.invited else BAR
    nothing_own = replace(setting, own=0)
    return (
        Attack("B Exact base", "whether the only one left a question out", partial(_existence, groups.skipped, setting), EVIDENCE, bar),
        Attack("E Lifted group", "whether a group has one person or none", partial(_existence, groups.lifted, setting), EVIDENCE, bar),
        Attack(
            "E Nested groups", "whether a group has one more than another", partial(_existence, groups.nested, nothing_own), EVIDENCE, bar
        ),
        Attack("The subtracter", "an answer of the only one between two groups", partial(_between, nothing_own), ("between",), bar),
    )


def small(people: int, own: int) -> tuple[Attack, ...]:
    """Attacks on small counts of a survey of so many, with so many own answers."""
    cells = partial(_small_cells, people, own)
    return (
        Attack("C Pumped cell", "a count of two answers from 1 to 4, all editions", cells, ("every",), CELLS),
        Attack("D One edition", "the same from the first edition", cells, ("one",), CELLS, fails=False),
        Attack("H Frozen cells", "an answer of one whose row is filled", partial(_frozen, people, own), ("frozen",), BAR),
        Attack("The solver", "a count of two answers from 1 to 4, by integer programming", _solved, ("pinned",), BAR),
    )


SILENT = Setting(300, 300)
READERS = (
    Attack("A Single counts", "any answer", participants(SILENT), ("singles",), BAR),
    Attack("J All tables, jointly", "any answer", participants(SILENT), ("tables",), BAR),
    Attack("Adaptive: both", "any answer", participants(SILENT), ("adaptive",), BAR),
    Attack("The same, started half at the truth", "any answer", participants(SILENT), ("bound",)),
)
"""What one and the same play of a survey is read by."""
SKIPS = Attack("B Skipped or not", "whether a question was left out", participants(SILENT), ("singles", "adaptive"), BAR)
OTHERS = (*existence(SILENT), *small(SILENT.people, SILENT.own))
