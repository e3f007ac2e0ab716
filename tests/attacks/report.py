"""`python -m tests.attacks.report`: plays every attack and writes docs/attacks.md. PLATEA_ATTACKS says how many victims each meets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.attacks import utility
from tests.attacks.attacks import (
    BAR,
    INVITED,
    OTHERS,
    READERS,
    SKIPS,
    TENFOLD,
    Attack,
    Outcome,
    Trial,
    existence,
    outcome,
    participants,
    skips,
)
from tests.attacks.before import Before
from tests.attacks.builds import Build, Naive
from tests.attacks.ours import Ours
from tests.attacks.participant import Setting

VICTIMS = int(os.environ.get("PLATEA_ATTACKS", "50"))
PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
SEED = 20261130
MORE = {"B Exact base": 15, "C Pumped cell": 10, "D One edition": 10, "E Lifted group": 30, "E Nested groups": 15, "H Frozen cells": 6}
"""Some attacks take more victims for a narrow interval."""
SETTINGS = (
    ("open, silent, half as many own", Setting(300, 150), BAR),
    ("open, silent, as many own", Setting(300, 300), BAR),
    ("open, silent, as many own, waits for the clock", Setting(300, 300, patient=True), BAR),
    ("open, silent, three times as many", Setting(300, 900), None),
    ("open, silent, ten times as many", Setting(300, 3000), None),
    ("open, one stranger for each own", Setting(300, 300, 300), BAR),
    ("open, 100 strangers, none of own (the watcher)", Setting(300, 0, 100), BAR),
    ("open, one batch of own (the controller)", Setting(300, 30), BAR),
    ("open, silent, as many own", Setting(1000, 1000), BAR),
    ("invited, 5 own among 60 others", Setting(300, 5, 60, invited=True), INVITED),
    ("invited, 5 own among 40 others", Setting(40, 5, 40, invited=True), INVITED),
)
ENOUGH_VICTIMS = {3000: 0.5, 5: 8}
"""The same by own answers."""

TOLD = """\
- **A** compares single counts of all editions before and after the victim came. On *before* every ten answers sent or withdrawn are
  one more draw of the noise; on ours own answers have to stay, and noise goes on from one edition to the next.
- **J** takes the difference of all two-way tables, which is the victim crossed with himself plus noise, and looks for the person that
  explains all of it at once, from the margins and along its first eigenvectors. *Started half at the truth* shows what a perfect
  search could find; nobody can start there.
- **Adaptive** weighs both, and all editions, by their likelihood. **B** is the same, asking only what was left out; its sharpest form asks
  whether the victim is the only one who left a question out.
- **C** lifts a small cell with own answers and averages over editions (the old resubmitter); **D** reads it from the first edition.
  **The solver** puts all figures of an edition into one integer program.
- **E** asks whether a group has one person or none: lifted over the minimum by own answers, or as the remainder of two nested groups that
  are both broken down. **The subtracter** reads what the one between them answered.
- **H** fills the victim's row and all columns from elsewhere: on *before* a cell that nobody joined says the same again.
- **The watcher** sends nothing and watches strangers come; **the controller** sends all of a batch but one. Formats and languages say
  the same of the same edition (`tests/attacks/test_formats_agree.py`), so comparing them gives no second draw.
