"""Reading answers: an instrument compiled into one msgspec decoder, plus the rules that types cannot say. Pure.

The quick way decodes and checks; only when that fails is the body taken apart again, to name every fault with its place.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, assert_never, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from proto import logic
from proto.blank import is_blank
from proto.computed import ComputedFormula
from proto.events import canonical
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
    WithRows,
    special_codes,
)
from proto.parts import Parts, conditional
from proto.problem import Fault, Problem
from proto.text_patterns import fits

MOST_FAULTS = 500
"""So many are told at once; a body with more was not filled in by anybody."""


class Submission(msgspec.Struct, forbid_unknown_fields=True):
    """What a respondent sends. `answers` is the compiled Struct of the instrument."""

    answers: Any
    language: str | None = None
    version: str | None = None
    consent: bool = False


class Reader:
    """One instrument's answers: decode, check, explain. Pure; make one per published version."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.questions: dict[str, AnyQuestion] = {question.id: question for question in instrument.questions}
        given = [question for question in instrument.questions if not isinstance(question, Computed)]
        self.computed: dict[str, ComputedFormula] = {
            question.id: ComputedFormula(question, self.questions) for question in instrument.questions if isinstance(question, Computed)
        }
        self.types: dict[str, Any] = {question.id: _type_of(question) for question in given}
        """Of what may be answered, in the order of the fields; behind these come the computed values."""
        self.weight: str | None = next((question.id for question in given if isinstance(question, CaseWeight)), None)
        """What only an organiser may send."""
        self.type: Any = msgspec.defstruct(
            "Answers",
            [(id, type | UnsetType, UNSET) for id, type in self.types.items()] + [(id, float | UnsetType, UNSET) for id in self.computed],
            namespace={"reader": self},
            rename={id: f"={id}" for id in self.computed},
            forbid_unknown_fields=True,
            gc=False,
        )
        self.fields: tuple[str, ...] = (*self.types, *self.computed)
        """The names of the fields of `type`, in order."""
        self.body: Any = msgspec.defstruct(
            "Body",
            [
                ("answers", self.type),
                ("language", str | None, None),
                ("version", str | None, None),
                ("consent", bool, False),
            ],
            forbid_unknown_fields=True,
        )
        self._body: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.body)
        self._answers = msgspec.json.Decoder(self.type)
        derived = {item.id: item for item in instrument.derived}
        compile_rule = partial(logic.compile_rule, questions=self.questions, derived=derived)
        compiled = {question.id: compile_rule(question.show_if) for question in instrument.questions if question.show_if is not None}
        self.shown: dict[str, logic.Predicate] = compiled
        self.parts: dict[str, Parts] = {
            question.id: Parts(question, compile_rule) for question in instrument.questions if any(conditional(question))
        }
        """Of the questions with options or rows that have rules."""
        self.derived: dict[str, logic.Predicate] = {item.id: compile_rule(item.rule) for item in instrument.derived}
        self.quotas: dict[str, logic.Predicate] = {quota.id: compile_rule(quota.when) for quota in instrument.quotas}
        self._numeric = [question.id for question in given if isinstance(question, Numeric)]
        self._plan = [
            (question.id, question, compiled.get(question.id), question.required, _rest_of(question), self.parts.get(question.id))
            for question in given
        ]

    def read(self, body: bytes, today: str) -> Submission | list[Fault]:
        """A submission that fits the instrument, or everything that is wrong with it. `today` is an ISO date.

        Raises Problem("malformed-json") where the body is no JSON at all.
        """
        try:
            submission: Any = self._body.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return self._explain(body, today)[:MOST_FAULTS]
        if self.computed:
            if any(getattr(submission.answers, id) is not UNSET for id in self.computed):
                return self._explain(body, today)[:MOST_FAULTS]
            self.compute(submission.answers)
        faults = self.check(submission.answers, today) + self._envelope(submission.language, submission.consent)
        return faults or Submission(submission.answers, submission.language, submission.version, submission.consent)

    def stored(self, answers: bytes | str) -> Any:
        """Answers that were accepted before. Raises msgspec.ValidationError on anything else."""
        struct = self._answers.decode(answers)
        if self.computed:
            self.compute(struct)
        return struct

    def compute(self, answers: Any) -> None:
        """Sets the computed values, from the first to the last."""
        for id, formula in self.computed.items():
            setattr(answers, id, formula.of(answers))

    def convert(self, answers: dict[str, Any]) -> tuple[Any, list[Fault]]:
        """Answers given as plain values: those that fit their questions as a Struct, and the faults of the others."""
        try:
            struct = msgspec.convert(answers, self.type)
            if any(getattr(struct, id) is not UNSET for id in self.computed):
                raise msgspec.ValidationError("a computed value was given")
        except msgspec.ValidationError:
            pass  # taken apart, to name every fault
        else:
            self.compute(struct)
            return struct, []
        faults: list[Fault] = []
        good: dict[str, Any] = {}
        for id, value in answers.items():
            if id not in self.types:
                faults.append(Fault(f"/answers/{_escape(id)}", "unknown-question", "This survey has no such question."))
                continue
            wrong = _faults_of(self.types[id], value, f"/answers/{id}", self.questions[id])
            faults += wrong
            if not wrong:
                good[id] = msgspec.convert(value, self.types[id])
        struct = self.type(**good)
        self.compute(struct)
        return struct, faults

    def visible(self, answers: Any, id: str) -> bool:
        """Whether skip logic shows this question to a respondent with these answers."""
        shown = self.shown.get(id)
        return shown is None or shown(answers)

    def check(self, answers: Any, today: str, but: frozenset[str] = frozenset()) -> list[Fault]:
        """Checks what types cannot: skip logic, required questions, exclusive options, real dates. Skips questions in `but`."""
        faults: list[Fault] = []
        for (id, question, shown, required, rest, parts), value in zip(self._plan, msgspec.structs.astuple(answers), strict=False):
            if value is UNSET:
                if required and (shown is None or shown(answers)) and id not in but:
                    faults.append(Fault(f"/answers/{id}", "required", "Please answer this question."))
            elif shown is not None and not shown(answers):
                faults.append(Fault(f"/answers/{id}", "hidden", "Leave this out: other answers hide this question."))
            elif parts is not None and (hidden := parts.hidden(answers)):
                faults += _check_parts(rest, question, value, today, hidden)
            elif rest is not None:
                faults += rest(question, value, today)
        return faults

    def canonical(self, answers: Any) -> bytes:
        """The one JSON text of these answers, as stored, digested and released."""
        for id in self._numeric:
            value = getattr(answers, id)
            if isinstance(value, float) and value.is_integer():
                setattr(answers, id, int(value))
        if not self.computed:
            return canonical(answers)
        for id in self.computed:
            setattr(answers, id, UNSET)
        text = canonical(answers)
        self.compute(answers)
        return text

    def _envelope(self, language: str | None, consent: bool) -> list[Fault]:
        faults: list[Fault] = []
        if not consent:
            faults.append(Fault("/consent", "consent-required", "Taking part needs consent: send true."))
        if language is not None and language not in self.instrument.languages:
            known = ", ".join(self.instrument.languages)
            faults.append(Fault("/language", "unknown-language", f"This survey is offered in: {known}."))
        return faults

    def _explain(self, body: bytes, today: str) -> list[Fault]:
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise Problem("malformed-json", _plain(error)) from None
        if not isinstance(decoded, dict):
            return [Fault("", "wrong-type", "Send an object with the member answers.")]
        given = cast("dict[str, Any]", decoded)
        faults = [
            Fault(f"/{_escape(name)}", "unknown-member", "Known are answers, language, version and consent.")
            for name in given.keys() - set(Submission.__struct_fields__)
        ]
        kinds: dict[str, tuple[Any, ...]] = {"language": (str, type(None)), "version": (str, type(None)), "consent": (bool,)}
        wrong = {name for name, kind in kinds.items() if name in given and not isinstance(given[name], kind)}
        faults += [Fault(f"/{name}", "wrong-type", f"The member {name} has another type.") for name in sorted(wrong)]
        answers = given.get("answers")
        if not isinstance(answers, dict):
            return [*faults, Fault("/answers", "wrong-type", "Send the answers as an object, question by question.")]
        struct, refused = self.convert(cast("dict[str, Any]", answers))
        named = frozenset(fault.pointer.split("/")[2] for fault in refused)
        faults += refused + self.check(struct, today, named)
        language = given.get("language") if "language" not in wrong else None
        return faults + self._envelope(language, "consent" in wrong or given.get("consent", False))


