"""What seals a draft for later: the code, the keys, the sizes. No server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import codes
from proto import receipt as receipts
from services.intake.drafts import drafts
from services.intake.drafts.drafts import NONCE, SIZES, Draft
from services.intake.form.flow import FormState

SURVEY = "ai-security"
HALF = bytes(range(32))
answers = st.dictionaries(st.text(max_size=8), st.text(max_size=200) | st.integers(0, 99) | st.lists(st.text(max_size=8)), max_size=6)
nonces = st.binary(min_size=NONCE, max_size=NONCE)


def draft_of(given: dict[str, Any], receipt: str = "") -> Draft:
    return Draft(FormState("0.1.0", given, ("A01",)), "B", "fr", receipt or receipts.make())


@given(answers, nonces)
def test_a_draft_comes_back_as_it_was(given: dict[str, Any], nonce: bytes) -> None:
    draft = draft_of(given)
    lock = drafts.lock_of(drafts.code_of(draft.receipt), SURVEY, HALF)
    sealed = drafts.seal(lock, draft, nonce)
    assert sealed is not None
    assert drafts.unseal(lock, sealed) == draft


@given(answers, nonces, st.data())
def test_a_draft_that_was_changed_is_no_draft(given: dict[str, Any], nonce: bytes, data: st.DataObject) -> None:
    draft = draft_of(given)
    lock = drafts.lock_of(drafts.code_of(draft.receipt), SURVEY, HALF)
    sealed = bytearray(drafts.seal(lock, draft, nonce) or b"")
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    assert drafts.unseal(lock, bytes(sealed)) is None
    assert drafts.unseal(lock, bytes(sealed[:place])) is None


def test_another_code_or_another_survey_opens_nothing() -> None:
    draft = draft_of({"A01": "FR"})
    code = drafts.code_of(draft.receipt)
    sealed = drafts.seal(drafts.lock_of(code, SURVEY, HALF), draft, bytes(NONCE))
    assert sealed is not None
    others = [drafts.lock_of(code, "social-cohesion", HALF), drafts.lock_of(drafts.code_of(receipts.make()), SURVEY, HALF)]
    assert len({lock.id for lock in (*others, drafts.lock_of(code, SURVEY, HALF))}) == 3
    assert [drafts.unseal(lock, sealed) for lock in others] == [None, None]


def test_without_the_server_s_half_of_the_key_the_code_opens_nothing() -> None:
    draft = draft_of({"A01": "FR"})
    code = drafts.code_of(draft.receipt)
    lock = drafts.lock_of(code, SURVEY, HALF)
    sealed = drafts.seal(lock, draft, bytes(NONCE))
    assert sealed is not None
    for half in (b"", bytes(32), HALF[:-1], HALF[::-1]):
        other = drafts.lock_of(code, SURVEY, half)
        assert (other.id, drafts.unseal(other, sealed)) == (lock.id, None)


def test_the_length_tells_one_of_four_sizes_and_nothing_else() -> None:
    lock = drafts.lock_of(drafts.code_of(receipts.make()), SURVEY, HALF)
    lengths: dict[int, int] = {}
    for size in (0, 10, 3000, 7000, 9000, 30_000, 100_000, 400_000):
        sealed = drafts.seal(lock, draft_of({"H01": "x" * size}), bytes(NONCE))
        assert sealed is not None
        lengths[len(sealed)] = lengths.get(len(sealed), 0) + 1
    assert sorted(lengths) == [size + NONCE + 16 for size in SIZES]
    assert lengths[SIZES[0] + NONCE + 16] == 4
    assert drafts.seal(lock, draft_of({"H01": "x" * SIZES[-1]}), bytes(NONCE)) is None


def test_saving_again_has_the_same_code_however_the_receipt_is_written() -> None:
    receipt = receipts.make()
    code = drafts.code_of(receipt)
    assert {drafts.code_of(typed) for typed in (receipt, receipt.lower(), receipt.replace("-", " "), codes.bare(receipt))} == {code}
    assert drafts.well_typed(code)
    assert code != codes.bare(receipt)


def test_codes_hold_as_much_as_receipts_and_point_to_no_response() -> None:
    made = [receipts.make() for _ in range(500)]
    found = {drafts.code_of(receipt) for receipt in made}
    assert len(found) == 500
    assert {letter for code in found for letter in code} == set(codes.ALPHABET)
    ids = {drafts.name_of(code, SURVEY) for code in found}
    assert not ids & {receipts.response_id(secret) for secret in (*made, *found)}


@pytest.mark.parametrize("typed", ["", "ABC", "x" * 200, "né\u202e\0", "0" * 27 + "1"])
def test_what_cannot_be_a_code_is_told_without_a_look_into_the_store(typed: str) -> None:
    assert not drafts.well_typed(codes.bare(typed))
