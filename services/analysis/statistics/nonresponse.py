"""Item non-response, by question or section. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from proto.instrument import Instrument
from proto.snapshot import Cell, Nonresponse, SectionAnswers
from services.analysis.state.layout import Layout, has_statistics
from services.analysis.statistics.marginals import Marginals


def nonresponse(answered: int, missing: int, cells: Mapping[str, Cell], everybody: int) -> Nonresponse:
    """Returns how many were asked, and how many of them gave no substantive answer. Those whom skip logic spared were not asked.

    The number asked is a sum of published counts, so a public one is never 1 or 2 either, and noise never raises it above `everybody`.

    "Not applicable" is an answer, the others are not: The American Association for Public Opinion Research, Standard
    Definitions (2023), on item non-response.
    """
    dk, na, pnts = (cells[code].n if code in cells else None for code in ("dk", "na", "pnts"))
    asked, unanswered = min(answered + missing, everybody), missing + (dk or 0) + (pnts or 0)
    return Nonresponse(asked, missing, dk, na, pnts, min(unanswered / asked, 1.0) if asked > 0 else None)


def sections(instrument: Instrument, layout: Layout, everybody: Marginals) -> dict[str, SectionAnswers]:
    """Returns how far each section was answered, over its questions with live figures, by respondents who sent their answers."""
    by_section: dict[str, SectionAnswers] = {}
    for section in instrument.sections:
        parts = [part for part in layout.parts if part.question.section == section.id and has_statistics(part.question)]
        asked = [everybody.n[part.answered] + everybody.n[part.missing] for part in parts]
        answered = [everybody.n[part.answered] for part in parts]
        if parts:
            share = min(sum(answered) / sum(asked), 1.0) if sum(asked) else None
            by_section[section.id] = SectionAnswers(sum(asked), sum(answered), max(answered), share)
    return by_section
