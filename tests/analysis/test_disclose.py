"""Nothing small can be seen in a public snapshot, nor worked out by adding and subtracting within one of its tables."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proto.instrument import Policy
from proto.snapshot import Figures, Snapshot
from services.analysis import disclose, stats
from services.analysis.disclose import Piece, pieces
from tests.analysis.attacker import Attacker
from tests.analysis.small import Answers, book, crowds, state_of, survey

LIMIT = 5
MINIMUM = 10


def exact(people: list[Answers]) -> Snapshot:
    return stats.exact(book(), state_of(people), revision=1, as_of="2026-11-22T14:05:00Z")


def public(people: list[Answers]) -> Snapshot:
    found = disclose.publish(exact(people), survey())
    assert found is not None
    return found


def shown_pieces(question: str, figures: Figures | None) -> dict[str, Piece | None]:
    """What the attacker sees; cells that are withheld are left out of `counts`."""
    if figures is None or figures.withheld:
        return {}
    cells = {piece.name: piece for piece in pieces(survey().question(question), figures)}
    tables = {code: row.cells for code, row in figures.rows.items()} or {"": figures.cells or figures.bands, "first": figures.first}
    hidden = {code for code, row in figures.rows.items() if row.withheld}
    return {
        name: Piece(name, piece.answered, {code: n for code, n in piece.counts.items() if not tables[name][code].withheld}, piece.kind)
        for name, piece in cells.items()
        if name not in hidden
    }


def tell(attacker: Attacker, where: str, truth: list[Piece], seen: dict[str, Piece | None], size: int, *, size_shown: bool) -> None:
    """One row of a question's table: its cells, its complements, who answered and who did not."""
    total = attacker.see((where, "size"), size, shown=size_shown)
    for piece in truth:
        shown = seen.get(piece.name)
        answered = attacker.see((where, piece.name, "answered"), piece.answered, shown=shown is not None)
        left_out = attacker.see((where, piece.name, "left out"), size - piece.answered, shown=False)
        attacker.adds_up([answered, left_out], total)
        cells = [
            attacker.see((where, piece.name, "cell", code), n, shown=shown is not None and code in shown.counts)
            for code, n in piece.counts.items()
        ]
        overlapping = piece.kind.__name__ in ("Multiple", "Ranking")
        if piece.counts and not overlapping:
            attacker.adds_up(cells, answered)
        if piece.kind.__name__ == "Ranking":
            attacker.adds_up(cells, answered, times=3)
        for cell, (code, n) in zip(cells, piece.counts.items(), strict=True):
            if overlapping:
                other = attacker.see((where, piece.name, "complement", code), piece.answered - n, shown=False)
                attacker.adds_up([cell, other], answered)
    ranked, first = (next((piece for piece in truth if piece.name == name), None) for name in ("", "first"))
    if ranked is not None and first is not None:
        for code, n in ranked.counts.items():
            later = attacker.see((where, "later", code), n - first.counts[code], shown=False)
            attacker.adds_up([(where, "first", "cell", code), later], (where, "", "cell", code))


def check(attacker: Attacker) -> None:
    leaks = {name: n for name, n in attacker.learnt().items() if 0 < n < LIMIT}
    assert not leaks


@settings(max_examples=40, deadline=None)
@given(crowds(MINIMUM, 120))
def test_no_small_count_follows_from_the_figures_of_a_question(people: list[Answers]) -> None:
    whole, seen = exact(people), public(people)
    for id, figures in seen.questions.items():
        attacker = Attacker()
        truth = pieces(survey().question(id), whole.questions[id])
        tell(attacker, "all", truth, shown_pieces(id, figures), whole.responses, size_shown=True)
        check(attacker)


