"""What a log may say of an exception: its type, its code, its stack. Never its message, which may quote an answer."""

from __future__ import annotations

import traceback

FRAMES = 40
"""The innermost frames of a stack that are logged."""


def root_cause(error: BaseException) -> BaseException:
    """Returns the error from which this one was raised (`raise … from`), at the bottom of the chain; itself where there is none."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def error_name(error: BaseException) -> str:
    """Returns the type of the root cause, with the code that NATS or PostgreSQL gave it, as in `DiskFullError 53100`."""
    cause = root_cause(error)
    code = getattr(cause, "err_code", None) or getattr(cause, "sqlstate", None)
    return type(cause).__name__ + (f" {code}" if code else "")


def stack_of(error: BaseException) -> str:
    """Returns the types and stacks of an exception and its causes. Frames show code, not values."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        kind = type(current)
        parts.append(f"{kind.__module__}.{kind.__qualname__}\n{''.join(traceback.format_tb(current.__traceback__, -FRAMES))}".rstrip())
        if isinstance(current, BaseExceptionGroup):
            parts += [stack_of(each) for each in current.exceptions]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nraised from ".join(parts)
