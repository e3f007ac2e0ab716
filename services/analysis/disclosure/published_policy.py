"""The disclosure rules of a survey as its snapshots state them. Pure."""

from __future__ import annotations

from math import sqrt

from proto.codebook import CodeBook
from proto.snapshot import PublishedGuarantee, PublishedPolicy
from services.analysis.disclosure.cells import parameters_in


def published_policy(book: CodeBook, responses: int, editions: int | None = None) -> PublishedPolicy:
    """Returns the rules for this number of respondents. `editions`: how many were published so far; None for exact figures."""
    policy, parameters = book.instrument.policy, parameters_in(book)
    promised, guarantee = parameters.guarantee, None
    if promised is not None and editions is not None:
        spent = round(promised.spent(editions), 3)
        guarantee = PublishedGuarantee(promised.epsilon, promised.delta, promised.editions, editions, spent)
    return PublishedPolicy(
        policy.name,
        policy.minimum,
        parameters.batch,
        policy.clock,
        None if promised else parameters.growth,
        parameters.table_batch,
        parameters.table_factor,
        round(sqrt(parameters.answers.variance(responses)), 1),
        policy.i_understand_that_this_protects_nobody,
        guarantee,
    )
