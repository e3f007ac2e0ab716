"""Blind RSA signatures, RSABSSA-SHA384-PSS-Deterministic of RFC 9474: a signer signs what it cannot read. Pure.

Claim: whoever holds everything the signer ever saw and stored, its secret key included, learns nothing about which finished
signature came from which request. For every request and every finished signature there is exactly one blinding factor that
joins them, and it was drawn uniformly and never left the requester; so the claim needs no assumption about computing power
(Chaum 1982; RFC 9474, section 7.1). It assumes that the requester draws its message and its blinding factor at random (where they are
derived from a secret instead, the claim holds for whoever cannot find that secret) and that all requesters are given the same public
key. It does not hide when somebody asked, nor from where.

That nobody makes more signatures than were given rests on RSA (Bellare et al., "The One-More-RSA-Inversion Problems", 2003). A
finished signature is a plain RSA-PSS signature, and any library verifies it.

Time: Python's `pow` takes longer for some numbers than for others. So the signer works on a number that it multiplied by a random
one, with exponents to which it added random multiples of the group's order (Kocher 1996, section 10): what its time tells is about
numbers that nobody knows.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass

SALT = 48
_HASH = 48
_RESAMPLED = 64
"""Bits of the random multiples that hide the exponents."""


class Unfit(ValueError):
    """A number of the wrong size, a signature that does not verify, or a computation that went wrong."""


@dataclass(frozen=True)
class PublicKey:
    n: int
    e: int

    @property
    def size(self) -> int:
        """Bytes of the modulus, and of every number that travels."""
        return (self.n.bit_length() + 7) // 8


@dataclass(frozen=True)
class SecretKey:
    p: int
    q: int
    e: int

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.p * self.q, self.e)

    def __repr__(self) -> str:
        return "SecretKey(…)"


@dataclass(frozen=True)
class BlindRequest:
    """`blinded` goes to the signer, `inverse` stays with the requester."""

    blinded: bytes
    inverse: int


def blind(key: PublicKey, message: bytes, *, salt: bytes | None = None, inverse: int | None = None) -> BlindRequest:
    """A request to sign this message, which must be hard to guess. Salt and inverse are drawn where they are not given."""
    encoded = int.from_bytes(_encode(message, key.n.bit_length() - 1, secrets.token_bytes(SALT) if salt is None else salt))
    if math.gcd(encoded, key.n) != 1:
        raise Unfit("the encoded message shares a factor with the modulus")
    inverse = _unit(key.n) if inverse is None else inverse
    factor = pow(inverse, -1, key.n)
    return BlindRequest((encoded * pow(factor, key.e, key.n) % key.n).to_bytes(key.size), inverse)


def fits(key: PublicKey, blinded: bytes) -> bool:
    """Whether this is a number that the key can sign."""
    return len(blinded) == key.size and 0 < int.from_bytes(blinded) < key.n


def sign(key: SecretKey, blinded: bytes) -> bytes:
    """The blind signature. Raises Unfit on what is no number below the modulus, and where the result does not verify.

    By the Chinese remainder theorem, which is four times as fast; one wrong bit in one half would give the factors away to
    whoever compares (Boneh, DeMillo, Lipton 1997), so nothing leaves that was not checked.
    """
    public = key.public
    number = int.from_bytes(blinded)
    if not fits(public, blinded):
        raise Unfit("not a number below the modulus")
    factor = _unit(public.n)
    masked = number * pow(factor, key.e, public.n) % public.n
    lower, upper = _power(masked, key.e, key.p), _power(masked, key.e, key.q)
    signed = upper + (lower - upper) * pow(key.q, -1, key.p) % key.p * key.q
    signature = signed * pow(factor, -1, public.n) % public.n
    if pow(signature, key.e, public.n) != number:
        raise Unfit("the signature went wrong")
    return signature.to_bytes(public.size)


def finalize(key: PublicKey, message: bytes, blind_signature: bytes, inverse: int) -> bytes:
    """The signature of the message. Raises Unfit where the signer sent something else."""
    if len(blind_signature) != key.size:
        raise Unfit("not of the modulus's size")
    signature = (int.from_bytes(blind_signature) * inverse % key.n).to_bytes(key.size)
    if not verify(key, message, signature):
        raise Unfit("the signature does not verify")
    return signature


def verify(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether this is an RSA-PSS signature of the message (SHA-384, MGF1, 48 bytes of salt; RFC 8017, section 8.1.2)."""
    number = int.from_bytes(signature)
    if len(signature) != key.size or number >= key.n:
        return False
    bits = key.n.bit_length() - 1
    size = (bits + 7) // 8
    opened = pow(number, key.e, key.n)
    if opened.bit_length() > bits:
        return False
    encoded = opened.to_bytes(size)
    masked, digest, trailer = encoded[: -_HASH - 1], encoded[-_HASH - 1 : -1], encoded[-1]
    block = _cleared(_xor(masked, _stretched(digest, len(masked))), 8 * size - bits)
    padding = bytes(len(masked) - SALT - 1) + b"\x01"
    expected = _digest(message, block[-SALT:])
    return trailer == 0xBC and block[:-SALT] == padding and hmac.compare_digest(digest, expected)


def _power(number: int, e: int, prime: int) -> int:
    """`number` to the power of the inverse of `e`, modulo a prime."""
    order = prime - 1
    return pow(number % prime, pow(e, -1, order) + secrets.randbits(_RESAMPLED) * order, prime)


def _unit(n: int) -> int:
    """A uniform number with an inverse modulo n."""
    while True:
        number = secrets.randbelow(n)
        if math.gcd(number, n) == 1:
            return number


def _encode(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS (RFC 8017, section 9.1.1)."""
    size = (bits + 7) // 8
    digest = _digest(message, salt)
    block = bytes(size - _HASH - SALT - 2) + b"\x01" + salt
    masked = _cleared(_xor(block, _stretched(digest, len(block))), 8 * size - bits)
    return masked + digest + b"\xbc"


def _digest(message: bytes, salt: bytes) -> bytes:
    return hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()


def _stretched(seed: bytes, size: int) -> bytes:
    """MGF1 with SHA-384."""
    parts = (hashlib.sha384(seed + counter.to_bytes(4)).digest() for counter in range(-(-size // _HASH)))
    return b"".join(parts)[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _cleared(block: bytes, bits: int) -> bytes:
    """With so many leading bits set to zero."""
    return bytes([block[0] & 0xFF >> bits]) + block[1:]
