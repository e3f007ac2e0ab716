"""Reads from JetStream's error code whether a message was written. Pure.

A code is in `REFUSED` only where the server answers with it before it stores or replicates anything, and where the same message, sent
before by anybody, cannot be in transit either. Every other code, also one of a later server version, means that it is unknown.
"""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    CONFLICT = "the journal holds another last event about this response"
    REFUSED = "nothing was written"
    UNKNOWN = "written, or still to be written, or not: sending the same again tells"


CONFLICT = 10071
"""Wrong last sequence; the answer names the right one. Without a number (10164) another event is still being written."""

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
        10158,  # a member of the batch is being written already
        10163,  # the last event is unknown at the moment
        10164,  # an event about the same response is being written
        10174,  # batches are not allowed
        10175,  # a member without its sequence in the batch
        10176,  # a member is missing
        10177,  # a header that batches may not have
        10179,  # the name of the batch
        10199,  # too many members
        10200,  # its end
        10201,  # a member was written before
        10210,  # too many batches at once
    }
)
"""Codes with which no member of an atomic batch was written. They say nothing about a member sent alone."""


def judge(code: int) -> Verdict:
    """The verdict on a message that was sent alone."""
    if code == CONFLICT:
        return Verdict.CONFLICT
    return Verdict.REFUSED if code in REFUSED else Verdict.UNKNOWN


def judge_batch(code: int) -> Verdict:
    """The verdict on all members of an atomic batch. After REFUSED each member can be sent alone."""
    return Verdict.REFUSED if code == CONFLICT or code in REFUSED or code in UNBATCHED else Verdict.UNKNOWN
