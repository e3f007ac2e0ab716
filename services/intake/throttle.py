"""Slows down whoever asks for receipts that do not exist, and nobody else."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence

BURST, RATE = 30.0, 0.5
"""Unknown receipts that one address may ask for at once, and per second."""
ALL_BURST, ALL_RATE = 1000.0, 50.0
"""The same for all addresses together. Beyond it, an address with a single miss counts as one with too many."""
ADDRESSES = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(listed: str) -> tuple[Network, ...]:
    """Networks from a list with commas, the setting PLATEA_PROXIES. Raises ValueError with a sentence for whoever set it."""
    try:
        return tuple(ipaddress.ip_network(name.strip()) for name in listed.split(",") if name.strip())
    except ValueError:
        raise ValueError("PLATEA_PROXIES does not fit: name networks such as 10.0.0.0/8, with commas between.") from None


def address_of(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Who asks: the peer, or, where that is one of our proxies, the nearest address in X-Forwarded-For that is none.

    Whatever a visitor wrote into that header stands before what the proxies added, and is not reached.
    """
    for hop in (peer, *reversed([name.strip() for line in forwarded for name in line.split(",")])):
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            break
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if not any(address in network for network in proxies):
            # Whoever has one IPv6 address has 2⁶⁴ of them.
            return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
    return peer


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
