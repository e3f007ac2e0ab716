"""What must hold across a questionnaire: names once, questions in the order of sections, strata that exist. Pure."""

from __future__ import annotations

from typing import assert_never

from proto import bounds, case_weights, quotas, schedule
from proto.authoring import headline_checks, margin_checks
from proto.authoring.faults import Faults
from proto.authoring.parse import nearest
from proto.authoring.question_checks import Fitness
from proto.authoring.rule_checks import RuleChecks
from proto.authoring.schema import AuthoredSurvey
from proto.instrument import (
    AnyQuestion,
    CaseWeight,
    Computed,
    ConstantSum,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Ranking,
    ShortText,
    Single,
)
from proto.protection_advice import LEAST, incoherent, weak

MOST_ANSWERS = 5_000
"""Closed answers of a questionnaire. The live state is a square matrix over them: 5,000 take 200 MB."""


def check(survey: AuthoredSurvey, instrument: Instrument, faults: Faults) -> None:
    """Adds to `faults` whatever the parts, each readable alone, get wrong together."""
    position: dict[str, int] = {}
    for index, question in enumerate(instrument.questions):
        position.setdefault(question.id, index)
    _languages(survey, faults)
    _names(survey, faults)
    _sections(survey, faults)
    answers = sum(_answers(question) for question in instrument.questions)
    if answers > MOST_ANSWERS:
        faults.add(("questions",), f"{answers:,} possible closed answers; at most {MOST_ANSWERS:,} can be counted", "fewer options or rows")
    characters = bounds.text(instrument)
    if characters > bounds.MOST_TEXT:
        message = f"the texts may have {characters:,} characters together; at most {bounds.MOST_TEXT:,} can be sent"
        faults.add(("questions",), message, "a smaller max_chars")
    fitness = Fitness(instrument.hierarchies, faults)
    for written, question in zip(survey.questions, instrument.questions, strict=True):
        fitness.question(question, faults.place(written))
    fitness.hierarchies()
    RuleChecks(survey, instrument, position, faults).check()
    sound = _strata(survey, instrument, faults)
    for name in weak(instrument.policy):
        message = f"{name} {getattr(instrument.policy, name)} protects nobody"
        faults.add(("policy", name), message, f"at least {LEAST}, or i_understand_that_this_protects_nobody: true in a trial")
    for name, message, advice in incoherent(instrument.policy):
        faults.add(("policy", name), message, advice)
    for path, message, advice in schedule.misfits(instrument):
        faults.add(path, message, advice)
    for path, message, advice in (*quotas.misfits(instrument), *case_weights.misfits(instrument)):
        faults.add(path, message, advice)
    headline_checks.check(survey, instrument, position, faults)
    margin_checks.check(survey, instrument, sound, faults)


def _answers(question: AnyQuestion) -> int:
    match question:
        case Matrix():
            return len(question.rows) * len(question.options)
        case Ranking():
            return question.rank_count * len(question.options)
        case ConstantSum():
            return len(question.rows) * (len(question.bands) + question.total.bit_length())
        case Integer() | Numeric() | Date():
            return len(question.bands) + len(question.special)
        case Single() | Multiple():
            return len(question.options)
        case ShortText() | LongText():
            return 0
        case _:
            assert_never(question)


def _languages(survey: AuthoredSurvey, faults: Faults) -> None:
    languages = survey.languages
    faults.once(((language, ("languages", index)) for index, language in enumerate(languages)), "language")
    if survey.source_language not in languages:
        advice = nearest(survey.source_language, list(languages))
        faults.add(("source_language",), f"{survey.source_language} is not among the languages", advice)
    minutes = survey.estimated_minutes
    if minutes and minutes[0] > minutes[-1]:
        faults.add(("estimated_minutes",), "the shorter time comes first")


