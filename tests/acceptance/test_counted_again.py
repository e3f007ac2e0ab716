"""Simulated respondents: the exact view equals a count of the stored rows that knows nothing of matrices."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false, reportReturnType=false
# What libraries of data frames return is typed as more than comes.

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import asyncpg
import pandas as pd
import pytest

from deploy.stack import running
from deploy.stack.data_folder import DataFolder
from deploy.stack.postgres_server import Postgres
from proto.instrument import Date, Integer, Matrix, Multiple, Numeric, Ranking, Single
from tests.builders.bundled import questionnaire
from tests.faults.operated import Operated
from tests.faults.respondents import exact, recorded

RESPONSES = int(os.environ.get("PLATEA_ACCEPTANCE_RESPONSES", "400"))


async def stored(stack: Operated) -> pd.DataFrame:
    """The answers as they lie in PostgreSQL, one column per question."""
    folder = DataFolder(stack.data)
    told = running.read(stack.data)
    assert told is not None
    assert told.postgres is not None
    server = Postgres(folder.postgres, folder.keys, told.postgres)
    connection = await asyncpg.connect(server.url())
    rows = await connection.fetch("select answers from responses where survey = 'ai-security' and status = 'recorded'")
    await connection.close()
    return pd.DataFrame([json.loads(row["answers"]) for row in rows])


def counts(cells: dict[str, Any]) -> dict[str, int]:
    return {code: cell["n"] for code, cell in cells.items() if cell["n"]}


def expected(values: pd.Series) -> dict[str, int]:
    return {str(code): int(n) for code, n in values.value_counts().items()}


async def test_every_question_of_the_exact_view_equals_a_pandas_count_of_the_stored_rows(tmp_path: Path) -> None:
    receipts = tmp_path / "receipts"
    with Operated(tmp_path) as stack:
        arguments = ("simulate", "ai-security", "--responses", str(RESPONSES), "--seed", "11", "--receipts", str(receipts))
        await asyncio.to_thread(stack.platea, *arguments)
        await recorded(stack.url, receipts.read_text().split(), 60)
        found = await exact(stack.url, stack.token)
        assert found["responses"] == RESPONSES
        rows = await stored(stack)
        assert len(rows) == RESPONSES
        await asyncio.to_thread(stack.platea, "recount", "ai-security")

    compared = 0
    for question in questionnaire().questions:
        figures = found["questions"][question.id]
        given = rows[question.id].dropna() if question.id in rows else pd.Series(dtype=object)
        if not isinstance(question, Matrix):  # which counts row by row
            assert figures["answered"] == len(given), question.id
        match question:
            case Single():
                assert counts(figures["cells"]) == expected(given)
            case Multiple() | Ranking():
                assert counts(figures["cells"]) == expected(given.explode())
            case Matrix():
                for row in question.rows:
                    assert counts(figures["rows"][row.code]["cells"]) == expected(
                        given.map(lambda answer, row=row: answer.get(row.code)).dropna()
                    )
            case Integer() | Numeric():
                numbers = pd.to_numeric(given, errors="coerce").dropna()
                assert counts(figures.get("cells", {})) == expected(given.drop(numbers.index))
                assert figures["sum"] == pytest.approx(numbers.sum(), rel=1e-12)
                assert figures["mean"] == pytest.approx(numbers.mean(), rel=1e-12)
                assert figures["variance"] == pytest.approx(numbers.var(ddof=1), rel=1e-9)
            case Date():
                assert sum(counts(figures["bands"] | figures.get("cells", {})).values()) == len(given)
            case _:
                continue
        compared += 1
    assert compared == 44
