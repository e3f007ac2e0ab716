"""What tells a flood from a busy morning, robots from people, and one visit from another: without network or clock."""

from __future__ import annotations

import time
from typing import Any

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.receipt import make, response_id
from services.intake.flood import proof_of_work, signed_timestamp
from services.intake.flood.flood_guard import FloodGuard, Throttled, TooFast
from services.intake.flood.slow_admission import BURST, MIN_AGE, RATE, SlowAdmission
from services.intake.metrics import Metrics
from services.runtime.token_bucket import Bucket
from tests.clock import Clock

KEY = b"k" * 32


def solve(task: dict[str, Any]) -> str:
    challenge = altcha.Challenge.from_dict(task)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def flooded(burst: float = 100.0, rate: float = 1.0, clock: Any = time.time) -> FloodGuard:
    guard = FloodGuard(Metrics(), KEY, burst, rate, least=1.0, clock=clock)
    while guard.api("square", None, "") is None:
        pass
    return guard


@given(st.lists(st.floats(0, 3), max_size=60))
def test_up_to_its_rate_a_survey_is_never_flooded(pauses: list[float]) -> None:
    bucket, now = Bucket(5, 1), 0.0
    for pause in pauses:
        now += max(pause, 1.0)
        assert bucket.take(now)
        assert not bucket.flooded(now)


def test_a_flood_lasts_until_the_bucket_is_half_full_again() -> None:
    bucket = Bucket(10, 1)
    assert [bucket.take(0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.flooded(0)
    assert bucket.flooded(4.9)
    assert not bucket.flooded(5.1)


def test_what_is_held_back_keeps_the_flood_a_flood() -> None:
    bucket = Bucket(10, 1)
    for tick in range(1000):
        bucket.take(tick / 10)  # ten times the rate
    assert bucket.flooded(100)


@given(st.text(), st.text(), st.floats(0, 1e9), st.floats(0, 1e6))
def test_a_stamp_tells_how_long_a_visit_lasts(receipt: str, other: str, now: float, later: float) -> None:
    made = signed_timestamp.make(KEY, receipt, now)
    age = signed_timestamp.age(KEY, receipt, made, now + later)
    assert age is not None
    assert later - 0.001 <= age <= later + 0.101
    assert signed_timestamp.age(b"other", receipt, made, now) is None
    assert other == receipt or signed_timestamp.age(KEY, other, made, now) is None


@given(st.text() | st.from_regex(r"[0-9]{1,20}\.[0-9a-f]{32}", fullmatch=True))
def test_no_other_text_is_a_stamp(text: str) -> None:
    assert signed_timestamp.age(KEY, "receipt", text, 1e9) is None


def test_a_solution_is_worth_the_response_it_was_made_for_and_no_other() -> None:
    id, other = response_id(make()), response_id(make())
    solution = solve(proof_of_work.task(KEY, id, time.time()))
    assert proof_of_work.solved(KEY, id, solution)
    assert proof_of_work.solved(KEY, id, solution), "sending again after a lost answer needs no new work"
    assert not proof_of_work.solved(KEY, other, solution)
    assert not proof_of_work.solved(b"other key", id, solution)


def test_a_solution_that_comes_too_late_is_none() -> None:
    id = response_id(make())
    assert not proof_of_work.solved(KEY, id, solve(proof_of_work.task(KEY, id, time.time() - proof_of_work.LASTS - 2)))


@pytest.mark.parametrize("change", [{"cost": 1}, {"keyPrefix": ""}, {"expiresAt": 9_999_999_999, "keyPrefix": "0"}])
def test_nobody_makes_the_task_easier(change: dict[str, Any]) -> None:
    id = response_id(make())
    task = proof_of_work.task(KEY, id, time.time())
    task["parameters"] |= change
    assert not proof_of_work.solved(KEY, id, solve(task))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_what_is_no_solution_is_refused_and_surprises_nobody(text: str) -> None:
    assert not proof_of_work.solved(KEY, "id", text)


def test_slow_admission_lets_those_pass_who_began_long_ago() -> None:
    admission = SlowAdmission()
    assert admission.wait(MIN_AGE, 0) == 0
    assert admission.wait(1.0, 0) == MIN_AGE - 1


def test_who_spent_some_minutes_passes_the_crowd_of_those_who_just_began() -> None:
    admission, passed, now = SlowAdmission(), 0, 0.0
    for _ in range(600):  # ten minutes with fifty robots a second, each of which waited half a minute
        now += 1
        passed += sum(admission.wait(30.0, now) == 0 for _ in range(50))
        if now > 60:
            assert admission.wait(180.0, now) == 0
    assert passed <= BURST + 600 * RATE


def test_in_quiet_times_a_visit_of_a_moment_passes_and_a_faster_one_comes_back() -> None:
    clock, receipt = Clock(), make()
    guard = FloodGuard(Metrics(), KEY, least=1.0, clock=clock)
    began = guard.began(receipt)
    assert isinstance(guard.form("square", receipt, began, "", ""), TooFast)
    clock.now += 1.2
    assert guard.began(receipt, began) == began
    assert guard.form("square", receipt, began, "", "") is None
    assert isinstance(guard.form("square", receipt, began, "buy this", ""), TooFast)
    assert isinstance(guard.form("square", receipt, "forged", "", ""), TooFast)
    assert isinstance(guard.form("square", make(), began, "", ""), TooFast), "a stamp belongs to one receipt"


@pytest.mark.slow
def test_during_a_flood_a_device_passes_with_work_and_a_patient_person_without() -> None:
    clock, receipt = Clock(time.time()), make()
    guard = flooded(clock=clock)
    began = guard.began(receipt)
    clock.now += 3
    held = guard.form("square", receipt, began, "", "")
    assert isinstance(held, Throttled)
    assert 0 < held.seconds <= MIN_AGE
    assert guard.form("square", receipt, began, "", solve(held.task)) is None
    assert isinstance(guard.form("square", receipt, began, "buy this", solve(held.task)), Throttled)
    assert isinstance(new := guard.form("square", receipt, "forged", "", ""), Throttled)
    assert new.began != "forged", "whoever lost the stamp begins to wait here"
    clock.now += held.seconds
    assert guard.form("square", receipt, began, "", "") is None


def test_programs_are_told_what_to_solve_and_another_survey_is_left_in_peace() -> None:
    guard, key = flooded(), make()
    refused = guard.api("square", key, "")
    assert refused is not None
    assert refused.kind.status == 429
    assert refused.retry_after
    assert guard.api("square", key, solve(refused.extra["task"])) is None
    assert guard.api("other", None, "") is None


def test_the_metrics_tell_which_survey_is_flooded_and_nobodys_address() -> None:
    metrics = Metrics()
    guard = FloodGuard(metrics, KEY, burst=2, rate=1)
    for _ in range(4):
        guard.api("square", None, "")
    guard.api("quiet", None, "")
    told = metrics.text().decode()
    assert 'platea_intake_flooded{survey="square"} 1.0' in told
    assert 'platea_intake_flooded{survey="quiet"} 0.0' in told
    assert 'platea_intake_held_total{reason="flooded"} 2.0' in told
