"""What the journal's answer to a message says about it: written, not written, or not known. Pure.

A code stands in `REFUSED` only where the server answers with it before anything is stored or handed to the other servers, and where the
same message, sent before by anybody, cannot be on its way either. Every other code, also one that a later server invents, leaves it open.
"""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    CONFLICT = "the journal holds another last event about this response"
    REFUSED = "nothing was written"
    UNKNOWN = "written, or still to be written, or not: sending the same again tells"


CONFLICT = 10071
"""Wrong last sequence, with the number of the right one. The same without a number (10164) comes while another event is under way."""

REFUSED = frozenset(
    {
        10002,  # the account's limits
        10054,  # the message is too large
        10060,  # another stream was expected
        10097,  # the headers are too large
        10109,  # the stream is sealed
        10193,  # a condition without its number
    }
)

UNBATCHED = frozenset(
    {
        10158,  # a member of the batch is under way already
        10163,  # what the last event is cannot be told at the moment
        10164,  # an event about the same response is under way
        10174,  # batches are not allowed
        10175,  # a member without its place
        10176,  # a member is missing
        10177,  # a header that batches may not have
        10179,  # the name of the batch
        10199,  # too many members
        10200,  # its end
        10201,  # a member was written before
        10210,  # too many batches at once
    }
)
"""Codes for which no member of an atomic batch was written by it. About each member alone they say nothing."""


def judge(code: int) -> Verdict:
    """Of a message that was sent alone."""
    if code == CONFLICT:
        return Verdict.CONFLICT
    return Verdict.REFUSED if code in REFUSED else Verdict.UNKNOWN


def judge_batch(code: int) -> Verdict:
    """Of all members of an atomic batch. Where it was refused, each can be sent alone."""
    return Verdict.REFUSED if code == CONFLICT or code in REFUSED or code in UNBATCHED else Verdict.UNKNOWN
