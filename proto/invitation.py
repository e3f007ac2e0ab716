"""Invitations: the code that somebody is sent, and the ticket it is exchanged for, which cannot be traced back to it.

A ticket is a random token with a signature made blindly (`proto.blind`). The receipt of an invited response is derived from the
token, so the journal, which takes a receipt once, takes a ticket once, and nobody needs a list of used tickets.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from proto import codes

HEADER = "Platea-Invitation"
"""The header in which a ticket comes with a response."""
LETTERS = 14
"""Random characters of a code: 70 bits, and two that check it."""
NAME = 16
"""Bytes of a code's name."""
TOKEN = 32
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


def make_code() -> str:
    return codes.grouped(codes.make(LETTERS))


def read_code(typed: str) -> str | None:
    """The bare code; None where it was mistyped."""
    code = codes.among(typed, LETTERS + 2) or codes.bare(typed)
    return code if len(code) == LETTERS + 2 and codes.sound(code) else None


def name(survey: str, code: str) -> bytes:
    """Under which the platform knows a bare code: 128 bits of a hash from which nobody finds the code."""
    return hashlib.sha256(b"platea-invitation-1\0" + survey.encode() + b"\0" + code.encode()).digest()[:NAME]


def read_ticket(text: str) -> Ticket | None:
    """None where it was damaged."""
    token, point, signature = text[:_LONGEST].partition(".")
    try:
        ticket = Ticket(decoded(token), decoded(signature))
    except ValueError:
        return None
    return ticket if point and len(ticket.token) == TOKEN else None


def receipt(token: bytes) -> str:
    """The receipt of the response that comes with this token: 130 bits of a hash."""
    number = int.from_bytes(hashlib.sha256(b"platea-receipt-of-ticket-1\0" + token).digest()[:17]) >> 6
    letters = "".join(codes.ALPHABET[number >> shift & 31] for shift in range(0, 130, 5))
    return codes.grouped(letters + codes.check(letters))


def fingerprint(modulus: bytes) -> str:
    """80 bits that name a public key. It stands in the link that the organiser sends, so that the platform cannot give each invited
    person a key of their own and know them again by it."""
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
