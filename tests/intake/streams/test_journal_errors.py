"""Which answers of the journal prove that nothing was written, and what a respondent is told then."""

from __future__ import annotations

import pytest

from services.intake.streams.journal_errors import CONFLICT, REFUSED, UNBATCHED, Verdict, judge, judge_batch

STORED_ALL_THE_SAME = {
    10158: "duplicate message id is in process: another sending is on its way to the other servers",
    10163: "the last sequence is unavailable: what changes it is on its way",
    10164: "wrong last sequence, of an event that is on its way",
    10077: "one server could not store it; the others may have",
    10063: "one server is at another place of the journal than the others",
    10023: "one server has no room; the others may have",
    10028: "the same, of memory",
    10047: "the same, of the disk",
    10008: "a leader is being elected",
    10009: "a leader has just lost its place",
    10004: "incomplete results",
    10076: "JetStream is off at one server",
    10039: "the same, of the account",
    10118: "the stream is offline",
    10051: "anything, in the server's own words",
    10041: "anything about the consensus",
    10167: "too many requests",
    0: "no code",
    19999: "a code that a later server invents",
}


@pytest.mark.parametrize("code", STORED_ALL_THE_SAME)
def test_what_may_be_stored_is_never_called_refused(code: int) -> None:
    assert judge(code) is Verdict.UNKNOWN


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_what_is_checked_before_anything_is_stored_is_refused(code: int) -> None:
    assert judge(code) is judge_batch(code) is Verdict.REFUSED


def test_only_a_wrong_last_sequence_with_its_number_is_a_conflict() -> None:
    assert [code for code in range(10000, 10300) if judge(code) is Verdict.CONFLICT] == [CONFLICT] == [10071]


@pytest.mark.parametrize("code", sorted(UNBATCHED | {CONFLICT}))
def test_a_batch_that_was_not_written_tells_nothing_about_its_members(code: int) -> None:
    assert judge_batch(code) is Verdict.REFUSED
    assert judge(code) is not Verdict.REFUSED


@pytest.mark.parametrize("code", sorted(STORED_ALL_THE_SAME.keys() - UNBATCHED))
def test_a_batch_whose_end_is_not_known_is_sent_again_as_it_was(code: int) -> None:
    assert judge_batch(code) is Verdict.UNKNOWN
