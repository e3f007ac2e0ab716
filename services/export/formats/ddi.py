"""`codebook.xml`: the release in DDI-Codebook 2.5, with question texts, universes, labels in all languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from proto.instrument import Texts
from services.export.dataset.citation import cite
from services.export.dataset.licences import terms
from services.export.dataset.quoting import xml
from services.export.dataset.table import Category, Dataset, DatasetColumn, Passages
from services.export.dataset.words import text

NAMESPACE = "ddi:codebook:2_5"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def write(path: Path, table: Dataset) -> None:
    """Writes elements in the order of the schema. The file names neither a time nor a program."""
    root = describe(table)
    for element in root.iter():
        element.text = xml(element.text) if element.text else element.text
    ElementTree.indent(root)
    with path.open("wb") as file:
        ElementTree.ElementTree(root).write(file, encoding="UTF-8", xml_declaration=True)
        file.write(b"\n")


def describe(table: Dataset) -> Element:
    root = Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", _LANG: table.edition.language})
    _study(root, table)
    _file(root, table)
    data = SubElement(root, "dataDscr")
    for column in table.columns:
        _variable(data, column, table.edition.languages)
    return root


def _study(root: Element, table: Dataset) -> None:
    edition = table.edition
    study = SubElement(root, "stdyDscr")
    citation = SubElement(study, "citation")
    title = SubElement(citation, "titlStmt")
    SubElement(title, "titl", {_LANG: edition.language}).text = text(edition.title, edition.language)
    for language in edition.languages:
        if language != edition.language:
            SubElement(title, "parTitl", {_LANG: language}).text = text(edition.title, language)
    SubElement(title, "IDNo").text = f"{edition.survey}/{edition.number}"
    if edition.publisher:
        SubElement(SubElement(citation, "rspStmt"), "AuthEnty").text = text(edition.publisher, edition.language)
    if edition.date:
        SubElement(SubElement(citation, "distStmt"), "distDate", {"date": edition.date}).text = edition.date
    SubElement(SubElement(citation, "verStmt"), "version").text = f"Release {edition.number}, questionnaire {edition.version}"
    SubElement(citation, "biblCit").text = cite(edition)
    if edition.address:
        SubElement(citation, "holdings", {"URI": edition.address}).text = edition.address
    access = SubElement(SubElement(study, "dataAccs"), "useStmt")
    licence = terms(edition.licence, edition.profile)
    SubElement(access, "restrctn").text = "Do not try to find out who the respondents are."
    SubElement(access, "citReq").text = cite(edition)
    SubElement(access, "conditions").text = f"{licence.title} ({licence.name}), {licence.url}"


def _file(root: Element, table: Dataset) -> None:
    about = SubElement(SubElement(root, "fileDscr", {"ID": "data", "URI": "data.csv"}), "fileTxt")
    SubElement(about, "fileName").text = "data.csv"
    size = SubElement(about, "dimensns")
    SubElement(size, "caseQnty").text = str(table.rows)
    SubElement(size, "varQnty").text = str(len(table.columns))
    SubElement(about, "fileType").text = "text/csv; charset=utf-8"
    if table.passages and table.passages.lines:
        _texts_file(root, table.passages)


def _texts_file(root: Element, passages: Passages) -> None:
    """Described as a file, not as variables: its lines are no cases."""
    about = SubElement(SubElement(root, "fileDscr", {"ID": "texts", "URI": "texts.csv"}), "fileTxt")
    SubElement(about, "fileName").text = "texts.csv"
    asked = ", ".join(question.name for question in passages.questions)
    SubElement(about, "fileCont").text = (
        f"Free texts ({asked}): question, language, text. Each was accepted for this release by a person who read it. "
        "They belong to no case of data.csv and have no order."
    )
    size = SubElement(about, "dimensns")
    SubElement(size, "caseQnty").text = str(len(passages.lines))
    SubElement(size, "varQnty").text = "3"
    SubElement(about, "fileType").text = "text/csv; charset=utf-8"


def _variable(data: Element, column: DatasetColumn, languages: tuple[str, ...]) -> None:
    ordinal = "ordinal" if column.measure == "ordinal" else "nominal"
    identity = "V_" + re.sub(r"[^A-Za-z0-9_.-]", "_", column.name)
    variable = SubElement(
        data, "var", {"ID": identity, "name": column.name, "files": "data", "dcml": "0", "intrvl": "discrete", "nature": ordinal}
    )
    if column.weighs:
        variable.set("wgt", "wgt")
    _texts(variable, "labl", {language: column.label(language) for language in languages})
    question = SubElement(variable, "qstn", {"seqNo": column.question})
    _texts(question, "qstnLit", column.text)
    if any(category.absent for category in column.categories):
        invalid = SubElement(variable, "invalrng")
        for category in column.categories:
            if category.absent:
                SubElement(invalid, "item", {"VALUE": category.code})
    _texts(variable, "universe", column.universe)
    SubElement(variable, "TotlResp").text = str(sum(column.counts))
    for category, count in zip(column.categories, column.counts, strict=True):
        _category(variable, category, count)
    SubElement(variable, "varFormat", {"type": "character", "schema": "other"})
    if column.level is not None:
        SubElement(variable, "notes", {"type": "protection", "subject": "level of detail"}).text = column.level
    SubElement(variable, "notes", {"type": "protection", "subject": "role"}).text = column.role.replace("_", "-")


def _category(variable: Element, category: Category, count: int) -> None:
    element = SubElement(variable, "catgry", {"missing": "Y"} if category.absent else {})
    SubElement(element, "catValu").text = category.code
    _texts(element, "labl", category.labels)
    SubElement(element, "catStat", {"type": "freq"}).text = str(count)


def _texts(parent: Element, tag: str, texts: Mapping[str, str] | Texts) -> None:
    for language, content in texts.items():
        SubElement(parent, tag, {_LANG: language}).text = content
