"""What is withheld and noised, why, and what can still be worked out, in plain words with the policy's own parameters. Pure."""

from __future__ import annotations

from math import sqrt

from proto.instrument import Instrument
from proto.snapshot import Snapshot
from services.analysis.words import Words


def rules(snapshot: Snapshot, words: Words) -> list[str]:
    """How figures are protected."""
    policy = snapshot.policy
    said = [words("rule_minimum", n=words.number(policy.minimum))]
    every = words.number(round(policy.clock)) if policy.clock and policy.clock >= 1.5 else None
    batch = words.number(policy.batch)
    said.append(words("rule_batch_clock", n=batch, seconds=every) if every else words("rule_batch", n=batch))
    if policy.max_noise is not None:
        said.append(words("rule_noise", n=words.number(policy.max_noise), spread=words.tenths(sqrt(policy.variance or 0))))
        said += [words("rule_small"), words("rule_lag"), words("rule_sums")]
    return [*said, words("rule_never")]


def inferable(snapshot: Snapshot, words: Words) -> list[str]:
    """What somebody may learn all the same. The claims and their measured attacks are in the documentation."""
    n = words.number(snapshot.policy.minimum)
    return [words("left_alike"), words("left_rough", n=n), words("left_many"), words("left_knows_all")]


def weighting(instrument: Instrument, snapshot: Snapshot, words: Words) -> str:
    """Whom the figures stand for: a population they are weighted to, or just those who chose to answer."""
    found = snapshot.weighting
    if found is None or found.reason is not None:
        if instrument.participation == "invited":
            return words("invited_sample")
        reason = found.reason if found and found.reason else "no-margin"
        return words("self_selected" if reason == "no-margin" else f"self_selected_{reason.replace('-', '_')}")
    n_eff, n = words.number(round(found.n_eff or 0)), words.number(found.responses or 0)
    return words("weighted_sample", n=n, n_eff=n_eff)