def reader_of(answers: Any) -> Reader:
    """The reader of the version that these decoded answers belong to."""
    return cast("Any", type(answers)).reader


def today_of(now: float) -> str:
    """The UTC date of a Unix time."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date().isoformat()


EAST = 14 * 3600
"""Seconds by which Kiritimati, the first place on Earth to begin a day, is ahead of UTC: `max: today` is judged by its calendar."""


def _type_of(question: AnyQuestion) -> Any:
    match question:
        case Single():
            return _codes(question.options)
        case Multiple():
            most = question.max_choices or len(question.options)
            return Annotated[list[_codes(question.options)], Meta(min_length=question.min_choices, max_length=most)]
        case Matrix():
            code = _codes(question.options)
            return msgspec.defstruct(
                f"Rows_{question.id}",
                [(logic.row_attribute(i), code | UnsetType, UNSET) for i, _ in enumerate(question.rows)],
                rename={logic.row_attribute(i): row.code for i, row in enumerate(question.rows)},
                forbid_unknown_fields=True,
                gc=False,
            )
        case Ranking():
            length = Meta(min_length=question.rank_count, max_length=question.rank_count)
            return Annotated[list[_codes(question.options)], length]
        case ConstantSum():
            return msgspec.defstruct(
                f"Sum_{question.id}",
                [(logic.row_attribute(i), _share_of(question), 0) for i, _ in enumerate(question.rows)],
                rename={logic.row_attribute(i): row.code for i, row in enumerate(question.rows)},
                forbid_unknown_fields=True,
                gc=False,
            )
        case Integer():
            number: Any = Annotated[int, Meta(ge=question.min, le=question.max)]
            return number | _codes(question.special) if question.special else number
        case Numeric():
            number = (
                Annotated[int, Meta(ge=_whole(question.min, up=True), le=_whole(question.max, up=False))]
                | Annotated[float, Meta(ge=question.min, le=question.max)]
            )
            return number | _codes(question.special) if question.special else number
        case Date():
            date = {"year": "[0-9]{4}", "month": "[0-9]{4}-[0-9]{2}", "day": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}[question.precision]
            special = "".join(f"|{re.escape(option.code)}" for option in question.special)
            return Annotated[str, Meta(pattern=f"^({date}{special})$" if special else f"^{date}$", max_length=64 if special else 10)]
        case ShortText() | LongText():
            return Annotated[str, Meta(min_length=1, max_length=question.max_chars)]
        case _:
            assert_never(question)


def _share_of(question: ConstantSum) -> Any:
    return Annotated[int, Meta(ge=0, le=question.total)]


def _codes(options: tuple[Any, ...]) -> Any:
    return Literal[tuple(option.code for option in options)]


def _whole(bound: float, *, up: bool) -> int:
    return int(-(-bound // 1)) if up else int(bound // 1)


Rest = Callable[..., list[Fault]]
"""Of a question, its answer and today's date; of a matrix also the codes of the rows that are hidden, if any."""


