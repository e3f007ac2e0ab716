"""A question in each group of a stratum, side by side. Pure."""

from __future__ import annotations

from proto.instrument import AnyQuestion, ConstantSum, Instrument, Matrix, Texts, WithRows
from proto.snapshot import Cell, Group, Snapshot
from services.analysis.dashboard.figure_view import LONG, NO_VALUE, Grid, HeatRow, Shaded, band, labels_of, shaded
from services.analysis.dashboard.words import DashboardWords
from services.analysis.state.layout import question_options


def stratum_label(instrument: Instrument, name: str, words: DashboardWords) -> str:
    for derived in instrument.derived:
        if derived.id == name:
            return words.text(derived.labels["1"]) if "1" in derived.labels else name
    for question in instrument.questions:
        if question.var == name:
            return words.text(question.text)
    return words.stratum(name.partition(".")[2])


def group_labels(instrument: Instrument, name: str, codes: list[str], words: DashboardWords) -> dict[str, str]:
    """Returns the texts of a stratum's groups: of the derived variable, of the hierarchy's level, of the option, or the bands."""
    if any(question.var == name for question in instrument.questions):
        return {code: band(code) for code in codes}
    texts = next((derived.labels for derived in instrument.derived if derived.id == name), dict[str, Texts]())
    variable = name.partition(".")[0]
    for question in instrument.questions:
        if question.var == variable and question.privacy.hierarchy:
            own = {option.code: option.text for option in question_options(question)}
            texts = own | instrument.hierarchies[question.privacy.hierarchy].labels
    return {code: words.text(texts[code]) if code in texts else code for code in codes}


def told_only(instrument: Instrument, only: tuple[str, str], words: DashboardWords) -> str:
    """Returns the sentence that only one group is shown."""
    stratum, code = only
    label = group_labels(instrument, stratum, [code], words)[code]
    return words("only_group", stratum=stratum_label(instrument, stratum, words), group=label)


def labels_of_side(instrument: Instrument, name: str, codes: list[str], words: DashboardWords) -> dict[str, str]:
    """Returns the texts of the codes of a stratum, a question or a matrix row."""
    if name in instrument.strata:
        return group_labels(instrument, name, codes, words)
    return labels_of(instrument.question(name.partition(".")[0]), dict.fromkeys(codes, Cell()), words)


def groups(question: AnyQuestion, snapshot: Snapshot, instrument: Instrument, stratum: str, words: DashboardWords) -> Grid | None:
    """Returns the question in each group of a stratum, side by side; None where it is not broken down."""
    groups_by_code = snapshot.breakdowns.get(stratum, {})
    names = group_labels(instrument, stratum, list(groups_by_code), words)
    shown = {code: group for code, group in groups_by_code.items() if group.responses != 0}
    if not any(question.id in group.questions for group in shown.values()):
        return None
    whole = snapshot.questions[question.id]
    net = isinstance(question, Matrix) and question.ordered
    if isinstance(question, Matrix) and not net:
        return None
    codes: dict[str, str]
    if isinstance(question, WithRows):
        codes = {row.code: words.text(row.text) for row in question.rows}
    else:
        cells = whole.shares
        labels = labels_of(question, cells, words)
        codes = {code: labels[code] for code, cell in cells.items() if len(cells) <= LONG or cell.n != 0}
    lines = [HeatRow(label, [_in_group(code, group, question, words) for group in shown.values()]) for code, label in codes.items()]
    if all(cell.withheld for line in lines for cell in line.cells):
        return Grid([], [], words("breakdown_withheld"))
    heads = [_head(names[code], group, words) for code, group in shown.items()]
    caption = words("mean_in_group" if net else "part_in_group" if isinstance(question, ConstantSum) else "share_in_group")
    by = words("by_table", stratum=stratum_label(instrument, stratum, words))
    times = [group.as_of for group in shown.values() if group.as_of is not None]
    since = [words("lagging", time=words.time(max(times)))] if times else []
    return Grid(heads, lines, words.together([words("two_sentences", one=by, other=caption), *since], " "))


def _head(name: str, group: Group, words: DashboardWords) -> str:
    return name if group.responses is None else words("with_n", name=name, n=words.number(group.responses))


def _in_group(code: str, group: Group, question: AnyQuestion, words: DashboardWords) -> Shaded:
    figures = group.questions.get(question.id)
    if figures is None or figures.withheld:
        return Shaded("", withheld=True)
    if isinstance(question, Matrix):
        net = figures.rows[code].net_agreement
        return (
            Shaded("", withheld=True)
            if net is None and figures.rows[code].answered != 0
            else Shaded(words.points(net) if net is not None else NO_VALUE)
        )
    if isinstance(question, ConstantSum):
        mean = figures.rows[code].mean
        return Shaded(NO_VALUE if mean is None else words.percent(mean / question.total))
    return shaded(figures.shares[code], words)
