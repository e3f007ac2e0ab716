"""What fails and is tried again is told once: a warning where a server is away, an error where it refuses, a line when it works again."""

from __future__ import annotations

import asyncio
from logging import Logger

import nats.errors
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

Away = (
    OSError,
    asyncio.TimeoutError,
    NoStreamResponseError,
    ServiceUnavailableError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoRespondersError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
)
"""What NATS raises while it is out of reach, starts, or looks for a leader. That passes by itself; whatever else it raises does not."""


def refused(error: BaseException) -> bool:
    """Whether a NATS server answered, and will answer the same again: no leave, too large, full, no such stream."""
    cause = root(error)
    return isinstance(cause, nats.errors.Error) and not isinstance(cause, Away)


def root(error: BaseException) -> BaseException:
    """The error behind our own ones, which are raised `from` it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def named(error: BaseException) -> str:
    """Type and code. Never the message, which may quote an answer."""
    cause = root(error)
    code = cause.err_code or cause.code if isinstance(cause, APIError) else getattr(cause, "sqlstate", None)
    return type(cause).__name__ + (f" {code}" if code else "")


class Outages:
    """One kind of work that is tried again and again, for one thing or several (`of`)."""

    def __init__(self, log: Logger, what: str) -> None:
        self._log, self._what = log, what
        self._away = False
        self._refused: set[str] = set()

    def failed(self, error: BaseException, for_good: bool, of: str = "") -> None:
        """Call it after each failure. `for_good`: a server refused, so that trying again does not help."""
        name = f"{self._what} {of}".strip()
        if for_good:
            if of not in self._refused:
                self._log.error("%s: refused (%s); this does not pass by itself", name, named(error))
            self._refused.add(of)
        elif not self._away:
            self._log.warning("%s: no answer (%s); trying again until there is one", name, named(error))
            self._away = True

    def surprised(self, place: str, of: str = "") -> None:
        """Call it where something failed that nobody had thought of. `place` says where."""
        if of not in self._refused:
            self._log.error("%s: failed (%s); trying again all the same", f"{self._what} {of}".strip(), place)
        self._refused.add(of)

    def works(self, of: str = "") -> None:
        """Call it after each success."""
        if self._away or of in self._refused:
            self._log.info("%s: works again", f"{self._what} {of}".strip())
        self._away = False
        self._refused.discard(of)
