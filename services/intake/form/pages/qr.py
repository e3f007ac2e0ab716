"""A receipt as a QR code.

It holds the receipt itself and no address. An address would be opened by the phone that scans it, and with it the receipt
would enter that browser's history, which phones copy to other devices; the code would have to know under which name this
service is reached, and it would help nobody whose browser runs no scripts. As plain text it is also smaller: 34
characters of QR's alphanumeric kind, 25 by 25 modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4
"""Modules of white around it, as ISO/IEC 18004 asks for."""


@dataclass(frozen=True)
class Code:
    """An SVG path of the dark modules, in a square of `size` modules."""

    size: int
    path: str


def code_of(text: str) -> Code:
    """Readable with up to 15 % of it covered."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False, boost_error=False).matrix]
    return Code(len(rows) + 2 * QUIET, "".join(_line(y + QUIET, row) for y, row in enumerate(rows)))


def _line(y: int, row: list[int]) -> str:
    drawn, x = "", QUIET
    for dark, run in groupby(row):
        length = len(list(run))
        drawn += f"M{x} {y}h{length}v1h-{length}z" if dark else ""
        x += length
    return drawn
