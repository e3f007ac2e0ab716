"""The cryptography of drafts: the code that opens one, the name it is stored under, its encryption. Pure.

*Claim.* Whoever reads everything the server stores and logs, but has not the code, learns of a draft when it was last saved
and into which of four sizes it fits; not what it says, in which survey or language it is, whose it is, nor which receipt
or response it will belong to. Once the answers to its survey are deleted, whoever has the code learns no more than that either.

*Argument.* The code holds the entropy of the receipt it is made from, 130 bits where the receipt is ours, and is stored
nowhere. HKDF-SHA-256 (RFC 5869) makes of it two values that nobody can tell from unrelated random ones: the name under
which the draft is stored, and the key of ChaCha20-Poly1305 (RFC 8439), which hides and protects the content. The key is salted with the
server's half, 256 random bits for each survey: HMAC, keyed with it, is a pseudorandom function also of a code that is known, so without
that half, erased when the survey is over (`services.intake.drafts.draft_keys`), the key is lost. Its nonces
are random; a person does not save often enough for two to meet. The content is filled up to one of four sizes.

*Assumes* that the server did as it should while the page was in its hands: the answers pass through it in clear, as they
do when they are sent. *Does not protect* against somebody who has the code or the link, nor against a server that
gives back an older copy of the same draft.

The code is made from the receipt under which somebody began, and not drawn, so that saving twice, going back or loading the page
again always ends in the same draft under the same code. A page opened with the code carries it on, beside a receipt of its own. The code
says nothing about the receipt, nor the receipt's response id about it: all three come from hashes that cannot be turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from proto import codes
from proto import receipt as receipts
from services.intake.form.flow import FormState

SIZES = (8 * 1024, 32 * 1024, 128 * 1024, 512 * 1024)
"""Bytes. The first holds a long questionnaire with a page of text, so nearly all drafts have one size."""
NONCE = 12
"""Random bytes that each encryption needs."""
LETTERS = 26
_LENGTH = 4
_FORM = b"platea-draft-1"
S = TypeVar("S", bound=msgspec.Struct)


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back: the page and everything typed. Not the receipt: whoever began would hold that of whoever sends (ADR 32).

    Drafts of earlier releases bring one, which is passed over.
    """

    sheet: FormState
    place: str
    language: str
    receipt: str = ""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a draft's answers are sent as the response with this id, since this Unix time."""

    id: str
    at: int


@dataclass(frozen=True)
class Lock:
    """What a code opens in one survey: `id` is where the draft is stored."""

    id: str
    key: bytes


def code_of(receipt: str) -> str:
    """The code of the draft that was begun under this receipt, ungrouped, with its check characters."""
    number = int.from_bytes(_derived(receipts.as_made(receipt), "code", 17))
    letters = "".join(codes.ALPHABET[number >> shift & 31] for shift in range(0, 5 * LETTERS, 5))
    return letters + codes.check(letters)


def well_typed(code: str) -> bool:
    """Whether a bare code can be one of ours: the right length, and check characters that fit."""
    return len(code) == LETTERS + 2 and codes.sound(code)


def name_of(code: str, survey: str) -> str:
    """The id that the draft of this code is stored under (32 hex digits). In another survey the same code gives another id."""
    return _derived(code, f"id {survey}", 16).hex()


def lock_of(code: str, survey: str, server_key: bytes) -> Lock:
    """In another survey the same code is another name and another key, so it opens nothing there. `server_key`: its half (32 bytes)."""
    return Lock(name_of(code, survey), _derived(code, f"key {survey}", 32, server_key))


def claim_lock_of(code: str, survey: str, server_key: bytes) -> Lock:
    """The lock of the claim on this draft: without the code it identifies neither the draft nor itself as a claim."""
    return Lock(_derived(code, f"claim id {survey}", 16).hex(), _derived(code, f"claim key {survey}", 32, server_key))


def seal(lock: Lock, content: Draft | Claim, nonce: bytes) -> bytes | None:
    """The encrypted content for storing; None where it is larger than the largest size. `nonce`: NONCE random bytes, never used before."""
    return _sealed(lock, msgspec.json.encode(content), nonce)


def _sealed(lock: Lock, content: bytes, nonce: bytes) -> bytes | None:
    size = next((size for size in SIZES if len(content) + _LENGTH <= size), None)
    if size is None:
        return None
    padded = (len(content).to_bytes(_LENGTH) + content).ljust(size, b"\0")
    return nonce + ChaCha20Poly1305(lock.key).encrypt(nonce, padded, _FORM)


def unseal(lock: Lock, sealed: bytes) -> Draft | None:
    """The decrypted draft; None where it was encrypted with another key, or changed since."""
    return _unsealed(lock, sealed, Draft)


def unseal_claim(lock: Lock, sealed: bytes) -> Claim | None:
    """The same for a claim."""
    return _unsealed(lock, sealed, Claim)


def _unsealed(lock: Lock, sealed: bytes, kind: type[S]) -> S | None:
    try:
        padded = ChaCha20Poly1305(lock.key).decrypt(sealed[:NONCE], sealed[NONCE:], _FORM)
        length = int.from_bytes(padded[:_LENGTH])
        return msgspec.json.decode(padded[_LENGTH : _LENGTH + length], type=kind)
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        return None


def _derived(secret: str, purpose: str, length: int, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=_FORM + b"\0" + purpose.encode()).derive(secret.encode())
