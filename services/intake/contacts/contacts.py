"""The list of those who want the results of a survey: what may be on it, and how it is read and written. Pure.

*Claim.* Whoever reads everything that is stored, at one moment, cannot tell which address belongs to which response, nor which
address came first: the list is sorted, is one message with one time, and holds nothing that a response holds too, neither
language nor receipt.

*Assumes* that former writings are erased (see `wholes`) and that the list holds several addresses. *Does not protect*
against somebody who takes a copy before and another after a single respondent came and left an address (the copies differ by
one response and one address), nor against what an address says of itself: a country, an authority, a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

LONGEST = 254
"""Characters of an address (RFC 5321)."""
MOST = 20_000
"""Addresses of one survey: what fits into one message many times over."""

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
    """Sorted, so that the order says nothing."""
    return msgspec.json.encode(sorted(contacts, key=lambda contact: contact.address.casefold()))


def version(data: bytes) -> str:
    """Names what is on a list: two writings of the same list have the same."""
    return hashlib.sha256(data).hexdigest()[:32]


def fit(typed: str) -> str | None:
    """The address as it is kept, or None where it cannot be one. Asks nobody: only the first mail will show whether it is right."""
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
    """With this one: who leaves an address twice is on the list once, as said last."""
    return [*removed(known, contact.address), contact]


def removed(known: list[Contact], address: str) -> list[Contact]:
    return [contact for contact in known if contact.address.casefold() != address.casefold()]
