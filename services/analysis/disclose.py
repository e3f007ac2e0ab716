"""The public view: which figures may be shown, and when a new state may be released. Pure.

Claim. In each table of a published snapshot (one question, one matrix row, one question by one stratum) no count of 1 to
`withhold_below` - 1 respondents is shown, and none follows by adding or subtracting other figures of that table, its
totals, or the number of those who did not answer. Nothing at all is shown below `minimum` responses, and nothing of a
group below `minimum`. A new state is released only after `batch` respondents joined or left and `clock` seconds passed,
and then whole: withdrawals and changes wait in the same batch.

How. Counts that are small are withheld, with the companions that `withhold` chooses. Where the number of those who
answered, or of those who did not, is small, the whole question is withheld: skip logic makes "did not answer" an answer.
In a breakdown an option that is small in one group is withheld in all groups, and the groups not shown count as one more
group, because they can be had by subtraction. Options that a stratum puts together are also protected within their
stratum's group, whose size is shown. Means and net agreement stand only where every cell below them does.

Assumes that respondents answer once, and that nobody in the table helps the attacker. Does not protect against: somebody
who combines freely chosen two-way tables (linked suppression is intractable in general; the cell-key method is the
answer and a later step); somebody who knows all respondents who joined between two releases but one, beyond what `batch`
gives; ranges (a withheld count is known to lie in an interval); whole groups that give the same answer, which true zeros
and full cells show; two questions that together act as one.

Literature: Hundepool et al., Statistical Disclosure Control (2012), ch. 5; Willenborg and de Waal, Elements of Statistical
Disclosure Control (2001); Wong et al., Minimality attack in privacy preserving data publishing (VLDB 2007) for attackers
who know the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from proto.codebook import strata
from proto.instrument import AnyQuestion, Instrument, Matrix, Multiple, Policy, Ranking, Single
from proto.snapshot import Cell, Figures, Group, Row, Snapshot
from services.analysis import withhold
from services.analysis.layout import question_options
from services.analysis.withhold import Hidden, small

DIGITS = 3
"""Decimals of public shares, intervals and means."""


def may_release(policy: Policy, previous: int | None, current: int, joined_or_left: int, seconds: float) -> bool:
    """Whether the current state may become the released one. `previous` and `current` are numbers of responses (None:
    nothing was released yet), `seconds` the time since the last release."""
    if current < policy.minimum:
        return False
    return previous is None or (joined_or_left >= policy.batch and seconds >= policy.clock)


def publish(exact: Snapshot, instrument: Instrument) -> Snapshot | None:
    """The public snapshot of an exact one; None below the minimum."""
    policy = instrument.policy
    if exact.responses < policy.minimum:
        return None
    limit = policy.withhold_below
    questions: dict[str, Figures] = {}
    kept: dict[str, Verdict] = {}
    for question in public_questions(instrument):
        figures = exact.questions[question.id]
        kept[question.id] = verdict(question, figures, exact.responses, limit, classes(instrument, question.id))
        questions[question.id] = _veil(question, figures, kept[question.id], limit)
    breakdowns = {name: _breakdown(exact, instrument, name, kept) for name in exact.breakdowns}
    return msgspec.structs.replace(exact, questions=questions, breakdowns=breakdowns, sections={}, weighting=None)


def public_questions(instrument: Instrument) -> Iterator[AnyQuestion]:
    """Questions with public figures: not those that name somebody, nor those without statistics."""
    return (q for q in instrument.questions if "none" not in q.stats and q.privacy.role != "identifying")


def classes(instrument: Instrument, question: str) -> list[frozenset[str]]:
    """The options of a question by what all its strata make of them."""
    groups = [found for name in instrument.strata if (found := _grouping(instrument, name)) and found[0] == question]
    if not groups:
        return []
    codes = [option.code for option in question_options(instrument.question(question))]
    key = {code: tuple(of.get(code) for _, of in groups) for code in codes}
    return [frozenset(code for code in codes if key[code] == value) for value in set(key.values())]


def _grouping(instrument: Instrument, stratum: str) -> tuple[str, dict[str, str]] | None:
    derived = any(item.id == stratum for item in instrument.derived)
    return None if derived else strata(instrument, stratum)


@dataclass(frozen=True)
class Piece:
    """One set of cells of a question: a matrix row, the options, the bands, or the first places of a ranking."""

    name: str
    answered: int
    counts: dict[str, int]
    kind: type[AnyQuestion]


Verdict = Mapping[str, Hidden | None]
"""The hidden cells of each piece; None where the piece is withheld whole."""


def pieces(question: AnyQuestion, figures: Figures) -> list[Piece]:
    if isinstance(question, Matrix):
        return [Piece(code, row.answered or 0, _counts(row.cells), Matrix) for code, row in figures.rows.items()]
    found = [Piece("", figures.answered or 0, _counts(figures.cells or figures.bands), type(question))]
    if isinstance(question, Ranking):
        found.append(Piece("first", figures.answered or 0, _counts(figures.first), Single))
    return found


def _counts(cells: Mapping[str, Cell]) -> dict[str, int]:
    return {code: cell.n or 0 for code, cell in cells.items()}


def verdict(question: AnyQuestion, figures: Figures, responses: int, limit: int, together: Iterable[frozenset[str]] = ()) -> Verdict:
    """What to hide of a question among `responses` respondents. `together`: options whose joint size is published elsewhere."""
    found: dict[str, Hidden | None] = {}
    for piece in pieces(question, figures):
        also = _nearly_all_first(_counts(figures.cells), piece.counts, limit) if piece.name == "first" else frozenset[str]()
        found[piece.name] = None if _few(piece, responses, limit) else _hidden(question, piece, limit, together, also)
    return found


def _few(piece: Piece, responses: int, limit: int) -> bool:
    """Whether those who answered, those who did not, or those in no cell are few."""
    in_no_cell = piece.answered - sum(piece.counts.values()) if piece.counts and piece.kind not in (Multiple, Ranking) else 0
    return any(small(n, limit) for n in (piece.answered, responses - piece.answered, in_no_cell))


def _hidden(question: AnyQuestion, piece: Piece, limit: int, together: Iterable[frozenset[str]], also: Hidden) -> Hidden:
    if piece.kind in (Multiple, Ranking):
        low, high = _choices(question)
        bounds = low * piece.answered, high * piece.answered
        return withhold.overlapping(piece.counts, piece.answered, limit, bounds, _alone(question))
    hidden = withhold.exclusive(piece.counts, limit, also)
    for codes in together:
        if len(codes) > 1:
            hidden |= withhold.exclusive({code: n for code, n in piece.counts.items() if code in codes}, limit)
    return hidden


def _choices(question: AnyQuestion) -> tuple[int, int]:
    """Fewest and most options that one respondent names."""
    if isinstance(question, Ranking):
        return question.rank_count, question.rank_count
    assert isinstance(question, Multiple)
    fewest = 1 if _alone(question) else question.min_choices
    return fewest, question.max_choices or len(question.options)


def _alone(question: AnyQuestion) -> frozenset[str]:
    return frozenset(option.code for option in question_options(question) if option.exclusive)


def _nearly_all_first(ranked: Mapping[str, int], first: Mapping[str, int], limit: int) -> Hidden:
    """Options that few ranked anywhere but first: the difference of two shown counts would say so."""
    return frozenset(code for code in ranked if small(ranked[code] - first[code], limit))


def _veil(question: AnyQuestion, figures: Figures, found: Verdict, limit: int, *, scores: bool = True) -> Figures:
    """The figures with what is hidden taken out, and only such summaries as the shown cells give anyway."""
    if isinstance(question, Matrix):
        rows = {code: _veil_row(row, found[code]) for code, row in figures.rows.items()}
        return Figures(type=figures.type, rows=rows, withheld=all(row.withheld for row in rows.values()))
    hidden = found[""]
    first = found.get("first", frozenset())
    if hidden is None or first is None:
        return Figures(type=figures.type, withheld=True)
    return Figures(
        type=figures.type,
        answered=figures.answered,
        cells=_shown(figures.cells, hidden),
        bands=_shown(figures.bands, hidden),
        first=_shown(figures.first, first),
        median_band=None if hidden else figures.median_band,
        rank_score=_scores(question, figures, hidden | first, limit) if isinstance(question, Ranking) and scores else {},
    )


def _veil_row(row: Row, hidden: Hidden | None) -> Row:
    if hidden is None:
        return Row(withheld=True)
    mean, net = (None, None) if hidden else (row.mean, row.net_agreement)
    return Row(answered=row.answered, cells=_shown(row.cells, hidden), mean=_rounded(mean), net_agreement=_rounded(net))


def _scores(question: Ranking, figures: Figures, hidden: Hidden, limit: int) -> dict[str, float]:
    """Rank scores of up to three places, where the counts of second and third place, which follow from them, are not small."""
    if question.rank_count > 3 or not figures.answered:
        return {}
    shown: dict[str, float] = {}
    for code, score in figures.rank_score.items():
        ranked, first = figures.cells[code].n or 0, figures.first[code].n or 0
        later = ranked - first
        second = round(score * figures.answered) - question.rank_count * first - later if question.rank_count == 3 else later
        if code not in hidden and not small(second, limit) and not small(later - second, limit):
            shown[code] = round(score, DIGITS)
    return shown


def _shown(cells: Mapping[str, Cell], hidden: Hidden) -> dict[str, Cell]:
    return {code: Cell(withheld=True) if code in hidden else rounded(cell) for code, cell in cells.items()}


def rounded(cell: Cell) -> Cell:
    if cell.share is None or cell.ci95 is None:
        return cell
    low, high = cell.ci95
    return Cell(cell.n, round(cell.share, DIGITS), (round(low, DIGITS), round(high, DIGITS)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def shown_groups(exact: Snapshot, instrument: Instrument, name: str) -> Hidden | None:
    """The groups of a stratum with figures of their own; None where those in no group are few and the rest would tell."""
    policy = instrument.policy
    sizes = {code: group.responses or 0 for code, group in exact.breakdowns[name].items()}
    if small(exact.responses - sum(sizes.values()), policy.withhold_below):
        return None
    return frozenset(sizes) - withhold.exclusive(sizes, max(policy.minimum, policy.withhold_below))


def _breakdown(exact: Snapshot, instrument: Instrument, name: str, kept: Mapping[str, Verdict]) -> dict[str, Group]:
    groups, shown = exact.breakdowns[name], shown_groups(exact, instrument, name)
    if shown is None:
        return {code: Group(withheld=True) for code in groups}
    questions: dict[str, dict[str, Figures]] = {code: {} for code in groups}
    for question in public_questions(instrument):
        found = verdict_in_groups(exact, instrument, name, question, kept[question.id])
        for code in with_figures(exact, instrument, name, question):
            questions[code][question.id] = _veil(question, groups[code].questions[question.id], found, 0, scores=False)
    return {
        code: Group(responses=group.responses, questions=questions.get(code, {})) if code in shown else Group(withheld=True)
        for code, group in groups.items()
    }


def with_figures(exact: Snapshot, instrument: Instrument, name: str, question: AnyQuestion) -> list[str]:
    """The groups of a stratum in which the question has public figures. A stratum does not break down its own question."""
    grouping, shown = _grouping(instrument, name), shown_groups(exact, instrument, name)
    if shown is None or (grouping is not None and grouping[0] == question.id):
        return []
    groups = exact.breakdowns[name]
    return [code for code, group in groups.items() if code in shown and group.responses and question.id in group.questions]


def verdict_in_groups(exact: Snapshot, instrument: Instrument, name: str, question: AnyQuestion, margin: Verdict) -> Verdict:
    """What to hide of a question in every group of a stratum. Those outside the shown groups count as one more row."""
    groups, limit = exact.breakdowns[name], instrument.policy.withhold_below
    shown = with_figures(exact, instrument, name, question)
    each = [groups[code].questions[question.id] for code in shown]
    sizes = [groups[code].responses or 0 for code in shown]
    found: dict[str, Hidden | None] = {}
    columns = zip(pieces(question, exact.questions[question.id]), *(pieces(question, figures) for figures in each), strict=True)
    outside = exact.responses - sum(sizes)
    before: list[dict[str, int]] = []
    for whole, *parts in columns:
        hidden = margin[whole.name]
        rows = list(zip(parts, sizes, strict=True))
        if outside:
            rows.append((_rest(whole, parts), outside))
        counts, answered = [piece.counts for piece, _ in rows], [piece.answered for piece, _ in rows]
        if hidden is None or any(_few(piece, size, limit) for piece, size in rows):
            found[whole.name] = None
        elif whole.kind is Multiple:
            found[whole.name] = withhold.crossed_overlapping(counts, answered, limit, hidden, _choices(question), _alone(question))
        elif whole.kind is Ranking:
            nearly_all = [frozenset(code for code in row if small(n - row[code], limit)) for row, n in zip(counts, answered, strict=True)]
            found[whole.name] = withhold.crossed(counts, limit, hidden, nearly_all)
        else:
            also = [_nearly_all_first(*pair, limit) for pair in zip(before, counts, strict=True)] if whole.name == "first" else None
            found[whole.name] = withhold.crossed(counts, limit, hidden, also) if whole.counts else frozenset()
        before = counts
    return found


def _rest(whole: Piece, parts: list[Piece]) -> Piece:
    counts = {code: n - sum(part.counts[code] for part in parts) for code, n in whole.counts.items()}
    return Piece(whole.name, whole.answered - sum(part.answered for part in parts), counts, whole.kind)
