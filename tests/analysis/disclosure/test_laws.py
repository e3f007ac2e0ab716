"""Laws of what is published: it adds up, is never negative, moves only by net growth, and its noise has the variance that is said."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analysis.disclosure import noise as noise_module
from services.analysis.disclosure.edition import Edition, advance, tables
from services.analysis.disclosure.editions import Marks, after, due, moved_at_least, step
from services.analysis.disclosure.noise import Noise, NoisePart, names_of
from services.analysis.disclosure.parameters import DAY, INVITED, OPEN, Parameters
from services.analysis.disclosure.projection import onto_margins, onto_total, rounded
from services.analysis.disclosure.publication import Blocks, Publication

KEY = b"a key of thirty-two bytes.......x"[:32]
SIZES = (3, 4, 2, 3, 6)
KEYS = 700
"""So many keys are tried where a variance is measured; what is within five standard errors is taken as right."""
whole = st.integers(0, 40)


def publication(parameters: Parameters = OPEN, survey: str = "small", key: bytes = KEY) -> Publication:
    names = names_of((block, cell) for block, size in enumerate(SIZES) for cell in range(size))
    groups = np.array([False, False, False, True, False])
    return Publication(Blocks(names, np.array(SIZES), groups), parameters, Noise(key, survey))


def people(seed: int, n: int) -> np.ndarray:
    """A row of zeros and ones for each, which has a one in each block."""
    draw = np.random.default_rng(seed)
    return np.hstack([np.eye(size, dtype=np.int64)[draw.choice(size, n, p=draw.dirichlet(np.ones(size)))] for size in SIZES])


def test_the_same_number_comes_out_whenever_it_is_asked_for_and_another_for_anything_else() -> None:
    noise, names = Noise(KEY, "a"), names_of("abc")
    found = noise.normals(NoisePart.INNOVATION, 7, names)
    assert (found == Noise(KEY, "a").normals(NoisePart.INNOVATION, 7, names)).all()
    assert (found[::-1] == noise.normals(NoisePart.INNOVATION, 7, names[::-1])).all(), "it is the cell's, wherever the cell stands"
    others = [
        Noise(KEY, "b").normals(NoisePart.INNOVATION, 7, names),
        Noise(b"another key of 32 bytes.........", "a").normals(NoisePart.INNOVATION, 7, names),
        noise.normals(NoisePart.LASTING, 7, names),
        noise.normals(NoisePart.INNOVATION, 8, names),
        noise.normals(NoisePart.INNOVATION, 7 + 2**8, names),
        noise.normals(NoisePart.INNOVATION, 7 + 2**16, names),
        noise.normals(NoisePart.INNOVATION, 7, names, names_of("bcd")),
    ]
    assert all((found != other).all() for other in others)
    pairs = noise.normals(NoisePart.TABLE_FRESH, 1, names, names_of("xyz"))
    assert (pairs == noise.normals(NoisePart.TABLE_FRESH, 1, names_of("xyz"), names)).all(), "a table turned round has the same noise"


def test_other_parameters_draw_other_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same noise scaled to another variance would give counts away that are published again after an update."""
    before = Noise(KEY, "a").normals(NoisePart.LASTING, 0, names_of(range(5000)))
    monkeypatch.setattr(noise_module, "INVITED", replace(INVITED, growth=0.06))
    after_update = Noise(KEY, "a").normals(NoisePart.LASTING, 0, names_of(range(5000)))
    assert abs(np.corrcoef(before, after_update)[0, 1]) < 0.08


