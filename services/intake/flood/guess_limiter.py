"""Limits how fast one address can guess receipts or codes. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from services.runtime.http.client_address import Network

BURST, RATE = 30.0, 0.5
"""Failed look-ups that one address may have at once, and per second."""
ALL_BURST, ALL_RATE = 1000.0, 50.0
"""The same for all addresses together. Beyond it, an address with a single failure counts as one with too many."""
ADDRESSES = 10_000
"""Addresses remembered; then the one whose last failure is oldest is forgotten."""


class GuessLimiter:
    """A leaky bucket of failures per address, and one for all; in this process's memory only.

    A right receipt always works: the caller looks it up whether its address is blocked or not, and what keeps it from being guessed is its
    128 bits and more. So an address that many people share, such as a city hall's, is never locked out. A blocked address has its receipts
    looked up one at a time (`services.intake.flood.keyed_lock`), so that guessing does not slow down others.
    """

    def __init__(
        self,
        burst: float = BURST,
        rate: float = RATE,
        all_burst: float = ALL_BURST,
        all_rate: float = ALL_RATE,
        proxies: Sequence[Network] = (),
    ) -> None:
        """`proxies`: networks whose X-Forwarded-For is believed when an address is determined."""
        self.proxies = proxies
        self._burst, self._rate = burst, rate
        self._all_burst, self._all_rate = all_burst, all_rate
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = 0.0, 0.0

    def blocked(self, address: str, now: float) -> bool:
        """Whether this address failed too often, or failed at all while all together fail too often. `now` in seconds of any clock."""
        flooded = _level(self._all, self._all_rate, now) >= self._all_burst
        return _level(self._failures.get(address), self._rate, now) >= (0.5 if flooded else self._burst)

    def record_failure(self, address: str, now: float, weight: float = 1.0) -> None:
        self._all = _level(self._all, self._all_rate, now) + weight, now
        self._failures[address] = _level(self._failures.get(address), self._rate, now) + weight, now
        self._failures.move_to_end(address)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)


def _level(bucket: tuple[float, float] | None, rate: float, now: float) -> float:
    """What is left in a leaky bucket (level, time of that level) at `now`."""
    if bucket is None:
        return 0.0
    level, since = bucket
    return max(0.0, level - (now - since) * rate)
