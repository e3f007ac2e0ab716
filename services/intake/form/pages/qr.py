"""What somebody has to keep, as a QR code: a receipt, or the link that opens a draft.

A receipt's code has the receipt itself and no address. A phone opens a scanned address, which would put the receipt into the browser's
history, and phones copy that to other devices. An address would also need the public name of this service, and would not help browsers
without scripts. As plain text the code is smaller, too: 34 alphanumeric characters, 25 by 25 modules.

A draft's code has the link: it is made for another device, and the page that it opens takes the secret part out of the address at once
(`static/later.js`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4
"""White modules around the code, as ISO/IEC 18004 requires."""


@dataclass(frozen=True)
class QrCode:
    """An SVG path of the dark modules, in a square of `size` modules."""

    size: int
    path: str


def code_of(text: str) -> QrCode:
    """Error correction level M: readable with up to 15 % of it covered."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False, boost_error=False).matrix]
    return QrCode(len(rows) + 2 * QUIET, "".join(_line(y + QUIET, row) for y, row in enumerate(rows)))


def _line(y: int, row: list[int]) -> str:
    drawn, x = "", QUIET
    for dark, run in groupby(row):
        length = len(list(run))
        drawn += f"M{x} {y}h{length}v1h-{length}z" if dark else ""
        x += length
    return drawn
