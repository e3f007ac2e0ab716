"""What respondents hear when the journal is slow, gone or comes back: never a lost 201, always an answer in time."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import nats
import pytest

from deploy.keys import KeyFolder
from deploy.provisioning.streams import create_consumers, create_streams
from deploy.stack.nats_server import NatsServer
from deploy.stack.program import Program
from proto import receipt
from tests.conftest import NatsUrls
from tests.intake.serving import Api, journal, key, open_survey, served


@dataclass
class Own:
    """A nats-server of this test's own, to be stopped and killed."""

    server: NatsServer
    program: Program
    log: Path
    child: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(self.program.line(), env=self.program.environment(), stdout=output, stderr=output)

    async def start(self) -> None:
        self.spawn()
        deadline = time.monotonic() + 15
        while True:
            try:
                if await self.program.ready():
                    return
            except Exception:  # not yet
                assert time.monotonic() < deadline, self.log.read_text()[-1000:]
            await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)
        if number is signal.SIGKILL:
            self.child.wait()

    @property
    def urls(self) -> NatsUrls:
        users = {user: self.server.url(user) for user in ("provisioner", "intake", "analysis", "export", "dashboard")}
        return NatsUrls(**users, websocket="")


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Own]:
    server = NatsServer.embedded(tmp_path / "nats", KeyFolder(tmp_path / "secrets"))
    own = Own(server, server.program(), tmp_path / "nats.log")
    await own.start()
    client = await nats.connect(own.urls.provisioner, inbox_prefix="_INBOX.provisioner")
    await create_streams(client.jetstream(), 2, replicas=1, highest=0)
    await create_consumers(client.jetstream(), 2, {})
    await open_survey(client)
    await client.close()
    yield own
    own.signal(signal.SIGCONT)
    own.signal(signal.SIGKILL)


async def _respondent(api: Api, number: int, until: float, kept: dict[str, int], codes: Counter[int]) -> None:
    """Sends one response after the other; a busy server hears the same receipt again."""
    while time.monotonic() < until:
        mine = key()
        while True:
            answer = await api.submit(number, mine)
            codes[answer.status_code] += 1
            if answer.status_code != 503:
                break
            assert answer.json()["receipt"] == mine
            assert int(answer.headers["retry-after"]) > 0
            await asyncio.sleep(0.2)
        assert answer.status_code in (200, 201), answer.text
        kept[mine] = kept.get(mine, 0) + 1


async def test_killing_the_journal_under_load_loses_nothing_that_was_accepted(own: Own) -> None:
    kept: dict[str, int] = {}
    codes: Counter[int] = Counter()
    async with served(own.urls) as api:
        until = time.monotonic() + 6
        respondents = [asyncio.create_task(_respondent(api, n, until, kept, codes)) for n in range(40)]
        for pause in (0.7, 1.0):
            await asyncio.sleep(pause)
            own.signal(signal.SIGKILL)
            await asyncio.sleep(0.4)
            await own.start()
        await asyncio.gather(*respondents)
    written = Counter(event.id for event in await journal(own.urls))
    assert set(written.values()) == {1}, "a receipt stands in the journal once, however often it was sent"
    assert {receipt.response_id(mine) for mine in kept} <= written.keys()
    assert len(kept) > 40


async def test_a_journal_that_hangs_gives_503_in_time_and_goes_on_afterwards(own: Own) -> None:
    async with served(own.urls) as api:
        assert (await api.submit(0)).status_code == 201
        own.signal(signal.SIGSTOP)
        began = time.monotonic()
        mine = [key() for _ in range(20)]
        answers = await asyncio.gather(*(api.submit(n, mine[n]) for n in range(20)))
        assert time.monotonic() - began < 12
        assert {answer.status_code for answer in answers} == {503}
        assert [answer.json()["receipt"] for answer in answers] == mine
        assert {answer.json()["detail"].partition(".")[0] for answer in answers} == {"Whether it was stored is not known"}
        assert (await api.http.get("/api/v1/surveys")).status_code == 200, "surveys come from memory"
        own.signal(signal.SIGCONT)
        for _ in range(50):
            again = await asyncio.gather(*(api.submit(n, mine[n]) for n in range(20)))
            if {answer.status_code for answer in again} <= {200, 201}:
                break
            await asyncio.sleep(0.2)
        assert {answer.status_code for answer in again} <= {200, 201}
    assert set(Counter(event.id for event in await journal(own.urls)).values()) == {1}


async def test_a_server_that_stands_still_makes_it_unready_and_one_that_goes_on_ready_again(own: Own) -> None:
    async with served(own.urls) as api:

        async def ready(expected: int) -> dict[str, bool]:
            async with asyncio.timeout(30):
                while (answer := await api.http.get("/health/ready")).status_code != expected:
                    await asyncio.sleep(0.1)
            return answer.json()["checks"]

        assert all((await ready(200)).values())
        own.signal(signal.SIGSTOP)
        began = time.monotonic()
        checks = await ready(503)
        assert (checks["leader"], checks["tasks"]) == (False, True)
        assert time.monotonic() - began < 12  # 5 s for which a proof counts, and one attempt
        assert (await api.http.get("/health/live")).status_code == 200
        own.signal(signal.SIGCONT)
        assert all((await ready(200)).values())
        assert (await api.submit(0)).status_code == 201


async def test_without_a_journal_a_receipt_is_neither_found_nor_unknown(own: Own) -> None:
    async with served(own.urls) as api:
        mine = (await api.submit(0)).json()["receipt"]
        own.signal(signal.SIGKILL)
        await asyncio.sleep(0.3)
        for method in ("GET", "DELETE"):
            assert (await api.receipt(mine, method)).status_code == 503
        assert (await api.http.get("/health/ready")).status_code == 503
        assert (await api.http.get("/health/live")).status_code == 200
        await own.start()
        codes: list[int] = []
        while codes[-1:] != [200] and len(codes) < 100:
            codes.append((await api.receipt(mine)).status_code)
            await asyncio.sleep(0.1)
        assert set(codes) <= {200, 503}


async def test_more_than_can_wait_is_refused_at_once(own: Own) -> None:
    async with served(own.urls, queue=10) as api:
        own.signal(signal.SIGSTOP)
        waiting = [asyncio.create_task(api.submit(n)) for n in range(10)]
        while "platea_intake_queue 10.0" not in (await api.http.get("/metrics")).text:
            await asyncio.sleep(0.02)
        began = time.monotonic()
        refused: httpx.Response = await api.submit(11)
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("Nothing was stored. ")
        repeated = await api.submit(11, refused.json()["receipt"])
        assert repeated.json()["detail"].startswith("This request stored nothing; one sent before"), "another intake may have stored it"
        assert time.monotonic() - began < 3
        own.signal(signal.SIGCONT)
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {201}
