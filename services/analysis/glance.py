"""The figures that an instrument puts first, with their intervals: worked out from the other figures of a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from proto.instrument import Headline as Wanted
from proto.instrument import Instrument, Matrix
from proto.intervals import Interval, of_mean, of_share
from proto.snapshot import Cell, Figures, Headline, Row, Snapshot

HIDDEN = Headline(withheld=True)
ALL = Headline()


def at_a_glance(
    instrument: Instrument, questions: Mapping[str, Figures], groups: Mapping[str, Headline], *, weighted: bool = False
) -> dict[str, Headline]:
    """By headline. `groups`: the shares of derived groups, by variable; of those that are missing nothing is shown. `weighted`: the
    shares in `questions` are weighted ones; of derived groups there are none."""
    derived = {item.id for item in instrument.derived}
    found: dict[str, Headline] = {}
    for wanted in instrument.headlines:
        if wanted.of in derived:
            if not weighted:
                found[wanted.id] = groups.get(wanted.of or "", HIDDEN)
        elif wanted.question in questions:
            found[wanted.id] = _of_question(wanted, instrument, questions[wanted.question], weighted)
    return found


def share_of(n: int, of: int) -> Headline:
    """Of a group among everybody. Noise may put it above its whole; then it is the whole."""
    whole = max(n, of)
    return Headline(n / whole, of_share(n / whole, whole), n, of) if whole else ALL


def groups_of(instrument: Instrument, snapshot: Snapshot) -> dict[str, Headline]:
    """The shares of derived groups as a snapshot has them."""
    found = {one.of: snapshot.headlines[one.id] for one in instrument.headlines if one.of and one.id in snapshot.headlines}
    return {name: headline for name, headline in found.items() if not headline.withheld}


def _of_question(wanted: Wanted, instrument: Instrument, figures: Figures, weighted: bool) -> Headline:
    if figures.withheld:
        return HIDDEN
    if wanted.row is not None:
        row = figures.rows.get(wanted.row, Row(withheld=True))
        return _together(wanted.options, row.cells, row, weighted)
    if isinstance(instrument.question(wanted.question), Matrix):
        return Headline(items={code: _of_row(wanted, row, weighted) for code, row in figures.rows.items()})
    cells = figures.cells or figures.bands
    if wanted.options:
        return _together(wanted.options, cells, figures, weighted)
    if wanted.stat == "rank_score":
        return Headline(items={code: _points(score, code, figures) for code, score in figures.rank_score.items()})
    return Headline(items={code: _together((code,), cells, figures, weighted) for code in cells})


def _of_row(wanted: Wanted, row: Row, weighted: bool) -> Headline:
    if row.withheld:
        return HIDDEN
    if wanted.stat == "net_agreement":
        return Headline(row.net_agreement, row.net_agreement_ci95)
    return _together(wanted.options, row.cells, row, weighted)


def _together(options: tuple[str, ...], cells: Mapping[str, Cell], of: Figures | Row, weighted: bool) -> Headline:
    """The share of options that exclude each other, told as one; withheld where one of them is."""
    chosen = [cells.get(code, Cell()) for code in options]
    if of.withheld or not chosen or any(cell.n is None for cell in chosen):
        return HIDDEN
    if weighted and any(cell.share is None for cell in chosen):
        return ALL
    n, answered = sum(cell.n or 0 for cell in chosen), of.answered or 0
    if len(chosen) == 1:
        return Headline(chosen[0].share, chosen[0].ci95, n, answered)
    if weighted and of.n_eff:
        share = min(sum(cell.share or 0.0 for cell in chosen), 1.0)
        return Headline(share, of_share(share, of.n_eff), n, answered)
    return replace(share_of(n, answered), of=answered)


def _points(score: float, code: str, figures: Figures) -> Headline:
    """Mean rank points; whoever did not rank the option gave it none."""
    return Headline(score, _of_points(figures.places.get(code, ()), figures.answered or 0))


def _of_points(places: tuple[int, ...], answered: int) -> Interval | None:
    counts = [max(answered - sum(places), 0), *reversed(places)]
    return of_mean(counts, range(len(counts))) if places else None
