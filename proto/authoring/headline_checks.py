"""What must hold of headlines: a question that is asked, a statistic that it has, options that can be told together. Pure."""

from __future__ import annotations

from proto.authoring.faults import Faults, Path
from proto.authoring.parse import nearest
from proto.authoring.schema import AuthoredHeadline, AuthoredSurvey
from proto.instrument import AnyQuestion, Closed, Instrument, Matrix, Multiple, Ranking


def check(survey: AuthoredSurvey, instrument: Instrument, position: dict[str, int], faults: Faults) -> None:
    """`position`: the place of each question by its id."""
    derived = [variable.id for variable in instrument.derived]
    for headline in survey.headlines:
        path = faults.place(headline)
        if headline.of is not None and headline.of not in derived:
            faults.add((*path, "of"), f"there is no derived variable {headline.of}", nearest(headline.of, derived))
        if headline.question not in position:
            if headline.question not in faults.lost:
                message = f"there is no question {headline.question}"
                faults.add((*path, "question"), message, nearest(headline.question, list(position)))
            continue
        question = survey.questions[position[headline.question]]
        if not question.enabled:
            faults.add((*path, "question"), f"{question.id} is not enabled, so nobody answers it")
        elif headline.of is not None and headline.stat != "share":
            faults.add((*path, "stat"), "of a derived variable only the share is told")
        elif headline.of is None and headline.stat not in question.stats:
            message = f"{headline.stat} is not among the statistics of {question.id}"
            faults.add((*path, "stat"), message, f"they are {', '.join(question.stats)}")
        if not faults.touched(faults.place(question)):
            _narrowed(headline, instrument.questions[position[headline.question]], path, faults)


def _narrowed(headline: AuthoredHeadline, question: AnyQuestion, path: Path, faults: Faults) -> None:
    """To some options, to one row of a matrix."""
    if headline.row is not None:
        rows = [row.code for row in question.rows] if isinstance(question, Matrix) else []
        if headline.row not in rows:
            faults.add((*path, "row"), f"{question.id} has no row {headline.row}", nearest(headline.row, rows))
        elif not headline.options:
            faults.add((*path, "row"), "of a row the share of some options is told", "name them under options")
    if not headline.options:
        return
    codes = [option.code for option in question.options] if isinstance(question, Closed) else []
    faults.once(((code, (*path, "options", i)) for i, code in enumerate(headline.options)), "option")
    for index, code in enumerate(headline.options):
        if code not in codes:
            faults.add((*path, "options", index), f"{question.id} has no option {code}", nearest(code, codes))
    if headline.of is not None or headline.stat != "share":
        faults.add((*path, "options"), "options are told as their share, without a derived variable")
    elif len(headline.options) > 1 and isinstance(question, Multiple | Ranking):
        advice = "one option, or a derived variable under of"
        faults.add(
            (*path, "options"), f"several answers of {question.id} can come from one respondent, so their shares do not add up", advice
        )
