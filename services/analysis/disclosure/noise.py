"""Noise that belongs to a cell: normal numbers that nobody without the key can tell from chance, the same whenever they are asked for.

A cell is named by what it counts (question, option), not by who is in it, so it keeps its noise through restarts and new versions of a
questionnaire, and a person who comes or goes changes the count alone. One block of AES-256 is one number (FIPS 197; a block cipher under
a secret key is a pseudorandom function up to about 2⁶⁴ blocks), turned into a normal one by G. E. P. Box and M. E. Muller, A note on the
generation of random normal deviates, Annals of Mathematical Statistics 29 (1958). Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import IntEnum
from fractions import Fraction

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from services.analysis.disclosure.discrete import discrete_gaussian
from services.analysis.disclosure.parameters import INVITED, OPEN

Names = NDArray[np.uint64]
"""The names of cells, 48 bits each."""
Numbers = NDArray[np.float64]

LAGS = 16
"""Innovations that noise with memory is summed over: earlier ones weigh less than 2⁻¹⁶ at phi = 0.5."""
_BITS = np.uint64(48)


class NoisePart(IntEnum):
    """The purpose of a random number."""

    LASTING = 0
    INNOVATION = 1
    TABLE_LASTING = 2
    TABLE_FRESH = 3
    THRESHOLD = 4
    GUARANTEED = 5
    TABLE_GUARANTEED = 6


def names_of(what: Iterable[object]) -> Names:
    """Returns the names of cells: 48 bits of a hash of the representation of what each counts."""
    digests = (hashlib.blake2b(repr(cell).encode(), digest_size=6).digest() + b"\0\0" for cell in what)
    return np.frombuffer(b"".join(digests), "<u8")


class Noise:
    """The noise of one survey."""

    def __init__(self, secret: bytes, survey: str) -> None:
        key = hashlib.blake2b(survey.encode(), key=secret, digest_size=32, person=b"platea noise").digest()
        self._cipher = _function(key)
        self._usual = _function(hashlib.blake2b(repr((OPEN, INVITED)).encode(), key=key, digest_size=32).digest())
        """Keyed by the parameters: with others, the noise is independent. The same noise scaled to another variance would reveal the counts
        of an edition that a later release of Platea reads again."""

    def normals(self, part: NoisePart, edition: int | NDArray[np.intp], one: Names, other: Names | None = None) -> Numbers:
        """Returns independent standard normal numbers for cells, of the shape of `one`; for pairs of cells, the same in either order.

        `edition`: one for all cells, or one per cell.
        """
        first, second = _uniforms(_encrypted(self._usual, part, edition, one, one if other is None else other))
        return (np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)).reshape(one.shape)

    def guaranteed(self, part: NoisePart, edition: int, variance: Fraction, one: Names, other: Names | None = None) -> NDArray[np.int64]:
        """Returns independent whole numbers of a discrete Gaussian distribution, shaped as those of `normals`.

        Each variance has its own key: noise of one variance scaled to another would reveal the count.
        """
        tweak = b"".join(hashlib.blake2b(str(variance).encode(), digest_size=16, salt=salt).digest() for salt in (b"1", b"2"))
        cipher = _function(self._cipher.encryptor().update(tweak))
        words = _encrypted(cipher, part, edition, one, one if other is None else other)
        return discrete_gaussian(variance).drawn(words).reshape(one.shape)

    def threshold(self, edition: int) -> float:
        """Returns the secret number between 0 and 1 that sets the growth to the next edition."""
        nothing = np.zeros(1, np.uint64)
        return float(_uniforms(_encrypted(self._cipher, NoisePart.THRESHOLD, edition, nothing, nothing))[0][0])

    def with_memory(self, edition: int, names: Names, phi: float) -> Numbers:
        """Returns standard normal numbers that have the correlation `phi` between neighbouring editions.

        An autoregression, cut off after LAGS innovations.
        """
        weights = phi ** np.arange(LAGS)
        weights /= np.sqrt((weights**2).sum())
        editions = np.repeat(np.arange(edition, edition - LAGS, -1), len(names))
        return weights @ self.normals(NoisePart.INNOVATION, editions, np.tile(names, LAGS)).reshape(LAGS, len(names))


def _function(key: bytes) -> Cipher[ECB]:
    return Cipher(AES256(key), ECB())  # noqa: S305 - a function of single blocks, nothing is enciphered


def _encrypted(cipher: Cipher[ECB], part: NoisePart, edition: int | NDArray[np.intp], one: Names, other: Names) -> NDArray[np.uint64]:
    """Returns two random words of 64 bits for each cell. Shape (cells, 2)."""
    low, high = np.minimum(one, other).ravel(), np.maximum(one, other).ravel()
    tweak = (np.asarray(edition) + LAGS << 8 | part).astype(np.uint64)
    asked = np.column_stack([low | (tweak & np.uint64(0xFFFF)) << _BITS, high | (tweak >> np.uint64(16)) << _BITS]).astype("<u8")
    return np.frombuffer(cipher.encryptor().update(asked.tobytes()), "<u8").reshape(-1, 2)


def _uniforms(words: NDArray[np.uint64]) -> tuple[Numbers, Numbers]:
    """Strictly between 0 and 1."""
    uniforms: Numbers = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return uniforms[:, 0], uniforms[:, 1]
