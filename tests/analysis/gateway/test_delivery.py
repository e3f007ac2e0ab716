"""Delivery: one encoding for all, limits by address, slow readers, coming back, files of any table and chart."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import io
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.stack import ports
from proto.instrument import Single
from proto.problem import Problem
from proto.registry import Registry, published
from proto.snapshot import Snapshot, Table
from services.analysis.dashboard import charts, csv_export
from services.analysis.dashboard.png import draw
from services.analysis.dashboard.svg_canvas import Chart, width_of, wrapped
from services.analysis.dashboard.words import DashboardWords
from services.analysis.gateway import routes_files, sse
from services.analysis.gateway.app import Gateway, create_app
from services.analysis.gateway.render_cache import RenderCache
from services.analysis.gateway.snapshot_broadcast import Broadcaster
from services.analysis.publish import exact_view
from services.runtime.http.client_address import networks
from services.runtime.http.connection_limit import Seats
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.health import Readiness
from services.runtime.http.host_guard import HostGuard
from services.runtime.http.server import serve
from services.runtime.spreadsheet_csv import kept
from tests.builders.small_survey import book, crowd, state_of, survey
from tests.listening import until_listening

API = "/api/v1/surveys/small"
STATE = state_of(crowd(5, 300))
FIGURES = exact_view.snapshot(book(), STATE, revision=1, as_of="2026-11-22T14:05:00Z")
"""What is delivered here was not made public: how that is done is other tests' business."""
TABLES: list[tuple[str, str]] = []


def edition(revision: int) -> Snapshot:
    return msgspec.structs.replace(FIGURES, revision=revision)


async def ask(_: str, question: dict[str, Any]) -> bytes:
    TABLES.append((question["row"], question["column"]))
    return msgspec.json.encode(crossed(question["row"], question["column"]))


def crossed(row: str, column: str) -> Table:
    return exact_view.table(book(), STATE, row, column, revision=1, as_of="2026-11-22T14:05:00Z")


class Desk:
    def __init__(self, seats: Seats) -> None:
        self.broadcaster, self.seats, registry = Broadcaster(), seats, Registry()
        registry.apply(published(survey()))
        self.gateway = Gateway(registry, self.broadcaster, ask, lambda: Readiness({}), lambda: b"", heartbeat=0.2, seats=seats)
        self.app = HostGuard().before(create_app(self.gateway))
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def opened(seats: Seats) -> AsyncGenerator[Desk]:
    desk = Desk(seats)
    desk.broadcaster.post(edition(1))
    serving = asyncio.create_task(serve(desk.app, "127.0.0.1", desk.port))
    await until_listening(serving, desk.port)
    yield desk
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    TABLES.clear()
    async with opened(Seats()) as found:
        yield found


@pytest.fixture
async def http(desk: Desk) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(desk.url, timeout=aiohttp.ClientTimeout(20), auto_decompress=False) as session:
        yield session


