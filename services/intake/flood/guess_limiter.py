"""Slows down whoever asks for receipts that do not exist, and nobody else."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from services.runtime.client_address import Network

BURST, RATE = 30.0, 0.5
"""Unknown receipts that one address may ask for at once, and per second."""
ALL_BURST, ALL_RATE = 1000.0, 50.0
"""The same for all addresses together. Beyond it, an address with a single miss counts as one with too many."""
ADDRESSES = 10_000


class Throttle:
    """A bucket of misses per address and one for all, in this process's memory only.

    A right receipt always works: it is looked up whoever asks, and its 128 bits and more are what keeps it from being
    guessed. So an address that many share, such as a city hall's, is never locked out. Of an address that missed too often
    one receipt is looked up at a time (`turns`), which keeps the trying from costing others their time. When more addresses
    miss than fit, the one that missed longest ago is forgotten.
    """

    def __init__(
        self,
        burst: float = BURST,
        rate: float = RATE,
        all_burst: float = ALL_BURST,
        all_rate: float = ALL_RATE,
        proxies: Sequence[Network] = (),
    ) -> None:
        self.proxies = proxies
        self._burst, self._rate = burst, rate
        self._all_burst, self._all_rate = all_burst, all_rate
        self._missed: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = 0.0, 0.0

    def blocked(self, address: str, now: float) -> bool:
        """Whether it missed too often, or at all while so many do."""
        flooded = _level(self._all, self._all_rate, now) >= self._all_burst
        return _level(self._missed.get(address), self._rate, now) >= (0.5 if flooded else self._burst)

    def miss(self, address: str, now: float, weight: float = 1.0) -> None:
        self._all = _level(self._all, self._all_rate, now) + weight, now
        self._missed[address] = _level(self._missed.get(address), self._rate, now) + weight, now
        self._missed.move_to_end(address)
        if len(self._missed) > ADDRESSES:
            self._missed.popitem(last=False)


def _level(bucket: tuple[float, float] | None, rate: float, now: float) -> float:
    """What is left in a bucket that leaks."""
    if bucket is None:
        return 0.0
    level, since = bucket
    return max(0.0, level - (now - since) * rate)
