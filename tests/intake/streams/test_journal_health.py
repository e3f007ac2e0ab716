"""What the journal did lately tells whether an answer sent now would be stored."""

from __future__ import annotations

import pytest

from services.intake.streams.journal_health import AGAIN, FRESH, SILENCE, JournalHealth

WELL = {"leader": True, "writable": True}


def test_nothing_is_known_before_a_leader_was_found() -> None:
    assert not JournalHealth().checks(0)["leader"]


def test_a_proof_grows_old_and_every_write_is_one() -> None:
    health = JournalHealth()
    health.proved(10)
    assert health.checks(10 + FRESH - 0.1) == WELL
    assert health.checks(10 + FRESH) == {"leader": False, "writable": True}
    health.wrote(30)
    assert health.checks(30) == WELL


@pytest.mark.parametrize("code", [10077, 10047, 10023, 10076])
def test_a_journal_without_room_is_not_writable_until_it_writes_comes_back_or_it_is_time_to_try_again(code: int) -> None:
    for passes in ("wrote", "reconnected", "time"):
        health = JournalHealth()
        health.proved(10)
        health.refused(10, code)
        assert not health.checks(11)["writable"]
        now = 10 + AGAIN if passes == "time" else 12
        if passes == "wrote":
            health.wrote(12)
        elif passes == "reconnected":
            health.reconnected()
        health.proved(now)
        assert health.checks(now) == WELL


@pytest.mark.parametrize("code", [10071, 10164, 10158, 10054])
def test_what_is_refused_because_of_what_was_sent_says_nothing_about_the_next(code: int) -> None:
    health = JournalHealth()
    health.proved(10)
    health.refused(10, code)
    assert health.checks(10) == WELL


def test_a_write_without_an_answer_counts_until_another_one_has_one() -> None:
    health = JournalHealth()
    health.proved(10)
    health.unanswered(10)
    assert not health.checks(10 + SILENCE - 0.1)["writable"]
    health.wrote(11)
    assert health.checks(11) == WELL
    health.unanswered(12)
    health.proved(12 + SILENCE)
    assert health.checks(12 + SILENCE) == WELL
