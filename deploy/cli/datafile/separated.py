"""Records of separated text: quotes may hold separators and line breaks, and a slip costs one row. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from deploy.cli.datafile.sheet import UnreadableFile

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
LONGEST = 500
"""Lines one record may run over (line breaks inside quotes); a quote left open that long is a slip."""
SAMPLE = 50
"""Records below the header over which a separator is tried."""


_DECLARED = re.compile(rb'"?sep=([,;\t|])"?', re.IGNORECASE)


class Separated:
    """Lines of a text, and the separator of their cells. Raises UnreadableFile where it cannot be told."""

    def __init__(self, data: bytes, separator: str | None = None) -> None:
        self.lines = data.splitlines(keepends=True)
        self.start = next((at for at, line in enumerate(self.lines) if line.strip()), len(self.lines))
        if self.start == len(self.lines):
            raise UnreadableFile("the file is empty")
        declared = _DECLARED.fullmatch(self.lines[self.start].rstrip(b"\r\n"))
        if declared:
            self.separator = declared[1].decode()
            self.start += 1
        elif separator is not None:
            self.separator = separator
        else:
            self.separator = self._likeliest()

    def records(self, at: int, width: int | None) -> Iterator[tuple[int, str, list[str] | str]]:
        """From line `at` on: line number, text, and cells or the fault. Empty lines are passed over; empty cells beyond `width` too."""
        while at < len(self.lines):
            if not self.lines[at].strip():
                at += 1
                continue
            taken, cells = self._record(at, self.separator, width)
            yield at + 1, b"".join(self.lines[at : at + taken]).decode(errors="replace").rstrip("\r\n"), cells
            at += taken

    def _likeliest(self) -> str:
        """The separator that gives the header and the rows one width; a file in which two do is asked about."""
        fits: dict[str, tuple[float, int]] = {}
        for separator in SEPARATORS.values():
            taken, header = self._record(self.start, separator, None)
            if isinstance(header, str):
                continue
            width, widths = len(header), list[bool]()
            at = self.start + taken
            while at < len(self.lines) and len(widths) < SAMPLE:
                if self.lines[at].strip():
                    taken, cells = self._record(at, separator, None)
                    widths.append(not isinstance(cells, str) and len(_trimmed(cells, width)) == width)
                else:
                    taken = 1
                at += taken
            fits[separator] = (sum(widths) / len(widths) if widths else 1.0, width)
        several = {separator: fit for separator, fit in fits.items() if fit[1] > 1}
        if not several:
            return max(fits, key=lambda separator: fits[separator][0], default=",")
        best = max(fit for fit, _ in several.values())
        tied = {separator: width for separator, (fit, width) in several.items() if fit == best}
        if best == 0.0:  # no row fits any: the header alone decides, and the rows are told
            return max(tied, key=lambda separator: tied[separator])
        if len(tied) > 1:
            names = {sign: name for name, sign in SEPARATORS.items()}
            readings = " or ".join(f"{names[separator]} ({width} columns)" for separator, width in tied.items())
            raise UnreadableFile(f"its cells can be parted in two ways, by {readings}; say --separator")
        return next(iter(tied))

    def _record(self, at: int, separator: str, width: int | None) -> tuple[int, list[str] | str]:
        """Returns how many lines the record at line `at` takes, and its cells or its fault.

        Quotes may hold line breaks, so lines are added until quotes are even. If that gives no sound row, only the first line is rejected
        and reading continues with the next: a slip costs one row, not the rest of the file.
        """
        text, taken = b"", 0
        while taken < min(LONGEST, len(self.lines) - at):
            text += self.lines[at + taken]
            taken += 1
            if text.count(b'"') % 2 == 0:
                break
        cells = _cells(text, separator, width)
        if isinstance(cells, str) and taken > 1:
            alone = _cells(self.lines[at], separator, width)
            return 1, alone if isinstance(alone, str) else "a quote is opened and not closed"
        return taken, cells


def _cells(text: bytes, separator: str, width: int | None) -> list[str] | str:
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the row is not UTF-8; if the whole file is in another encoding, say --encoding, such as cp1252"
    if "\0" in decoded:
        return "the row holds a character that cannot be stored (U+0000)"
    try:
        records = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        reason = str(error)
        return "a quote is opened and not closed" if "end of data" in reason else f"the quotes are broken ({reason})"
    if len(records) != 1:
        return "the quotes are broken"
    cells = records[0] if width is None else _trimmed(records[0], width)
    if width is not None and len(cells) != width:
        return f"the row has {len(cells)} cells, the header {width}"
    return cells


def _trimmed(cells: list[str], width: int) -> list[str]:
    """Without the empty cells beyond `width`, which spreadsheets leave."""
    return cells if any(cell.strip() for cell in cells[width:]) else cells[:width]
