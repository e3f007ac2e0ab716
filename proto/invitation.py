"""Invitations: the code that somebody is sent, and the ticket it is exchanged for, which cannot be traced back to it. Pure.

A ticket is a token with a signature made blindly (`proto.blind`). Token, salt and blinding are derived from the code, so the same code
gives the same ticket on every device, however often it is exchanged. The platform knows a code by its name and by the mark of the one
blinded number that it signs for it; both come from whoever made the codes, so an exchange changes nothing that is kept.

Claim: whoever has no code learns from names, marks, exchanges, tickets and the signing key nothing about which ticket came of which
code. Argument: what they see of a code are a hash, and a number that was blinded with bits of HKDF-SHA-256 (RFC 5869) of the code,
which nobody can tell from random ones without trying codes; for random ones the argument of `proto.blind` holds. Assumes that nobody
finds one of 2^90 codes by trying. Does not protect against whoever has the code: they can make the same ticket.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from proto import blind, codes
from proto.blind import PublicKey

HEADER = "Platea-Invitation"
"""The header in which a ticket comes with a response."""
LETTERS = 18
"""Random characters of a code: 90 bits, and two that check it."""
FORMER = 14
"""Those of codes that release 0.1.0 made. The platform has no mark of them, so it makes their tickets itself."""
NAME = 16
"""Bytes of a code's name, of the mark of its blinded number, and of the name of a spent ticket."""
TOKEN = 32
_EXTRA = 16
"""Bytes by which the derived number is longer than the modulus, so that its remainder is uniform to 2^-128."""
SIGNED_BITS = 2048
"""Of the signing key. It guards against responses without an invitation for as long as the survey is open; the separation of
code and ticket rests on no key at all."""
_LONGEST = 1000


@dataclass(frozen=True)
class Ticket:
    token: bytes
    signature: bytes

    def __repr__(self) -> str:
        return "Ticket(…)"

    @property
    def text(self) -> str:
        return f"{encoded(self.token)}.{encoded(self.signature)}"


@dataclass(frozen=True)
class TicketRequest:
    """The token of a ticket, and the request to sign it. Only `blinded` leaves whoever has the code."""

    token: bytes
    request: blind.BlindRequest

    def __repr__(self) -> str:
        return "TicketRequest(…)"

    @property
    def blinded(self) -> bytes:
        return self.request.blinded

    def ticket(self, key: PublicKey, signature: bytes) -> Ticket:
        """With what the signer answered. Raises blind.Unfit where it signed something else."""
        return Ticket(self.token, blind.finalize(key, self.token, signature, self.request.inverse))


def make_code() -> str:
    return codes.grouped(codes.make(LETTERS))


def read_code(typed: str) -> str | None:
    """The bare code; None where it was mistyped."""
    bare = codes.bare(typed)
    for letters in (LETTERS, FORMER):
        if len(bare) == letters + 2:
            return bare if codes.sound(bare) else None
    return codes.among(typed, LETTERS + 2) or codes.among(typed, FORMER + 2)


def is_former(code: str) -> bool:
    """Whether release 0.1.0 made this bare code."""
    return len(code) == FORMER + 2


def name(survey: str, code: str) -> bytes:
    """The platform's name of a bare code: 128 bits of a hash that does not reveal the code."""
    return hashlib.sha256(b"platea-invitation-1\0" + survey.encode() + b"\0" + code.encode()).digest()[:NAME]


def ticket_request(survey: str, code: str, key: PublicKey) -> TicketRequest:
    """What a bare code is exchanged with: always the same in one survey with one key, and unrelated to that of any other."""
    salt, info = b"platea-invitation-2", survey.encode() + b"\0" + key.n.to_bytes(key.size)
    drawn = HKDF(SHA256(), TOKEN + blind.SALT + key.size + _EXTRA, salt=salt, info=info).derive(code.encode())
    token, rest = drawn[:TOKEN], drawn[TOKEN:]
    inverse = int.from_bytes(rest[blind.SALT :]) % key.n
    return TicketRequest(token, blind.blind(key, token, salt=rest[: blind.SALT], inverse=inverse))


def mark(blinded: bytes) -> bytes:
    """By which the platform knows the one number that it signs for a code."""
    return hashlib.sha256(b"platea-exchange-1\0" + blinded).digest()[:NAME]


def spent_name(token: bytes) -> bytes:
    """Under which a ticket is listed once it is spent. Only who has the ticket, or its code, knows whose it is."""
    return hashlib.sha256(b"platea-spent-1\0" + token).digest()[:NAME]


def read_ticket(text: str) -> Ticket | None:
    """None where it was damaged."""
    token, point, signature = text[:_LONGEST].partition(".")
    try:
        ticket = Ticket(decoded(token), decoded(signature))
    except ValueError:
        return None
    return ticket if point and len(ticket.token) == TOKEN else None


def former_receipt(token: bytes) -> str:
    """The receipt that release 0.1.0 gave the response that came with this token."""
    number = int.from_bytes(hashlib.sha256(b"platea-receipt-of-ticket-1\0" + token).digest()[:17]) >> 6
    letters = "".join(codes.ALPHABET[number >> shift & 31] for shift in range(0, 130, 5))
    return codes.grouped(letters + codes.check(letters))


def fingerprint(modulus: bytes) -> str:
    """80 bits that identify a public key.

    The organiser's link carries it, so that the platform cannot give each invited person a key of their own and recognise them by it.
    """
    number = int.from_bytes(hashlib.sha256(b"platea-invitation-key-1\0" + modulus).digest()[:10])
    return "".join(codes.ALPHABET[number >> shift & 31] for shift in range(0, 80, 5))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises ValueError on anything but base64url without padding."""
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
