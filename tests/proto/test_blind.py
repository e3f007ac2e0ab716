"""Blind signatures: the published numbers, the laws, and the same verdict as a library that many rely on."""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import blind
from proto.blind import PublicKey, SecretKey, Unfit

PSS = padding.PSS(padding.MGF1(hashes.SHA384()), blind.SALT)


@cache
def published() -> dict[str, Any]:
    """RFC 9474, appendix A.3."""
    found: dict[str, str] = json.loads((Path(__file__).parent / "vectors" / "rfc9474.json").read_text())
    numbers = {name: int(found[name], 16) for name in ("p", "q", "n", "e", "inv")}
    return numbers | {name: bytes.fromhex(found[name]) for name in ("msg", "salt", "blinded_msg", "blind_sig", "sig")}


def published_key() -> SecretKey:
    return SecretKey(published()["p"], published()["q"], published()["e"])


@cache
def key() -> SecretKey:
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    return SecretKey(numbers.p, numbers.q, numbers.public_numbers.e)


def library_accepts(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        rsa.RSAPublicNumbers(key.e, key.n).public_key().verify(signature, message, PSS, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def test_the_published_request_comes_out_to_the_last_bit() -> None:
    numbers = published()
    request = blind.blind(published_key().public, numbers["msg"], salt=numbers["salt"], inverse=numbers["inv"])
    assert request.blinded == numbers["blinded_msg"]


def test_the_published_blind_signature_comes_out_to_the_last_bit() -> None:
    assert blind.sign(published_key(), published()["blinded_msg"]) == published()["blind_sig"]


def test_the_published_signature_comes_out_to_the_last_bit_and_the_library_accepts_it() -> None:
    numbers = published()
    public = published_key().public
    assert public.n == numbers["n"]
    assert blind.finalize(public, numbers["msg"], numbers["blind_sig"], numbers["inv"]) == numbers["sig"]
    assert library_accepts(public, numbers["msg"], numbers["sig"])


@given(st.binary(max_size=200))
@settings(max_examples=8)
def test_what_was_signed_blindly_is_a_plain_signature(message: bytes) -> None:
    public = key().public
    request = blind.blind(public, message)
    signature = blind.finalize(public, message, blind.sign(key(), request.blinded), request.inverse)
    assert library_accepts(public, message, signature)
    assert not library_accepts(public, message + b"!", signature)


@given(st.integers(0, 255), st.integers(1, 255))
@settings(max_examples=25)
def test_our_verdict_is_that_of_the_library_also_on_what_was_tampered_with(place: int, change: int) -> None:
    signature = bytearray(_signed())
    signature[place] ^= change
    verdict = blind.verify(key().public, b"message", bytes(signature))
    assert verdict is library_accepts(key().public, b"message", bytes(signature)) is False


@cache
def _signed() -> bytes:
    request = blind.blind(key().public, b"message")
    return blind.finalize(key().public, b"message", blind.sign(key(), request.blinded), request.inverse)


def test_signatures_of_the_library_verify_here() -> None:
    made = rsa.generate_private_key(65537, 2048)
    numbers = made.public_key().public_numbers()
    for size in range(5):
        message = secrets.token_bytes(size)
        assert blind.verify(PublicKey(numbers.n, numbers.e), message, made.sign(message, PSS, hashes.SHA384()))


@pytest.mark.parametrize("size", [0, 1, 255, 257])
def test_what_is_no_number_of_the_modulus_is_not_signed(size: int) -> None:
    with pytest.raises(Unfit):
        blind.sign(key(), b"\x01" * size)


def test_a_number_as_large_as_the_modulus_is_not_signed() -> None:
    public = key().public
    for number in (0, public.n, public.n + 1):
        with pytest.raises(Unfit):
            blind.sign(key(), number.to_bytes(public.size))


def test_a_fault_while_signing_lets_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong half of the Chinese remainder would give the factors of the modulus away."""
    right = blind._power

    def wrong(number: int, e: int, prime: int) -> int:
        return right(number, e, prime) ^ (prime == key().p)

    monkeypatch.setattr(blind, "_power", wrong)
    with pytest.raises(Unfit):
        blind.sign(key(), blind.blind(key().public, b"message").blinded)


def test_whatever_the_signer_sends_back_it_is_verified_before_use() -> None:
    public = key().public
    request = blind.blind(public, b"message")
    other = blind.sign(key(), blind.blind(public, b"another").blinded)
    for sent in (other, b"", bytes(public.size), b"\xff" * public.size):
        with pytest.raises(Unfit):
            blind.finalize(public, b"message", sent, request.inverse)


def test_every_request_fits_every_signature() -> None:
    """The claim itself: whichever request one takes, some blinding factor joins it to any finished signature."""
    public = key().public
    signed: list[tuple[bytes, bytes]] = []
    for message in (b"first", b"second"):
        request = blind.blind(public, message)
        signed.append((request.blinded, blind.finalize(public, message, blind.sign(key(), request.blinded), request.inverse)))
    for blinded, _ in signed:
        for _, signature in signed:
            opened = pow(int.from_bytes(signature), public.e, public.n)
            factor_to_e = int.from_bytes(blinded) * pow(opened, -1, public.n) % public.n
            factor = int.from_bytes(blind.sign(key(), factor_to_e.to_bytes(public.size)))
            assert opened * pow(factor, public.e, public.n) % public.n == int.from_bytes(blinded)


def test_a_secret_key_does_not_print_itself() -> None:
    assert str(key().p) not in repr(key())
