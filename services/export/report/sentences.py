"""What a report says in plain words, before its tables. Pure."""

from __future__ import annotations

from msgspec import UnsetType

from services.export.report.report import ReleaseReport

UNIT = "\N{NO-BREAK SPACE}%"
WARNED = 0.05
"""From so many rows alone on it is said as a warning."""
ROUND = 0.2
"""From here on a chance is told in whole percents."""


def sentences(report: ReleaseReport) -> list[str]:
    """One finding each: who could be found, what could be learnt, what it cost."""
    return [
        *_row_counts(report),
        *(_reidentification(report) if report.steps else _no_quasi_identifiers(report)),
        *_linkage_attacks(report),
        *_rare_answers(report),
        *_unique_by_insensitive(report),
        *_inference(report),
        *_utility_loss(report),
        *_row_weights(report),
        *_variables_without_bands(report),
        *_free_texts(report),
    ]


def warnings(report: ReleaseReport) -> list[str]:
    """Warnings for the organiser: no quasi-identifier is declared, or the declared ones miss identifying variables."""
    return [*(_no_quasi_identifiers(report) if not report.steps else []), *_unique_by_insensitive(report)]


def _row_counts(report: ReleaseReport) -> list[str]:
    left = "No row was left out." if not report.left_out else f"{report.left_out:,} were left out to protect respondents."
    return [f"{report.released:,} of {report.responses:,} responses are in this release. {left}"]


def _reidentification(report: ReleaseReport) -> list[str]:
    risk = report.prosecutor.after
    lines = [
        f"Whoever knows the quasi-identifiers of a respondent finds at least {risk.smallest} rows that look the same, "
        f"and picks the right one with a chance of at most {_chance(risk.highest)}; on average {_chance(risk.average)}."
    ]
    if report.prosecutor.before.alone:
        lines.append(f"In the answers as given, {_whole(report.prosecutor.before.alone)} of the respondents were alone with theirs.")
    if report.journalist:
        lines.append(
            f"On the public list ({report.journalist_source}) at least {report.journalist.after.smallest:,} units share what a row tells; "
            f"in the answers as given as few as {report.journalist.before.smallest:,}."
        )
    return lines


def _linkage_attacks(report: ReleaseReport) -> list[str]:
    if not report.linkage:
        return []
    first, *further = report.linkage
    if not report.steps:
        return [
            f"Who knows {_telling(len(first.knows))} of a person picks the right row with a chance of {_chance(first.right)}, against "
            f"{_chance(first.right_before)} in the answers as given. Do not combine this release with what you know of somebody."
        ]
    lines = [
        f"We looked for {first.people:,} respondents as an outsider would who knows their quasi-identifiers: {_chance(first.right)} of the "
        f"links were right, against {_chance(first.right_before)} in the answers as given."
    ]
    if further:
        more = len(further[0].knows) - len(first.knows)
        lines.append(
            f"Who also knows {_telling(more)} of a person "
            f"reaches {_chance(further[0].right)}. "
            "Answers are not generalised: do not combine this release with what you know of somebody."
        )
    return lines


def _telling(many: int) -> str:
    return "one of the most telling answers" if many == 1 else f"{many} of the most telling answers"


def _no_quasi_identifiers(report: ReleaseReport) -> list[str]:
    return [
        f"The questionnaire declares no quasi-identifier: it says that outsiders know none of these answers of a person. So all "
        f"{report.released:,} rows count as one group, and rare answers alone are hidden."
    ]


def _rare_answers(report: ReleaseReport) -> list[str]:
    """Of the most answers that anybody may know, since those reach furthest."""
    if not report.known:
        return []
    most = report.known[-1]
    answers = "one rare answer" if most.answers == 1 else f"{'two' if most.answers == 2 else 'three'} rare answers"
    return [
        f"Of those who gave {answers} (of at most {2 * report.k} people each), {_chance(most.found)} can be found as the only row that "
        f"agrees with them, a withheld cell agreeing with anything; in the answers as given it was {_whole(most.found_before)}."
    ]


def _unique_by_insensitive(report: ReleaseReport) -> list[str]:
    if report.insensitive is None or report.insensitive.alone < WARNED:
        return []
    names = report.insensitive.variables
    several = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} together"
    return [
        f"Warning: {several} leave {_chance(report.insensitive.alone)} of the rows alone, and the questionnaire calls them insensitive. "
        "Where outsiders may know these answers of a person, some of them should be quasi-identifiers."
    ]