def _rest_of(question: AnyQuestion) -> Rest | None:
    """The check behind the type, where the type leaves something open."""
    match question:
        case Multiple():
            exclusive = frozenset(option.code for option in question.options if option.exclusive)
            return partial(_check_multiple, exclusive)
        case Ranking():
            return _check_ranking
        case ConstantSum():
            return _check_sum
        case Numeric():
            return _check_numeric
        case Date():
            return _check_date
        case Matrix():
            return _check_exclusive_rows if any(row.exclusive for row in question.rows) else _check_matrix
        case ShortText() | LongText():
            return _check_text
        case Single() | Integer():
            return None
        case _:
            assert_never(question)


def _check_multiple(exclusive: frozenset[str], question: Multiple, value: list[str], today: str) -> list[Fault]:
    place = f"/answers/{question.id}"
    given = set(value)
    if not given and question.required:
        return [Fault(place, "required", "Please answer this question.")]
    if len(given) < len(value):
        return [Fault(place, "duplicate", "Name each option once.")]
    if len(given) > 1 and not exclusive.isdisjoint(given):
        return [Fault(place, "exclusive", f"'{min(exclusive & given)}' cannot be combined with other options.")]
    return []


def _check_ranking(question: Ranking, value: list[str], today: str) -> list[Fault]:
    distinct = len(set(value)) == len(value)
    return [] if distinct else [Fault(f"/answers/{question.id}", "duplicate", "Give each rank to another option.")]


