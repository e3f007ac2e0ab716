"""Repeats a call while a server is out of reach, with stamina: the pause doubles up to a cap, and has jitter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import set_on_retry_hooks

from services.runtime.outage_kind import Unavailable
from services.runtime.outages import Outages

T = TypeVar("T")
Again = Callable[[Exception], bool | float]
"""Whether to repeat after this error; a number of seconds is the pause, instead of the doubled one."""

set_on_retry_hooks([])  # stamina's own hooks log an exception with its message, which may quote an answer


async def retry(
    call: Callable[[], Awaitable[T]],
    outages: Outages | None = None,
    *,
    on: type[Exception] | tuple[type[Exception], ...] | Again = Unavailable,
    first: float = 0.2,
    longest: float = 2.0,
    seconds: float | None = None,
) -> T:
    """Returns what `call()` returns, which is repeated while it raises one of `on`, or while that returns so; `outages` logs it.

    `first`, `longest`: seconds of the first pause and of the longest. Raises the last error after `seconds`; None: never.
    """

    def again(error: Exception) -> bool | float:
        pause = isinstance(error, on) if isinstance(on, type | tuple) else on(error)
        if outages is not None and pause is not False:
            outages.failed(error)
        return pause

    repeated = stamina.AsyncRetryingCaller(
        attempts=None, timeout=seconds, wait_initial=first, wait_max=longest, wait_jitter=first, wait_exp_base=2.0
    )
    result = await repeated(again, call)
    if outages is not None:
        outages.works()
    return result
