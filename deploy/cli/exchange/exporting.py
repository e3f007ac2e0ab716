"""A questionnaire in a format of others, with a report of what only the part that is ours carries."""

from __future__ import annotations

from typing import Literal

from deploy.cli.exchange import export_surveyjs, export_xlsform
from deploy.cli.exchange.build import build
from deploy.cli.exchange.carried import Document, document, kept
from deploy.cli.exchange.export_xlsform import Called
from deploy.cli.exchange.formats import read
from deploy.cli.exchange.report import Report, UnreadableForm
from proto.instrument import Instrument, Measured, Rule

Target = Literal["xlsform", "surveyjs", "ddi"]
_SEEN = frozenset({"id", "var", "section", "stats", "privacy", "show_if"})
"""Keys that are always carried, and `show_if`, which is written as a condition even where it is read back in another form."""


def exported(text: str, instrument: Instrument, target: Target, file: str) -> tuple[bytes, Report]:
    """The file, and what other tools will not see of the questionnaire.

    `text` is the author's file, of which `instrument` was read. What is written is read back, and whatever comes back otherwise is carried
    beside it in a part of our own, so that an import here gives the same questionnaire again.
    """
    report = Report()
    if target == "ddi":
        from deploy.cli.exchange.export_ddi import write

        return write(instrument, report, file), report
    writer = export_xlsform.write if target == "xlsform" else export_surveyjs.write
    original = document(text, instrument)
    called = Called(instrument)
    back = _reread(writer(instrument, Called(instrument), {}, {}), target)
    questions, survey = kept(original, back, called.questions)
    _tell(original, called, questions, survey, report, file)
    _tell_rules(instrument, report, file)
    return writer(instrument, called, questions, survey), report


def _tell_rules(instrument: Instrument, report: Report, file: str) -> None:
    """Rules on special values hold for nobody in other tools, whose numbers and dates have none."""
    for question in instrument.questions:
        if question.show_if is not None and (beside := sorted(_beside(question.show_if, instrument))):
            message = f"its rule asks for special values of {', '.join(beside)}, which other tools do not have"
            report.add("changed", "special-rule", f"{file}:{question.id}", message, of=question.id)


def _beside(rule: Rule, instrument: Instrument) -> set[str]:
    """The questions whose special values a rule asks for."""
    inner = [*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])]
    measured = rule.op in ("in", "not_in") and isinstance(instrument.question(rule.q or ""), Measured)
    return {name for part in inner for name in _beside(part, instrument)} | ({rule.q or ""} if measured else set())


def _reread(content: bytes, target: Target) -> Document | None:
    try:
        reading = Report()
        return build(read(content, f"form.{target}", reading, "xlsform" if target == "xlsform" else "surveyjs", {}, {}), reading)
    except UnreadableForm:
        return None


def _tell(original: Document, called: Called, questions: dict[str, Document], survey: Document, report: Report, file: str) -> None:
    report.outcome.asked = sum(entry.get("type") != "note" for entry in original["questions"])
    for entry in original["questions"]:
        lost = [key for key in questions[called.questions[entry["id"]]] if key in entry and key not in _SEEN]
        if lost:
            message = f"other tools do not see, or see otherwise: {', '.join(lost)}"
            report.add("changed", "carried", f"{file}:{entry['id']}", message, of=entry["id"])
    report.outcome.changed = len(report.touched())
    report.outcome.whole = report.outcome.asked - report.outcome.changed
    carried = [key for key in survey if key in original and key not in ("languages", "source_language", "sections", "id", "format")]
    roles = "the roles and statistics of all questions"
    report.add("dropped", "carried", file, f"only a part of our own carries {', '.join([roles, *carried])}")
