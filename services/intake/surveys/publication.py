"""Checks whether an instrument may be published: strict parsing, checks of the whole, a trial compilation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

import msgspec

from proto import bounds, case_weights, quotas, schedule
from proto import instrument as instruments
from proto.answers import Reader
from proto.authoring.faults import Faults, TooManyFaults
from proto.authoring.question_checks import Fitness
from proto.codebook import CodeBook
from proto.instrument import Closed, Instrument, Measured, WithRows
from proto.logic import questions_in
from proto.parts import conditional
from proto.problem import Fault, Problem
from proto.protection_advice import incoherent
from services.runtime.http.request_bodies import fault_of

MAX_INSTRUMENT = 900 * 1024
"""Bytes of JSON that fit into one message of the control stream. Action 3 in three languages has a tenth of it."""

_SURVEY = re.compile(r"[a-z][a-z0-9-]{0,63}")
_VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}")
_QUESTION = re.compile(r"[A-Z][A-Za-z0-9_]{0,63}")
_CODE = re.compile(r"[A-Za-z0-9_.+-]{1,64}")


def read(body: bytes) -> Instrument | list[Fault]:
    """The instrument in this body, or all its faults. Raises Problem where the body is no JSON."""
    try:
        instrument = instruments.decode(body)
    except msgspec.ValidationError as error:
        return [fault_of(error)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Problem("malformed-json") from None
    return list(_faults(instrument)) or instrument


def _faults(instrument: Instrument) -> Iterator[Fault]:
    shape = list(_names(instrument))
    yield from shape
    if shape:  # the checks below would report the same again
        return
    if bounds.text(instrument) > bounds.MOST_TEXT:
        yield Fault("/questions", "too-long", f"All texts together may have {bounds.MOST_TEXT:,} characters.")
    yield from (Fault(f"/policy/{name}", "unfit", f"{fault}: {advice}.") for name, fault, advice in incoherent(instrument.policy))
    for path, fault, advice in schedule.misfits(instrument):
        yield Fault(f"/{'/'.join(path)}", "unfit", f"{fault[0].upper()}{fault[1:]}: {advice}.")
    for path, fault, advice in (*quotas.misfits(instrument), *case_weights.misfits(instrument)):
        yield Fault(f"/{'/'.join(map(str, path))}", "unfit", f"{fault[0].upper()}{fault[1:]}: {advice}.")
    rules = list(_rules(instrument))
    yield from rules
    faults = Faults("")
    fitness = Fitness(instrument.hierarchies, faults)
    with suppress(TooManyFaults):  # the first thousand faults are reported
        for place, question in enumerate(instrument.questions):
            fitness.question(question, ("questions", place))
        fitness.hierarchies()
    yield from (Fault(fault.path, "unfit", f"{fault.message}{': ' + fault.advice if fault.advice else ''}.") for fault in faults.found)
    if not rules and not faults.found:
        try:
            CodeBook(Reader(instrument))
        except (KeyError, ValueError, TypeError, IndexError) as error:
            yield Fault("", "does-not-compile", f"The instrument does not compile: {error}.")


def _names(instrument: Instrument) -> Iterator[Fault]:
    """Faults of names, which are used in subjects, columns and files and must be unique."""
    if not _SURVEY.fullmatch(instrument.id):
        yield Fault("/id", "bad-name", "A survey's name has small letters, digits and hyphens, a letter first.")
    if not _VERSION.fullmatch(instrument.version):
        yield Fault("/version", "bad-name", "A version looks like 0.1.0.")
    if instrument.source_language not in instrument.languages:
        yield Fault("/source_language", "unknown-language", "The source language is one of the languages.")
    if not instrument.questions:
        yield Fault("/questions", "empty", "An instrument has at least one question.")
    sections = {section.id for section in instrument.sections}
    for place, question in enumerate(instrument.questions):
        where = f"/questions/{place}"
        if not _QUESTION.fullmatch(question.id):
            yield Fault(f"{where}/id", "bad-name", "A question's name has letters, digits and underscores, a capital letter first.")
        if question.section not in sections:
            yield Fault(f"{where}/section", "unknown-section", "There is no such section.")
        if isinstance(question, Closed):
            yield from _codes((option.code for option in question.options), f"{where}/options")
        if isinstance(question, WithRows):
            yield from _codes((row.code for row in question.rows), f"{where}/rows")
        if isinstance(question, Measured) and question.special:
            yield from _codes((option.code for option in question.special), f"{where}/special")
            yield from _once([option.code for option in (*question.special, *question.bands)], f"{where}/special", "code")
    yield from _once((question.id for question in instrument.questions), "/questions", "id")
    yield from _once([*(q.var for q in instrument.questions), *(item.id for item in instrument.derived)], "/questions", "var")


def _codes(codes: Iterable[str], where: str) -> Iterator[Fault]:
    listed = list(codes)
    if not listed:
        yield Fault(where, "empty", "There must be at least one.")
    for place, code in enumerate(listed):
        if not _CODE.fullmatch(code):
            yield Fault(f"{where}/{place}/code", "bad-name", "A code has letters, digits and _ . + - only.")


def _once(names: Iterable[str], where: str, what: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield Fault(f"{where}/{place}/{what}", "duplicate", f"The name {name[:64]} is used twice.")
        seen.add(name)


def _rules(instrument: Instrument) -> Iterator[Fault]:
    """Faults of skip rules that look forward: no question may appear above the one that a respondent is at."""
    derived = {item.id: item.rule for item in instrument.derived}
    position = {question.id: place for place, question in enumerate(instrument.questions)}
    for place, question in enumerate(instrument.questions):
        rules = [question.show_if, *(part.show_if for part in conditional(question))]
        for name in chain.from_iterable(questions_in(rule, derived) for rule in rules):
            if position.get(name, place) >= place:
                yield Fault(f"/questions/{place}/show_if", "looks-forward", f"A rule can only ask earlier questions, not {name[:64]}.")
