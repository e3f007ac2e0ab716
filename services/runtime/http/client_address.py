"""Who asks: the address a connection comes from, seen through our own reverse proxies. For counting in memory, never for keeping."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(listed: str, setting: str = "PLATEA_PROXIES") -> tuple[Network, ...]:
    """Networks from a list with commas, the value of this setting. Raises ValueError with a sentence for whoever set it."""
    try:
        return tuple(ipaddress.ip_network(name.strip()) for name in listed.split(",") if name.strip())
    except ValueError:
        raise ValueError(f"{setting} does not fit: name networks such as 10.0.0.0/8, with commas between.") from None


def parsed(text: str) -> Address | None:
    """The address that this says, in its own form where IPv6 only wraps one of IPv4 (::ffff:192.0.2.1); None where it is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def within(text: str, listed: Sequence[Network]) -> bool:
    """Whether this is an address in one of these networks."""
    found = parsed(text)
    return found is not None and any(found in network for network in listed)


def address_of(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Who asks: the peer, or, where that is one of our proxies, the nearest address in X-Forwarded-For that is none.

    Whatever a visitor wrote into that header stands before what the proxies added, and is not reached.
    """
    return visitor(peer, forwarded, proxies) or peer


def visitor(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str | None:
    """The same, but None where a proxy of ours does not say for whom it asks."""
    for hop in (peer, *reversed([name.strip() for line in forwarded for name in line.split(",")])):
        address = parsed(hop)
        if address is None:
            break
        if not any(address in network for network in proxies):
            # Whoever has one IPv6 address has 2⁶⁴ of them.
            return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
    return None
