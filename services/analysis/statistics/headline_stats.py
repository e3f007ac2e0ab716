"""Headline statistics: the figures that an instrument puts first, computed from the other figures of a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from proto.instrument import ConstantSum, Headline, Instrument, Matrix
from proto.intervals import of_mean, of_share
from proto.snapshot import Cell, Figures, PublishedHeadline, PublishedRow, Snapshot

NoiseVariance = Callable[[str, str | None, Mapping[str, tuple[float, ...]], float], float]
"""(question, row, worth, base) → the variance that noise adds to Σ worth n - base * answered. `worth`: by code
(of rankings, for each rank)."""

HIDDEN = PublishedHeadline(withheld=True)
ALL = PublishedHeadline()


def at_a_glance(
    instrument: Instrument,
    questions: Mapping[str, Figures],
    groups: Mapping[str, PublishedHeadline],
    *,
    weighted: bool = False,
    noise_variance: NoiseVariance | None = None,
) -> dict[str, PublishedHeadline]:
    """Returns the statistics by headline.

    `groups`: the shares of derived groups, by variable; a missing one is withheld. `weighted`: whether the shares in `questions` are
    weighted; derived groups then have none. `noise_variance`: for figures with noise.
    """
    derived = {item.id for item in instrument.derived}
    headlines: dict[str, PublishedHeadline] = {}
    for headline in instrument.headlines:
        if headline.of in derived:
            if not weighted:
                headlines[headline.id] = groups.get(headline.of or "", HIDDEN)
        elif headline.question in questions:
            headlines[headline.id] = _of_question(headline, instrument, questions[headline.question], _Basis(weighted, noise_variance))
    return headlines


def share_of(n: int, of: int, noise: float = 0.0) -> PublishedHeadline:
    """Returns the share of a group among everybody, with its interval. `noise`: the variance of its count.

    Noise may put the count above the whole; then it is the whole.
    """
    whole = max(n, of)
    return PublishedHeadline(n / whole, of_share(n / whole, whole, noise), n, of) if whole else ALL


def groups_of(instrument: Instrument, snapshot: Snapshot) -> dict[str, PublishedHeadline]:
    """Returns the shares of derived groups in a snapshot, by variable."""
    headlines = {one.of: snapshot.headlines[one.id] for one in instrument.headlines if one.of and one.id in snapshot.headlines}
    return {name: headline for name, headline in headlines.items() if not headline.withheld}


@dataclass(frozen=True)
class _Basis:
    weighted: bool
    noise_variance: NoiseVariance | None

    def noise(self, question: str, row: str | None, worth: Mapping[str, tuple[float, ...]], base: float) -> float:
        return 0.0 if self.noise_variance is None or self.weighted else self.noise_variance(question, row, worth, base)


def _of_question(headline: Headline, instrument: Instrument, figures: Figures, basis: _Basis) -> PublishedHeadline:
    if figures.withheld:
        return HIDDEN
    if headline.row is not None:
        row = figures.rows.get(headline.row, PublishedRow(withheld=True))
        return _together(headline, headline.row, headline.options, row.cells, row, basis)
    if isinstance(question := instrument.question(headline.question), ConstantSum):
        return PublishedHeadline(items={code: _of_total(row, question.total) for code, row in figures.rows.items()})
    if isinstance(question, Matrix):
        return PublishedHeadline(items={code: _of_row(headline, code, row, basis) for code, row in figures.rows.items()})
    cells = figures.shares
    if headline.options:
        return _together(headline, None, headline.options, cells, figures, basis)
    if headline.stat == "rank_score":
        return PublishedHeadline(items={code: _points(headline, score, code, figures, basis) for code, score in figures.rank_score.items()})
    return PublishedHeadline(items={code: _together(headline, None, (code,), cells, figures, basis) for code in cells})


def _of_total(row: PublishedRow, total: int) -> PublishedHeadline:
    """Returns the part of the total that a row got on average."""
    if row.mean is None or row.mean_ci95 is None:
        return HIDDEN if row.withheld else ALL
    return PublishedHeadline(row.mean / total, (row.mean_ci95[0] / total, row.mean_ci95[1] / total))


def _of_row(headline: Headline, code: str, row: PublishedRow, basis: _Basis) -> PublishedHeadline:
    if row.withheld:
        return HIDDEN
    if headline.stat == "net_agreement":
        return PublishedHeadline(row.net_agreement, row.net_agreement_ci95)
    return _together(headline, code, headline.options, row.cells, row, basis)


def _together(
    headline: Headline, row: str | None, options: tuple[str, ...], cells: Mapping[str, Cell], of: Figures | PublishedRow, basis: _Basis
) -> PublishedHeadline:
    """Returns the joint share of options that exclude each other; withheld where one of them is."""
    chosen = [cells.get(code, Cell()) for code in options]
    if of.withheld or not chosen or any(cell.n is None for cell in chosen):
        return HIDDEN
    if basis.weighted and any(cell.share is None for cell in chosen):
        return ALL
    n, answered = sum(cell.n or 0 for cell in chosen), of.answered or 0
    if len(chosen) == 1:
        return PublishedHeadline(chosen[0].share, chosen[0].ci95, n, answered)
    if basis.weighted and of.n_eff:
        share = min(sum(cell.share or 0.0 for cell in chosen), 1.0)
        return PublishedHeadline(share, of_share(share, of.n_eff), n, answered)
    noise = basis.noise(headline.question, row, dict.fromkeys(options, (1.0,)), n / max(n, answered, 1))
    return replace(share_of(n, answered, noise), of=answered)


def _points(headline: Headline, score: float, code: str, figures: Figures, basis: _Basis) -> PublishedHeadline:
    """Returns mean rank points. A respondent who did not rank the option gave it 0."""
    places, answered = figures.places.get(code, ()), figures.answered or 0
    counts = [max(answered - sum(places), 0), *reversed(places)]
    noise = basis.noise(headline.question, None, {code: tuple(range(len(places), 0, -1))}, score) if places else 0.0
    return PublishedHeadline(score, of_mean(counts, range(len(counts)), noise) if places else None)
