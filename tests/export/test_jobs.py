"""Jobs that build releases: none is lost while it waits, none holds a transaction, none takes another's number."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from proto.author import bundled, load
from proto.instrument import Instrument
from proto.problem import KINDS, Problem
from proto.registry import Registry, published
from services.export import release
from services.export.bundle import publish
from services.export.bundle.signing import Signer
from services.export.bundle.verify import check, read
from services.export.dataset.variables import variables
from services.export.gate.ledger import LedgerKeys
from services.export.jobs import ENDED, KEPT, MOST_OPEN, Jobs
from services.export.responses import read_responses
from services.export.store import Responses, Store, StoredResponse
from tests.export.tables import every_kind, stored
from tests.log_lines import LogLines

SURVEY = "social-cohesion"
SECRET = "secret answer"


class Stuck:
    """A store whose survey somebody else is building, until `free` is set."""

    def __init__(self) -> None:
        self.free = asyncio.Event()

    @asynccontextmanager
    async def building(self, survey: str) -> AsyncGenerator[None]:
        await self.free.wait()
        raise OSError(SECRET)
        yield


async def until(done: Any) -> None:
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.01)


async def test_a_waiting_job_is_never_forgotten_and_one_too_many_is_refused(tmp_path: Path, logged: LogLines) -> None:
    store = Stuck()
    jobs = Jobs(store, Registry(), tmp_path, Signer(bytes(32)))  # type: ignore[arg-type]
    made = [jobs.start("a", "public") for _ in range(MOST_OPEN)]
    with pytest.raises(Problem) as refused:
        jobs.start("a", "public")
    assert (KINDS[refused.value.code].status, refused.value.retry_after) == (503, 60)
    assert all(jobs.get("a", job.id) is job for job in made)
    store.free.set()
    await until(lambda: all(job.status == "failed" for job in made))
    assert "test_jobs.py" in logged.text, "the stack says where it came from"
    assert SECRET not in logged.text, "but never with which value"
    store.free.clear()
    for _ in range(KEPT // 10 + 1):
        waiting = [jobs.start("a", "public") for _ in range(10)]
        assert all(jobs.get("a", job.id) is job for job in waiting)
        store.free.set()
        await until(lambda: set(jobs.counts()) == {"failed"})
        store.free.clear()
    assert sum(jobs.counts().values()) <= KEPT + MOST_OPEN
    assert jobs.get("a", made[0].id) is None, "of those that have ended the oldest goes"
    await jobs.stop()


BATCH = [("1", '{"A2":"old"}', bytes(16), "en")] * 50


async def codes_of(instrument: Instrument, batches: AsyncIterator[list[StoredResponse]], version: Callable[[str], Instrument]) -> object:
    columns, keys = variables(instrument), LedgerKeys(bytes(32), instrument.id)
    return await read_responses(Responses(100, {}, batches), instrument, version, columns, keys, None, lambda count: None)


@pytest.mark.parametrize("ends", ["broken", "cancelled"])
async def test_no_thread_goes_on_reading_when_the_cursor_breaks_or_the_job_is_cancelled(ends: str, logged: LogLines) -> None:
    """Whatever the thread raises is not logged either: the message may hold an answer."""
    instrument, loop = every_kind(), asyncio.get_running_loop()
    entered, free, left = asyncio.Event(), threading.Event(), threading.Event()
    tasks: list[asyncio.Task[object]] = []

    def version(_: str) -> Instrument:
        loop.call_soon_threadsafe(entered.set)
        assert free.wait(60)
        left.set()
        raise ValueError(SECRET)

    async def batches() -> AsyncIterator[list[StoredResponse]]:
        yield BATCH
        await entered.wait()
        if ends == "cancelled":
            tasks[0].cancel()
        loop.call_later(0.2, free.set)
        if ends == "broken":
            raise ConnectionResetError
        await asyncio.Event().wait()

    tasks.append(asyncio.create_task(codes_of(instrument, batches(), version)))
    await asyncio.wait(tasks)
    assert left.is_set(), "the thread has ended first"
    assert tasks[0].cancelled() if ends == "cancelled" else isinstance(tasks[0].exception(), ConnectionResetError)
    tasks.clear()
    gc.collect()  # what nobody has looked at is logged when it is collected
    assert SECRET not in logged.text


@pytest.fixture
async def full(database_urls: Any) -> AsyncIterator[tuple[Store, Registry, asyncpg.Connection]]:
    """A store with responses, a registry that knows their survey, and the owner's own connection."""
    columns, rows = stored(SURVEY, 120)
    owner = await asyncpg.connect(database_urls.owner)
    await owner.copy_records_to_table("responses", records=rows, columns=columns)
    registry = Registry()
    registry.apply(published(load(bundled()[SURVEY])))  # type: ignore[arg-type]
    store = await Store.open(database_urls.export)
    yield store, registry, owner
    await store.close()
    await owner.close()


