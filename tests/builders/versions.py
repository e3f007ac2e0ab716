"""People who answer either of two versions of a survey, drawn at random: what an editor of a questionnaire may do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from proto import instrument as i
from proto.answers import Reader
from proto.instrument import AnyQuestion, Instrument
from tests.builders import small_survey

TODAY = "2026-11-30"
Edit = Callable[[Random, AnyQuestion], AnyQuestion]


def _some(draw: Random, things: tuple[Any, ...], fewest: int = 1) -> tuple[Any, ...]:
    """Some of them, in another order."""
    return tuple(draw.sample(things, draw.randint(fewest, len(things))))


def _options(draw: Random, question: Any) -> Any:
    kept = _some(draw, question.options)
    new = small_survey.options("".join(draw.sample("uvw", draw.randint(0, 2))))
    return replace(question, options=(*kept, *(option for option in new if option.code not in {each.code for each in kept})))


def _multiple(draw: Random, question: Any) -> Any:
    question = _options(draw, question)
    exclusive = draw.choice([option.code for option in question.options])
    options = tuple(replace(option, exclusive=option.code == exclusive) for option in question.options)
    most = draw.choice([None, draw.randint(1, len(options))])
    fewest = draw.randint(1, max(1, min(most or len(options), len(options) - 1)))
    return replace(question, options=options, min_choices=fewest, max_choices=most)


def _matrix(draw: Random, question: Any) -> Any:
    rows = _some(draw, (*question.rows, *(i.Row(code, {"en": code}) for code in "mno" if all(code != row.code for row in question.rows))))
    return replace(_options(draw, question), rows=rows)


def _ranking(draw: Random, question: Any) -> Any:
    question = _options(draw, question)
    return replace(question, rank_count=draw.randint(1, len(question.options)))


def _number(draw: Random, question: Any) -> Any:
    kind = draw.choice([i.Integer, i.Numeric])
    common: Any = {name: getattr(question, name) for name in i.Question.__struct_fields__}
    bands = (i.Band("to 2", -5, 2), i.Band("3+", 3))
    limits: Any = {"min": draw.choice([-1, 0, 2]), "max": draw.choice([4, 9, 20]), "bands": draw.choice([question.bands, bands, ()])}
    limits["special"] = _special(draw)
    decimals: Any = {"decimals": draw.randint(0, 3)} if kind is i.Numeric else {}
    return kind(**common, **limits, **decimals)


def _special(draw: Random) -> tuple[i.Option, ...]:
    return draw.choice([(), small_survey.SPECIAL, small_survey.SPECIAL[:1], (i.Option("few", {"en": "Few"}), *small_survey.SPECIAL[1:])])


def _date(draw: Random, question: Any) -> Any:
    precision = draw.choice(["year", "month", "day", "day"])
    length = {"year": 4, "month": 7, "day": 10}[precision]
    least, most = draw.choice(["2001-05-01", "2010-01-01"])[:length], draw.choice(["today", "2019-12-15", "2026-11-15"])[:length]
    return replace(question, precision=precision, min=least, max=most, special=_special(draw))


def _sum(draw: Random, question: Any) -> Any:
    if draw.random() < 0.3:
        return replace(question, total=draw.choice([5, 20]))
    more = () if any(row.code == "z" for row in question.rows) else (i.Row("z", {"en": "z"}),)
    rows = draw.choice([question.rows, question.rows[::-1], (*question.rows, *more)])
    return replace(question, rows=rows, bands=draw.choice([question.bands, (i.Band("to 4", 0, 4), i.Band("5+", 5))]))


_EDITS: dict[type, Edit] = {
    i.Single: _options,
    i.Multiple: _multiple,
    i.Matrix: _matrix,
    i.Ranking: _ranking,
    i.ConstantSum: _sum,
    i.Integer: _number,
    i.Numeric: _number,
    i.Date: _date,
    i.ShortText: lambda draw, question: replace(question, max_chars=draw.choice([3, 50])),
}
_TESTS = (
    i.Rule(q="Use", op="in", value=("y",)),
    i.Rule(q="Use", op="not_in", value=("y", "u")),
    i.Rule(q="Why", op="any_in", value=("p", "q")),
    i.Rule(q="Why", op="answered"),
    i.Rule(q="Agree", op="any_row_in", value=("1", "2", "3")),
    i.Rule(q="Agree", op="answered"),
    i.Rule(q="uses", op="derived", value=("0",)),
)
_EARLIER = {"Place": 0, "Use": 0, "Why": 2, "Agree": 4}
"""How many of the tests ask questions before this one."""


def _rule(draw: Random, most: int, asked: set[str]) -> i.Rule | None:
    known = [rule for rule in _TESTS[:most] if rule.q in asked or rule.op == "derived"]
    if not known or draw.random() < 0.4:
        return None
    one = draw.choice(known)
    return draw.choice([one, i.Rule(not_=one), i.Rule(any=(one, draw.choice(known)))])


def edited(survey: Instrument, draw: Random, version: str) -> Instrument:
    """The next version. Some questions stay, are edited, taken out, put in again, asked of others, or become another kind.

    Half of the time only one thing is another: a question, the rule of a derived variable, or the map of a hierarchy.
    """
    whole = _edited(survey, draw, version)
    if draw.random() < 0.5:
        return whole
    changes: list[dict[str, Any]] = [{"derived": whole.derived}, {"hierarchies": whole.hierarchies}]
    for at, question in enumerate(survey.questions):
        other = next((each for each in whole.questions if each.id == question.id), question)
        if other.show_if == question.show_if and question.id != "Place":
            changes.append({"questions": (*survey.questions[:at], other, *survey.questions[at + 1 :])})
    known = {question.id for question in survey.questions}
    if not set(_names(whole.derived[0].rule)) <= known:
        changes.pop(0)
    return replace(survey, version=version, **draw.choice(changes))


def _edited(survey: Instrument, draw: Random, version: str) -> Instrument:
    everything = {question.id: question for question in (*small_survey.survey().questions, *survey.questions)}
    chosen = [question for question in everything.values() if question.id in ("Place", "Use", "Agree") or draw.random() < 0.85]
    questions: list[AnyQuestion] = []
    for question in chosen:
        asked = {each.id for each in questions} & {"Use", "Why", "Agree"}
        if question.id != "Place" and draw.random() < 0.5:
            question = _EDITS[type(question)](draw, question)
        if question.id not in ("Place", "Use") and draw.random() < 0.3:
            question = replace(question, show_if=_rule(draw, _EARLIER.get(question.id, 7), asked))
        if question.show_if is not None and not set(_names(question.show_if)) <= asked | {"uses"}:
            question = replace(question, show_if=None)
        if question.id == "Word" and draw.random() < 0.2:  # surveys of earlier releases of Platea may hold this
            question = i.Single(**small_survey._question("Word", options=small_survey.options("no")))
        questions.append(question)
    regions = {code: (draw.choice(["north", "east", "south"]),) for code in "abcd"}
    names = {question.id for question in questions}
    rule = _rule(draw, 6, names & {"Use", "Why", "Agree"}) or _TESTS[0]
    return replace(
        survey,
        version=version,
        title={"en": f"Version {version}"},
        questions=tuple(questions),
        derived=(replace(survey.derived[0], rule=draw.choice([rule, survey.derived[0].rule if "Why" in names else rule])),),
        hierarchies=draw.choice([survey.hierarchies, {"place": i.Hierarchy(("place", "region", "*"), table=regions)}]),
    )


def _names(rule: i.Rule) -> list[str]:
    parts = (*rule.all, *rule.any, *((rule.not_,) if rule.not_ else ()))
    return [rule.q] if rule.q else [name for part in parts for name in _names(part)]


def retold(survey: Instrument, version: str) -> Instrument:
    """The same survey in other words."""
    return replace(survey, version=version, title={"en": "In other words"}, questions=tuple(map(_retold, survey.questions)))


def _retold(question: AnyQuestion) -> AnyQuestion:
    return replace(question, text={"en": "Otherwise"}, stats=("count",), section="S")


def answered(reader: Reader, draw: Random) -> bytes:
    """What somebody answers to this version: anything it takes."""
    answers = reader.type()
    for question in reader.instrument.questions:
        if reader.visible(answers, question.id) and (question.required or draw.random() < 0.8):
            value = _answer(question, draw)
            converted, faults = reader.convert({question.id: value})
            assert not faults, (question, value, faults)
            setattr(answers, question.id, getattr(converted, question.id))
    assert not reader.check(answers, TODAY), (reader.check(answers, TODAY), reader.instrument)
    return reader.canonical(answers)


def _answer(question: AnyQuestion, draw: Random) -> Any:
    if isinstance(question, i.Measured) and question.special and draw.random() < 0.3:
        return draw.choice(question.special).code
    match question:
        case i.Single():
            return draw.choice(question.options).code
        case i.Multiple():
            most, plain = question.max_choices or len(question.options), [o.code for o in question.options if not o.exclusive]
            alone = [[o.code] for o in question.options if o.exclusive and question.min_choices == 1]
            sizes = range(question.min_choices, min(most, len(plain)) + 1)
            several = [draw.sample(plain, draw.choice(sizes))] if sizes else []
            return draw.choice([*alone, *several])
        case i.Matrix():
            rows = _some(draw, question.rows)
            return {row.code: draw.choice(question.options).code for row in rows}
        case i.Ranking():
            return [option.code for option in draw.sample(question.options, question.rank_count)]
        case i.ConstantSum():
            share = draw.randint(0, question.total)
            return {question.rows[0].code: share, question.rows[-1].code: question.total - share}
        case i.Integer():
            return draw.randint(question.min, question.max)
        case i.Numeric():
            return round(draw.uniform(question.min, question.max), question.decimals) + 0.0
        case i.Date():
            months = ["2001-05", "2005-12", "2010-01", "2019-12", "2020-02", "2026-11"]
            dates = [f"{month}-01"[: question.length] for month in months]
            return draw.choice([date for date in dates if question.min <= date <= question.max.replace("today", TODAY)])
        case _:
            return "word"[: question.max_chars]
