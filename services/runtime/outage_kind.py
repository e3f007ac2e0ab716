"""Tells lost connections, refusals, full disks of NATS and PostgreSQL apart."""

from __future__ import annotations

import errno
from enum import Enum

import asyncpg
import nats.errors
from nats.js.errors import APIError, NoStreamResponseError

from services.runtime.error_details import root_cause

Unavailable = (OSError, nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a call to NATS or PostgreSQL raises where it is not served. A timeout is an OSError."""


class OutageKind(Enum):
    """Why a server did not do what it was asked. The value is the sentence that is logged."""

    LOST = "no answer; trying again until there is one"
    """Out of reach, starting, stopping, without a leader, or it gave up halfway: passes by itself."""
    REFUSED = "refused; this does not pass by itself"
    """It answered, and will answer the same again: no permission, no such table, too large."""
    FULL = "no room; trying again until there is some"
    """It answers, and stores nothing more: the disk is full, a limit is reached, or it may only be read."""


_NATS_LOST = (
    OSError,
    NoStreamResponseError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoRespondersError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
)
_JETSTREAM_UNAVAILABLE = 503
"""The status of JetStream while it has no leader, or too few servers."""
_JETSTREAM_FULL = frozenset({10002, 10023, 10026, 10027, 10028, 10047, 10077})
"""JetStream's codes for limits of the account, of consumers, streams, memory and storage, and for a message that could not be stored."""

# Classes and codes of PostgreSQL's errors: appendix A of its manual.
_SQLSTATE_LOST = ("08", "40", "57", "53300", "55006", "55P03")
"""Connection, rolled back, operator intervention, too many connections, in use, locked."""
_SQLSTATE_FULL = ("53", "25006")
"""Insufficient resources; a server that may only be read, as providers make one whose disk is full."""

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_DISK_REFUSED = frozenset({errno.EACCES, errno.EPERM})


def outage_kind(error: BaseException) -> OutageKind | None:
    """Returns why NATS, PostgreSQL or the system did not serve, by the root cause; None where the error comes from elsewhere."""
    match root_cause(error):
        case asyncpg.PostgresError() as cause:
            return _postgres_kind(getattr(cause, "sqlstate", None) or "")
        case APIError(err_code=code) if code in _JETSTREAM_FULL:
            return OutageKind.FULL
        case APIError(code=status):
            return OutageKind.LOST if status == _JETSTREAM_UNAVAILABLE else OutageKind.REFUSED
        case nats.errors.Error() as cause:
            return OutageKind.LOST if isinstance(cause, _NATS_LOST) else OutageKind.REFUSED
        case asyncpg.UnsupportedClientFeatureError() | asyncpg.UnsupportedServerFeatureError():
            return OutageKind.REFUSED
        case asyncpg.InterfaceError() as cause:  # one that is a ValueError, too, is about what the server was asked
            return OutageKind.REFUSED if isinstance(cause, ValueError) else OutageKind.LOST
        case OSError(errno=number):
            return OutageKind.FULL if number in _DISK_FULL else OutageKind.REFUSED if number in _DISK_REFUSED else OutageKind.LOST
        case _:
            return None


def _postgres_kind(sqlstate: str) -> OutageKind:
    if sqlstate.startswith(_SQLSTATE_LOST):
        return OutageKind.LOST
    return OutageKind.FULL if sqlstate.startswith(_SQLSTATE_FULL) else OutageKind.REFUSED
