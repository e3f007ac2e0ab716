"""Dashboards over figures in memory, as a server of its own for tests that drive a browser. `/-/next/{survey}`
publishes another edition."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from deploy.cli.respondents import Population
from proto import author
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Closing, ConstantSum, Instrument, Margin, Portion
from proto.registry import Registry, published
from proto.snapshot import Cell, Group, PublishedPolicy, Snapshot
from services.analysis.gateway.app import create_app
from services.analysis.gateway.context import Gateway, Readiness
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from services.analysis.publish import exact_view
from services.analysis.state.fold import Folder
from services.runtime.http.server import serve
from tests.builders.bundled import questionnaire
from tests.builders.small_survey import by_level

SURVEY, SMALLER, WAITING, KINDS = "ai-security", "security-by-design", "security-measurement", "small"
STATIC = Path(__file__).resolve().parents[2] / "services/intake/http/static"
STEP = 60
FRAMES = (f"{SMALLER}/embed?question=P01", SMALLER)
"""What a page elsewhere tries to hold: one figure, which it may, and the dashboard, which it may not."""
POLICY = PublishedPolicy("cell-key", 10, 10, 1.0, 0.08, 40, 2.0, 2.9)


class Figures:
    """The figures of ever more simulated respondents, some of them withheld."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._population = Population(self._instrument, 7, "2026-11-22")
        self.book = CodeBook(Reader(self._instrument))
        self._folder = Folder(self.book)
        self.state = self._folder.empty()
        self.revision = 0

    def next(self) -> Snapshot:
        numbers = range(self.revision * STEP, (self.revision + 1) * STEP)
        people = [(f"{number:032x}", self._population.respondent(number).answers) for number in numbers]
        self._folder.fold(self.state, people)
        self.revision += 1
        as_of = f"2026-11-22T14:{self.revision // 60:02d}:{self.revision % 60:02d}Z"
        return _concealed(self._instrument, exact_view.snapshot(self.book, self.state, revision=self.revision, as_of=as_of))

    async def ask(self, survey: str, question: dict[str, Any]) -> bytes:
        as_of = "2026-11-22T14:00:07Z"
        found = exact_view.table(self.book, self.state, question["row"], question["column"], revision=self.revision, as_of=as_of)
        cells = {row: {to: _hidden(cell) for to, cell in line.items()} for row, line in found.cells.items()}
        return msgspec.json.encode(msgspec.structs.replace(found, cells=cells, policy=POLICY), enc_hook=float)


def _hidden(cell: Cell) -> Cell:
    return Cell(withheld=True) if cell.n in (1, 2) else cell


def _concealed(instrument: Instrument, whole: Snapshot) -> Snapshot:
    """Small counts are hidden, so that pages have something to say about it; the real rules are not this test's business."""
    questions = {
        id: msgspec.structs.replace(figures, cells={code: _hidden(cell) for code, cell in figures.cells.items()})
        for id, figures in whole.questions.items()
        if "none" not in instrument.question(id).stats
    }
    breakdowns = {
        name: {code: Group(withheld=True) if (group.responses or 0) < POLICY.minimum else group for code, group in each.items()}
        for name, each in whole.breakdowns.items()
    }
    return msgspec.structs.replace(whole, questions=questions, breakdowns=breakdowns, policy=POLICY)


def kinds() -> Instrument:
    """Shares of a total, years, special values and a computed value, by which figures are broken down, weighted to a margin; it closed."""
    whole = by_level()
    questions = [
        msgspec.structs.replace(q, unit={"en": "hours"}) if isinstance(q, ConstantSum) else q for q in whole.questions if q.id != "Since"
    ]
    since = msgspec.structs.replace(whole.question("Since"), precision="year")
    shares = (Portion("north", 0.2), Portion("east", 0.3), Portion("south", 0.5))
    return msgspec.structs.replace(
        whole,
        questions=(*questions, since),
        margins=(Margin("place.region", {"en": "The register of 2026"}, shares),),
        closes=Closing("2026-01-01 12:00", "UTC"),
    )


async def main(port: int) -> None:
    broadcaster, registry = Broadcaster(), Registry()
    every = {instrument.id: Figures(instrument) for instrument in (questionnaire(SURVEY), questionnaire(SMALLER), kinds())}
    for instrument in (*map(questionnaire, author.bundled()), kinds()):
        registry.apply(published(instrument))
    for figures in every.values():
        for _ in range(4):
            broadcaster.post(figures.next())

    async def ask(survey: str, question: dict[str, Any]) -> bytes:
        return await every[survey].ask(survey, question)

    pages = create_app(Gateway(registry, broadcaster, ask, lambda: Readiness({}), lambda: b""))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if path.startswith("/-/next/"):
            broadcaster.post(every[Path(path).name].next())
            await _answer(send, b"", b"text/plain")
        elif path.startswith("/static/"):
            file = STATIC / Path(path).name
            await _answer(send, file.read_bytes(), b"text/css" if file.suffix == ".css" else b"image/svg+xml")
        elif path == "/-/elsewhere":
            frames = b"".join(b'<iframe src="/live/%s" title="figure"></iframe>' % name.encode() for name in FRAMES)
            await _answer(send, b"<!doctype html><title>Elsewhere</title>" + frames, b"text/html")
        else:
            await pages(scope, receive, send)

    await serve(app, "127.0.0.1", port)


async def _answer(send: Send, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
