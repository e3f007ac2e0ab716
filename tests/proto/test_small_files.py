"""Questionnaires as editors and word processors leave them: each is read, or refused once, with the line and in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from proto import author
from proto.instrument import Instrument, Single

TEXT = """\
format: platea-instrument/1
id: doc
version: "0.1.0"
source_language: en
languages: [en]
title: {en: "Long"}
notice: {en: "I agree."}
sections: [{id: A, text: {en: "A"}}]
questions:
  - id: Q1
    var: a
    section: A
    type: single
    text: {en: "Which?"}
    options: [{code: "a", en: "Yes"}, {code: "b", en: "No"}]
    privacy: {role: insensitive}
"""
MANY = "".join(f'\n      - {{code: "c{n}", en: "Town {n}"}}' for n in range(501))
OPTIONS = 'options: [{code: "a", en: "Yes"}, {code: "b", en: "No"}]'
FROM = "options_from: {file: towns.csv, code: code, label: {en: name}}"


def told(content: bytes, tmp_path: Path, table: bytes = b"") -> list[str]:
    """What `platea survey check` says of the file; nothing where it is read as it is meant."""
    (tmp_path / "towns.csv").write_bytes(table)
    file = tmp_path / "doc.yaml"
    file.write_bytes(content)
    found = author.load(file)
    if isinstance(found, Instrument):
        (question,) = found.questions
        assert isinstance(question, Single)
        assert [option.text["en"] for option in question.options] == ["Yes", "No"]
        return []
    return [str(fault) for fault in found]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        b"---\n" + TEXT.encode(),
        b"# our survey\n---\n" + TEXT.encode(),
        b"# our survey\n\n# of the square\n---\n" + TEXT.encode() + b"\n---\nformat: platea-import/2\n",
        TEXT.encode() + b"\n---\nformat: platea-import/2\n",
        TEXT.encode() + b"\n...\n",
    ],
    ids=["mark", "lines of Windows", "start", "start below a comment", "start and map", "map", "end"],
)
def test_a_file_is_read_in_every_dress(content: bytes, tmp_path: Path) -> None:
    assert told(content, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('{en: "Which?"}', "{en: Which: one, or two?}", "14: not YAML: did not find expected ',' or '}'"),
        ("    var: a", "\tvar: a", "11: not YAML: found a tab character that violates indentation"),
        ("    var: a", "\u00a0   var: a", "11: not YAML: the line begins with a space of another kind, such as one copied from a page"),
        (OPTIONS, "options:" + MANY, "16: 501 entries; at most 500 are allowed"),
        ("{code: \"b\", en: \"No\"}", '{code: "b"}', "15: the text in en is missing (every declared language needs it)"),
        ('{code: "b", en: "No"}', "{code: no, en: No}", '15: no is not read as text (write it in quotes: "no")'),
        ('"0.1.0"', "0.1", '3: 0.1 is not read as text (write it in quotes: "0.1")'),
    ],
)  # fmt: skip
def test_a_slip_is_named_at_its_line(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    assert told(TEXT.replace(old, new, 1).encode(), tmp_path)[0] == f"doc.yaml:{sentence}"


def test_too_many_options_are_one_fault(tmp_path: Path) -> None:
    assert len(told(TEXT.replace(OPTIONS, "options:" + MANY).encode(), tmp_path)) == 1


def test_a_file_in_utf_16_is_refused(tmp_path: Path) -> None:
    assert told(TEXT.encode("utf-16"), tmp_path) == ["doc.yaml:1: the file is not UTF-8 text (save it as UTF-8)"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (b"code,name\na,Yes\nb,No\n", ""),
        (b"code,name\n" + b"".join(b"c%d,Town\n" % n for n in range(1000)), "towns.csv holds 1,000 rows; at most 500 options are allowed"),
        (b"code;name\na;Yes\n", "towns.csv has semicolons between its cells (save it with commas)"),
        (b"code,name\na,Stra\xdfe\n", "towns.csv cannot be read (a CSV file in UTF-8 with a header, beside the instrument)"),
    ],
)
def test_a_table_of_options_is_read_or_refused_once(table: bytes, sentence: str, tmp_path: Path) -> None:
    found = told(TEXT.replace(OPTIONS, FROM).encode(), tmp_path, table)
    assert found == ([f"doc.yaml:15: {sentence}"] if sentence else [])
