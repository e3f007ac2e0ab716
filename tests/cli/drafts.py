"""Drafts of small tables, with the answers that every row gives."""

from __future__ import annotations

import csv
import io
from typing import Any

from deploy.cli import import_map, mapping
from deploy.cli.answering import Answering
from deploy.cli.datafile.reading import read_sheet
from deploy.cli.drafting.draft import draft
from deploy.cli.import_map import ImportMap
from proto import author
from proto.answers import Reader
from proto.instrument import Instrument, Multiple, Single


def drafted(text: str) -> tuple[Instrument, ImportMap, list[dict[str, Any]], str]:
    """The draft, its map, the answers of every row (each of which intake takes), and the text."""
    sheet = read_sheet(text.encode())
    instrument_text, map_text = draft(sheet, "data.csv", {"header": list(sheet.header)})
    instrument = author.read(instrument_text, "data.yaml", lambda name: "")
    assert isinstance(instrument, Instrument), "\n".join(map(str, instrument))
    map_ = import_map.read(map_text, "map.yaml")
    assert isinstance(map_, ImportMap), "\n".join(map(str, map_))
    columns = mapping.agreeing(map_.columns, sheet.columns, instrument)
    assert set(sheet.columns) <= {*columns, *map_.beside()}
    answering, reader = Answering(columns, instrument, (row.cells or {} for row in sheet.rows), map_), Reader(instrument)
    found: list[dict[str, Any]] = []
    for row in sheet.rows:
        if row.cells is None:
            continue
        answers, reasons = answering.answers(row.cells, row.line)
        assert not reasons
        struct, faults = reader.convert(answers)
        assert not faults
        assert not reader.check(struct, "2026-11-30")
        found.append(answers)
    return instrument, map_, found, instrument_text


def table(columns: dict[str, list[str]], separator: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def times(*cells: str, rows: int = 60) -> list[str]:
    return [cells[row % len(cells)] for row in range(rows)]


def kinds(instrument: Instrument) -> dict[str, str]:
    return {question.id: type(question).__name__ for question in instrument.questions}


def options(instrument: Instrument, id: str) -> list[str]:
    question = instrument.question(id)
    assert isinstance(question, Single | Multiple)
    return [option.text["en"] for option in question.options]
