"""Writes a questionnaire as DDI-Codebook 2.5: each variable with its question, its universe and its categories, and no counts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import assert_never
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from deploy.cli.exchange.report import Report
from proto.authoring.question_checks import BIGGEST
from proto.instrument import (
    NON_SUBSTANTIVE,
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
    Option,
    Ranking,
    ShortText,
    Single,
    Texts,
)
from services.export.dataset.quoting import xml
from services.export.dataset.universe import universe
from services.export.formats.ddi import NAMESPACE

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LOST = ("hierarchies", "headlines", "margins", "soft_checks")


def write(instrument: Instrument, report: Report, file: str) -> bytes:
    """The XML. What it cannot say is added to `report`."""
    root = Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", _LANG: instrument.source_language})
    _study(root, instrument)
    data = SubElement(root, "dataDscr")
    for question in instrument.questions:
        _group(data, question)
    for question in instrument.questions:
        for name, label, options, response in _variables(question):
            _variable(data, instrument, question, name, label, options, response)
    for element in root.iter():
        element.text = xml(element.text) if element.text else element.text
    ElementTree.indent(root)
    report.outcome.asked = report.outcome.whole = len(instrument.questions)
    lost = [name.replace("_", " ") for name in _LOST if getattr(instrument, name)]
    lost += ["rules, but in words"] if any(question.show_if for question in instrument.questions) else []
    for what in [*lost, "the notice", "the policy"]:
        report.add("dropped", "ddi", file, f"a code book does not hold {what}")
    out = io.BytesIO()
    ElementTree.ElementTree(root).write(out, encoding="UTF-8", xml_declaration=True)
    return out.getvalue() + b"\n"


def _study(root: Element, instrument: Instrument) -> None:
    citation = SubElement(SubElement(root, "stdyDscr"), "citation")
    title = SubElement(citation, "titlStmt")
    SubElement(title, "titl", {_LANG: instrument.source_language}).text = instrument.title[instrument.source_language]
    for language in instrument.languages:
        if language != instrument.source_language:
            SubElement(title, "parTitl", {_LANG: language}).text = instrument.title[language]
    SubElement(title, "IDNo").text = instrument.id
    SubElement(SubElement(citation, "verStmt"), "version").text = f"Questionnaire {instrument.version}"


def _group(data: Element, question: AnyQuestion) -> None:
    """Variables of one question belong together: `grid` or `multipleResp`."""
    names = [name for name, *_ in _variables(question)]
    kind = "grid" if isinstance(question, Matrix) else "multipleResp" if isinstance(question, Multiple) else "other"
    if len(names) > 1:
        group = SubElement(data, "varGrp", {"ID": f"G_{question.var}", "type": kind, "var": " ".join(f"V_{name}" for name in names)})
        _texts(group, "labl", question.text)


def _variables(question: AnyQuestion) -> Iterator[tuple[str, Texts, tuple[Option, ...], str]]:
    """Name, label, categories and kind of response of each variable."""
    match question:
        case Single():
            yield question.var, question.text, question.options, "discrete"
        case Multiple():
            for option in question.options:
                yield f"{question.var}_{_name(option.code)}", option.text, (), "discrete"
        case Matrix():
            for row in question.rows:
                yield f"{question.var}_{_name(row.code)}", row.text, question.options, "discrete"
        case Ranking():
            for place in range(1, question.rank_count + 1):
                yield f"{question.var}_{place}", question.text, question.options, "discrete"
        case ConstantSum():
            for row in question.rows:
                yield f"{question.var}_{_name(row.code)}", row.text, (), "contin"
        case Integer() | Numeric():
            yield question.var, question.text, (), "contin"
        case Date() | ShortText() | LongText():
            yield question.var, question.text, (), "discrete"
        case _:
            assert_never(question)


def _variable(
    data: Element, instrument: Instrument, question: AnyQuestion, name: str, label: Texts, options: tuple[Option, ...], kind: str
) -> None:
    variable = SubElement(data, "var", {"ID": f"V_{name}", "name": name, "intrvl": kind})
    if isinstance(question, CaseWeight):
        variable.set("wgt", "wgt")
    _texts(variable, "labl", label)
    asked = SubElement(variable, "qstn", {"seqNo": question.id, "responseDomainType": _domain(question)})
    _texts(asked, "qstnLit", question.text)
    _texts(asked, "ivuInstr", question.help)
    if isinstance(question, Integer | Numeric):
        bounds = {"min": question.min, "max": question.max}
        given = {name: f"{bound:g}" for name, bound in bounds.items() if abs(bound) < BIGGEST}
        if given:
            SubElement(SubElement(variable, "valrng"), "range", given)
    absent = [option for option in options if option.code in NON_SUBSTANTIVE]
    if absent:
        invalid = SubElement(variable, "invalrng")
        for option in absent:
            SubElement(invalid, "item", {"VALUE": option.code})
    _texts(variable, "universe", {language: universe(instrument, question.show_if, language) for language in instrument.languages})
    ticked = isinstance(question, Multiple)
    for option in options:
        _category(variable, option.code, option.text, option in absent)
    for code in ("1", "0") if ticked else ():
        _category(variable, code, {}, False)
    if isinstance(question, Computed):
        derivation = SubElement(variable, "derivation")
        SubElement(derivation, "drvdesc").text = f"{question.op} of {', '.join(question.of)}, where at least {question.least} are known"
    text = isinstance(question, ShortText | LongText)
    SubElement(variable, "varFormat", {"type": "character" if text or options else "numeric", "schema": "other"})
    SubElement(variable, "notes", {"type": "protection", "subject": "role"}).text = question.privacy.role.replace("_", "-")


def _category(variable: Element, code: str, label: Texts, missing: bool) -> None:
    category = SubElement(variable, "catgry", {"missing": "Y"} if missing else {})
    SubElement(category, "catValu").text = code
    _texts(category, "labl", label)


def _domain(question: AnyQuestion) -> str:
    match question:
        case Single() | Matrix() | Ranking():
            return "category"
        case Multiple():
            return "multiple"
        case Integer() | Numeric() | ConstantSum():
            return "numeric"
        case Date():
            return "datetime"
        case ShortText() | LongText():
            return "text"
        case _:
            assert_never(question)


def _texts(parent: Element, tag: str, texts: Texts) -> None:
    for language, content in texts.items():
        SubElement(parent, tag, {_LANG: language}).text = content


def _name(code: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "_.-" else "_" for sign in code)
