"""The list of addresses that want the results of a survey: its entries and its encoding. Pure.

*Claim.* A copy of everything stored, taken at one moment, shows neither which address belongs to which response nor which address came
first. *Argument.* The list is sorted, is one message with one time, and has nothing in common with a response, neither language nor
receipt.

*Assumes* that previous records are erased (`services.intake.streams.cas_store`) and that the list has several addresses.
*Does not protect* against somebody who takes one copy before and one after a single respondent left an address (the copies differ by one
response and one address), nor against what an address itself reveals: a country, an authority, a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

LONGEST = 254
"""Characters of an address (RFC 5321)."""
MOST = 20_000
"""Addresses of one survey; they fit into one message many times over."""

_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """`agreed` is the version of the notice that was agreed to, `interview` whether they may be asked for one."""

    address: str
    agreed: str
    interview: bool = False


_lists = msgspec.json.Decoder(list[Contact])


def read(data: bytes) -> list[Contact]:
    return _lists.decode(data) if data else []


def write(contacts: Iterable[Contact]) -> bytes:
    """Encodes the list, sorted so that its order tells nothing about arrival."""
    return msgspec.json.encode(sorted(contacts, key=lambda contact: contact.address.casefold()))


def version(data: bytes) -> str:
    """A hash of the list's content (32 hex digits)."""
    return hashlib.sha256(data).hexdigest()[:32]


def fit(typed: str) -> str | None:
    """The normalised address, or None where it cannot be one. Does not check that it exists."""
    local, at, domain = typed.strip().rpartition("@")
    if not at or len(local.encode()) > 64 or not _LOCAL.fullmatch(local):
        return None
    try:
        labels = domain.encode("idna").decode().lower().split(".")
    except UnicodeError:
        return None
    named = len(labels) > 1 and not labels[-1].isdigit() and all(_LABEL.fullmatch(label) for label in labels)
    address = f"{local}@{domain.lower()}"
    return address if named and len(address) <= LONGEST else None


def added(known: list[Contact], contact: Contact) -> list[Contact]:
    """The list with this contact, in place of an earlier one with the same address."""
    return [*removed(known, contact.address), contact]


def removed(known: list[Contact], address: str) -> list[Contact]:
    return [contact for contact in known if contact.address.casefold() != address.casefold()]
