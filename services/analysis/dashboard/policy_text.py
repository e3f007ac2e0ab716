"""The disclosure policy in words, with its parameters. Pure."""

from __future__ import annotations

from proto.instrument import Instrument
from proto.snapshot import PublishedGuarantee, PublishedPolicy, Snapshot
from services.analysis.dashboard.words import DashboardWords


def rules(snapshot: Snapshot, words: DashboardWords) -> list[str]:
    """Returns the sentences that say how figures are protected."""
    policy = snapshot.policy
    batch = words.number(policy.batch)
    sentences = [words("rule_minimum", n=words.number(policy.minimum))]
    if policy.guarantee is not None:
        sentences += _guarantee(policy, policy.guarantee, words)
    elif policy.unprotected:
        sentences.append(words("rule_unprotected", n=policy.batch))
    elif policy.growth is not None:
        sentences.append(words("rule_growth", n=batch, share=words.percent(policy.growth)))
    if policy.clock and policy.clock >= 1.5:
        sentences.append(words("rule_clock", seconds=words.number(round(policy.clock))))
    if policy.noise is not None and policy.tables_from is not None and policy.tables_factor is not None:
        sentences.append(words("rule_noise", spread=words.tenths(policy.noise)))
        if not policy.unprotected and policy.guarantee is None:
            sentences.append(words("rule_tables", n=words.number(policy.tables_from), factor=_factor(policy.tables_factor, words)))
        sentences.append(words("rule_sums"))
    return [*sentences, words("rule_never")]


def _factor(factor: float, words: DashboardWords) -> str:
    return words.number(int(factor)) if factor == int(factor) else words.tenths(factor)


def _guarantee(policy: PublishedPolicy, promised: PublishedGuarantee, words: DashboardWords) -> list[str]:
    epsilon, chance = words.tenths(promised.epsilon), words.number(round(1 / promised.delta))
    spent, published, most = words.tenths(promised.spent), words.number(promised.editions), words.number(promised.most_editions)
    return [
        words("rule_guarantee", epsilon=epsilon, chance=chance),
        words("rule_editions", most=most, n=words.number(policy.tables_from or 0)),
        words("rule_spent", made=published, most=most, spent=spent, epsilon=epsilon),
        words("rule_covered"),
    ]


def inferable(snapshot: Snapshot, words: DashboardWords) -> list[str]:
    """Returns the sentences that say what can still be inferred. The documentation has the claims and the measured attacks."""
    if snapshot.policy.guarantee is not None:
        return [words("left_alike"), words("left_uncovered")]
    return [words("left_alike"), words("left_rough"), words("left_many"), words("left_knows_all")]


def weighting(instrument: Instrument, snapshot: Snapshot, words: DashboardWords) -> str:
    """Returns the sentence that says whom the figures represent: a population they are weighted to, or those who chose to answer."""
    published = snapshot.weighting
    if published is None or published.reason is not None:
        if instrument.participation == "invited":
            return words("invited_sample")
        reason = published.reason if published and published.reason else "no-margin"
        return words("self_selected" if reason == "no-margin" else f"self_selected_{reason.replace('-', '_')}")
    n_eff, n = words.number(round(published.n_eff or 0)), words.number(published.responses or 0)
    return words("weighted_by_cases" if published.cases else "weighted_sample", n=n, n_eff=n_eff)


def weighted_by(instrument: Instrument, words: DashboardWords) -> tuple[str, str, list[str]]:
    """Returns what weighted figures are called, the sentence above them, and what it names: the sources of the weights."""
    if (case_weight := instrument.case_weight) is not None:
        return words("as_weighted_by_cases"), words("weighted_now_by_cases"), [words.text(case_weight.text)]
    return words("as_weighted"), words("weighted_now"), [words.text(margin.source) for margin in instrument.margins]