async def until(holds: Any, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


def ids(text: bytes) -> list[int]:
    return [int(line[4:]) for line in text.splitlines() if line.startswith(b"id: ")]


async def test_a_compressed_stream_says_the_same_as_a_plain_one(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with (
        http.get(f"{API}/live", headers={"Accept-Encoding": "gzip"}) as squeezed,
        http.get(f"{API}/live", headers={"Accept-Encoding": "identity"}) as plain,
    ):
        assert squeezed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        reading, one, other = zlib.decompressobj(zlib.MAX_WBITS | 16), b"", b""
        for revision in (2, 3):
            desk.broadcaster.post(edition(revision))
            async with asyncio.timeout(60):
                while ids(one)[-1:] != [revision] or not one.endswith(b"\n\n"):
                    one += reading.decompress(await squeezed.content.readany())
                while ids(other)[-1:] != [revision] or not other.endswith(b"\n\n"):
                    other += await plain.content.readany()
    assert [line for line in one.splitlines() if line.startswith(b"data")][-1] == [
        line for line in other.splitlines() if line.startswith(b"data")
    ][-1]
    event = desk.broadcaster.editions["small"].whole
    assert len(event.zipped) < len(event.plain) / 3


async def test_who_wants_only_the_notice_is_told_of_each_edition_without_its_figures(desk: Desk, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/live?notice=true", headers={"Accept-Encoding": "identity"}) as answer:
        heard = b""
        for revision in (1, 2):
            async with asyncio.timeout(60):
                while ids(heard)[-1:] != [revision] or not heard.endswith(b"\n\n"):
                    heard += await answer.content.readany()
            desk.broadcaster.post(edition(revision + 1))
    assert ids(heard) == [1, 2]
    told = [msgspec.json.decode(line[6:]) for line in heard.splitlines() if line.startswith(b"data: ")]
    newest = desk.broadcaster.editions["small"].snapshot
    assert told[1] == {"survey": "small", "revision": 2, "as_of": newest.as_of, "responses": newest.responses}


@pytest.mark.parametrize(
    ("last_seen", "first", "told"),
    [("1", [], False), ("0", [1], False), ("99", [1], True), ("soon", [1], True), ("-1", [1], True), ("²", [1], True)],
)
async def test_who_comes_back_with_a_revision_that_never_was_gets_the_current_one_and_is_told_why(
    desk: Desk, http: aiohttp.ClientSession, last_seen: str, first: list[int], told: bool
) -> None:
    async with http.get(f"{API}/live", headers={"Last-Event-ID": last_seen, "Accept-Encoding": "identity"}) as answer:
        heard = b""
        async with asyncio.timeout(60):
            while b": alive" not in heard:
                heard += await answer.content.readany()
    assert ids(heard) == first
    assert (sse.UNKNOWN_REVISION in heard) is told


async def test_a_client_that_never_reads_is_let_go_and_holds_up_nobody(
    desk: Desk, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PATIENCE", 0.5)
    _, writer = await asyncio.open_connection("127.0.0.1", desk.port, limit=1024)
    writer.write(f"GET {API}/live HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await until(lambda: desk.broadcaster.listening == 1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    heard = b""
    async with http.get(f"{API}/live", headers={"Accept-Encoding": "gzip"}) as answer, asyncio.timeout(30):
        reading, revision = zlib.decompressobj(zlib.MAX_WBITS | 16), 1
        while not desk.broadcaster.dropped:
            revision += 1
            desk.broadcaster.post(edition(revision))
            heard = reading.decompress(await answer.content.readany())
            await asyncio.sleep(0.001)
        await until(lambda: desk.broadcaster.listening == 1)
        while (ids(heard) or [0])[-1] < revision:  # the good reader has the newest
            heard += reading.decompress(await answer.content.readany())
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await until(lambda: desk.seats.taken == 0)


async def test_a_slow_reader_gets_the_newest_and_not_what_it_missed() -> None:
    broadcaster = Broadcaster()
    listener = broadcaster.listen("small")
    for revision in range(1, 50):
        broadcaster.post(edition(revision))
    found = await listener.next(1)
    assert found is not None
    assert found.snapshot.revision == 49
    assert await listener.next(0.01) is None


async def test_connections_from_one_address_have_a_limit_and_others_notice_nothing() -> None:
    async with opened(Seats(each=20, everybody=30, proxies=networks("127.0.0.1"))) as desk, contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(desk.url, connector=aiohttp.TCPConnector(limit=0)))

        async def follow(address: str) -> aiohttp.ClientResponse:
            return await stack.enter_async_context(http.get(f"{API}/live", headers={"X-Forwarded-For": address}))

        flood = await asyncio.gather(*(follow("203.0.113.7") for _ in range(400)))
        refused = [answer for answer in flood if answer.status == 429]
        assert len(refused) == 380
        assert refused[0].headers["Retry-After"] == "30"
        assert refused[0].headers["Connection"] == "close"
        assert (await refused[0].json(content_type=None))["type"] == "/problems/too-many-requests"
        others = [await follow(f"203.0.113.{number}") for number in range(20, 32)]
        assert [answer.status for answer in others] == [200] * 10 + [503] * 2  # in all there are 30 places
        assert others[-1].headers["Retry-After"] == "30"
        async with http.get(f"{API}/aggregates") as answer:
            assert answer.status == 200
        desk.broadcaster.post(edition(2))
        heard = b""
        async with asyncio.timeout(60):
            while 2 not in ids(heard):
                heard += await others[0].content.readany()
        for answer in flood:
            answer.close()
        await until(lambda: desk.seats.taken == 10)
        assert (await follow("203.0.113.7")).status == 200


def test_a_proxy_that_does_not_say_for_whom_it_asks_has_all_places() -> None:
    seats = Seats(each=2, everybody=5, proxies=networks("10.0.0.0/8"))
    proxy: Any = {"client": ("10.0.0.9", 1), "headers": []}
    assert [seats.take(proxy) for _ in range(5)] == [None] * 5
    with pytest.raises(Problem) as refused:
        seats.take(proxy)
    assert refused.value.code == "unavailable"
    for _ in range(5):
        seats.leave(None)
    other: Any = {"client": ("2001:db8::1", 1), "headers": [(b"x-forwarded-for", b"10.1.1.1")]}
    for _ in range(2):
        assert seats.take(other) == "2001:db8::/64"  # what a visitor writes into the header changes nothing


async def test_large_json_is_compressed_and_fetched_again_only_when_it_changed(desk: Desk, http: aiohttp.ClientSession) -> None:
    for path in (f"{API}/aggregates", f"{API}/aggregates/Use/uses", "/live/small/Place.csv", "/live/small/Agree.svg"):
        async with (
            http.get(path, headers={"Accept-Encoding": "identity"}) as plain,
            http.get(path, headers={"Accept-Encoding": "gzip"}) as squeezed,
        ):
            assert "Accept-Encoding" in plain.headers["Vary"]
            body = await squeezed.read()
            assert (gzip.decompress(body) if "Content-Encoding" in squeezed.headers else body) == await plain.read()
            assert ("Content-Encoding" in squeezed.headers) is (path != f"{API}/aggregates/Use/uses")  # too small to gain from it
            tag = plain.headers["ETag"]
        async with http.get(path, headers={"If-None-Match": f'"0", {tag}'}) as same:
            assert (same.status, await same.read()) == (304, b"")
    assert TABLES == [("Use", "uses")]  # the worker was asked once


async def test_who_asks_for_the_same_at_once_waits_for_one_making() -> None:
    made = 0

    async def make() -> Encoded:
        nonlocal made
        made += 1
        await asyncio.sleep(0.01)
        return Encoded(b"x" * 100, '"1"')

    render_cache = RenderCache(room=250, waiting=2)
    assert len({id(found) for found in await asyncio.gather(*(render_cache.get(("a",), make) for _ in range(9)))}) == 1
    assert made == 1
    for key in ("b", "c", "a"):  # three do not fit, so the first was forgotten
        await render_cache.get((key,), make)
    assert made == 4
    waiting = [asyncio.ensure_future(render_cache.get((key,), make)) for key in "de"]
    await asyncio.sleep(0)
    with pytest.raises(Problem):
        await render_cache.get(("f",), make)
    await asyncio.gather(*waiting)


async def test_a_refusal_is_not_kept() -> None:
    render_cache, answers = RenderCache(), [Problem("unavailable"), Encoded(b"", '"1"')]

    async def make() -> Encoded:
        found = answers.pop(0)
        if isinstance(found, Problem):
            raise found
        return found

    with pytest.raises(Problem):
        await render_cache.get(("a",), make)
    assert (await render_cache.get(("a",), make)).tag == '"1"'


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/live/small/Nothing.svg", 404, "not-found"),
        ("/live/small/Place.pdf", 404, "not-found"),
        ("/live/small/Place/Nothing.csv", 404, "not-found"),
        ("/live/small/Place/Use", 404, "not-found"),
        ("/live/small/place.continent/Use.png", 404, "not-found"),
        ("/live/small/Use.svg?only=place.region:moon", 404, "not-found"),
        ("/live/small/Place.csv?only=place.region", 404, "not-found"),
        ("/live/nothing/Place.png", 404, "survey-unknown"),
        (f"{API}/aggregates/Place/Place.csv", 422, "request-refused"),
        ("/api/v1/surveys/nothing/aggregates.csv", 404, "survey-unknown"),
    ],
)
async def test_a_file_that_is_not_there_gets_a_reason(http: aiohttp.ClientSession, path: str, status: int, code: str) -> None:
    async with http.get(path) as answer:
        found = await answer.json(content_type=None)
        assert (answer.status, found["type"]) == (status, f"/problems/{code}")
        assert code == "survey-unknown" or found["detail"]


async def test_every_published_figure_is_in_the_csv_of_all_questions(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/aggregates.csv", headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="small.csv"'
        frame = pd.read_csv(
            io.BytesIO(await answer.read()), dtype={"code": str, "group": str}, keep_default_na=False, na_values={"n": "", "share": ""}
        )
    snapshot = edition(1)
    assert set(frame.revision) == {1}
    assert set(frame.policy) == {snapshot.policy.name}
    everybody = frame[(frame.stratum == "") & (frame.row == "")].set_index(["question", "code"])
    for id, figures in snapshot.questions.items():
        for code, cell in (figures.cells or figures.bands).items():
            line = everybody.loc[(id, code)]
            assert (cell.n, cell.withheld) == (None if pd.isna(line.n) else line.n, bool(line.withheld))
            assert line.answered == figures.answered
    assert len(frame[frame.stratum == "place.region"])
    assert len(frame[frame.row == "x"])


async def test_the_figures_of_one_group_alone_can_be_taken_away_too(http: aiohttp.ClientSession) -> None:
    group = edition(1).breakdowns["place.region"]["east"].questions["Use"]
    async with http.get("/live/small/Use.csv?only=place.region:east", headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="small-place.region-east-Use.csv"'
        frame = pd.read_csv(io.BytesIO(await answer.read()))
    assert set(frame.group) == {"east"}
    assert dict(zip(frame.code, frame.n, strict=True)) == {code: cell.n for code, cell in group.cells.items()}
    async with http.get("/live/small/Use.svg?only=place.region:east", headers={"Accept-Encoding": "identity"}) as answer:
        drawn = await answer.text()
    async with http.get("/live/small/embed?question=Use&only=place.region:east", headers={"Accept-Encoding": "identity"}) as answer:
        embedded = await answer.text()
    for shown in (drawn, embedded):
        assert "Only Region: east" in shown
    assert [int(n) for n in re.findall(r">n = (\d+)<", drawn)] == [cell.n for cell in group.cells.values()]


async def test_a_table_as_csv_is_the_table(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{API}/aggregates/place.region/Agree.x", headers={"Accept-Encoding": "identity"}) as answer:
        table = msgspec.json.decode(await answer.read(), type=Table)
    async with http.get("/live/small/place.region/Agree.x.csv", headers={"Accept-Encoding": "identity"}) as answer:
        for_excel = await answer.read()
    async with http.get(f"{API}/aggregates/place.region/Agree.x.csv", headers={"Accept-Encoding": "identity"}) as answer:
        text = await answer.read()
    assert for_excel == b"\xef\xbb\xbf" + text
    lines = list(csv.DictReader(io.StringIO(text.decode())))
    assert {(line["row_code"], line["column_code"]): line["n"] for line in lines} == {
        (row, code): "" if cell.n is None else str(cell.n) for row, cells in table.cells.items() for code, cell in cells.items()
    }


def test_a_label_is_never_a_formula() -> None:
    question = survey().questions[0]
    options = tuple(msgspec.structs.replace(option, text={"en": "=HYPERLINK(1)"}) for option in question.options)  # type: ignore[union-attr]
    spiked = msgspec.structs.replace(survey(), questions=(msgspec.structs.replace(question, options=options), *survey().questions[1:]))
    text = csv_export.one_way(spiked, edition(1), ["Place"], DashboardWords("en", spiked))
    assert {line["label"] for line in csv.DictReader(io.StringIO(text)) if not line["stratum"]} == {"'=HYPERLINK(1)"}


def drawn() -> list[tuple[str, Chart]]:
    words = DashboardWords("en", survey())
    found = [(question.id, charts.of_question(survey(), edition(1), question.id, words)) for question in survey().questions]
    pairs = [("Place", "Use"), ("place.region", "Agree.x"), ("Why", "Rank")]
    return found + [(f"{row}-{column}", charts.of_table(survey(), crossed(row, column), words)) for row, column in pairs]


def test_every_chart_is_sound_svg_with_title_words_time_and_source() -> None:
    for id, chart in drawn():
        root = ElementTree.fromstring(chart.svg)
        texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert root.get("role") == "img"
        assert root.findtext("{http://www.w3.org/2000/svg}title"), id
        assert root.findtext("{http://www.w3.org/2000/svg}desc"), id
        assert any("Edition 1" in text for text in texts), id
        assert any(text.startswith("A small survey · Platea") for text in texts), id
        assert "http" not in chart.svg.replace("http://www.w3.org/2000/svg", "")
        for element in root.iter():
            assert (
                float(element.get("x") or 0)
                + float(element.get("width") or 0 if (element.get("width") or "").replace(".", "").isdigit() else 0)
                <= chart.width + 0.1
            )


def test_a_chart_shows_what_is_withheld_as_withheld_and_text_as_text() -> None:
    question = survey().questions[0]
    strange = tuple(msgspec.structs.replace(option, text={"en": '<script>&"\x00\x1b</text>'}) for option in question.options)  # type: ignore[union-attr]
    spiked = msgspec.structs.replace(survey(), questions=(msgspec.structs.replace(question, options=strange), *survey().questions[1:]))
    figures = edition(1).questions["Place"]
    hidden = {code: msgspec.structs.replace(cell, n=None, share=None, ci95=None, withheld=True) for code, cell in figures.cells.items()}
    snapshot = msgspec.structs.replace(edition(1), questions={"Place": msgspec.structs.replace(figures, cells=hidden)})
    chart = charts.of_question(spiked, snapshot, "Place", DashboardWords("en", spiked))
    root = ElementTree.fromstring(chart.svg)
    assert chart.svg.count('fill="url(#hatch)"') == len(hidden)
    assert any("<script>" in (element.text or "") for element in root.iter())


@given(st.text(max_size=300), st.integers(20, 400), st.integers(1, 5))
def test_wrapped_text_fits(text: str, width: int, most: int) -> None:
    lines = wrapped(text, 12, width, most)
    assert len(lines) <= most
    assert all(width_of(line, 12) <= width or len(line) == 1 for line in lines)


async def test_a_picture_is_the_same_on_every_machine_also_without_fonts(http: aiohttp.ClientSession) -> None:
    async with http.get("/live/small/Agree.png") as answer:
        body = await answer.read()
        assert (answer.status, answer.content_type) == (200, "image/png")
    chart = charts.of_question(survey(), edition(1), "Agree", DashboardWords("en", survey()))
    assert body == draw(chart.svg, 2)
    blank = draw(chart.svg.replace("<text", "<desc").replace("</text", "</desc"), 2)
    assert len(body) > 1.5 * len(blank)  # text is drawn, though none of the machine's fonts is looked at
    assert body[16:24] == (2 * chart.width).to_bytes(4, "big") + (2 * chart.height).to_bytes(4, "big")


def test_the_face_of_pictures_has_the_letters_of_the_union() -> None:
    letters = "ĄąČčĘęŁłŐőŘřŞşŠšȘșŢţȚțŪūŻżŽžĦħŊŋıİ ΑΩάΐϋώ АЯабвгджзийклмнопрстуфхцчшщъьюяѝ €“”„’–—…·−"
    path = Path(__import__("font_source_sans_pro").__file__).parent / "files" / "SourceSansPro-Regular.ttf"
    assert not missing(path.read_bytes(), letters)


def missing(font: bytes, letters: str) -> set[str]:
    """The letters that a TrueType face has no glyph for, from its format 4 table of characters (OpenType, cmap)."""
    u16, u32 = (lambda at: int.from_bytes(font[at : at + 2], "big")), (lambda at: int.from_bytes(font[at : at + 4], "big"))
    cmap = next(u32(12 + 16 * i + 8) for i in range(u16(4)) if font[12 + 16 * i : 16 + 16 * i] == b"cmap")
    table = next(cmap + u32(cmap + 8 + 8 * i) for i in range(u16(cmap + 2)) if u16(cmap + u32(cmap + 8 + 8 * i)) == 4)
    count = u16(table + 6) // 2
    ends, starts = [u16(table + 14 + 2 * i) for i in range(count)], [u16(table + 16 + 2 * (count + i)) for i in range(count)]
    return {c for c in letters if not any(start <= ord(c) <= end for start, end in zip(starts, ends, strict=True))}


WRONG = ("by=nothing", "only=place.region:moon", "only=moon", "weighted=1")
"""Choices that the survey does not have."""


@pytest.mark.parametrize("wrong", [*WRONG, "row=Use", "view=exact"])
async def test_a_person_who_asks_for_figures_that_there_are_not_is_told_so_on_a_page(http: aiohttp.ClientSession, wrong: str) -> None:
    for path in ("/live/small?", "/live/small?wall&", "/live/small/embed?question=Use&", "/live/small/table?"):
        if path.endswith("table?") and wrong == "row=Use":
            continue  # half of a table
        async with http.get(path + wrong, headers={"Accept-Encoding": "identity"}) as answer:
            text = await answer.text()
            assert answer.status == 404, path
            assert answer.content_type == "text/html"
            assert "There are no such figures" in text
            assert wrong in text
            assert 'href="/live/small?lang=en"' in text


@pytest.mark.parametrize("path", ["/embed", "/embed?question=Nothing", "/table?row=Nothing", "?wall&by=uses"])
async def test_a_question_or_a_view_that_a_page_does_not_have_is_told_too(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(f"/live/small{path}", headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")


@pytest.mark.parametrize("wrong", ["by=uses", "only=uses:1", "row=Use", "question=Use"])
@pytest.mark.parametrize(
    "path",
    [
        f"{API}/aggregates",
        f"{API}/aggregates.csv",
        f"{API}/aggregates/Use/uses",
        f"{API}/aggregates/Use/uses.csv",
        f"{API}/live",
        "/live/small/Use/uses.svg",
    ],
)
async def test_a_program_that_asks_for_other_figures_than_an_address_has_gets_none(
    http: aiohttp.ClientSession, path: str, wrong: str
) -> None:
    async with http.get(f"{path}?{wrong}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (422, "/problems/request-refused")


@pytest.mark.parametrize("path", ["/live/small/Use.csv?weighted=yes", "/live/small/Use.png?by=uses", f"{API}/aggregates.csv?view=exact"])
async def test_a_file_is_of_what_was_asked_for_or_refused(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        assert answer.status == 422


@pytest.mark.parametrize("query", ["utm_source=mail", "by=&only=&weighted=", "by=uses&only=place.region:east"])
async def test_what_chooses_nothing_is_passed_over_and_what_is_known_is_shown(http: aiohttp.ClientSession, query: str) -> None:
    async with http.get(f"/live/small?{query}") as answer:
        assert answer.status == 200


async def test_a_page_says_where_weighted_figures_were_asked_for_and_there_are_none(http: aiohttp.ClientSession) -> None:
    for path in ("/live/small?weighted=yes", "/live/small/embed?question=Use&weighted=yes", "/live/small?wall&weighted=yes"):
        async with http.get(path, headers={"Accept-Encoding": "identity"}) as answer:
            assert "This edition has no weighted figures" in await answer.text()


async def test_a_wall_of_one_group_is_of_that_group(http: aiohttp.ClientSession) -> None:
    async with http.get("/live/small?wall&only=place.region:east", headers={"Accept-Encoding": "identity"}) as answer:
        shown = await answer.text()
    assert "Only Region: east" in shown
    group = edition(1).breakdowns["place.region"]["east"].questions["Use"]
    assert f"{group.answered} answered" in shown


async def test_what_a_page_does_not_take_is_no_part_of_what_it_is_kept_under(desk: Desk, http: aiohttp.ClientSession) -> None:
    render_cache: RenderCache = desk.gateway.render_cache
    for path in ("/live/small", "/live/small?x=1", "/live/small?x=2&lang=en", "/live/small?lang=en&by="):
        async with http.get(path) as answer:
            assert answer.status == 200
    assert len(render_cache._kept) == 1
    for number in range(5):
        async with http.get(f"/live/small?row=r{number}") as answer:
            assert answer.status == 404
    assert len(render_cache._kept) == 1


_FILES = ("", "?wall", "/embed?question=Use", "/table", "/Use.csv", "/Use.svg", "/Use.png", "/Use/uses.csv")
HEADED = [
    *("/live", "/analysis/metrics", "/live/static/live.css", "/live/nothing"),
    *(f"/live/small{more}" for more in _FILES),
    *(f"{API}/aggregates{more}" for more in ("", ".csv", "/Use/uses", "?by=x")),
]


@pytest.mark.parametrize("path", HEADED)
async def test_head_says_what_get_would_without_the_body(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as got, http.head(path) as headed:
        assert headed.status == got.status
        assert {k: v for k, v in headed.headers.items() if k not in ("Date", "Content-Length", "Transfer-Encoding")} == {
            k: v for k, v in got.headers.items() if k not in ("Date", "Content-Length", "Transfer-Encoding")
        }
        assert await headed.read() == b""


async def test_head_of_a_stream_ends(http: aiohttp.ClientSession) -> None:
    async with http.head(f"{API}/live") as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert await answer.read() == b""


async def test_pictures_hold_up_nothing_that_is_quick_and_their_line_is_bounded(
    desk: Desk, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures that never get done: a table, a file and a page come all the same, and the ninth picture is put off."""
    begun, ended, released = 0, 0, asyncio.Event()

    async def never(chart: Chart) -> bytes:
        nonlocal begun, ended
        begun += 1
        try:
            await released.wait()
        finally:
            ended += 1
        return b"png"

    monkeypatch.setattr(routes_files.png, "png", never)
    wanted = ["Place", "Use", "Why", "Agree", "Rank", "Count", "Cost", "Since"]
    waiting = [asyncio.ensure_future(http.get(f"/live/small/{id}.png")) for id in wanted]
    await until(lambda: desk.gateway.queues.pictures.inside == 7)
    for path in ("/live/small/Use.csv", "/live/small/Use.svg", f"{API}/aggregates.csv", "/live/small", f"{API}/aggregates/Use/uses.csv"):
        async with asyncio.timeout(30), http.get(path) as answer:
            assert answer.status == 200
    await until(lambda: any(task.done() for task in waiting))
    (refused,) = [task.result() for task in waiting if task.done()]
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert begun == 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await until(lambda: desk.gateway.queues.pictures.inside == 0)  # those who went away hold no place
    assert begun == ended


async def test_making_ends_once_the_last_who_waited_is_gone_and_not_before() -> None:
    render_cache, ended = RenderCache(), asyncio.Event()

    async def make() -> Encoded:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        raise AssertionError

    one, other = (asyncio.ensure_future(render_cache.get(("a",), make)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait({one})
    assert not ended.is_set()
    other.cancel()
    await asyncio.wait({other})

    async def quick() -> Encoded:
        return Encoded(b"x", '"1"')

    assert (await render_cache.get(("a",), quick)).plain == b"x"  # who comes then does not wait for what is ending
    await asyncio.wait_for(ended.wait(), 60)
    assert not render_cache._making
    assert not render_cache._waiting


@pytest.mark.parametrize(("language", "separator", "comma"), [("fr", ";", True), ("de", ";", True), ("en", ",", False), ("xx", ",", False)])
def test_for_excel_a_file_is_as_the_language_has_it(language: str, separator: str, comma: bool) -> None:
    spiked = msgspec.structs.replace(survey(), languages=("en", language))
    question = survey().question("Use")
    assert isinstance(question, Single)
    labels = dict(zip("yn", ("1-2", "\uff1dSUM(1)"), strict=True))
    options = tuple(msgspec.structs.replace(option, text={"en": labels[option.code]}) for option in question.options)
    asked = [msgspec.structs.replace(question, options=options) if one.id == "Use" else one for one in survey().questions]
    spiked = msgspec.structs.replace(spiked, questions=tuple(asked))
    text = csv_export.one_way(spiked, edition(1), ["Use"], DashboardWords(language, spiked), excel=True)
    lines = list(csv.DictReader(io.StringIO(text), delimiter=separator))
    cell = edition(1).questions["Use"].cells["y"]
    share = next(line["share"] for line in lines if line["code"] == "y" and not line["stratum"])
    assert (("," in share), float(share.replace(",", "."))) == (comma, cell.share)
    assert {line["label"] for line in lines} == {"'1-2", "'\uff1dSUM(1)"}
    plain = csv_export.one_way(spiked, edition(1), ["Use"], DashboardWords(language, spiked))
    assert {line["label"] for line in csv.DictReader(io.StringIO(plain))} == {"1-2", "'\uff1dSUM(1)"}


TURNED = ["1-2", "5-9", "2026-11-22", "1/2", "12.5", "007", "1e5", "12:30"]


@pytest.mark.parametrize("text", [*TURNED, "5", "50+", "a-b", "0", "Yes"])
def test_what_excel_would_make_something_else_of_is_kept_as_text(text: str) -> None:
    assert kept(text) == ("'" if text in TURNED else "") + text


async def test_pages_link_files_for_excel_and_other_files_refuse_it(http: aiohttp.ClientSession) -> None:
    async with http.get("/live/small", headers={"Accept-Encoding": "identity"}) as answer:
        assert 'href="/live/small/Use.csv?lang=en&amp;for=excel"' in await answer.text()
    for path, status in (
        ("Use.csv?for=excel", 200),
        ("Use/uses.csv?for=excel", 200),
        ("Use.csv?for=word", 422),
        ("Use.svg?for=excel", 422),
    ):
        async with http.get(f"/live/small/{path}") as answer:
            assert answer.status == status, path
