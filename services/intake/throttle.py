"""Slows down whoever asks for receipts that do not exist."""

from __future__ import annotations

from collections import OrderedDict

BURST = 100.0
RATE = 10.0
"""Unknown receipts that one address may ask for at once, and per second."""
ADDRESSES = 10_000


class Throttle:
    """A bucket of misses per address, in this process's memory only.

    Receipts hold 128 bits and more, so nobody guesses one; this keeps the trying from costing others their time. When
    more addresses miss than fit, the one that missed longest ago is forgotten.
    """

    def __init__(self, burst: float = BURST, rate: float = RATE) -> None:
        self._burst, self._rate = burst, rate
        self._missed: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def blocked(self, address: str, now: float) -> bool:
        return self._level(address, now) >= self._burst

    def miss(self, address: str, now: float) -> None:
        self._missed[address] = self._level(address, now) + 1, now
        self._missed.move_to_end(address)
        if len(self._missed) > ADDRESSES:
            self._missed.popitem(last=False)

    def _level(self, address: str, now: float) -> float:
        level, since = self._missed.get(address, (0.0, now))
        return max(0.0, level - (now - since) * self._rate)
