"""No hidden count can be worked out: every rule of withholding against all tables of its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, product

from services.analysis import withhold
from services.analysis.withhold import Hidden, small

LIMIT = 3
CODES = "abcde"


def vectors(cells: int, total: int) -> Iterator[tuple[int, ...]]:
    if cells == 1:
        yield (total,)
        return
    for n in range(total + 1):
        for rest in vectors(cells - 1, total - n):
            yield (n, *rest)


def published(counts: dict[str, int], hidden: Hidden) -> tuple[int | None, ...]:
    return tuple(None if code in hidden else n for code, n in counts.items())


def test_a_hidden_cell_of_a_single_choice_has_two_possible_values_even_for_who_knows_the_rule() -> None:
    for cells, total in product(range(2, 6), range(LIMIT, 13)):
        worlds: dict[object, list[tuple[int, ...]]] = defaultdict(list)
        for vector in vectors(cells, total):
            counts = dict(zip(CODES, vector, strict=False))
            worlds[published(counts, withhold.exclusive(counts, LIMIT))].append(vector)
        for seen, possible in worlds.items():
            assert isinstance(seen, tuple)
            for i, shown in enumerate(seen):
                assert shown is None or not small(shown, LIMIT)
                assert shown is not None or len({vector[i] for vector in possible}) > 1, (seen, possible)


def choices(options: int, most: int, alone: frozenset[str]) -> list[frozenset[str]]:
    every = [frozenset(c) for k in range(1, most + 1) for c in combinations(CODES[:options], k)]
    return [c for c in every if len(c) == 1 or not c & alone]


def populations(kinds: int, answered: int) -> Iterator[tuple[int, ...]]:
    return vectors(kinds, answered)


def check_overlapping(options: int, most: int, answered: int, alone: frozenset[str], least: int = 1) -> None:
    kinds = [c for c in choices(options, most, alone) if len(c) >= least]
    possible = {
        tuple(sum(n for n, kind in zip(people, kinds, strict=True) if code in kind) for code in CODES[:options])
        for people in populations(len(kinds), answered)
    }
    for vector in possible:
        counts = dict(zip(CODES, vector, strict=False))
        hidden = withhold.overlapping(counts, answered, LIMIT, (least * answered, most * answered), alone)
        consistent = [
            other for other in possible if all(code in hidden or n == m for (code, n), m in zip(counts.items(), other, strict=True))
        ]
        for i, code in enumerate(CODES[:options]):
            if small(vector[i], LIMIT) or small(answered - vector[i], LIMIT):
                assert code in hidden
                assert len({other[i] for other in consistent}) > 1, (vector, hidden, answered)


def test_a_hidden_cell_of_a_multiple_choice_has_two_possible_values() -> None:
    for answered in range(LIMIT, 8):
        check_overlapping(3, 3, answered, frozenset())
        check_overlapping(3, 1, answered, frozenset())
        check_overlapping(3, 3, answered, frozenset("c"))
        check_overlapping(4, 2, answered, frozenset("cd"))


def test_a_hidden_cell_of_a_ranking_has_two_possible_values() -> None:
    for answered in range(LIMIT, 8):
        check_overlapping(3, 2, answered, frozenset(), least=2)
        check_overlapping(4, 2, answered, frozenset(), least=2)


def tables(rows: tuple[int, ...], columns: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    return product(*(tuple(vectors(columns, total)) for total in rows))


def test_a_hidden_small_cell_of_a_breakdown_has_two_possible_values_given_all_totals() -> None:
    for totals in ((4, 5), (6, 6), (3, 4, 5)):
        by_margin: dict[object, list[tuple[tuple[int, ...], ...]]] = defaultdict(list)
        for table in tables(totals, 3):
            by_margin[tuple(map(sum, zip(*table, strict=True)))].append(table)
        for sums, same_margin in by_margin.items():
            assert isinstance(sums, tuple)
            margin = withhold.exclusive(dict(zip(CODES, sums, strict=False)), LIMIT)
            for table in same_margin:
                rows = [dict(zip(CODES, row, strict=False)) for row in table]
                away = withhold.crossed(rows, LIMIT, margin)
                if away is None:
                    continue
                shown = [i for i, code in enumerate(CODES[:3]) if code not in away]
                consistent = [t for t in same_margin if all(a[i] == b[i] for a, b in zip(t, table, strict=True) for i in shown)]
                for r, row in enumerate(table):
                    for i, n in enumerate(row):
                        if small(n, LIMIT):
                            assert CODES[i] in away
                            assert len({t[r][i] for t in consistent}) > 1, (table, away)