def _check_sum(question: ConstantSum, value: Any, today: str) -> list[Fault]:
    given = sum(msgspec.structs.astuple(value))
    if given == question.total:
        return []
    code = "sum-too-small" if given < question.total else "sum-too-large"
    return [Fault(f"/answers/{question.id}", code, f"The numbers must add up to {question.total}.")]


def _check_numeric(question: Numeric, value: float, today: str) -> list[Fault]:
    if isinstance(value, float) and round(value, question.decimals) != value:
        advice = "Give a whole number." if question.decimals == 0 else f"Give at most {question.decimals} decimals."
        return [Fault(f"/answers/{question.id}", "too-precise", advice)]
    return []


def _check_date(question: Date, value: str, today: str) -> list[Fault]:
    if question.special and value in special_codes(question):
        return []
    place = f"/answers/{question.id}"
    try:
        datetime.date.fromisoformat(value + "-01-01"[len(value) - 4 :])
    except ValueError:
        return [Fault(place, "bad-date", "There is no such date.")]
    last = today if question.max == "today" else question.max
    if value < question.min[: len(value)]:
        return [Fault(place, "too-small", f"The earliest possible date is {question.min}.")]
    if value > last[: len(value)]:
        return [Fault(place, "too-large", f"The latest possible date is {last}.")]
    return []


def _check_parts(rest: Rest | None, question: AnyQuestion, value: Any, today: str, hidden: frozenset[str]) -> list[Fault]:
    """The check of an answer for whom some options or rows are hidden: with these, there must be nothing; `rest` is judged as ever."""
    place = f"/answers/{question.id}"
    if isinstance(question, Matrix):
        given = zip(question.rows, msgspec.structs.astuple(value), strict=True)
        faults = [
            Fault(f"{place}/{_escape(row.code)}", "hidden", _HIDDEN) for row, code in given if row.code in hidden and code is not UNSET
        ]
        return faults or (rest(question, value, today, hidden) if rest else [])
    if isinstance(value, str):
        return [Fault(place, "hidden", _HIDDEN)] if value in hidden else []
    faults = [Fault(f"{place}/{at}", "hidden", _HIDDEN) for at, code in enumerate(value) if code in hidden]
    return faults or (rest(question, value, today) if rest else [])


_HIDDEN = "Leave this out: other answers hide this part of the question."


def _check_exclusive_rows(question: Matrix, value: Any, today: str, hidden: frozenset[str] = frozenset()) -> list[Fault]:
    given = zip(question.rows, msgspec.structs.astuple(value), strict=True)
    answered = [row.exclusive for row, code in given if code is not UNSET]
    if not any(answered):
        return _check_matrix(question, value, today, hidden)
    if len(answered) == 1:
        return []
    return [Fault(f"/answers/{question.id}", "exclusive", "A row that stands alone excludes the other rows.")]


