"""What a screen reader is told of each kind of question: the accessibility tree, as it was read and found good.

`PLATEA_WRITE_TREES=1` writes the snapshots in `trees/` anew; whoever does reads them before they are kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.accessibility.shown import Stage, stage
from tests.accessibility.tour import Sight, tour_of

TREES = Path(__file__).parent / "trees"
KINDS = {
    "single": "A02",
    "list": "A01",
    "multiple": "A09",
    "matrix": "D02",
    "integer": "B04",
    "date": "B05",
    "numeric": "G02",
    "ranking": "F04",
    "special value": "Cameras",
    "year": "Founded",
    "constant sum": "Split",
    "none of these": "Uses",
    "long text": "H01",
    "short text": "H02",
}


@pytest.fixture(scope="module")
def shown(chromium: Browser) -> Iterator[Stage]:
    with stage(chromium) as opened:
        yield opened


def with_field(id: str) -> Sight:
    """A page of the tour, without mistakes, that shows this question."""
    return next(
        found
        for found in tour_of("en")
        if found.name.startswith("page") and f'id="{id}"' in re.sub(r"<template>.*?</template>", "", found.html, flags=re.DOTALL)
    )


@pytest.mark.clause("9.1.3.1", "9.1.3.2", "9.4.1.2", "9.2.4.6", "9.3.3.2", "9.2.5.3")
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("kind", KINDS)
def test_a_screen_reader_is_told_the_same_as_ever(shown: Stage, kind: str, width: int) -> None:
    """On a phone as on a desk: what is stacked for the eye is the same for the ear."""
    read = shown.show(with_field(KINDS[kind]), width).locator(f"[id='{KINDS[kind]}']").aria_snapshot()
    file = TREES / f"{kind.replace(' ', '-')}-{width}.yaml"
    if os.environ.get("PLATEA_WRITE_TREES"):
        TREES.mkdir(exist_ok=True)
        file.write_text(read + "\n")
    assert read + "\n" == file.read_text()
