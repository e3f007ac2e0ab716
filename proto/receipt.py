"""The receipt: a secret that only the respondent holds, and the response id that everyone else sees."""

from __future__ import annotations

import hashlib
import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O or U to misread."""
_MISREAD = str.maketrans("OIL", "011")
_CHOSEN = re.compile(r"[A-Za-z0-9_\-]{22,128}")


def make() -> str:
    """A new receipt of 130 random bits, in groups that can be written down."""
    number = secrets.randbits(130)
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(0, 130, 5))
    return "-".join(letters[i : i + 5] for i in range(0, 25, 5)) + letters[25]


def acceptable(receipt: str) -> bool:
    """Whether a client's own choice can hold 128 bits: 22 or more base64url or base32 characters, not a plain repetition."""
    return _CHOSEN.fullmatch(receipt) is not None and len(set(receipt)) >= 8


def response_id(receipt: str) -> str:
    """32 hexadecimal digits, the first 128 bits of SHA-256. Nobody can find the receipt from it (preimage resistance)."""
    return hashlib.sha256(b"platea-receipt-1\0" + _as_made(receipt).encode()).hexdigest()[:32]


def _as_made(receipt: str) -> str:
    """A receipt of ours may be typed in small letters and without hyphens; anything else is taken as it is."""
    bare = receipt.replace("-", "").upper().translate(_MISREAD)
    return bare if len(bare) == 26 and set(bare) <= set(ALPHABET) else receipt
