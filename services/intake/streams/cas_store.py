"""Small wholes in a stream that intake alone reads: each is one message, written anew every time, and the former writing is erased.

A limit of the stream would forget a former writing but leave its bytes on disk, with their time, until the file is packed. So
former writings are overwritten with random bytes, as a withdrawn response is. What this does not reach: copies of the disk
below the file system, and the replication logs of a cluster, which hold recent writings for minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

PERIOD = 600.0
"""Seconds between two writings of what did not change: from then on its time is not that of the last change."""
_CONFLICTS = frozenset({10071, 10164})
"""JetStream's codes for another last sequence than the expected one."""
_NOTHING = 10037
"""Its code for no message there; a stream that is not there has another."""


class Overtaken(Exception):
    """Somebody else wrote since; nothing was written."""


class OutOfReach(Exception):
    """The stream did not answer; whether something was written is unknown."""


@dataclass(frozen=True)
class Whole:
    """Its place in the stream is 0 where there is none."""

    data: bytes = b""
    seq: int = 0


class Wholes:
    """Not `erasing`: in a stream that is kept in memory alone."""

    def __init__(self, client: Client, stream: str, *, erasing: bool = True) -> None:
        self._js = client.jetstream(timeout=5)
        self._stream, self._erasing = stream, erasing

    async def read(self, subject: str) -> Whole:
        """What was written last, as the leader of the stream knows it. A replica may be behind, and whoever believed one could call
        unknown what somebody was promised is there, or gone what is not. Raises OutOfReach."""
        try:
            message = await self._js.get_last_msg(self._stream, subject)
        except (nats.errors.Error, APIError, TimeoutError) as error:
            if isinstance(error, APIError) and error.err_code == _NOTHING:
                return Whole()
            raise OutOfReach from error
        return Whole(message.data or b"", message.seq or 0)

    async def write(self, subject: str, data: bytes, after: int) -> int:
        """Puts `data` in place of what has the sequence `after`; it is on disk then. Returns its own. Raises Overtaken or OutOfReach."""
        try:
            ack = await self._js.publish(subject, data, headers={"Nats-Expected-Last-Subject-Sequence": str(after)})
        except APIError as error:
            raise Overtaken if error.err_code in _CONFLICTS else OutOfReach from error
        except (nats.errors.Error, TimeoutError) as error:
            raise OutOfReach from error
        if self._erasing:
            with contextlib.suppress(OutOfReach):  # the next writing does it, and erases what a crash left behind too
                await self.erase(subject, ack.seq)
        return ack.seq

    async def erase(self, subject: str, before: int = sys.maxsize) -> None:
        """Whatever was ever written there before this sequence. Raises OutOfReach; then a part may be left, and the next call erases it."""
        try:
            while True:
                oldest = await self._js.get_msg(self._stream, seq=1, subject=subject, next=True)
                if (oldest.seq or 0) >= before:
                    return
                await self._js.delete_msg(self._stream, oldest.seq or 0)
        except (nats.errors.Error, APIError, TimeoutError) as error:
            if not (isinstance(error, APIError) and error.err_code == _NOTHING):
                raise OutOfReach from error


async def by_the_clock(rewrite: Callable[[], Awaitable[None]]) -> None:
    """For as long as it runs."""
    while True:
        await asyncio.sleep(PERIOD)
        await rewrite()