def _inference(report: ReleaseReport) -> list[str]:
    if not report.inference:
        return ["There is nothing but quasi-identifiers in the rows: from somebody's group nothing more can be learnt."]
    most = max(report.inference, key=lambda variable: variable.gain)
    alike = [variable for variable in report.inference if variable.homogeneous > 0]
    lines = [
        f"Guessing a sensitive answer from somebody's group is right at most {_points(most.gain)} more often than guessing it from "
        "the others of that group alone: what is learnt is mostly about people like them."
    ]
    if alike:
        lines.append(
            f"In {len(alike)} of {len(report.inference)} sensitive variables some group gave one and the same answer; "
            "who knows that a person is in that group knows it of them."
        )
    return lines


def _utility_loss(report: ReleaseReport) -> list[str]:
    utility = report.utility
    parts = [f"The quasi-identifiers lost {_chance(utility.loss)} of their detail."] if utility.told else []
    if utility.tables:
        off = f"each is off by {_chance(utility.variation)} of its rows on average."
        parts.append(f"Of {utility.tables:,} two-way tables, {off}" if utility.tables > 1 else f"Of the two-way table, {off}")
    lines = [" ".join(parts)] if parts else []
    if utility.headlines:
        most = max(head.moved for head in utility.headlines)
        outside = sum(not head.inside for head in utility.headlines)
        moved = "No headline share moved." if not most else f"No headline share moved by more than {most * 100:g} percentage points."
        moved += " Shares are those that the files give: of the rows that tell the answer."
        lines.append(moved + (f" For {outside} of them that may be more than chance alone explains." if outside else ""))
    if utility.cut_off:
        many = len(utility.cut_off)
        scales = f"the scale {utility.cut_off[0]}" if many == 1 else f"{many} scales, such as {utility.cut_off[0]},"
        lines.append(
            f"Of {scales} one end stands in no row, and answers are withheld (*): few gave them. A mean from the files leaves them out, "
            "and so may be far from that of all responses."
        )
    return lines


def _row_weights(report: ReleaseReport) -> list[str]:
    if isinstance(report.weight, UnsetType):
        return []
    return [
        f"{report.weight.variable} says what a row weighs, as one of a few classes: {report.weight.rows:,} rows tell it, and are worth "
        f"{report.weight.worth:,.0f} of equal weight. All other figures here count rows as they are."
    ]


def _variables_without_bands(report: ReleaseReport) -> list[str]:
    if not report.without_bands:
        return []
    one = len(report.without_bands) == 1
    return [
        f"{', '.join(report.without_bands)} {'is' if one else 'are'} not in the data: {'a number or date' if one else 'numbers and dates'} "
        "without bands, and an exact one can be as telling as a name."
    ]


def _free_texts(report: ReleaseReport) -> list[str]:
    if report.free_text is None:
        return ["Free text is not part of a release of this profile."]
    given, accepted, refused, left = (
        sum(getattr(question, name) for question in report.free_text) for name in ("given", "accepted", "refused", "not_reviewed")
    )
    released = sum(question.released for question in report.free_text)
    if not given:
        return ["Nobody has written a free text."]
    reviewed = f"Of {given:,} free texts a person read {accepted + refused:,}: "
    reviewed += f"{accepted:,} were accepted, {refused:,} refused, {left:,} not reviewed. "
    if not released:
        return [f"{reviewed}None is in this release."]
    return [
        f"{reviewed}{released:,} of those accepted are in texts.csv, apart from the rows: nothing says who wrote which. "
        f"At least {report.k} of a question and language stand, come and go together. What a text itself tells, only its reader has judged."
    ]


def _chance(share: float) -> str:
    if 0 < share < 0.001:
        return f"less than 0.1{UNIT}"
    return f"{share * 100:.0f}{UNIT}" if share in (0, 1) or share >= ROUND else f"{share * 100:.1f}{UNIT}"


def _whole(share: float) -> str:
    return f"{share * 100:.0f}{UNIT}"


def _points(share: float) -> str:
    return f"{share * 100:.1f} percentage points"