"""


def head() -> list[str]:
    return [
        "# Attacks",
        "",
        "Written by `python -m tests.attacks.report` (`PLATEA_ATTACKS` says over how many victims); the tests play the same attacks with",
        "fewer victims and hold them to bounds. [The same attacker over HTTP](attacks-over-http.md) meets a whole stack, and",
        "[others](attacks-on-releases.md) read released files. What remains is told in [disclosure](disclosure.md).",
        "",
        "The attacker has no token. He sees every edition of every public figure, and knows the law by which people answer (a latent class",
        "model), the rule and its parameters, all own answers, one stratum of the victim and between which of his requests the victim",
        "came; neither the answers of the others nor the key. He sends, changes and withdraws as many own answers as the column *own*",
        "says. Surveys have 57 questions of 2 to 8 options and 3 strata. *Chance* is the best guess from the final exact margins.",
        "Intervals are normal, over victims; where an attacker may read in several ways, the best counts, in his favour.",
        "",
        "Three builds: *naive* publishes exact counts at every change and leaves out those from 1 to 4; *before* is the build with cell",
        "keys (variance 3, an edition for ten who joined or left), of which `tests/attacks/before.py` keeps a copy; *ours* is",
        "`services/analysis/disclosure`.",
        "",
        *TOLD.splitlines(),
        "",
    ]


def played(attack: Attack, build: Build, victims: int) -> list[Trial]:
    return attack.play(build, victims, np.random.default_rng(SEED))


def signed(found: Outcome) -> str:
    return f"{found.advantage:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"


def reached(upper: float, advantage: float, bar: float | None) -> str:
    """What is to be reached, and whether it was."""
    if bar is None:
        return ""
    return f"{bar:.2f}" + ("" if upper <= bar else ", **missed**" if advantage > bar else ", upper end above")


def compared(victims: int = VICTIMS) -> list[str]:
    """Every attack on every build, n = 300 with as many own answers."""
    lines = [
        "## Three builds: 300 respondents, at most 300 own answers",
        "",
        "| attack | wants | victims | chance | naive | before | ours | ours above chance, 95 % interval | to reach |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    few = max(victims // 5, 2)
    readers = {build.name: played(READERS[0], build, count) for build, count in ((Naive(), 2), (Before(), few), (Ours(), victims))}
    for attack in READERS:
        lines.append(row(attack, {name: outcome(attack, trials) for name, trials in readers.items()}))
    lines.append(row(SKIPS, {name: outcome(SKIPS, skips(trials)) for name, trials in readers.items()}))
    for attack in OTHERS:
        many = victims * MORE.get(attack.name, 1)
        tried = ((Naive(), min(few, 20)), (Before(), few * 2), (Ours(), many))
        lines.append(row(attack, {build.name: outcome(attack, played(attack, build, count)) for build, count in tried}))
    return [*lines, ""]


def row(attack: Attack, found: dict[str, Outcome]) -> str:
    ours = found["ours"]
    others = " | ".join(f"{found[name].success:.0%}" for name in ("naive", "before", "ours"))
    return (
        f"| {attack.name} | {attack.wants} | {ours.trials:,} | {ours.guess:.0%} | {others} "
        f"| {signed(ours)} | {reached(ours.upper, ours.advantage, attack.reach)} |"
    )


def budgets(victims: int = VICTIMS) -> list[str]:
    """Ours against more and fewer own answers."""
    lines = [
        "## Ours by budget",
        "",
        "| survey | n | own | victims | editions of singles / of tables | A | J | adaptive | started half at the truth | B | to reach |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, setting, bar in SETTINGS:
        count = max(int(victims * ENOUGH_VICTIMS.get(setting.own, 1)), 2)
        trials = participants(setting)(Ours(), count, np.random.default_rng(SEED))
        found = [outcome(attack, trials) for attack in READERS] + [outcome(SKIPS, skips(trials))]
        judged = [found[0], found[1], found[2], found[4]] if bar else [found[0]]
        told = reached(max(one.upper for one in judged), max(one.advantage for one in judged), bar or TENFOLD)
        missed = told if bar else f"A {told}"
        editions = " / ".join(f"{np.mean([trial.readings[kind] for trial in trials]):.1f}" for kind in ("editions", "editions-tables"))
        cells = " | ".join(f"{one.advantage:+.3f} ± {one.half:.3f}" for one in found)
        lines.append(f"| {name} | {setting.people} | {setting.own} | {count} | {editions} | {cells} | {missed} |")
    return [*lines, ""]


def invited(victims: int = VICTIMS) -> list[str]:
    """Whether somebody is there, where taking part needs an invitation."""
    lines = [
        "## Ours by invitation: 300 respondents, 5 own answers",
        "",
        "| attack | wants | victims | chance | above chance, 95 % interval | to reach |",
        "|---|---|---|---|---|---|",
    ]
    for attack in existence(Setting(300, 5, invited=True)):
        found = outcome(attack, played(attack, Ours(), victims * MORE.get(attack.name, 1)))
        told = f"{found.trials:,} | {found.guess:.0%} | {signed(found)} | {reached(found.upper, found.advantage, attack.reach)}"
        lines.append(f"| {attack.name} | {attack.wants} | {told} |")
    return [*lines, ""]


def prices(surveys: int = 20) -> list[str]:
    """What protection costs, before and now."""
    lines = [
        "## What it costs",
        "",
        "Mean error of a share in points of percentage; width of its interval against sampling alone; how often the interval holds the",
        "share of the population. Before, intervals left noise out. Simulated surveys are of the population above with 20 questions, real",
        "ones are drawn from 1,001 real answers.",
        "",
        "| surveys | n | build | error | width | coverage | row shares: error | width | coverage | wait for single counts |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    draw = np.random.default_rng(SEED)
    for kind, sizes in ((utility.simulated, (100, 300, 1000, 10000)), (utility.real, (100, 300, 1000))):
        if kind is utility.real and not utility.REAL.exists():
            continue
        for people in sizes:
            for build in (Before(), Ours()):
                single, rows = utility.costs(build, kind(draw, people, surveys), draw)
                shares = " | ".join(f"{one.error:.2f} | {one.width:.2f} | {_share(one.covers)}" for one in (single, rows))
                lines.append(f"| {kind.__name__} | {people:,} | {build.name} | {shares} | {build.wait(people)} |")
    return [*lines, ""]


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def page(parts: Iterable[list[str]]) -> str:
    return "\n".join([*head(), *(line for part in parts for line in part)]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page([compared(), budgets(VICTIMS // 2), invited(), prices()]), "utf-8")