def test_numbers_are_normal_and_those_of_neighbouring_editions_hang_together_as_said() -> None:
    noise, names = Noise(KEY, "a"), names_of(range(20_000))
    plain = noise.normals(NoisePart.LASTING, 0, names)
    one, next_one, later = (noise.with_memory(edition, names, 0.5) for edition in (1, 2, 6))
    for found in (plain, one, next_one):
        assert abs(found.mean()) < 0.03
        assert abs(found.std() - 1) < 0.02
        assert abs((found**4).mean() - 3) < 0.2
    assert abs(np.corrcoef(one, next_one)[0, 1] - 0.5) < 0.03
    assert abs(np.corrcoef(one, later)[0, 1] - 0.5**5) < 0.03
    assert abs(np.corrcoef(plain, one)[0, 1]) < 0.03


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=7), st.integers(0, 100))
def test_a_block_is_moved_to_the_nearest_point_that_adds_up(values: list[float], total: int) -> None:
    block = np.array([values])
    found = onto_total(block, total)[0]
    assert found.min() >= 0
    assert found.sum() == pytest.approx(total, abs=1e-6)
    if len(values) > 1:  # nearest: what is above zero moved evenly, and what is zero would have had to move further
        moved = block[0] - found
        inside = found > 1e-9
        if inside.any():
            assert np.ptp(moved[inside]) < 1e-6
            assert (moved[~inside] <= moved[inside].max() + 1e-6).all()


@given(st.lists(st.floats(0, 50), min_size=1, max_size=7))
def test_rounding_keeps_the_sum_and_stays_within_one(values: list[float]) -> None:
    total = round(sum(values))
    block = onto_total(np.array([values]), total)
    found = rounded(block, np.array([total]))[0]
    assert found.sum() == total
    assert np.abs(found - block[0]).max() <= 1 + 1e-6


@st.composite
def margins(draw: st.DrawFn) -> tuple[np.ndarray, list[int], list[int]]:
    rows = draw(st.lists(whole, min_size=2, max_size=5))
    cuts = sorted(draw(st.lists(st.integers(0, sum(rows)), min_size=1, max_size=4)))
    columns = np.diff([0, *cuts, sum(rows)]).tolist()
    cells = draw(st.lists(st.floats(-20, 60), min_size=len(rows) * len(columns), max_size=len(rows) * len(columns)))
    return np.array(cells).reshape(len(rows), len(columns)), rows, columns