@settings(max_examples=40, deadline=None)
@given(crowds(2 * MINIMUM, 250), st.sampled_from(["place.region", "uses"]))
def test_no_small_count_follows_from_a_breakdown_and_its_totals(people: list[Answers], stratum: str) -> None:
    whole, seen = exact(people), public(people)
    groups = whole.breakdowns[stratum]
    shown = {code for code, group in seen.breakdowns[stratum].items() if not group.withheld}
    for code in shown:
        assert (groups[code].responses or 0) == 0 or (groups[code].responses or 0) >= MINIMUM
    outside = whole.responses - sum(groups[code].responses or 0 for code in shown)
    assert outside == 0 or outside >= LIMIT
    for id in seen.questions:
        attacker = Attacker()
        truth = pieces(survey().question(id), whole.questions[id])
        tell(attacker, "all", truth, shown_pieces(id, seen.questions[id]), whole.responses, size_shown=True)
        rows = {code: pieces(survey().question(id), groups[code].questions[id]) for code in shown if id in groups[code].questions}
        for code, parts in rows.items():
            figures = seen.breakdowns[stratum][code].questions.get(id)
            tell(attacker, code, parts, shown_pieces(id, figures), groups[code].responses or 0, size_shown=True)
        rest = [
            Piece(
                piece.name,
                piece.answered - sum(parts[i].answered for parts in rows.values()),
                {code: n - sum(parts[i].counts[code] for parts in rows.values()) for code, n in piece.counts.items()},
                piece.kind,
            )
            for i, piece in enumerate(truth)
        ]
        tell(attacker, "outside", rest, {}, outside, size_shown=True)
        for name in list(attacker.truth):
            if name[0] == "all":
                attacker.adds_up([(where, *name[1:]) for where in (*rows, "outside") if (where, *name[1:]) in attacker.truth], name)
        check(attacker)


def test_nothing_is_published_below_the_minimum() -> None:
    people: list[Answers] = [{"Place": "a"}] * (MINIMUM - 1)
    assert disclose.publish(exact(people), survey()) is None
    assert disclose.publish(exact([*people, {"Place": "a"}]), survey()) is not None


def test_public_numbers_show_bands_alone() -> None:
    figures = public([{"Place": "a", "Cost": 3.25}] * 20).questions["Cost"]
    assert (figures.mean, figures.variance, figures.sum) == (None, None, None)
    assert figures.bands["1-4"].n == 20
    assert figures.median_band == "1-4"


def test_a_question_that_few_left_out_is_withheld_whole() -> None:
    people: list[Answers] = [{"Place": "a", "Use": "y"}] * 30 + [{"Place": "a"}] * 3
    assert public(people).questions["Use"] == Figures(type="single", withheld=True)


def test_zeros_are_shown_as_zeros() -> None:
    cells = public([{"Place": "a", "Use": "y"}] * 30).questions["Place"].cells
    assert cells["b"].n == 0
    assert not cells["b"].withheld


def test_a_small_group_shows_nothing_and_takes_the_next_smallest_with_it() -> None:
    people: list[Answers] = [{"Place": "a"}] * 30 + [{"Place": "b"}] * 20 + [{"Place": "c"}] * 7
    groups = public(people).breakdowns["place.region"]
    assert groups["south"].withheld
    assert groups["east"].withheld  # otherwise the difference to all would show the south
    assert groups["north"].responses == 30


def test_public_shares_have_three_decimals() -> None:
    cell = public([{"Place": "a"}] * 20 + [{"Place": "b"}] * 40).questions["Place"].cells["a"]
    assert cell.share == 0.333
    assert cell.ci95 == (0.227, 0.459)


def test_a_state_is_released_after_enough_people_and_enough_time() -> None:
    policy = Policy(minimum=10, batch=10, clock=1.0)
    assert not disclose.may_release(policy, None, 9, 9, 1e9)
    assert disclose.may_release(policy, None, 10, 10, 0)
    assert not disclose.may_release(policy, 10, 19, 9, 1e9)
    assert not disclose.may_release(policy, 10, 20, 10, 0.5)
    assert disclose.may_release(policy, 10, 20, 10, 1.0)
    assert not disclose.may_release(policy, 12, 9, 20, 1e9)  # many left: what was released stays
