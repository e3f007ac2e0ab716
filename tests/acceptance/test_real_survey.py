"""A real survey of 1,001 people, collected elsewhere: drafted, published, imported, and every figure equals pandas."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.faults.operated import Operated
from tests.faults.respondents import exact

SURVEY = Path(__file__).parents[3] / "shared" / "data" / "bc-ai-survey.csv"

pytestmark = pytest.mark.skipif(not SURVEY.exists(), reason="the real survey's data are not beside this checkout (../shared/data)")


async def settled(stack: Operated, survey: str, expected: int) -> dict[str, Any]:
    for _ in range(300):
        found = await exact(stack.url, stack.token, survey)
        if found["responses"] == expected:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found['responses']} of {expected} counted")


async def test_every_figure_of_an_imported_survey_equals_pandas_and_importing_again_changes_nothing(tmp_path: Path) -> None:
    raw = pd.read_csv(SURVEY, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    with Operated(tmp_path) as stack:
        draft = tmp_path / "bc-ai.yaml"
        draft.write_text((await asyncio.to_thread(stack.platea, "survey", "draft", str(SURVEY))).stdout, encoding="utf-8")
        instrument, mapping = list(yaml.safe_load_all(draft.read_text(encoding="utf-8")))
        survey = instrument["id"]
        await asyncio.to_thread(stack.platea, "survey", "publish", str(draft))
        arguments = ("import", survey, str(SURVEY), "--map", str(draft))
        await asyncio.to_thread(stack.platea, *arguments)
        found = await settled(stack, survey, len(raw))

        compared = 0
        for column, entry in mapping["columns"].items():
            figures, values = found["questions"][entry["question"]], raw[column].str.strip()
            for label, code in entry.get("codes", {}).items():
                assert figures["cells"][code]["n"] == (values == label.strip()).sum(), (column, label)
                compared += 1
            if column == "Age":
                ages = values.astype(int)
                assert figures["sum"] == ages.sum()
                assert figures["mean"] == pytest.approx(ages.mean(), rel=1e-12)
                assert figures["variance"] == pytest.approx(ages.var(ddof=1), rel=1e-12)
                bands = {code: cell["n"] for code, cell in figures["bands"].items()}
                assert bands == {code: ages.between(*map(int, code.split("-"))).sum() for code in bands}
                compared += 3 + len(bands)
        assert compared > 150

        await asyncio.to_thread(stack.platea, *arguments)
        await asyncio.sleep(2)
        again = await exact(stack.url, stack.token, survey)
        assert again["responses"] == len(raw)
        assert again["questions"] == found["questions"]
        await asyncio.to_thread(stack.platea, "recount", survey)