@given(margins())
def test_a_table_adds_up_to_both_margins_in_whole_numbers_that_are_not_negative(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    table, rows, columns = case
    found = onto_margins(table[None], np.array([rows]), np.array([columns]))[0]
    assert found.min() >= 0
    assert found.sum(axis=1).tolist() == rows
    assert found.sum(axis=0).tolist() == columns


@given(margins())
def test_tables_of_one_shape_are_made_as_each_by_itself(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    table, rows, columns = case
    both = onto_margins(np.array([table, table + 1]), np.array([rows] * 2), np.array([columns] * 2))
    alone = [onto_margins(each[None], np.array([rows]), np.array([columns]))[0] for each in (table, table + 1)]
    assert (both == np.array(alone)).all()


def test_of_a_person_only_what_differs_from_the_shares_is_left_in_a_table() -> None:
    """Brute force: a table with one person more, moved onto the same margins, differs by (x - p)(y - q) of that person."""
    rows, columns = np.array([60, 40]), np.array([50, 30, 20])
    table = np.outer(rows, columns) / 100 * 1.0
    for i, j in itertools.product(range(2), range(3)):
        more = table.copy()
        more[i, j] += 18  # so much that rounding does not hide it
        found = onto_margins(np.array([table, more]), np.array([rows] * 2), np.array([columns] * 2))
        x, y = np.eye(2)[i] - rows / 100, np.eye(3)[j] - columns / 100
        assert np.abs(found[1] - found[0] - 18 * np.outer(x, y)).max() <= 2


@given(st.integers(0, 2**32), st.integers(0, 120), st.integers(1, 50))
def test_every_block_adds_up_to_all_respondents(seed: int, n: int, edition: int) -> None:
    engine = publication()
    found = engine.singles(edition, people(seed, n).sum(axis=0))
    assert found.min() >= 0
    assert np.add.reduceat(found, engine.blocks.starts).tolist() == [n] * len(SIZES)


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(40, 200))
def test_tables_agree_with_the_single_counts_and_turned_round_with_themselves(seed: int, n: int) -> None:
    engine, x = publication(), people(seed, n)
    made = advance(engine, None, x.sum(axis=0), 0.0)
    assert made is not None
    edition, burt, cells = made[0], x.T @ x, engine.blocks.cells
    pairs = list(itertools.permutations(range(len(SIZES)), 2))
    found = dict(zip(pairs, tables(engine, edition, pairs, burt), strict=True))
    for one, other in pairs:
        assert (found[one, other].sum(axis=1) == edition.singles[cells(one)]).all()
        assert (found[one, other] == found[other, one].T).all()
        assert (found[one, other] == tables(engine, edition, [(one, other)], burt)[0]).all(), "alone as among others"


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "n"), [(OPEN, 100), (OPEN, 1000), (INVITED, 100), (INVITED, 1000)])
def test_the_noise_has_the_variance_that_the_parameters_say_whatever_the_count(parameters: Parameters, n: int) -> None:
    """Of cells far from zero, over many keys: V (1 - 1/k), and for strata that of groups; what lasts is its covariance over editions."""
    counts = np.concatenate([np.array([n // size] * (size - 1) + [n - n // size * (size - 1)]) for size in SIZES])
    engines = [publication(parameters, key=b"%032d" % seed) for seed in range(KEYS)]
    one, other = (np.array([engine.singles(edition, counts) - counts for engine in engines]) for edition in (1, 9))
    for block, size in enumerate(SIZES):
        at = engines[0].blocks.cells(block)
        spread = parameters.groups if engines[0].blocks.groups[block] else parameters.answers
        left = 1.0 if engines[0].blocks.groups[block] else 1 - 1 / 3 if size == 2 else 1 - 1 / size
        variance, by_chance = spread.variance(n) * left, np.sqrt(2 / (KEYS * (size - 1)))
        assert one[:, at].var() == pytest.approx(variance + 1 / 12, rel=5 * by_chance)
        assert (one[:, at] * other[:, at]).mean() == pytest.approx(spread.lasting * left, abs=5 * by_chance * variance)
    assert abs(one.mean()) < 0.05


@pytest.mark.slow
def test_the_noise_of_a_table_has_its_variance_and_most_of_it_is_fresh() -> None:
    n, engines = 600, [publication(key=b"%032d" % seed) for seed in range(800)]
    counts = np.concatenate([np.full(size, n // size) for size in SIZES])
    exact = np.full((4, 6), n // 24)
    found = [np.array([engine.tables(edition, [(1, 4)], [exact], counts)[0] - exact for engine in engines]) for edition in (1, 2)]
    left = (1 - 1 / 4) * (1 - 1 / 6)  # of independent noise, after both margins are given
    assert found[0].var() == pytest.approx(OPEN.table_variance(n) * left, rel=0.1)
    assert (found[0] * found[1]).mean() == pytest.approx(OPEN.table_lasting * left, abs=0.3)


def test_with_more_blocks_than_were_measured_tables_have_more_noise() -> None:
    assert OPEN.table_variance(400, 60) == OPEN.table_variance(400) == 8
    assert OPEN.table_variance(400, 150) == 20
    assert OPEN.table_variance(10_000, 150) == 30
    blocks = Blocks(names_of(range(10)), np.full(5, 2), np.array([0, 0, 0, 0, 1], bool), np.array([1, 1, 0, 0, 1], bool))
    assert blocks.crossed(0, 4) == blocks.crossed(4, 1) == 3, "a breakdown counts what is broken down"
    assert blocks.crossed(0, 1) == blocks.crossed(2, 4) == 5


counts_of_respondents = st.lists(st.integers(0, 400), max_size=60)


@given(counts_of_respondents, st.booleans(), st.floats(0, 0.999))
def test_figures_move_by_net_growth_alone(course: list[int], closed: bool, drawn: float) -> None:
    """However many come and go: between two editions the highest number ever published grew by a batch, and tables by their factor."""
    marks, sizes, table_sizes = Marks(), list[int](), list[int]()
    for n in course:
        what = due(marks, n, 0.0, OPEN, lambda _: drawn, closed=closed)
        if what.singles:
            assert not sizes or n >= max(sizes) + OPEN.batch
            sizes.append(n)
        if what.tables:
            assert what.singles
            factor = OPEN.closing_factor if closed else OPEN.table_factor
            assert n >= OPEN.table_batch
            assert not table_sizes or n >= max(factor * table_sizes[-1], table_sizes[-1] + OPEN.table_batch)
            table_sizes.append(n)
        marks = after(marks, what, n, 0.0) if what.singles else marks
    assert (marks.edition, marks.tables, marks.top) == (len(sizes), len(table_sizes), max(sizes, default=0))


@given(st.integers(0, 5000), st.floats(0, 0.9999999))
def test_the_growth_that_is_waited_for_is_secret_within_half_of_its_mean_and_at_least_a_batch(top: int, drawn: float) -> None:
    mean = max(OPEN.batch, OPEN.growth * top)
    assert OPEN.batch <= step(top, OPEN, drawn) <= 1.5 * mean
    assert step(top, OPEN, 0.0) < step(top, OPEN, 0.9999999)
    assert step(top, OPEN, drawn) >= mean / 2


def test_the_median_wait_at_three_hundred_is_at_most_twenty_five_answers() -> None:
    waits = [step(300, OPEN, Noise(b"%032d" % seed, "a").threshold(20)) for seed in range(500)]
    assert np.median(waits) <= 25
    assert len(set(waits)) > 20


def test_the_clock_moves_single_counts_on_doubling_days_at_most_eight_times_and_only_in_company() -> None:
    marks = after(Marks(), due(Marks(), 100, 0.0, OPEN, lambda _: 0.5), 100, 0.0)
    moves: list[int] = []
    for hour in range(24 * 1000):
        now = hour * 3600.0
        assert not due(marks, 95, now, OPEN, lambda _: 0.5, moved=OPEN.batch - 1).singles
        what = due(marks, 95, now, OPEN, lambda _: 0.5, moved=OPEN.batch)
        if what.singles:
            assert (what.clock, what.tables) == (True, False)
            marks = after(marks, what, 95, now)
            moves.append(round(now / DAY))
    assert moves == [2**power for power in range(OPEN.clock_editions)]
    assert marks.top == 100


@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_no_more_people_are_said_to_have_moved_than_did(seed: int, left: int, came: int, changed: int) -> None:
    x, starts = people(seed, 120), publication().blocks.starts
    y = x.copy()
    y[:changed] = people(seed + 1, 120)[:changed]
    now = y[: 120 - left].sum(axis=0) + people(seed + 2, came).sum(axis=0)
    assert moved_at_least(x.sum(axis=0), now, starts) <= left + came + changed


def test_an_edition_that_is_read_again_says_the_same() -> None:
    engine, x = publication(), people(3, 400)
    before = None
    for n in range(0, 400, 3):
        made = advance(engine, before, x[:n].sum(axis=0), float(n))
        before = made[0] if made else before
    assert before is not None
    assert before.marks.tables == 3
    again = Edition.of(publication(), before.marks, before.counts, before.of_tables)
    assert (again.singles == before.singles).all()


def test_a_silent_survey_with_as_many_own_answers_again_has_nine_editions_of_singles_and_one_of_tables() -> None:
    """What n own answers buy in a survey of 300 (DISCLOSURE, 3): so many editions in the window, the tables with one alone."""
    engine = publication()
    singles, table_editions = list[int](), list[int]()
    for seed in range(40):
        secret = Noise(b"%032d" % seed, "a")
        marks = Marks(5, 300, 1, 300)
        for n in range(300, 601):
            what = due(marks, n, 0.0, engine.parameters, secret.threshold)
            marks = after(marks, what, n, 0.0) if what.singles else marks
        singles.append(marks.edition - 5)
        table_editions.append(marks.tables - 1)
    assert 7 <= np.mean(singles) <= 10
    assert max(table_editions) <= 1
