"""Outages of NATS, PostgreSQL and disks are told apart, and each is logged once when it begins and once when it ends."""

from __future__ import annotations

import errno
import inspect
import logging
from collections.abc import Iterator
from types import ModuleType

import asyncpg
import asyncpg.exceptions
import nats.errors
import nats.js.errors
import pytest
from nats.js.errors import APIError, BadRequestError, ServiceUnavailableError

from services.runtime.error_details import error_name
from services.runtime.outage_kind import OutageKind, Unavailable, outage_kind
from services.runtime.outages import Outages
from tests.log_lines import LogLines

LOST, REFUSED, FULL = OutageKind.LOST, OutageKind.REFUSED, OutageKind.FULL


def test_each_outage_is_told_when_it_begins_and_when_it_ends(logged: LogLines) -> None:
    outages = Outages(logging.getLogger("test"), "publishing")
    for _ in range(3):
        outages.failed(TimeoutError(), "one")
        outages.failed(nats.errors.MaxPayloadError(), "one")
        outages.failed(TimeoutError(), "other")
    outages.works("one")
    outages.works("one")
    outages.works("other")
    for _ in range(2):
        outages.failed(KeyError("an answer"), "other")
        outages.failed(asyncpg.DiskFullError("an answer"), "third")
    told = [(line["level"], line["event"], line["survey"], line.get("error") or line.get("stack", "")) for line in logged.lines]
    assert told == [
        ("warning", "no answer; trying again until there is one", "one", "TimeoutError"),
        ("error", "refused; this does not pass by itself", "one", "MaxPayloadError"),
        ("info", "works again", "one", ""),
        ("error", "failed; trying again all the same", "other", "builtins.KeyError"),
        ("error", "no room; trying again until there is some", "third", "DiskFullError 53100"),
    ]
    assert {line["work"] for line in logged.lines} == {"publishing"}
    assert "an answer" not in logged.text


POSTGRES = {
    "00": REFUSED, "01": REFUSED, "02": REFUSED, "03": REFUSED, "08": LOST, "09": REFUSED, "0A": REFUSED, "0B": REFUSED, "0F": REFUSED,
    "0L": REFUSED, "0P": REFUSED, "0Z": REFUSED, "10": REFUSED, "20": REFUSED, "21": REFUSED, "22": REFUSED, "23": REFUSED, "24": REFUSED,
    "25": REFUSED, "26": REFUSED, "27": REFUSED, "28": REFUSED, "2B": REFUSED, "2D": REFUSED, "2F": REFUSED, "34": REFUSED, "38": REFUSED,
    "39": REFUSED, "3B": REFUSED, "3D": REFUSED, "3F": REFUSED, "40": LOST, "42": REFUSED, "44": REFUSED, "53": FULL, "54": REFUSED,
    "55": REFUSED, "57": LOST, "58": REFUSED, "72": REFUSED, "F0": REFUSED, "HV": REFUSED, "P0": REFUSED, "XX": REFUSED,
}  # fmt: skip
"""By the class of the code."""
OTHERWISE = {"25006": FULL, "53300": LOST, "55006": LOST, "55P03": LOST}
NATS_LOST = {
    "TimeoutError", "FlushTimeoutError", "FetchTimeoutError", "DrainTimeoutError", "NoRespondersError", "StaleConnectionError",
    "UnexpectedEOF", "OutboundBufferLimitError", "ConnectionClosedError", "ConnectionDrainingError", "ConnectionReconnectingError",
    "NoServersError", "NoStreamResponseError",
}  # fmt: skip


def classes(module: ModuleType, base: type[BaseException]) -> list[type[BaseException]]:
    return [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)]


def of(kind: type[BaseException]) -> BaseException:
    """An error of this kind as the libraries raise it, whatever its constructor wants."""
    error = kind.__new__(kind)
    if isinstance(error, APIError):
        error.code, error.err_code = 503 if kind is ServiceUnavailableError else 400, None
    return error


def raised_by_postgres() -> Iterator[tuple[BaseException, OutageKind]]:
    for kind in classes(asyncpg.exceptions, asyncpg.PostgresError):
        code = getattr(kind, "sqlstate", None)
        yield of(kind), OTHERWISE.get(code, POSTGRES[code[:2]]) if code else REFUSED
    for kind in classes(asyncpg.exceptions, asyncpg.InterfaceError):
        yield of(kind), REFUSED if kind is not asyncpg.InterfaceError else LOST
    yield asyncpg.exceptions._base.DataError("an answer"), REFUSED
    yield asyncpg.InterfaceError("connection is closed"), LOST


def raised_by_nats() -> Iterator[tuple[BaseException, OutageKind]]:
    for kind in {*classes(nats.errors, nats.errors.Error), *classes(nats.js.errors, nats.errors.Error)}:
        yield of(kind), LOST if kind.__name__ in NATS_LOST or kind is ServiceUnavailableError else REFUSED
    for code in (10002, 10023, 10026, 10027, 10028, 10047, 10077):
        yield ServiceUnavailableError(code=503, err_code=code), FULL
        yield APIError(code=400, err_code=code), FULL
    for code in (10008, 10009, 10039, 10076):  # no system, no leader, off while it starts
        yield ServiceUnavailableError(code=503, err_code=code), LOST
        yield APIError(code=503, err_code=code), LOST
    yield BadRequestError(code=400, err_code=10054), REFUSED


def raised_by_the_system() -> Iterator[tuple[BaseException, OutageKind]]:
    yield from ((kind(), LOST) for kind in (OSError, TimeoutError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError))
    yield from ((OSError(number, "words"), FULL) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS))
    yield from ((OSError(number, "words"), REFUSED) for number in (errno.EACCES, errno.EPERM))
    yield from ((OSError(number, "words"), LOST) for number in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EMFILE))


@pytest.mark.parametrize("raised", [raised_by_postgres, raised_by_nats, raised_by_the_system])
def test_every_exception_of_both_libraries_is_lost_refused_or_full(raised: type[Iterator[tuple[BaseException, OutageKind]]]) -> None:
    table = list(raised())
    assert [(type(error).__name__, outage_kind(error)) for error, _ in table] == [(type(error).__name__, as_is) for error, as_is in table]
    assert all(isinstance(error, Unavailable) for error, _ in table)


def test_our_own_errors_are_judged_by_what_they_were_raised_from_and_faults_are_no_outage() -> None:
    ours, cause = RuntimeError("an answer could stand here"), asyncpg.InsufficientPrivilegeError("an answer")
    ours.__cause__ = cause
    assert (outage_kind(ours), error_name(ours)) == (REFUSED, "InsufficientPrivilegeError 42501")
    assert [outage_kind(error) for error in (KeyError(), RuntimeError(), ExceptionGroup("", [OSError()]))] == [None] * 3


def test_a_refusal_is_named_by_its_code_and_never_by_its_words() -> None:
    assert error_name(BadRequestError(code=400, err_code=10054, description="an answer")) == "BadRequestError 10054"
