"""Simulated people who answer the questionnaires that come with Platea."""

from __future__ import annotations

from functools import cache

from deploy.cli.respondents import Population
from proto import author
from proto.instrument import Instrument

SURVEY = "ai-security"
TODAY = "2026-11-22"


@cache
def questionnaire(survey: str = SURVEY) -> Instrument:
    found = author.load(author.bundled()[survey])
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    return found


@cache
def population(survey: str = SURVEY, seed: int = 7, today: str = TODAY) -> Population:
    """Simulated respondents: number n of the same seed is always the same."""
    return Population(questionnaire(survey), seed, today)