async def test_no_transaction_is_open_while_a_release_is_written_and_two_services_never_share_a_number(
    full: tuple[Store, Registry, asyncpg.Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, registry, owner = full
    seen: list[str] = []
    write, loop = release.write, asyncio.get_running_loop()

    def looking(*given: Any) -> Any:
        asked = owner.fetch("select state from pg_stat_activity where usename = 'platea_export' and state like 'idle in transaction%'")
        seen.extend(row["state"] for row in asyncio.run_coroutine_threadsafe(asked, loop).result(30))
        return write(*given)

    monkeypatch.setattr(release, "write", looking)
    days = iter(["2026-11-30", "2026-12-01"])
    both = [Jobs(store, registry, tmp_path, Signer(bytes(32)), "https://s.example/", lambda: next(days)) for _ in range(2)]
    made = [jobs.start(SURVEY, "public") for jobs in both]
    await until(lambda: all(job.status in ENDED for job in made))
    assert [job.detail for job in made] == ["", ""]
    assert sorted(job.number or 0 for job in made) == [1, 2]
    assert seen == []
    folders = [tmp_path / SURVEY / str(number) for number in (1, 2)]
    assert [check(folder) for folder in folders] == [[], []]
    manifests = [read(folder) for folder in folders]
    assert {manifest.address for manifest in manifests} == {f"https://s.example/data/{SURVEY}"}
    assert {manifest.date for manifest in manifests} == {"2026-11-30", "2026-12-01"}
    for folder, manifest in zip(folders, manifests, strict=True):
        for name in ("LICENSE", "codebook.html", "codebook.xml", "read_pandas.py", "read.R", "read.do"):
            text = (folder / name).read_text("utf-8")
            assert f"({manifest.date[:4]}). " in text, name
            assert manifest.address in text, name
    again = both[1].rebuild(manifests[0])
    await until(lambda: again.status in ENDED)
    assert (again.status, again.differing) == ("done", []), "the day is the release's, not today"
    assert await owner.fetchval("select count(*) from pg_locks where locktype = 'advisory' and classid = hashtext('releases')::oid") == 0


async def test_a_number_that_is_taken_meanwhile_is_not_given_twice(
    full: tuple[Store, Registry, asyncpg.Connection], tmp_path: Path
) -> None:
    """As when the connection that held the right was lost: what another has published stays as it is."""
    store, registry, owner = full
    jobs = Jobs(store, registry, tmp_path, Signer(bytes(32)))
    prepare = publish.prepare

    def overtaken(*given: Any) -> None:
        prepare(*given)
        (tmp_path / SURVEY / "1").mkdir()
        (tmp_path / SURVEY / "1" / "manifest.json").write_text("another's")
        manifest = msgspec.json.encode({"number": 1}).decode()
        enter = owner.execute("insert into releases (survey, number, profile, manifest) values ($1, 1, 'public', $2)", SURVEY, manifest)
        asyncio.run_coroutine_threadsafe(enter, loop).result(30)

    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publish, "prepare", overtaken)
        job = jobs.start(SURVEY, "public")
        await until(lambda: job.status in ENDED)
    assert job.status == "failed"
    assert (tmp_path / SURVEY / "1" / "manifest.json").read_text() == "another's"
