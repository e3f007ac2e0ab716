"""`texts.csv`: accepted free texts, in no row's company: question, language, text (CSV as in RFC 4180, UTF-8, line feeds)."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from services.export.dataset.table import Dataset
from services.runtime.spreadsheet_csv import Writer

HEADER = ("question", "language", "text")


def write(path: Path, table: Dataset) -> None:
    """Writes texts in the order of the questionnaire; within a question in an order that differs between releases."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = Writer(file)
        writer.writerow(HEADER)
        for passage in table.passages.lines if table.passages else ():
            writer.writerow((passage.question, passage.language, cell(passage.text)))


def cell(text: str) -> str:
    """Line ends as line feeds, other control characters as U+FFFD."""
    return "".join(
        sign if sign in "\n\t" or unicodedata.category(sign) != "Cc" else "\ufffd"
        for sign in text.replace("\r\n", "\n").replace("\r", "\n")
    )
