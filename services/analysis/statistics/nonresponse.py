"""Item non-response: who was asked and gave no substantive answer, question by question and section by section."""

from __future__ import annotations

from collections.abc import Mapping

from proto.instrument import Instrument
from proto.snapshot import Cell, Nonresponse, SectionAnswers
from services.analysis.state.layout import Layout, live
from services.analysis.statistics.marginals import Reading


def nonresponse(answered: int, missing: int, cells: Mapping[str, Cell], everybody: int) -> Nonresponse:
    """Of those asked, not counting whom skip logic spared the question: a sum, so that a public one is never 1 or 2 either. Noise
    never makes more than `everybody` of them.

    "Not applicable" is an answer, the others are not: The American Association for Public Opinion Research, Standard
    Definitions (2023), on item non-response.
    """
    dk, na, pnts = (cells[code].n if code in cells else None for code in ("dk", "na", "pnts"))
    asked, unanswered = min(answered + missing, everybody), missing + (dk or 0) + (pnts or 0)
    return Nonresponse(asked, missing, dk, na, pnts, min(unanswered / asked, 1.0) if asked > 0 else None)


def sections(instrument: Instrument, layout: Layout, everybody: Reading) -> dict[str, SectionAnswers]:
    """How far each section was answered, by its questions with live figures. Whoever stopped before sending is not counted."""
    found: dict[str, SectionAnswers] = {}
    for section in instrument.sections:
        parts = [part for part in layout.parts if part.question.section == section.id and live(part.question)]
        asked = [everybody.n[part.answered] + everybody.n[part.missing] for part in parts]
        answered = [everybody.n[part.answered] for part in parts]
        if parts:
            share = min(sum(answered) / sum(asked), 1.0) if sum(asked) else None
            found[section.id] = SectionAnswers(sum(asked), sum(answered), max(answered), share)
    return found
