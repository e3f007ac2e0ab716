"""Each attack succeeds on the builds that it was found against, but on ours little better than the best guess."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.attacks import report
from tests.attacks.attacks import BAR, OTHERS, READERS, SILENT, SKIPS, Attack, Outcome, Trial, outcome, participants, skips
from tests.attacks.before import BATCH, MOST, VARIANCE, Before, distribution
from tests.attacks.builds import Build, Naive
from tests.attacks.ours import Ours
from tests.attacks.participant import Setting

VICTIMS = {
    "B Exact base": 24,
    "C Pumped cell": 120,
    "D One edition": 120,
    "E Lifted group": 36,
    "E Nested groups": 24,
    "H Frozen cells": 80,
}
BY_NAME = {attack.name: attack for attack in OTHERS}


@cache
def read(build: Build, setting: Setting, victims: int) -> list[Trial]:
    return participants(setting)(build, victims, np.random.default_rng(7))


def played(attack: Attack, build: Build, victims: int) -> Outcome:
    return outcome(attack, attack.play(build, victims, np.random.default_rng(7)))


NAIVE, BEFORE, OURS = Naive(), Before(), Ours()


@pytest.mark.parametrize("attack", READERS, ids=lambda attack: attack.name)
def test_a_participant_reads_everything_on_the_naive_build_and_most_on_that_of_before(attack: Attack) -> None:
    assert outcome(attack, read(NAIVE, SILENT, 2)).success > 0.95
    assert outcome(attack, read(BEFORE, SILENT, 4)).lower > BAR


@pytest.mark.parametrize("attack", [one for one in READERS if one.reach], ids=lambda attack: attack.name)
@pytest.mark.parametrize("setting", [SILENT, Setting(300, 300, 300)], ids=["silent", "busy"])
def test_a_participant_reads_hardly_more_than_the_best_guess_on_ours(attack: Attack, setting: Setting) -> None:
    found = outcome(attack, read(OURS, setting, 12 if setting is SILENT else 6))
    assert found.advantage <= (attack.reach or 0)


def test_who_left_a_question_out_is_read_from_the_build_of_before_and_hardly_from_ours() -> None:
    assert outcome(SKIPS, skips(read(BEFORE, SILENT, 4))).success > 0.85
    assert outcome(SKIPS, skips(read(OURS, SILENT, 12))).lower <= BAR


def test_ten_times_as_many_own_answers_as_respondents_read_single_counts_no_better_than_told() -> None:
    assert outcome(READERS[0], read(OURS, Setting(100, 1000), 4)).advantage <= report.TENFOLD


def test_five_own_answers_read_hardly_anything_in_an_invited_survey() -> None:
    found = [outcome(attack, read(OURS, Setting(300, 5, 60, invited=True), 8)) for attack in READERS[:3]]
    assert max(one.lower for one in found) <= report.INVITED


@pytest.mark.parametrize("attack", OTHERS, ids=lambda attack: attack.name)
def test_an_attack_that_works_on_the_naive_build_stays_within_its_bound_on_ours(attack: Attack) -> None:
    naive, ours = (played(attack, build, count) for build, count in ((NAIVE, 5), (OURS, VICTIMS.get(attack.name, 30))))
    assert not attack.fails or naive.success > naive.guess + 0.2
    assert ours.lower <= (attack.reach or 0)


@pytest.mark.parametrize("name", ["B Exact base", "E Lifted group", "E Nested groups"])
def test_whether_somebody_is_there_is_told_for_certain_by_the_build_of_before(name: str) -> None:
    assert played(BY_NAME[name], BEFORE, 6).success > 0.85


@pytest.mark.parametrize("name", ["C Pumped cell"])
def test_a_small_count_is_read_from_the_build_of_before(name: str) -> None:
    assert played(BY_NAME[name], BEFORE, 40).advantage > BAR


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 40])
def test_the_copy_of_before_has_its_noise(count: int) -> None:
    noise, weights = distribution(min(count, MOST + 3))
    assert weights.sum() == pytest.approx(1)
    assert weights @ noise == pytest.approx(0, abs=1e-6)
    assert weights @ noise**2 == pytest.approx(VARIANCE, abs=1e-6)
    assert not {1, 2} & {min(count, MOST + 3) + int(e) for e in noise}
    assert BATCH == 10


def test_the_report_in_the_documentation_has_every_attack_and_every_survey() -> None:
    told = report.PAGE.read_text("utf-8")
    assert told.startswith("\n".join(report.head()))
    for attack in (*READERS, SKIPS, *OTHERS):
        assert f"| {attack.name} | {attack.wants} |" in told
    for name, setting, _ in report.SETTINGS:
        assert f"| {name} | {setting.people} | {setting.own} |" in told
