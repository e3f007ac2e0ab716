"""The receipt: a secret that only the respondent holds, and the response id that everyone else sees. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from proto import codes

LETTERS = 26
"""Random characters of a new receipt: 130 bits."""
LENGTH = LETTERS + 2
_CHOSEN = re.compile(r"[A-Za-z0-9_\-]{22,128}")


def make() -> str:
    """A new receipt, in groups that can be written down."""
    return codes.grouped(codes.make(LETTERS))


def acceptable(receipt: str) -> bool:
    """Whether a client's own choice can hold 128 bits: 22 or more base64url or base32 characters, not a plain repetition."""
    return _CHOSEN.fullmatch(receipt) is not None and len(set(receipt)) >= 8


def response_id(receipt: str) -> str:
    """32 hexadecimal digits, the first 128 bits of SHA-256. Nobody can find the receipt from it (preimage resistance)."""
    return hashlib.sha256(b"platea-receipt-1\0" + as_made(receipt).encode()).hexdigest()[:32]


def as_made(typed: str) -> str:
    """Normalises a typed receipt: small letters, spaces, missing hyphens, words around it.

    Text that is not one of our receipts is returned without quotes, spaces and invisible characters. Receipts of 26 characters are ours as
    well: the first ones had no check characters.
    """
    code = codes.bare(typed)
    if codes.sound(code) if len(code) == LENGTH else len(code) == LETTERS and set(code) <= set(codes.ALPHABET):
        return code
    bare = codes.without_strays(typed)
    return bare if acceptable(codes.bordered(typed)) else codes.among(typed, LENGTH) or bare


def shown(receipt: str) -> str:
    """The receipt in the groups that it was handed out in."""
    code = as_made(receipt)
    return codes.grouped(code) if len(code) == LENGTH and codes.sound(code) else receipt


@dataclass(frozen=True)
class Mistake:
    """What shows in a typed receipt by itself. `found` is its length; the one that is `certain` cannot be anybody's receipt."""

    kind: Literal["mistyped", "short"]
    found: int
    certain: bool


def mistake(typed: str) -> Mistake | None:
    """What is wrong with a typed receipt, as far as it says so itself.

    Clients of the API choose receipts of their own, which hold no check characters and may by chance look like one of ours
    with a mistake. Only ours are written in groups of four; so a mistake is certain in those, and in what is too short for
    any receipt. Anything else must be looked up before it is called a mistake.
    """
    code = codes.bare(typed)
    if not acceptable(codes.bordered(typed)) and codes.among(typed, LENGTH):
        return None
    in_fours = sum(len(group) == 4 for group in codes.groups(typed)) >= 5
    perhaps_chosen = not in_fours and acceptable(as_made(typed))
    if perhaps_chosen and not (set(code) <= set(codes.ALPHABET) and len(code) != LETTERS and abs(len(code) - LENGTH) <= 3):
        return None
    if len(code) == LENGTH:
        return None if codes.sound(code) else Mistake("mistyped", LENGTH, not perhaps_chosen)
    return Mistake("short", len(code), not perhaps_chosen)