def _check_matrix(question: Matrix, value: Any, today: str, hidden: frozenset[str] = frozenset()) -> list[Fault]:
    given = msgspec.structs.astuple(value)
    if UNSET not in given:
        return []
    place = f"/answers/{question.id}"
    if all(code is UNSET for code in given):
        return [Fault(place, "empty", "Answer at least one row, or leave the question out.")]
    if question.required:
        missing = (
            row for row, code in zip(question.rows, given, strict=True) if code is UNSET and row.code not in hidden and not row.exclusive
        )
        return [Fault(f"{place}/{_escape(row.code)}", "required", "Please answer this row.") for row in missing]
    return []


def _check_text(question: ShortText | LongText, value: str, today: str) -> list[Fault]:
    place = f"/answers/{question.id}"
    if "\0" in value:
        return [Fault(place, "bad-character", "The text holds a character that cannot be stored (U+0000).")]
    if is_blank(value):
        return [Fault(place, "empty", "Write something, or leave the question out.")]
    pattern = question.pattern if isinstance(question, ShortText) else None
    if pattern is not None and not fits(pattern, value):
        return [Fault(place, "bad-pattern", f"This does not look like a {pattern.replace('_', ' ')}.")]
    return []


_CODES = (
    (re.compile(r"Invalid enum value"), "unknown-code", "This option does not exist."),
    (re.compile(r"Expected `array` of length >="), "too-few", "Choose more options."),
    (re.compile(r"Expected `array` of length <="), "too-many", "Choose fewer options."),
    (re.compile(r"Expected `array` of length"), "wrong-length", "Give exactly as many as asked for."),
    (re.compile(r"Expected `str` of length >="), "empty", "Write something, or leave the question out."),
    (re.compile(r"Expected `str` of length <="), "too-long", "This text is too long."),
    (re.compile(r"Expected `str` matching"), "bad-date", "Give the date as 2026 (year), 2026-11 (month) or 2026-11-22 (day)."),
    (re.compile(r"Expected `\w+` >="), "too-small", "This number is too small."),
    (re.compile(r"Expected `\w+` <="), "too-large", "This number is too large."),
    (re.compile(r"unknown field"), "unknown-row", "This question has no such row."),
)
"""From msgspec's message to our stable code, so that each rule stands in one place: the type."""


def _faults_of(type: Any, value: Any, pointer: str, question: AnyQuestion) -> list[Fault]:
    try:
        msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        inner: list[Fault] = []
        if isinstance(question, WithRows) and isinstance(value, dict):
            code = _codes(question.options) if isinstance(question, Matrix) else _share_of(question)
            known = {row.code for row in question.rows}
            for row, answer in cast("dict[str, Any]", value).items():
                place = f"{pointer}/{_escape(row)}"
                if row not in known:
                    inner.append(Fault(place, "unknown-row", "This question has no such row."))
                else:
                    inner += _leaf(code, answer, place)
        elif isinstance(question, Multiple | Ranking) and isinstance(value, list):
            code = _codes(question.options)
            inner = [f for i, item in enumerate(cast("list[Any]", value)) for f in _leaf(code, item, f"{pointer}/{i}")]
        return inner or [_fault(error, pointer)]
    return []


def _leaf(type: Any, value: Any, pointer: str) -> list[Fault]:
    try:
        msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        return [_fault(error, pointer)]
    return []


def _fault(error: msgspec.ValidationError, pointer: str) -> Fault:
    message = str(error)
    for pattern, code, detail in _CODES:
        if pattern.search(message):
            bound = re.search(r"(?:>=|<=|length) (-?[0-9.]+)", message)
            return Fault(pointer, code, detail[:-1] + f" ({bound.group(0)})." if bound else detail)
    return Fault(pointer, "wrong-type", _plain(error))


def _plain(error: Exception) -> str:
    """msgspec's sentence without its path; it never quotes more than an option's code."""
    if isinstance(error, RecursionError):
        return "The body is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    return str(error).split(" - at")[0].replace("`", "") + "."


def _escape(name: str) -> str:
    """A JSON pointer token (RFC 6901), shortened: a hostile name need not fill the answer."""
    return name[:80].replace("~", "~0").replace("/", "~1")
