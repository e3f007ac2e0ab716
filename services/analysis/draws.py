"""Numbers that nobody without the secret can tell from chance, and that are the same again after a restart. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Draws:
    def __init__(self, secret: bytes, survey: str) -> None:
        self._secret, self._survey = secret, survey

    def numbers(self, purpose: str, revision: int, count: int) -> NDArray[np.uint64]:
        """`count` numbers for this purpose at this revision (SHAKE256, FIPS 202, with the key in front)."""
        asked = b"\0".join((self._secret, purpose.encode(), self._survey.encode(), str(revision).encode()))
        return np.frombuffer(hashlib.shake_256(asked).digest(8 * count), "<u8")

    def named(self, purpose: str, names: Iterable[bytes]) -> NDArray[np.uint64]:
        """A number for each name, the same at every revision (keyed BLAKE2b, RFC 7693)."""
        asked = f"{self._survey}\0{purpose}\0".encode()
        return np.frombuffer(b"".join(hashlib.blake2b(asked + name, digest_size=8, key=self._secret).digest() for name in names), "<u8")
