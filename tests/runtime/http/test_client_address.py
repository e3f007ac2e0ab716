"""What an address is and in which networks it lies, whichever way somebody writes it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.client_address import networks, parsed, visitor, within

PROXIES = networks("10.0.0.0/8,2001:db8::/32")


@given(st.ip_addresses(v=4))
def test_an_address_of_ipv4_is_the_same_in_the_wrapping_of_ipv6(address: ipaddress.IPv4Address) -> None:
    wrapped = f"::ffff:{address}"
    assert parsed(wrapped) == parsed(str(address)) == address
    assert within(wrapped, PROXIES) == within(str(address), PROXIES) == (address in PROXIES[0])
    assert visitor(wrapped, ["192.0.2.1"], PROXIES) == visitor(str(address), ["192.0.2.1"], PROXIES)


@given(st.ip_addresses())
def test_who_asks_is_never_one_of_our_proxies(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert (visitor(str(address), [], PROXIES) is None) == within(str(address), PROXIES)


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.256", "10.0.0.0/8", "fe80::g", "unix:", "10.0.0.1:80"])
def test_what_is_no_address_lies_in_no_network(text: str) -> None:
    assert parsed(text) is None
    assert not within(text, networks("0.0.0.0/0,::/0"))
    assert visitor(text, [], PROXIES) is None