def _names(survey: AuthoredSurvey, faults: Faults) -> None:
    place = faults.place
    faults.once(((item.id, (*place(item), "id")) for item in survey.sections), "section id")
    asked = [*survey.questions, *(note for _, note in survey.notes)]
    faults.once(((item.id, (*place(item), "id")) for item in asked), "question id")
    variables = [(item.var, (*place(item), "var")) for item in survey.questions]
    faults.once([*variables, *((item.id, (*place(item), "id")) for item in survey.derived)], "variable")
    faults.once(((item.id, (*place(item), "id")) for item in survey.soft_checks), "soft check")
    faults.once(((item.id, (*place(item), "id")) for item in survey.headlines), "headline")
    faults.once(((stratum, ("strata", index)) for index, stratum in enumerate(survey.strata)), "stratum")
    for name, options in survey.scales.items():
        faults.once(((option.code, (*place(option), "code")) for option in options), f"code in scale {name}")
    for item in survey.derived:
        for value in item.labels:
            if value not in ("0", "1"):
                faults.add((*place(item), "labels", value), f"{value} is not a value of a derived variable", '"1" (it holds) and "0" are')


def _sections(survey: AuthoredSurvey, faults: Faults) -> None:
    """Checks that questions are listed section by section, in the order of the form."""
    order = {section.id: index for index, section in enumerate(survey.sections)}
    reached = 0
    for question in survey.questions:
        path = (*faults.place(question), "section")
        if question.section not in order:
            faults.add(path, f"there is no section {question.section}", nearest(question.section, list(order)))
        elif order[question.section] < reached:
            message = f"{question.id} belongs to section {question.section}, which is already over"
            faults.add(path, message, "list the questions section by section")
        else:
            reached = order[question.section]
    for index, note in survey.notes:
        path = (*faults.place(note), "section")
        if note.section not in order:
            faults.add(path, f"there is no section {note.section}", nearest(note.section, list(order)))
        elif note.section not in (question.section for question in survey.questions[max(index - 1, 0) : index + 1]):
            faults.add(path, f"the note {note.id} does not stand among the questions of section {note.section}")
    used = {question.section for question in survey.questions if question.enabled}
    for section in survey.sections:
        if section.id not in used and not faults.touched(("questions",)):
            faults.add(faults.place(section), f"the section {section.id} has no question")


def _strata(survey: AuthoredSurvey, instrument: Instrument, faults: Faults) -> list[str]:
    """The strata that can be counted."""
    known: dict[str, bool] = {derived.id: True for derived in instrument.derived}
    reported: set[str] = set()
    for written, question in zip(survey.questions, instrument.questions, strict=True):
        hierarchy = instrument.hierarchies.get(question.privacy.hierarchy or "")
        if isinstance(question, Computed):
            known |= {question.var: True} if question.bands else {}
            by = [("strata", index) for index, stratum in enumerate(survey.strata) if stratum == question.var]
            _breaks_down(question, by, faults)
            reported |= {question.var} if by and not known.get(question.var) else set()
        if not isinstance(question, Single) or isinstance(question, CaseWeight):
            continue
        if hierarchy:
            known |= {f"{question.var}.{level}": written.enabled for level in hierarchy.levels if level != "*"}
        elif question.privacy.role == "quasi_identifier" or faults.touched((*faults.place(written), "privacy")):
            reported.add(question.var)
    for index, stratum in enumerate(survey.strata):
        if stratum.partition(".")[0] in reported:
            continue
        if stratum not in known:
            message = f"{stratum} is neither a derived variable, nor a computed value, nor a single choice's variable with a level"
            faults.add(("strata", index), message, nearest(stratum, list(known)))
        elif not known[stratum]:
            faults.add(("strata", index), f"the question behind {stratum} is not enabled, so nobody answers it")
    return [stratum for stratum in survey.strata if known.get(stratum)]


def _breaks_down(question: Computed, by: list[tuple[str, int]], faults: Faults) -> None:
    """What is wrong with figures by the bands of a computed value. `by`: where these are asked for."""
    for path in by:
        if not question.bands:
            faults.add(path, f"{question.id} has no bands, so nothing divides respondents by it", 'for example bands: ["0-1", "2-3"]')
        elif question.privacy.role == "identifying":
            faults.add(path, f"{question.id} is identifying, so no figures are broken down by it")
