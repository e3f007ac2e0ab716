"""Compare-and-swap key-value records on a JetStream stream. The previous value of a record is securely deleted.

A stream that keeps one message per subject drops the previous message, but leaves its bytes and its time on disk until the file is
compacted. So previous messages are overwritten with random bytes, as a withdrawn response is. *Does not reach* copies of the disk below
the file system, nor the replication logs of a cluster, which hold recent messages for minutes.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.errors import APIError

from services.runtime.outage_kind import Unavailable

PERIOD = 600.0
"""Seconds between two writings of an unchanged record. After at most this long, its time is not that of the last change."""
CONFLICTS = frozenset({10071, 10164})
"""JetStream's codes for another last sequence than the expected one."""
_NO_MESSAGE = 10037
"""JetStream's code for "no message found". A missing stream has another code."""


class Overtaken(Exception):
    """Another process wrote the record first; nothing was written."""


class StreamOutOfReach(Exception):
    """The stream did not answer. Whether something was written is unknown."""


@dataclass(frozen=True)
class Record:
    """`seq` is the sequence of its message in the stream, 0 where there is no record."""

    data: bytes = b""
    seq: int = 0


class CasStore:
    """`erasing=False` is for streams that are kept in memory only."""

    def __init__(self, client: Client, stream: str, *, erasing: bool = True) -> None:
        self._js = client.jetstream(timeout=5)
        self._stream, self._erasing = stream, erasing

    async def read(self, subject: str) -> Record:
        """The last record, read from the stream's leader: a replica may be behind, and would show an older one. Raises StreamOutOfReach."""
        try:
            message = await self._js.get_last_msg(self._stream, subject)
        except Unavailable as error:
            if isinstance(error, APIError) and error.err_code == _NO_MESSAGE:
                return Record()
            raise StreamOutOfReach from error
        return Record(message.data or b"", message.seq or 0)

    async def write(self, subject: str, data: bytes, after: int) -> int:
        """Replaces the record that has the sequence `after` (0: none). Returns the new sequence, which is on disk.

        Raises Overtaken or StreamOutOfReach.
        """
        try:
            ack = await self._js.publish(subject, data, headers={"Nats-Expected-Last-Subject-Sequence": str(after)})
        except APIError as error:
            raise Overtaken if error.err_code in CONFLICTS else StreamOutOfReach from error
        except Unavailable as error:
            raise StreamOutOfReach from error
        if self._erasing:
            with contextlib.suppress(StreamOutOfReach):  # the next write erases it, together with what a crash left behind
                await self.erase(subject, ack.seq)
        return ack.seq

    async def erase(self, subject: str, before: int = sys.maxsize) -> None:
        """Overwrites every message of this subject below the sequence `before`.

        Raises StreamOutOfReach; then some messages may be left, and the next call erases them.
        """
        try:
            while True:
                oldest = await self._js.get_msg(self._stream, seq=1, subject=subject, next=True)
                if (oldest.seq or 0) >= before:
                    return
                await self._js.delete_msg(self._stream, oldest.seq or 0)
        except Unavailable as error:
            if not (isinstance(error, APIError) and error.err_code == _NO_MESSAGE):
                raise StreamOutOfReach from error
