"""Action 3 names the respondent's most important system where it asks about it."""

from __future__ import annotations

import pytest

from proto.answers import Reader
from proto.instrument import Matrix
from services.intake.form.flow import FormFlow, FormState
from tests.builders.bundled import TODAY, questionnaire


@pytest.mark.parametrize(("named", "shown"), [("anpr", True), ("dk", False), ("pnts", False), (None, False)])
def test_questions_about_the_most_important_system_name_it_once_it_was_named(named: str | None, shown: bool) -> None:
    found = questionnaire("ai-security")
    assert [(note.section, note.before, note.piped["text"]["fr"][-6:]) for note in found.notes] == [
        ("D", "D02", "{D07}."),
        ("E", "E01", "{D07}."),
    ]
    matrix = found.question("B02")
    assert isinstance(matrix, Matrix)
    given = {"B02": {row.code: "live" for row in matrix.rows}} | ({"D07": named} if named else {})
    evaluation = FormFlow(Reader(found)).evaluate(FormState(found.version, answers=given), TODAY)
    assert evaluation.notes == (tuple(note.id for note in found.notes) if shown else ())
