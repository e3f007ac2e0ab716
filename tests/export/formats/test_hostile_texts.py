"""No text of a questionnaire becomes code in a file of a release: each is opened by the language it is written in."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import ast
import csv
import json
import os
import runpy
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.export import formats
from services.export.dataset import quoting
from services.export.dataset.citation import Work, cite, name_of
from services.export.dataset.table import Dataset
from tests.export import judges
from tests.export.stata_grammar import faults
from tests.export.tables import PASSAGES, released

HOSTILE = [
    "A survey of security\nin public spaces\n",
    'Plain"""\nopen("pwned", "w")\n"""',
    "What is '''safe'''?",
    'Plain\nwriteLines("x", "pwned")',
    "Plain\r\nshell touch pwned\r\n",
    "Safety \\Users and \\N in C:\\new \\",
    "Streets /* and squares */ // ///",
    "/*/ **/ */* ///",
    '`=`\' `: dir . files "*"\' $S_DATE ${HOME} `"compound"\'',
    'quote " and `" "\' end',
    "50 % of {all} } { \\input{/etc/passwd} # & _ ~ ^ $",
    "tab\tbell\x07null\x00escape\x1b[31m",
    "line\u2028separator\u2029paragraph\x85next",
    "\u202e)(nwod edispu\u202c \u2066isolated\u2069",
    "</title><script>alert(1)</script> &amp; ]]> <!-- -->",
    "[link](javascript:alert(1)) `code` *bold* <b> ![x](y)\n# heading",
    "=cmd|'/C calc'!A0",
    "{cite} {title} {0} {{}} %s %(x)s",
    "𝕌nicode \U0001f600 déjà vu – “quoted” Ωμέγα",
    "",
    " ",
    "#",
]

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def table() -> Dataset:
    """Few columns, so that it is written quickly."""
    made = replace(released(), passages=PASSAGES)
    few = [column for column in made.columns if column.name in ("age", "district", "statements.safe")]
    return replace(made, columns=tuple(few))


def saying(table: Dataset, title: str, publisher: str = "", label: str = "") -> Dataset:
    """The same table with these texts of a questionnaire."""
    edition = replace(
        table.edition, title={"en": title}, publisher={"en": publisher}, date="2026-11-30", address="https://s.example/data/x"
    )
    if not label:
        return replace(table, edition=edition)
    columns = [
        replace(
            column,
            text={"en": label},
            part={"en": label},
            section={"en": label},
            universe={"en": label},
            categories=tuple(replace(each, labels={"en": label}) for each in column.categories),
        )
        for column in table.columns
    ]
    return replace(table, edition=edition, columns=tuple(columns))


def statements(script: str) -> list[str]:
    """What a script of Python does, constants apart."""
    tree = ast.parse(script)
    return [ast.dump(node) if not _is_constant(node) else f"constant {node.targets[0].id}" for node in tree.body]  # type: ignore[attr-defined]


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)


@pytest.fixture(scope="module")
def plain(table: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("plain") / "read_pandas.py"
    formats.scripts.pandas(path, saying(table, "Plain"))
    return statements(path.read_text("utf-8"))


@given(title=ANY, publisher=ANY)
@FEW
def test_the_script_for_pandas_holds_texts_as_constants_and_nothing_more(
    table: Dataset, plain: list[str], tmp_path: Path, title: str, publisher: str
) -> None:
    hostile = saying(table, title, publisher)
    formats.scripts.pandas(tmp_path / "read_pandas.py", hostile)
    script = (tmp_path / "read_pandas.py").read_text("utf-8")
    assert statements(script) == plain
    constants = {n.targets[0].id: n.value.value for n in ast.parse(script).body if _is_constant(n)}  # type: ignore[attr-defined]
    assert constants == {"title": f"{quoting.one_line(title)}, release 1", "citation": cite(hostile.edition)}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_release_with_a_hostile_questionnaire_opens_in_python_and_runs_nothing(
    text: str, table: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = saying(table, text, text, text)
    formats.write(tmp_path, hostile, lambda share: None)
    read = runpy.run_path("read_pandas.py")
    assert len(read["data"]) == table.rows
    assert not (tmp_path / "pwned").exists()
    ElementTree.parse("codebook.xml")
    page = (tmp_path / "codebook.html").read_text("utf-8")
    assert "<script" not in page
    for name in ("datapackage.json", "data.csv-metadata.json"):
        json.loads((tmp_path / name).read_text("utf-8"))
    assert faults((tmp_path / "read.do").read_text("utf-8")) == []
    licence = (tmp_path / "LICENSE").read_text("utf-8")
    assert len(licence.splitlines()) == 10, "a text of the questionnaire adds no line"
    _, spss = pyreadstat.read_sav("data.sav", metadataonly=True)
    _, stata = pyreadstat.read_dta("data.dta", metadataonly=True)
    for meta in (spss, stata):
        assert all(len(set(labels.values())) == len(labels) for labels in meta.variable_value_labels.values())
        assert not any("\n" in label for labels in meta.variable_value_labels.values() for label in labels.values())


@given(ANY)
def test_a_comment_is_one_line_of_python_r_and_stata(text: str) -> None:
    assert len(quoting.hash_comment(text).splitlines()) == 1
    assert faults(quoting.stata_comment(text) + "\n") == []
    assert ast.dump(ast.parse(quoting.hash_comment(text))) == ast.dump(ast.parse(""))


@given(ANY, ANY, st.sampled_from(["", "2026-11-30"]))
def test_a_citation_is_one_line_and_its_bibtex_has_balanced_braces_and_the_fields_intended(title: str, publisher: str, date: str) -> None:
    work = Work(name_of(publisher), title, 3, "x", "1.0", date, "https://s.example/data/x")
    assert len(work.line().splitlines()) == 1
    lines = work.bibtex().splitlines()
    assert (lines[0], lines[-1]) == ("@misc{x-3,", "}")
    names = [line.strip().partition(" = ")[0] for line in lines[1:-1]]
    assert set(names) <= {"title", "author", "year", "date", "version", "note", "url"}
    assert ("year" in names) == bool(date)
    for line in lines[1:-1]:
        depth = 0
        for place, sign in enumerate(line.rstrip(",")):
            depth += {"{": 1, "}": -1}.get(sign, 0)
            assert depth >= 0
            assert depth or sign == "}" or place < line.index("{"), "a field ends where its brace does"
        assert depth == 0
    (item,) = json.loads(work.csl())
    assert item["URL"] == "https://s.example/data/x"
    assert item.get("issued") == ({"date-parts": [[2026, 11, 30]]} if date else None)


def test_the_grammar_of_stata_finds_what_the_former_comments_let_through() -> None:
    for text in ("two\nlines", "/* block", "join ///", "`=1'", "$S_DATE"):
        assert faults(f"* {text}\nversion 14\n") != []


def rscript(script: str, folder: Path, *given: str) -> list[str]:
    if shutil.which("Rscript") is None:
        judges.missing(judges.WITHOUT_R)
    line = ["Rscript", "--vanilla", "-e", script, *given]
    utf8 = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8", env=utf8)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_r_reads_every_hostile_text_as_it_was_written_and_runs_none(table: Dataset, tmp_path: Path) -> None:
    """One run of R over all of them: each `read.R` is read in a folder of its own, and every string is compared by its code points."""
    many = [*HOSTILE, "".join(map(chr, range(1, 0x250))), "".join(map(chr, range(0x2000, 0x2070)))]
    for place, text in enumerate(many):
        folder = tmp_path / str(place)
        folder.mkdir()
        hostile = saying(table, text, text, text)
        formats.scripts.r(folder / "read.R", hostile)
        formats.delimited.write(folder / "data.csv", hostile)
    strings = tmp_path / "strings.R"
    strings.write_text("c(" + ",\n".join(map(quoting.r_string, many)) + ")\n", "utf-8")
    script = f"""for (place in 0:{len(many) - 1}) {{
        setwd(file.path("{tmp_path}", place)); source("read.R", encoding = "UTF-8"); cat(nrow(data), ncol(data), "\\n") }}
        for (each in eval(parse("{strings}", encoding = "UTF-8"))) cat(paste(utf8ToInt(each), collapse = " "), "\\n")"""
    lines = rscript(script, tmp_path)
    assert lines[: len(many)] == [f"{table.rows} {len(table.columns)} "] * len(many)
    read = ["".join(chr(int(point)) for point in line.split() if point != "NA") for line in lines[len(many) :]]
    assert read == [text.replace("\x00", "\ufffd") for text in many]
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("quote", [quoting.markdown, quoting.tex, quoting.one_line, quoting.tex_address])
@given(text=ANY)
def test_what_is_quoted_is_on_one_line(quote: Callable[[str], str], text: str) -> None:
    assert len(quote(text).splitlines()) <= 1


def test_labels_that_agree_for_120_bytes_stay_apart_in_every_program(table: Dataset, tmp_path: Path) -> None:
    """Greek letters are two bytes each: 66 of them are cut where SPSS reads 120 bytes."""
    long = "Διαφωνώ απολύτως και το λέω ξανά και ξανά για να είναι μεγάλη η ετικέτα "
    column = next(column for column in table.columns if column.name == "district")
    labels = [f"{long}{place}" for place in range(len(column.categories))]
    categories = tuple(replace(each, labels={"en": label}) for each, label in zip(column.categories, labels, strict=True))
    twin = replace(column, name="district2", short="district2", text={"en": "Q" * 300 + "1"}, part={})
    columns = (replace(column, categories=categories, text={"en": "Q" * 300 + "2"}, part={}), replace(twin, categories=categories))
    formats.spss.write(tmp_path / "data.sav", replace(table, columns=columns))
    formats.stata.write(tmp_path / "data.dta", replace(table, columns=columns))
    _, meta = pyreadstat.read_sav(str(tmp_path / "data.sav"), metadataonly=True)
    told: dict[Any, str] = meta.variable_value_labels["district"]
    assert len(set(told.values())) == len(categories)
    assert all(len(label.encode()) <= 120 for label in told.values())
    for found in (meta, pyreadstat.read_dta(str(tmp_path / "data.dta"), metadataonly=True)[1]):
        assert len(set(found.column_names_to_labels.values())) == 2
    frame = pd.read_spss(str(tmp_path / "data.sav"))
    answered = {category.code for category, count in zip(column.categories, column.counts, strict=True) if count and not category.absent}
    assert frame["district"].nunique() == len(answered)


def test_every_table_of_the_release_is_read_by_a_plain_reader(table: Dataset, tmp_path: Path) -> None:
    """data.csv holds codes: letters, digits and `_.+-*`, whatever the texts say."""
    formats.delimited.write(tmp_path / "data.csv", saying(table, '"\n,', '"\n,', '"\n,'))
    with (tmp_path / "data.csv").open(encoding="utf-8") as file:
        assert {len(row) for row in csv.reader(file)} == {len(table.columns)}
