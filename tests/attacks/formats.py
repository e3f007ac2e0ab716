"""Everything that somebody outside can ask of one released state, in every format, taken apart into the numbers that it shows."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
import msgspec
from msgspec.structs import replace

from deploy.cli.sse_client import events
from proto import snapshot as snapshots
from proto.registry import Registry, published
from services.analysis.dashboard.charts import LABEL, MARGIN, VALUES, WIDTH
from services.analysis.dashboard.svg_canvas import ACCENT, WASH
from services.analysis.disclosure import public_tables
from services.analysis.disclosure.published_state import PublishedState
from services.analysis.gateway.app import create_app
from services.analysis.gateway.context import Gateway, Readiness
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from tests.builders.small_survey import survey

LANGUAGES = ("en", "fr", "es")
API = "/api/v1/surveys/small"
QUESTION, CODES = "Place", "abcd"
"""What is read in every format: a question with bars."""
ROOM = WIDTH - 2 * MARGIN - LABEL - VALUES


@dataclass(frozen=True)
class Seen:
    """A number of one cell in one format: a count, or a share that may be off by `slack`."""

    where: str
    state: str
    """Which state it stands for, as the format itself says: its revision, and mostly its time."""
    code: str
    n: int | None = None
    share: float | None = None
    slack: float = 0.0


def everything(found: PublishedState, languages: Iterable[str] = LANGUAGES) -> list[Seen]:
    """All that is shown of the one question, in all formats and these languages."""
    return asyncio.run(_everything(found, tuple(languages)))


async def _everything(found: PublishedState, languages: tuple[str, ...]) -> list[Seen]:
    registry, broadcaster = Registry(), Broadcaster()
    registry.apply(published(replace(survey(), languages=LANGUAGES)))
    broadcaster.post(found.public)

    async def ask(_: str, question: dict[str, Any]) -> bytes:
        return snapshots.encode(public_tables.public(found, question["row"], question["column"]))

    app = create_app(Gateway(registry, broadcaster, ask, lambda: Readiness({}), lambda: b""))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url="http://platea") as http:

        async def get(path: str) -> bytes:
            return (await http.get(path)).raise_for_status().content

        seen: list[Seen] = []
        for where, body in (
            ("JSON", await get(f"{API}/aggregates")),
            ("NATS subject", snapshots.encode(found.public)),
            *[(f"event {id}", data) for id, data in events(await _followed(http, broadcaster))],
        ):
            seen += _of_snapshot(where, body)
        notice = json.loads(dict(events(await _followed(http, broadcaster, "?notice=true")))[str(found.public.revision)])
        assert notice.items() <= json.loads(snapshots.encode(found.public)).items(), "a notice says nothing that its state does not"
        seen += _of_csv("CSV of all", (await get(f"{API}/aggregates.csv")).decode())
        for lang in languages:
            seen += _of_csv(f"CSV {lang}", (await get(f"/live/small/{QUESTION}.csv?lang={lang}")).decode("utf-8-sig"))
            seen += _of_svg(f"SVG {lang}", (await get(f"/live/small/{QUESTION}.svg?lang={lang}")).decode())
            for name, path in (("page", f"?lang={lang}"), ("embedded", f"/embed?question={QUESTION}&lang={lang}")):
                seen += _of_page(f"{name} {lang}", (await get(f"/live/small{path}")).decode())
        for other in ("Use", "Agree.x", "place.region"):
            seen += [one async for one in _of_tables(get, other, languages[0])]
        return seen


async def _followed(http: httpx.AsyncClient, broadcaster: Broadcaster, query: str = "") -> list[bytes]:
    """What the stream says until it is ended: the current edition. `platea watch --json` writes its data as it comes."""
    following = asyncio.create_task(http.get(f"{API}/live{query}"))
    while not broadcaster.listening:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    broadcaster.close_all()
    return (await following).content.splitlines(keepends=True)


def _of_snapshot(where: str, body: bytes) -> Iterator[Seen]:
    shown = json.loads(body)
    state = f"{shown['revision']} {shown['as_of']}"
    for code, cell in shown["questions"][QUESTION]["cells"].items():
        yield Seen(where, state, code, cell.get("n"), cell.get("share"), 0.0005)


def _of_csv(where: str, text: str) -> Iterator[Seen]:
    for line in csv.DictReader(io.StringIO(text)):
        if line["question"] == QUESTION and not line["stratum"]:
            yield Seen(where, f"{line['revision']} {line['as_of']}", line["code"], int(line["n"]), float(line["share"]), 0.0005)


def _of_svg(where: str, text: str) -> Iterator[Seen]:
    """Bars by their lengths, numbers by their text."""
    bars = re.findall(rf'<rect [^>]*fill="{WASH}"/>(?:<rect [^>]*width="([\d.]+)" height="20.0" fill="{ACCENT}"/>)?', text)
    counts = [int(n) for n in re.findall(r">n = (\d+)<", text)]
    edition = re.search(r"[EÉ]di[a-zó]+\s*(?:</text>\s*<text[^>]*>)?(\d+)<", text)  # its number may stand in the next line
    assert edition is not None
    for code, length, n in zip(CODES, bars, counts, strict=True):
        yield Seen(where, edition[1], code, n, float(length or 0) / ROOM, 0.0005 + 0.005 / ROOM)


def _of_page(where: str, text: str) -> Iterator[Seen]:
    """Bars by their widths, numbers by their text."""
    figure = re.search(rf'<article [^>]*id="{QUESTION}".*?</article>', text, re.DOTALL)
    revision = re.search(r'data-revision="(\d+)"', text)
    assert figure is not None
    assert revision is not None
    rows = re.findall(r'class="fill" width="([\d.]+)%".*?data-label="[^"]*">(\d+)</td>', figure[0], re.DOTALL)
    for code, (width, n) in zip(CODES, rows, strict=True):
        yield Seen(where, revision[1], code, int(n), float(width) / 100, 0.0005 + 0.00005)


async def _of_tables(get: Any, other: str, lang: str) -> AsyncGenerator[Seen]:
    """Sums over tables are for whoever averages; here it is looked for cells that one format shows and another withholds."""
    table = msgspec.json.decode(await get(f"{API}/aggregates/{other}/{QUESTION}"), type=snapshots.Table)
    plain = {(row, code): cell.n for row, line in table.cells.items() for code, cell in line.items()}
    turned = msgspec.json.decode(await get(f"{API}/aggregates/{QUESTION}/{other}"), type=snapshots.Table)
    lines = csv.DictReader(io.StringIO((await get(f"/live/small/{other}/{QUESTION}.csv?lang={lang}")).decode("utf-8-sig")))
    filed = {(line["row_code"], line["column_code"]): int(line["n"]) if line["n"] else None for line in lines}
    state = f"{table.revision} {table.as_of}"
    for (row, code), n in plain.items():
        for where, value in (("JSON", n), ("JSON turned", turned.cells[code][row].n), ("CSV", filed[row, code])):
            yield Seen(f"{where} of {other} {row}", state, f"{other} {row} {code}", value)
    drawn = (await get(f"/live/small/{other}/{QUESTION}.svg?lang={lang}")).decode()
    percents = re.findall(r'text-anchor="middle">(?:≈ )?(\d+(?:[.,]\d)?)\s?%<', drawn)
    told = [cell for line in table.cells.values() for cell in line.values() if cell.share is not None]
    for cell, percent in zip(told, percents, strict=True):
        assert abs(100 * (cell.share or 0) - float(percent.replace(",", "."))) <= 0.55, "a drawing shows the share of its table"
