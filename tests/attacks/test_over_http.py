"""Over HTTP, sending or withdrawing around somebody changes nothing that anybody can read, in any format."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import numpy as np

from proto.instrument import Policy
from tests.attacks import questionnaire
from tests.attacks.campaign import AROUND, TRIAL, Attacker, Diary, Strategy, answer
from tests.attacks.observer import Observer
from tests.attacks.over_http import CASES, PAGE, SEED, UNPROTECTED, USUAL, answered, head, publish, settled
from tests.attacks.population import Population
from tests.faults.operated import Operated

POPULATION = Population(np.random.default_rng(3), questions=4, strata=(3,))
BLOCKS = POPULATION.blocks
CROWD = 60
PEOPLE = POPULATION.answers(np.random.default_rng(4), CROWD + 60)
VICTIMS, OWN = (POPULATION.answers(np.random.default_rng(seed), count) for seed, count in ((5, 2), (6, 40)))


async def attacked(stack: Operated, strategy: Strategy, policy: Policy, requests: int) -> tuple[Diary, int]:
    """What the attacker wrote down in a survey of his own crowd, and how many they were: as many as it took until figures were of
    everybody, so that the next edition is as far away as it can be."""
    survey, crowd = f"attacked-{secrets.token_hex(4)}", CROWD
    publish(stack.url, stack.token, questionnaire.questionnaire(survey, BLOCKS, policy))
    bodies = [questionnaire.body(BLOCKS, one) for one in PEOPLE]
    await answered(stack.url, survey, bodies[:CROWD])
    async with Observer(stack.url, survey, (0, BLOCKS.questions)) as observer, aiohttp.ClientSession(stack.url) as http:
        while (await settled(observer, crowd, seconds=2.5)).responses < crowd:
            await answer(http, survey, bodies[crowd])
            crowd += 1
        attacker = Attacker(stack.url, survey, BLOCKS, OWN[:requests], strategy, observer)
        return await attacker.attack(crowd, VICTIMS, requests), crowd


async def test_what_is_public_stands_while_own_answers_are_sent_and_withdrawn_around_others_and_moves_where_nobody_is_protected(
    stack: Operated,
) -> None:
    (ours, crowd), (trial, _) = await asyncio.gather(attacked(stack, AROUND, USUAL, 40), attacked(stack, TRIAL, UNPROTECTED, 20))
    assert ours.requests == 40
    assert ours.looks == 43, "one after each request and each victim, and one at the end"
    assert ours.changes == 0
    assert [moment.edition.people for moment in ours.moments][-1] == crowd
    assert trial.requests == 20
    assert trial.changes > 10
    assert trial.of_tables > 1
    assert ours.unlike + trial.unlike == []
    assert ours.refused + trial.refused == 0


def test_the_page_in_the_documentation_has_every_survey() -> None:
    told = PAGE.read_text("utf-8")
    assert told.startswith("\n".join(head(Population(np.random.default_rng(SEED)))))
    for case in CASES:
        assert told.count(f"| {case.name} | {case.strategy.name} |") == 2
