"""Ready-made scripts that read a release: `read_pandas.py`, `read.R`, `read.do`."""

from __future__ import annotations

import json
from pathlib import Path

from services.export.citation import cite
from services.export.table import Column, Table
from services.export.words import text

_PANDAS = '''"""{title}
Reads data.csv, beside this file, with labels in place of codes: `from read_pandas import data`. Needs pandas.

{cite}
"""

import json
from pathlib import Path

import pandas as pd

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

if __name__ == "__main__":
    print(data.describe().T)
'''

_STATA = """* {title}
* Reads data.dta, which lies beside this file, with labels. {cite}
* Missing: {missing}
version 14
use "data.dta", clear
assert _N == {rows}
describe, short
"""


def pandas(path: Path, table: Table) -> None:
    path.write_text(_PANDAS.format(title=_title(table).replace("\\", "\\\\"), cite=cite(table.edition)), encoding="utf-8")


def stata(path: Path, table: Table) -> None:
    missing = ", ".join(f".{category.letter} {meaning}" for category, meaning in table.absent())
    body = _STATA.format(title=_title(table), cite=cite(table.edition), missing=missing, rows=table.rows)
    path.write_text(body, encoding="utf-8")


def r(path: Path, table: Table) -> None:
    """Base R alone: factors with labels, what is no answer NA; `codes` keeps the reasons."""
    head = [
        f"# {_title(table)}",
        "# Reads data.csv, which lies in the working directory, with labels. Needs no package.",
        f"# {cite(table.edition)}",
        'codes <- read.csv("data.csv", colClasses = "character", na.strings = character(0), check.names = FALSE, encoding = "UTF-8")',
        f"stopifnot(nrow(codes) == {table.rows}L)",
        "data <- codes  # codes says why an answer is missing; in data it is NA",
    ]
    path.write_text("\n".join([*head, *(_factor(column, table.edition.language) for column in table.columns)]) + "\n", encoding="utf-8")


def _factor(column: Column, language: str) -> str:
    shown = [(each.code, label) for each, label in zip(column.categories, column.shown(language), strict=True) if not each.absent]
    name, ordered = _quoted(column.name), "TRUE" if column.measure == "ordinal" else "FALSE"
    levels, labels = (", ".join(map(_quoted, side)) for side in (zip(*shown, strict=True) if shown else ((), ())))
    return (
        f"data[[{name}]] <- factor(data[[{name}]], levels = c({levels}), labels = c({labels}), ordered = {ordered})\n"
        f'attr(data[[{name}]], "label") <- {_quoted(column.label(language))}'
    )


def _quoted(value: str) -> str:
    """A string of R: JSON's escapes are R's as well, apart from characters beyond the basic plane, which stay as they are."""
    return json.dumps(value, ensure_ascii=False)


def _title(table: Table) -> str:
    edition = table.edition
    return f"{text(edition.title, edition.language)}, release {edition.number}"
