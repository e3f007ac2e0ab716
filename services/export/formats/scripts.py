"""Ready-made scripts that read a release: `read_pandas.py`, `read.R`, `read.do`.

Texts of the questionnaire stand in them as constants and in comments alone, quoted by the rules of each language (`quoting`).
"""

from __future__ import annotations

from pathlib import Path

from services.export.dataset.citation import cite
from services.export.dataset.quoting import hash_comment, one_line, python_string, r_string, stata_comment
from services.export.dataset.table import Dataset, DatasetColumn
from services.export.dataset.words import text

_PANDAS = '''"""Reads data.csv, beside this file, with labels in place of codes: `from read_pandas import data`. Needs pandas."""

import json
from pathlib import Path

import pandas as pd

title = {title}
citation = {citation}

folder = Path(__file__).parent
described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["resources"][0]["schema"]["fields"]
codes = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False, encoding="utf-8")

# Codes that are no answers, and why: codes["name"] still holds them, in data they are missing.
reasons = {{field["name"]: {{each["value"]: each["label"] for each in field.get("missingValues", [])}} for field in described}}


def labelled(field):
    categories = field.get("categories", [])
    known = [each["value"] for each in categories]
    answers = codes[field["name"]].where(codes[field["name"]].isin(known))
    values = pd.Categorical(answers, known, ordered=field.get("categoriesOrdered", False))
    return values.rename_categories([each["label"] for each in categories])


data = pd.DataFrame({{field["name"]: labelled(field) for field in described}})
labels = {{field["name"]: field["title"] for field in described}}
{weight}
if __name__ == "__main__":
    print(data.describe().T)
'''

_PANDAS_WEIGHT = """
# What each row weighs, as a number; missing where it was not told.
weights = pd.to_numeric(codes[{name}], errors="coerce")
"""

_STATA = """version 14
use "data.dta", clear
assert _N == {rows}
describe, short
"""

_STATA_WEIGHT = """* What each row weighs, as a number: estimate with [pweight=_weight].
decode {name}, generate(_weight_label)
generate double _weight = real(_weight_label)
"""


def pandas(path: Path, table: Dataset) -> None:
    constants = {"title": python_string(_title(table)), "citation": python_string(cite(table.edition))}
    weight = "" if table.weight is None else _PANDAS_WEIGHT.format(name=python_string(table.weight.name))
    path.write_text(_PANDAS.format(**constants, weight=weight), encoding="utf-8")


def stata(path: Path, table: Dataset) -> None:
    missing = ", ".join(f".{category.letter} {meaning}" for category, meaning in table.absent())
    comments = (_title(table), "Reads data.dta, which lies beside this file, with labels.", cite(table.edition), f"Missing: {missing}")
    head = "".join(stata_comment(line) + "\n" for line in comments)
    weight = "" if table.weight is None else _STATA_WEIGHT.format(name=table.weight.short)
    path.write_text(head + _STATA.format(rows=table.rows) + weight, encoding="utf-8")


def r(path: Path, table: Dataset) -> None:
    """Base R alone: factors with labels, what is no answer NA; `codes` keeps the reasons."""
    head = [
        hash_comment(_title(table)),
        "# Reads data.csv, which lies in the working directory, with labels. Needs no package.",
        hash_comment(cite(table.edition)),
        'codes <- read.csv("data.csv", colClasses = "character", na.strings = character(0), check.names = FALSE, encoding = "UTF-8")',
        f"stopifnot(nrow(codes) == {table.rows}L)",
        "data <- codes  # codes says why an answer is missing; in data it is NA",
    ]
    lines = [*head, *(_factor(column, table.edition.language) for column in table.columns)]
    if table.weight is not None:
        lines.append("# What each row weighs, as a number; NA where it was not told.")
        lines.append(f"weights <- suppressWarnings(as.numeric(codes[[{r_string(table.weight.name)}]]))")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _factor(column: DatasetColumn, language: str) -> str:
    shown = [
        (category.code, label) for category, label in zip(column.categories, column.shown(language), strict=True) if not category.absent
    ]
    name, ordered = r_string(column.name), "TRUE" if column.measure == "ordinal" else "FALSE"
    levels, labels = (", ".join(map(r_string, side)) for side in (zip(*shown, strict=True) if shown else ((), ())))
    return (
        f"data[[{name}]] <- factor(data[[{name}]], levels = c({levels}), labels = c({labels}), ordered = {ordered})\n"
        f'attr(data[[{name}]], "label") <- {r_string(column.label(language))}'
    )


def _title(table: Dataset) -> str:
    edition = table.edition
    return f"{one_line(text(edition.title, edition.language))}, release {edition.number}"
