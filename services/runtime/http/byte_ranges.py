"""Range: which bytes of a body a client asks for (RFC 9110, 14). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proto.problem import Problem

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.IGNORECASE)


def span(header: Sequence[str], size: int) -> tuple[int, int] | None:
    """Returns the first and the last byte of a single range; None for the whole body of `size` bytes.

    Several ranges, other units and ranges that end before they begin are passed over (14.2): the answer is the whole body.
    Raises Problem("range-unsatisfiable").
    """
    asked = _RANGE.fullmatch(",".join(header).strip())
    if asked is None or asked.groups() == ("", ""):
        return None
    first, last = (_number(digits) for digits in asked.groups())
    if first is not None and last is not None and last < first:
        return None
    begin, end = (max(size - (last or 0), 0), size - 1) if first is None else (first, size - 1 if last is None else min(last, size - 1))
    if begin > end:
        raise Problem("range-unsatisfiable", f"The file has {size} bytes.", content_range=f"bytes */{size}")
    return begin, end


def _number(digits: str) -> int | None:
    """Python refuses to read thousands of digits; the first twenty are more than any size."""
    return int(digits.lstrip("0")[:20] or "0") if digits else None
