"""Columns of numbers: how they are written, and which of them stand for no answer. Pure.

Everything unsure is a remark for the author.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from deploy.cli.cells import NO, SENTINELS, YES, decimal_marks, readings, whole

LARGEST = 999_999_999
MOST_DECIMALS = 4


class NumberColumn(msgspec.Struct, frozen=True):
    """`decimal` and `thousands`: the marks to declare, empty where none is needed. `missing`: cells that stand for no answer."""

    values: list[float]
    decimals: int
    decimal: str = ""
    thousands: str = ""
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def numbers(cells: Sequence[str], separator: str) -> NumberColumn | None:
    """None where some cell is no number, or where the cells are written in ways that contradict each other.

    `separator`: of the file. In a file with commas between its cells, a comma inside a number marks thousands.
    """
    if not all(readings(cell) for cell in cells):
        return None
    marks = decimal_marks(cells)
    unclear = [cell for cell in cells if len(readings(cell, marks)) > 1]
    decimal = thousands = ""
    remarks: list[str] = []
    if unclear:
        if any(not readings(cell, mark) for cell in cells for mark in marks):
            return None  # written in two ways, and some cells could be either
        if len({mark for cell in unclear for mark in ",." if mark in cell}) > 1:
            return None
        mark = "," if "," in unclear[0] else "."
        if (mark == ",") == (separator != ";"):
            thousands, decimal = mark, "." if mark == "," else ","
        elif mark == ".":
            thousands, decimal = (mark, ",") if separator == ";" else ("", ".")
        else:
            decimal = ","
        meant = next(iter(readings(unclear[0], decimal)))
        remarks.append(f'"{unclear[0]}" is read as {meant.normalize():f}; if that is wrong, change `numbers` in the import map')
    elif marks == (",",):
        decimal, thousands = ",", "." if any(re.search(r"\.[0-9]{3}", cell) for cell in cells) else ""
        if separator == ",":
            cell = next(cell for cell in cells if "," in cell)
            remarks.append(f'"{cell}" is read as one number; or are these several choices in a cell?')
    elif marks == (".",) and any("," in cell for cell in cells):
        decimal, thousands = ".", ","
    if decimal and any(re.search("[ \u00a0\u2009\u202f]", cell) for cell in cells):
        thousands = " "
    read = {cell: next(iter(readings(cell, decimal or marks))) for cell in set(cells)}
    missing = _no_answers(cells, {cell: float(value) for cell, value in read.items()})
    if missing:
        counted = Counter(cells)
        told = ", ".join(f'"{cell}" ({times(counted[cell])})' for cell in missing)
        remarks.append(f"{told} taken for no answer, far from the other numbers: see `missing` in the import map")
    kept = [cell for cell in cells if cell not in missing]
    decimals = max((max(0, -int(read[cell].normalize().as_tuple().exponent)) for cell in kept), default=0)
    values = [float(read[cell]) for cell in kept]
    if decimals > MOST_DECIMALS or any(abs(value) > LARGEST for value in values):
        return None
    if not decimals and len(set(values)) <= 7 and len(values) >= 20 and all(0 <= value <= 10 for value in values):
        remarks.append("a few whole numbers: perhaps codes of options, and then a single choice")
    return NumberColumn(values, decimals, decimal, thousands, tuple(missing), tuple(remarks))


def times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _no_answers(cells: Sequence[str], value: dict[str, float]) -> list[str]:
    """Numbers that programs write for no answer, where they lie far from all others."""
    found = sorted({cell for cell in cells if cell in SENTINELS}, key=lambda cell: value[cell])
    others = [value[cell] for cell in set(cells) if cell not in SENTINELS]
    if not others:
        return []
    least, greatest = min(others), max(others)
    return [cell for cell in found if value[cell] < min(2 * least, 0) or value[cell] > max(2 * greatest, 20)]


def signs_of_no_answer(cells: Sequence[str]) -> dict[str, int]:
    """Numbers that stand for no answer in a column of words or of marks such as yes and 0, and how many there are."""
    found = Counter(cell for cell in cells if cell in SENTINELS)
    others = {cell for cell in cells if cell and cell not in SENTINELS} if found else set[str]()
    marks = all(whole(cell).lower() in YES | NO for cell in others)
    return dict(found) if others and (marks or not any(map(readings, others))) else {}
