"""Which cells of one table stay hidden, so that none of the small ones can be worked out from the rest. Pure, on plain counts.

The totals that go with a table are taken as known to everybody (they are, from other tables or from skip logic).
A count is *small* from 1 to `limit` - 1. Zeros may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Counts = Mapping[str, int]
Hidden = frozenset[str]


def small(n: int, limit: int) -> bool:
    return 0 < n < limit


def exclusive(counts: Counts, limit: int, also: Hidden = frozenset()) -> Hidden:
    """Cells to hide where everybody is in exactly one cell, so that the cells add up to a known total.

    The small ones, and the next smallest count with them (all cells that share it). If nothing above zero were left to
    see, everything is hidden, the zeros too.

    Claim: no hidden small count can be determined, even by somebody who knows this rule. Argument: the rule looks at
    counts alone, never at which cell has them; so exchanging the counts of two hidden cells gives another table with the
    same publication, and a small cell may as well hold the count of its larger companion. Where everything is hidden and
    all counts are equal, adding one here and taking it away there leaves everything hidden (at least two cells, total at
    least `limit`). Cells in `also` count as small for another reason; for them the argument holds against somebody who
    does not know why they are hidden.
    """
    hidden = {code for code, n in counts.items() if small(n, limit)} | also
    if not hidden:
        return frozenset()
    companion = min((n for code, n in counts.items() if n >= limit and code not in also), default=None)
    hidden |= {code for code, n in counts.items() if n == companion}
    shows = any(n > 0 and code not in hidden for code, n in counts.items())
    return frozenset(hidden if shows else counts)


def overlapping(counts: Counts, answered: int, limit: int, bounds: tuple[int, int], alone: frozenset[str] = frozenset()) -> Hidden:
    """Cells to hide where everybody may be in several cells: those whose count, or whose complement, is small.

    `bounds` are the least and the most that all counts can add up to (from the fewest and most choices allowed); `alone`
    are options that stand alone. Where these bounds narrow the hidden counts beyond "small", the next smallest cell is
    hidden too, until they do not.
    """
    hidden = {code for code, n in counts.items() if small(n, limit) or small(answered - n, limit)}
    order: list[str] = sorted((code for code in counts if code not in hidden and counts[code] > 0), key=counts.__getitem__)
    while hidden and order and _narrowed(counts, hidden, answered, limit, bounds, alone):
        least = counts[order[0]]
        hidden |= {code for code in order if counts[code] == least}
        order = [code for code in order if code not in hidden]
    shows = any(n > 0 and code not in hidden for code, n in counts.items())
    return frozenset(hidden if shows or not hidden else counts)


def _narrowed(counts: Counts, hidden: set[str], answered: int, limit: int, bounds: tuple[int, int], alone: frozenset[str]) -> bool:
    """Whether the bounds on the sum, or the options that stand alone, say more about the hidden counts than that they are small."""
    shown = {code: n for code, n in counts.items() if code not in hidden}
    ranges = {code: (1, limit - 1) if counts[code] < limit else (answered - limit + 1, answered - 1) for code in hidden}
    companions = [code for code in hidden if not small(counts[code], limit) and not small(answered - counts[code], limit)]
    if not companions:  # a companion's count is unknown and takes up any slack in the sum
        least, most = sum(low for low, _ in ranges.values()), sum(high for _, high in ranges.values())
        if bounds[0] - sum(shown.values()) > least or bounds[1] - sum(shown.values()) < most:
            return True
    apart = answered - sum(n for code, n in shown.items() if code in alone)
    together = max((n for code, n in shown.items() if code not in alone), default=0)
    lone = sum(ranges[code][1] for code in hidden & alone if code not in companions)
    others = max((ranges[code][1] for code in hidden - alone if code not in companions), default=0)
    return bool(alone) and (lone > apart - together or others > apart)


def crossed(table: Sequence[Counts], limit: int, hidden: Hidden, also: Sequence[Hidden] | None = None) -> Hidden | None:
    """Columns to hide in every row of a two-way table whose row and column totals are known; None: hide the whole table.

    `also`: for each row, cells that are treated like small ones. `hidden` columns are hidden in the margin already. Every
    column with a small cell follows, then the smallest others, until each small cell is a corner of a rectangle of hidden
    cells above zero: adding one at two opposite corners and taking it away at the others gives another table with the same
    totals, so no small cell is determined (Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001, ch. 3).
    """
    totals = {code: sum(row[code] for row in table) for code in table[0]}
    delicate = [{code for code, n in row.items() if small(n, limit)} for row in table]
    if also is not None:
        delicate = [few | more for few, more in zip(delicate, also, strict=True)]
    away = set(hidden).union(*delicate)
    order = sorted((code for code in totals if code not in away and totals[code] > 0), key=lambda code: totals[code])
    if len(table) == 1:
        return hidden
    while not _in_rectangles(table, delicate, away):
        if not order:
            return None
        away.add(order.pop(0))
    shows = any(row[code] > 0 for row in table for code in totals.keys() - away)
    return frozenset(away) if shows or not away else None


def crossed_overlapping(
    table: Sequence[Counts],
    answered: Sequence[int],
    limit: int,
    hidden: Hidden,
    choices: tuple[int, int],
    alone: frozenset[str],
) -> Hidden | None:
    """Like `crossed` for a question with several answers: a column is hidden in every row when its count or its complement
    is small in one. Its total, at least `limit` and not all, then leaves every row open. `choices`: fewest and most allowed."""
    away = set(hidden)
    for row, total in zip(table, answered, strict=True):
        away |= {code for code, n in row.items() if small(n, limit) or small(total - n, limit)}
    if len(table) == 1:
        return hidden
    sums = {code: sum(row[code] for row in table) for code in table[0]}
    order = sorted((code for code in sums if code not in away and sums[code] > 0), key=lambda code: sums[code])
    while away and any(
        _narrowed(row, {code for code in away if row[code]}, total, limit, (choices[0] * total, choices[1] * total), alone)
        for row, total in zip(table, answered, strict=True)
    ):
        if not order:
            return None
        away.add(order.pop(0))
    shows = any(row[code] > 0 for row in table for code in sums.keys() - away)
    return frozenset(away) if shows or not away else None


def _in_rectangles(table: Sequence[Counts], delicate: Sequence[set[str]], away: set[str]) -> bool:
    for i, row in enumerate(table):
        for code in delicate[i]:
            if row[code] and not any(
                other[code] and any(row[mate] and other[mate] for mate in away if mate != code) for j, other in enumerate(table) if j != i
            ):
                return False
    return True
