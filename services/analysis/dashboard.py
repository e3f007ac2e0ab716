"""The pages of the dashboard: from a published snapshot to HTML and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from proto.instrument import Instrument, Matrix
from proto.snapshot import Cell, Snapshot
from services.analysis.comparison import group_labels, groups, stratum_label
from services.analysis.headlines import headlines
from services.analysis.live import Edition
from services.analysis.picture import labels_of, picture
from services.analysis.words import CATALOGUES, NATIVE, Words, choose

_here = Path(__file__).parent
_pages = Environment(
    loader=FileSystemLoader(_here / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
ASSETS = {
    "live.css": ((_here / "static" / "live.css").read_bytes(), "text/css; charset=utf-8"),
    "live.js": ((_here / "static" / "live.js").read_bytes(), "text/javascript; charset=utf-8"),
}


def interface(wanted: str | None, accepted: str) -> str:
    """The language of a page that shows no survey."""
    return choose(CATALOGUES, wanted, accepted)


def language_of(instrument: Instrument, wanted: str | None, accepted: str) -> str:
    """The language in which this reader sees this survey."""
    others = (code for code in instrument.languages if code != instrument.source_language)
    return choose((instrument.source_language, *others), wanted, accepted)


def _render(template: str, words: Words, **values: object) -> str:
    return _pages.get_template(template).render(say=words, language=words.language, **values)


def listing(instruments: list[Instrument], editions: Mapping[str, Edition], language: str) -> str:
    words = Words(language)
    entries: list[dict[str, str]] = []
    for instrument in instruments:
        edition = editions.get(instrument.id)
        waiting = words("listing_waiting", n=words.number(instrument.policy.minimum))
        state = words("listing_answers", n=words.number(edition.snapshot.responses)) if edition else waiting
        when = words("as_of", time=words.time(edition.snapshot.as_of)) if edition else ""
        entries.append({"id": instrument.id, "title": words.text(instrument.title), "state": state, "when": when})
    return _render("listing.html.j2", words, title=words("listing_title"), entries=entries, path="/live/", offered=_offered(CATALOGUES))


def unknown(language: str) -> str:
    words = Words(language)
    return _render("unknown.html.j2", words, title=words("unknown_title"), path="/live/", offered=_offered(CATALOGUES))


def empty(instrument: Instrument, language: str) -> str:
    """Before the first publication: what is missing."""
    words = Words(language, instrument)
    policy = instrument.policy
    values = {"minimum": words.number(policy.minimum), "batch": words.number(policy.batch)}
    return _render("empty.html.j2", words, **_of(instrument, words), **values)


def page(instrument: Instrument, snapshot: Snapshot, language: str, by: str | None, *, is_open: bool) -> str:
    """The dashboard; `by` names the stratum by which its questions are compared."""
    words = Words(language, instrument)
    sections: list[tuple[str, str, list[tuple[object, object]]]] = []
    for section in instrument.sections:
        shown = [
            (picture(question, snapshot.questions[question.id], words), groups(question, snapshot, instrument, by, words) if by else None)
            for question in instrument.questions
            if question.section == section.id and question.id in snapshot.questions
        ]
        if shown:
            sections.append((section.id, words.text(section.text), list(shown)))
    return _render(
        "page.html.j2",
        words,
        **_of(instrument, words),
        snapshot=snapshot,
        is_open=is_open,
        sections=sections,
        by=by,
        strata=[(name, stratum_label(instrument, name, words)) for name in instrument.strata],
        headlines=headlines(instrument, snapshot, words),
        responses=words.number(snapshot.responses),
        time=words.time(snapshot.as_of),
        most=words.number(instrument.policy.withhold_below - 1),
        batch=words.number(instrument.policy.batch),
    )


def _of(instrument: Instrument, words: Words) -> dict[str, object]:
    """What the frame of every page about a survey needs."""
    return {
        "title": words.text(instrument.title),
        "survey": instrument.id,
        "path": f"/live/{instrument.id}",
        "offered": _offered(instrument.languages),
    }


def _offered(languages: Mapping[str, object] | tuple[str, ...]) -> list[tuple[str, str]]:
    return [(code, NATIVE.get(code, code)) for code in languages]


def csv_of(instrument: Instrument, snapshot: Snapshot, question: str, language: str) -> str:
    """The figures of one question, for everybody and for each group, one cell a line."""
    words, asked = Words(language, instrument), instrument.question(question)
    rows = {row.code: words.text(row.text) for row in asked.rows} if isinstance(asked, Matrix) else {}
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["question", "stratum", "group", "row", "row_label", "code", "label", "n", "share", "ci95_low", "ci95_high", "withheld"])
    everybody = [("", "", snapshot.questions[question])]
    by_group = [
        (name, label, group.questions[question])
        for name, each in snapshot.breakdowns.items()
        for label, group in zip(group_labels(instrument, name, list(each), words).values(), each.values(), strict=True)
        if question in group.questions
    ]
    for stratum, group, figures in everybody + by_group:
        tables = [(code, row.cells) for code, row in figures.rows.items()] or [("", figures.cells or figures.bands)]
        for row, cells in tables:
            labels = labels_of(asked, cells, words)
            for code, cell in cells.items():
                lines.writerow(
                    [question, stratum, _plain(group), row, _plain(rows.get(row, "")), code, _plain(labels[code]), *_values(cell)]
                )
    return text.getvalue()


def _values(cell: Cell) -> list[object]:
    low, high = cell.ci95 or ("", "")
    blank = ["" if value is None else value for value in (cell.n, cell.share)]
    return [*blank, low, high, int(cell.withheld)]


def _plain(text: str) -> str:
    """Spreadsheets must not take a text for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
