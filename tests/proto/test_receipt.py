"""The receipt: what may be typed differently, which mistakes show, and whose receipts no mistake is seen in."""

from __future__ import annotations

import base64
import random
import re
import secrets

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proto import codes, receipt

EARLIER = "7N3KQ-XW2FD-M0VRA-8TZ6C-YH5JB9"
"""A receipt of 26 characters without check characters, as they were made first."""

receipts = (
    st.text(codes.ALPHABET, min_size=26, max_size=26)
    .filter(lambda letters: len(set(letters)) > 8)
    .map(lambda letters: codes.grouped(letters + codes.check(letters)))
)


def test_a_new_receipt_is_short_in_groups_of_four_and_holds_130_random_bits() -> None:
    made = {receipt.make() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", code) for code in made)
    assert all(receipt.acceptable(code) and receipt.mistake(code) is None for code in made)


@given(receipts)
def test_typed_in_any_usual_way_it_is_the_same_receipt(made: str) -> None:
    looser = made.lower().replace("0", "o").replace("1", "l")
    for typed in (made, made.lower(), made.replace("-", ""), made.replace("-", " "), looser, looser.replace("-", ""), f" {made} "):
        assert receipt.mistake(typed) is None
        assert receipt.response_id(typed) == receipt.response_id(made)
        assert receipt.shown(typed) == made


AROUND = [
    "Receipt: {}",
    "\u201c{}\u201d",
    "\u00ab {} \u00bb",
    "Quittung:{}.",
    "\u200b{}\u200f",
    "Code {} (keep it!)",
    "({})",
    "{}\u00ad",
    "'{}',",
]


@example("6M7C-1VMX-SD3F-F9DE-FFWW-J5T0-003T", "Code {} (keep it!)")  # without its first or last group, and a word, it is sound, too
@given(receipts, st.sampled_from(AROUND))
def test_pasted_with_what_stood_around_it_it_is_the_same_receipt(made: str, around: str) -> None:
    for typed in (around.format(made), around.format(made.lower()), around.format(made.replace("-", "\u2011"))):
        assert receipt.mistake(typed) is None
        assert receipt.response_id(typed) == receipt.response_id(made)
        assert receipt.shown(typed) == made


@given(receipts, st.integers(0, 33), st.sampled_from(codes.ALPHABET))
def test_a_mistake_shows_among_other_words_too(made: str, place: int, wrong: str) -> None:
    if made[place] in ("-", wrong):
        return
    assert receipt.mistake(f"Receipt: {made[:place]}{wrong}{made[place + 1 :]}") is not None


def test_a_receipt_that_a_program_chose_is_not_looked_through_for_ours() -> None:
    """Sixteen groups of four, of which seven in a row happen to be sound: still another secret than these seven."""
    made = receipt.make()
    chosen = f"abcd-{made}"
    assert receipt.acceptable(chosen)
    assert receipt.response_id(chosen) != receipt.response_id(made)
    assert receipt.response_id(f" {chosen}\u200b") == receipt.response_id(chosen)


@given(receipts, st.integers(0, 33), st.sampled_from(codes.ALPHABET + "U?é"))
def test_every_single_mistyped_character_is_a_mistake_for_certain(made: str, place: int, wrong: str) -> None:
    if made[place] in ("-", wrong):
        return
    found = receipt.mistake(made[:place] + wrong + made[place + 1 :])
    assert found == receipt.Mistake("mistyped", 28, certain=True)


@given(receipts, st.integers(0, 32), st.booleans())
def test_every_swap_of_neighbours_is_a_mistake(made: str, place: int, grouped: bool) -> None:
    code = made.replace("-", "")
    place %= 27
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    found = receipt.mistake(codes.grouped(swapped) if grouped else swapped)
    assert found == (None if swapped == code else receipt.Mistake("mistyped", 28, certain=grouped))


@given(receipts, st.integers(0, 27), st.booleans())
def test_one_character_too_few_or_too_many_is_counted(made: str, place: int, grouped: bool) -> None:
    code = made.replace("-", "")
    for typed, length in ((code[:place] + code[place + 1 :], 27), (code[:place] + "7" + code[place:], 29)):
        found = receipt.mistake(codes.grouped(typed) if grouped else typed)
        assert found == receipt.Mistake("short", length, certain=grouped)


@given(st.text(max_size=21))
def test_what_is_too_short_for_any_receipt_says_so_itself(typed: str) -> None:
    found = receipt.mistake(typed)
    assert found is not None
    assert found.certain


def test_the_first_receipts_go_on_working() -> None:
    assert receipt.response_id(EARLIER) == "49792f5451fbaf25c576dc5503648c0b"
    for typed in (EARLIER.lower(), EARLIER.replace("-", ""), EARLIER.replace("-", " "), EARLIER.replace("0", "o")):
        assert receipt.mistake(typed) is None
        assert receipt.response_id(typed) == receipt.response_id(EARLIER)
    assert receipt.shown(EARLIER) == EARLIER


@pytest.mark.slow
def test_receipts_that_clients_choose_are_never_called_a_mistake_for_certain() -> None:
    """The contract: any base32 or base64url text of at least 128 bits, which is sent and looked up as it is."""
    source = random.Random(5)
    for _ in range(20_000):
        raw = source.randbytes(source.randint(16, 40))
        for chosen in (base64.urlsafe_b64encode(raw).decode().rstrip("="), base64.b32encode(raw).decode().rstrip("="), raw.hex()):
            assert receipt.acceptable(chosen)
            found = receipt.mistake(chosen)
            assert found is None or not found.certain
            assert receipt.response_id(chosen) == receipt.response_id(receipt.as_made(chosen))
    assert receipt.mistake("123e4567-e89b-12d3-a456-426614174000") is None
    assert receipt.mistake(secrets.token_urlsafe(32)) is None
