"""Reads victims from what an attacker wrote down, and tells how often that was right. The judge alone knows everybody's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.attacks.attacks import Trial
from tests.attacks.campaign import Moment
from tests.attacks.decoder import likeliest, read, starts
from tests.attacks.ours import Ours
from tests.attacks.participant import Setting, State, difference, scored
from tests.attacks.population import Floats, Ints, Population


@dataclass(frozen=True)
class People:
    """`crowd`: who is there before the attack; `victims` come one by one. One row of answers each. Shape (people, blocks)."""

    population: Population
    crowd: Ints
    victims: Ints


def judged(people: People, moments: Sequence[Moment], own: Ints, victim: int, *, apart: bool) -> Trial:
    """The attacker's readings of one victim, beside the best guess from the exact answers of everybody else and the victim."""
    population, blocks, build = people.population, people.population.blocks, Ours()
    answers = people.victims[victim]
    states = states_of(people, moments, own, victim, apart=apart)
    known = {blocks.questions: int(answers[blocks.questions])}
    found: dict[str, Floats] = {}
    nothing, margin = np.zeros(blocks.width), population.margin
    seen = difference(build, Setting(len(people.crowd), len(own)), population, states)
    for name, field in (("law", nothing), ("singles", seen.field)):
        found[name] = read(population, replace(seen, field=field, difference=None), known, np.ones(1), margin[None])[0][0]
    begins, half = starts(population, seen), (margin + blocks.rows(answers[None])[0])[None] / 2
    for name, field, begin in (("tables", nothing, begins), ("adaptive", seen.field, begins), ("bound", seen.field, half)):
        readings = likeliest(population, replace(seen, field=field), known, begin)
        found |= {f"{name} {trust:g}": belief for trust, belief in readings.items()}
    found["guess"] = blocks.rows(np.vstack([people.crowd, people.victims])).sum(axis=0).astype(np.float64)
    right = scored(population, answers, found).answers
    return Trial(right["guess"], right)


def states_of(people: People, moments: Sequence[Moment], own: Ints, victim: int, *, apart: bool) -> list[State]:
    """Editions as the attacker knows them, with this victim as the one of interest and the others as strangers."""
    blocks = people.population.blocks
    states = list[State]()
    for moment in moments:
        came = moment.others - len(people.crowd)
        if apart and came not in (victim, victim + 1):
            continue
        after = came > victim
        rows = blocks.rows(own[list(moment.own)]).astype(np.float64) if moment.own else np.zeros((0, blocks.width))
        states.append(State(moment.edition, rows.T @ rows, moment.others - after, after))
    least = min(state.strangers for state in states)
    return [replace(state, strangers=state.strangers - least) for state in states]


def guessed(people: People, last: Moment, own: Ints) -> list[float]:
    """Of each victim, the share of answers that is the commonest one by the last published figures."""
    population = people.population
    counts = np.nan_to_num(last.edition.singles)
    if last.own:
        counts = counts - population.blocks.rows(own[list(last.own)]).sum(axis=0)
    return [scored(population, victim, {"guess": counts}).answers["guess"] for victim in people.victims]
