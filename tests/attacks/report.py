"""`python -m tests.attacks.report`: runs all attacks and writes docs/attacks.md. PLATEA_ATTACKS says how many surveys each meets."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.attacks import ATTACKS, POLICY, Attack

TRIALS = int(os.environ.get("PLATEA_ATTACKS", "20"))
PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
TOLD = """\
- **The watcher** keeps every state of a survey from its first answer to its last, knows everybody's place and the target's
  batch, and weighs the history of every count that the target may be in (single answers, the rows of all groups that
  hold the target, all pairs of other answers) by its likelihood under the perturbation table, summed over all counts behind it.
  Most of what is left comes from single answers: noise of less than 2 around a change of one.
- **The subtracter** looks for the only respondent from a place: the region less its other place, at every state. It learns
  from all tables how often two such counts have the same noise.
- **The comparer** reads the snapshot as JSON, event and message, CSV of all and of one, charts with the lengths of their bars,
  the dashboard and the embedded page, tables as JSON, turned round, as CSV and as charts, in several languages: whatever differs
  would be a second draw. Nothing does. What is left is one draw: a count shown as 0 is more likely 1 than 4.
"""


@dataclass(frozen=True)
class Outcome:
    """Shares of hits, and the advantage over guessing with its 95 % interval."""

    attack: Attack
    trials: int
    guess: float
    naive: float
    ours: float
    advantage: float
    error: float


def outcome(attack: Attack, trials: int = TRIALS) -> Outcome:
    found = [attack.run(seed) for seed in range(1, trials + 1)]
    guess, naive, ours = (sum(column) / trials for column in zip(*found, strict=True))
    gains = [int(mine) - int(blind) for blind, _, mine in found]
    mean = sum(gains) / trials
    spread = sum((gain - mean) ** 2 for gain in gains) / max(trials - 1, 1)
    return Outcome(attack, trials, guess, naive, ours, mean, 1.96 * math.sqrt(spread / trials))


def page(outcomes: list[Outcome]) -> str:
    lines = [
        "# Attacks",
        "",
        "Written by `python -m tests.attacks.report` (`PLATEA_ATTACKS` says over how many surveys); the tests run the same attacks",
        "with fewer surveys and hold them to the bounds.",
        "The naive build publishes exact counts at every change and leaves out those from 1 to 4; its charts draw all shares.",
        f"Ours: minimum {POLICY.minimum}, batch {POLICY.batch}, maximum noise {POLICY.max_noise}, variance {POLICY.variance:g}.",
        "Guessing knows the possible answers and no figure.",
        "What remains is told in [disclosure](disclosure.md).",
        "",
        *TOLD.splitlines(),
        "",
        "| attack | wants | surveys | guessing | naive build | ours | advantage over guessing, 95 % interval | bound |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        low, high = one.advantage - one.error, one.advantage + one.error
        lines.append(
            f"| {one.attack.name} | {one.attack.wants} | {one.trials:,} | {one.guess:.0%} | {one.naive:.0%} | {one.ours:.0%} "
            f"| {one.advantage:+.2f} ({low:+.2f} to {high:+.2f}) | {one.attack.bound:.2f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page([outcome(attack) for attack in ATTACKS]), "utf-8")
