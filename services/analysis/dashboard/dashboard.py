"""The pages of the dashboard as HTML, made from a published snapshot."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from proto import schedule
from proto.instrument import Instrument
from proto.languages import choose
from proto.schedule import Phase
from proto.snapshot import Snapshot, Table
from services.analysis.dashboard import policy_text, respondents
from services.analysis.dashboard.comparison import group_labels, groups, stratum_label, told_only
from services.analysis.dashboard.crossing import about, crossed, sides, title_of
from services.analysis.dashboard.figure_view import FigureView, figure_view
from services.analysis.dashboard.headline_view import headlines
from services.analysis.dashboard.render import STATIC, of_survey, offered, render
from services.analysis.dashboard.view import View, figures_seen, is_weighted, responses_seen
from services.analysis.dashboard.words import CATALOGUES, DashboardWords
from services.analysis.disclosure.parameters import first_edition, parameters_of

__all__ = ["STATIC", "empty", "interface", "language_of", "listing", "page", "table_page", "unknown", "wrong"]


def interface(requested: str | None, accepted: str) -> str:
    """Returns the language of a page that shows no survey."""
    return choose(CATALOGUES, requested, accepted)


def language_of(instrument: Instrument, requested: str | None, accepted: str) -> str:
    """Returns the language in which this reader sees this survey."""
    others = (code for code in instrument.languages if code != instrument.source_language)
    return choose((instrument.source_language, *others), requested, accepted)


def listing(instruments: list[Instrument], snapshots: Mapping[str, Snapshot], phases: Mapping[str, Phase], language: str) -> str:
    """Returns the page that lists surveys. `snapshots`: the published ones, by survey; `phases`: of all surveys."""
    words = DashboardWords(language)
    entries: list[dict[str, object]] = []
    for instrument in instruments:
        snapshot = snapshots.get(instrument.id)
        waiting = words("listing_waiting", n=first_edition(instrument))
        state = words("listing_answers", n=snapshot.responses) if snapshot else waiting
        when = words("as_of", time=words.time(snapshot.as_of)) if snapshot else ""
        facts = [state, when, not_open(instrument, phases[instrument.id], words)]
        entries.append({"id": instrument.id, "title": words.text(instrument.title), "facts": list(filter(None, facts))})
    return render(
        "listing.html.j2",
        words,
        title=words("listing_title"),
        entries=entries,
        path="/live/",
        offered=offered(CATALOGUES),
        fallen_back=False,
    )


def unknown(language: str) -> str:
    words = DashboardWords(language)
    return render("unknown.html.j2", words, title=words("unknown_title"), path="/live/", offered=offered(CATALOGUES), fallen_back=False)


def not_open(instrument: Instrument, phase: Phase, words: DashboardWords) -> str:
    """Returns why nobody can begin now: it opens later, or it is closed; "" where it is open."""
    if phase == "open":
        return ""
    if phase == "coming" and instrument.opens is not None:
        return words("opens_on", moment=words.moment(schedule.local(instrument.opens)))
    return words("closed")


def empty(instrument: Instrument, phase: Phase, language: str) -> str:
    """Returns the page before the first edition, which says what is missing."""
    words = DashboardWords(language, instrument)
    values = {"minimum": first_edition(instrument), "batch": parameters_of(instrument).batch}
    return render("empty.html.j2", words, **of_survey(instrument, words), **values, not_open=not_open(instrument, phase, words))


def page(instrument: Instrument, snapshot: Snapshot, view: View, *, current: Instrument, phase: Phase) -> str:
    """Returns the dashboard as the view selects it. `current`: the version that is answered now; `phase`: whether it can be."""
    words = DashboardWords(view.language, instrument)
    figures = figures_seen(snapshot, view)
    seen = msgspec.structs.replace(snapshot, questions=figures)
    sections: list[tuple[str, str, list[tuple[FigureView, object]]]] = []
    for section in instrument.sections:
        shown = [
            (
                figure_view(question, figures[question.id], words),
                groups(question, snapshot, instrument, view.by, words) if view.by else None,
            )
            for question in instrument.questions
            if question.section == section.id and question.id in figures
        ]
        if shown:
            sections.append((section.id, words.text(section.text), list(shown)))
    return render(
        "page.html.j2",
        words,
        **of_survey(instrument, words),
        **_standing(instrument, snapshot, view, words),
        not_open=not_open(current, phase, words),
        sections=sections,
        strata=[(name, stratum_label(instrument, name, words)) for name in instrument.strata],
        choices=_groups_to_choose(instrument, snapshot, words),
        headlines=[] if view.only else headlines(instrument, seen, words, weighted=view.weighted),
        portraits=respondents.portraits(instrument, snapshot, words),
        reached=respondents.sections(instrument, snapshot, words),
        can_cross=frozenset(name for _, entries in sides(instrument, snapshot, words) for name, _ in entries),
    )


def wrong(instrument: Instrument, language: str, asked: str) -> str:
    """Returns the page for an address that asks for unknown figures, such as a group that the survey does not have."""
    words = DashboardWords(language, instrument)
    return render("wrong.html.j2", words, **of_survey(instrument, words), asked=asked)


def table_page(instrument: Instrument, snapshot: Snapshot, view: View, found: Table | None = None, refusal: str = "") -> str:
    """Returns a two-way table, or the form to choose one. `refusal`: in English, why there is no table."""
    words = DashboardWords(view.language, instrument)
    known = sides(instrument, snapshot, words)
    weightable = is_weighted(snapshot) and instrument.case_weight is None  # by a weight for each answer, no table is
    return render(
        "table.html.j2",
        words,
        **of_survey(instrument, words),
        **(_standing(instrument, snapshot, view, words) | {"weightable": weightable}),
        sides=known,
        table=crossed(instrument, found, words) if found else None,
        of_rows=title_of(found.row, instrument, words) if found else "",
        of_columns=title_of(found.column, instrument, words) if found else "",
        refusal=refusal,
        n_of_table=about(found, words) if found else "",
        all_of_table=words.number(found.responses) if found else "",
        time_of_table=words.time(found.as_of) if found else "",
    )


def _standing(instrument: Instrument, snapshot: Snapshot, view: View, words: DashboardWords) -> dict[str, object]:
    """Returns what every page says about its figures: time, number of respondents, rules, population."""
    responses = responses_seen(snapshot, view)
    as_weighted, weighted_now, sources = policy_text.weighted_by(instrument, words)
    only = told_only(instrument, view.only, words) if view.only is not None else ""
    return {
        "snapshot": snapshot,
        "view": view,
        "only": only,
        "responses": responses,
        "total": snapshot.responses,
        "time": words.time(snapshot.as_of),
        "clock": words.clock(snapshot.as_of),
        "weightable": is_weighted(snapshot),
        "stands_for": policy_text.weighting(instrument, snapshot, words),
        "as_weighted": as_weighted,
        "weighted_now": weighted_now,
        "weight_sources": sources,
        "rules": policy_text.rules(snapshot, words),
        "inferable": policy_text.inferable(snapshot, words),
        "batch": words.number(snapshot.policy.batch),
    }


def _groups_to_choose(instrument: Instrument, snapshot: Snapshot, words: DashboardWords) -> list[tuple[str, list[tuple[str, str]]]]:
    """Returns the groups that can be selected, by stratum: those that are not withheld."""
    choices: list[tuple[str, list[tuple[str, str]]]] = []
    for name in instrument.strata:
        shown = [code for code, group in snapshot.breakdowns.get(name, {}).items() if group.responses]
        labels = group_labels(instrument, name, shown, words)
        if shown:
            choices.append((stratum_label(instrument, name, words), [(f"{name}:{code}", labels[code]) for code in shown]))
    return choices
