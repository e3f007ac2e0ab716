"""Codes, and the tickets that come of them: one for each code, the same everywhere, and no way from one to the other without the code."""

from __future__ import annotations

import hmac
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import blind, codes, invitation
from proto.blind import PublicKey, SecretKey


@cache
def key() -> SecretKey:
    numbers = rsa.generate_private_key(65537, invitation.SIGNED_BITS).private_numbers()
    return SecretKey(numbers.p, numbers.q, numbers.public_numbers.e)


@cache
def other_key() -> PublicKey:
    numbers = rsa.generate_private_key(65537, invitation.SIGNED_BITS).public_key().public_numbers()
    return PublicKey(numbers.n, numbers.e)


def code() -> str:
    return codes.bare(invitation.make_code())


def test_what_is_derived_is_what_another_implementation_of_hkdf_derives() -> None:
    public, made = other_key(), code()
    drawn = hkdf(made.encode(), b"platea-invitation-2", b"square-visitors\0" + public.n.to_bytes(256), 32 + 48 + 256 + 16)
    inverse = int.from_bytes(drawn[80:]) % public.n
    request = invitation.ticket_request("square-visitors", made, public)
    assert (request.token, request.request.inverse) == (drawn[:32], inverse)
    assert request.blinded == blind.blind(public, drawn[:32], salt=drawn[32:80], inverse=inverse).blinded


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, sections 2.2 and 2.3, with SHA-256."""
    pseudorandom, block, found = hmac.digest(salt, secret, "sha256"), b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(pseudorandom, block + info + bytes([counter]), "sha256")
        found += block
    return found[:length]


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_code_gives_one_ticket_whoever_makes_it_and_the_library_of_the_platform_accepts_it(data: st.DataObject) -> None:
    made = data.draw(st.builds(code))
    public = key().public
    one, other = invitation.ticket_request("s", made, public), invitation.ticket_request("s", made, public)
    assert one.blinded == other.blinded
    ticket = one.ticket(public, blind.sign(key(), one.blinded))
    assert other.ticket(public, blind.sign(key(), other.blinded)) == ticket
    assert invitation.read_ticket(ticket.text) == ticket
    assert blind.verify(public, ticket.token, ticket.signature)


def test_nothing_of_two_codes_surveys_or_keys_is_the_same() -> None:
    first, second = code(), code()
    requests = [
        invitation.ticket_request(survey, made, public)
        for survey in ("s", "t")
        for made in (first, second)
        for public in (key().public, other_key())
    ]
    for values in ([r.token for r in requests], [r.blinded for r in requests], [r.request.inverse for r in requests]):
        assert len(set(values)) == len(requests)
    for value in (requests[0].token.hex(), requests[0].blinded.hex(), first):
        assert value not in repr(requests[0])


def test_the_name_of_a_spent_ticket_the_mark_and_the_code_share_no_bits() -> None:
    made = code()
    request = invitation.ticket_request("s", made, key().public)
    values = [invitation.name("s", made), invitation.mark(request.blinded), invitation.spent_name(request.token), request.token[:16]]
    assert len({value.hex()[place : place + 8] for value in values for place in (0, 8, 16, 24)}) == 16


@pytest.mark.parametrize("letters", [invitation.LETTERS, invitation.FORMER])
def test_a_code_is_read_however_it_is_typed_and_the_length_tells_its_release(letters: int) -> None:
    made = codes.make(letters)
    shown = codes.grouped(made)
    for typed in (made, shown, shown.lower(), f" {shown.replace('-', ' ')} ", f"My code: {shown}.", shown.replace("-", "–")):
        assert invitation.read_code(typed) == made
    assert invitation.is_former(made) is (letters == invitation.FORMER)
    swapped = made[:3] + made[4] + made[3] + made[5:]
    assert swapped == made or invitation.read_code(swapped) is None
    assert invitation.read_code(made[:-1]) is None


@given(st.integers(0, invitation.LETTERS + 1), st.sampled_from(codes.ALPHABET), st.builds(code))
@settings(max_examples=300)
def test_no_mistyped_code_is_taken_for_one_of_the_former_release_and_sent(place: int, letter: str, made: str) -> None:
    """A former code goes to the server as it is; no part of a new one may."""
    typed = made[:place] + letter + made[place + 1 :]
    assert invitation.read_code(typed) in (None, made)
    assert invitation.read_code(codes.grouped(typed)) in (None, made)
