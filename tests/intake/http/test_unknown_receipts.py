"""Only the leader may call unknown what somebody was promised; a replica that is behind, cut off or frozen never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
import nats.errors
import pytest
from nats.aio.client import Client

from proto import receipt, subjects
from services.intake.drafts.draft_store import DraftStore
from services.intake.streams import replica_reads, stream_leader
from services.intake.streams.replica_reads import Behind, certain, hedged
from services.intake.streams.stream_leader import LeaderOutOfReach, StreamLeader
from services.runtime import nats_client
from tests.conftest import NatsUrls
from tests.intake.serving import Api, body, key, open_survey, served
from tests.intake.streams.test_cas_store import behind

SECOND = 10**9


def info(found: int = 0, leader: str = "a", **others: float) -> bytes:
    """What a server says about a stream; `others` are the seconds since each of the other servers was heard."""
    peers = [{"name": name, "active": int(seconds * SECOND)} for name, seconds in others.items()]
    answer = {"state": {"messages": 9, "subjects": {"s": found} if found else {}}, "cluster": {"leader": leader, "replicas": peers}}
    return msgspec.json.encode(answer)


@dataclass
class Servers:
    """Answers in turn; the last one for ever. None is no answer."""

    answers: list[bytes | None]
    asked: int = 0
    is_connected: bool = True
    servers: list[str] = field(default_factory=list[str])

    async def request(self, subject: str, payload: bytes, timeout: float) -> object:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if answer is None:
            raise nats.errors.TimeoutError

        class Message:
            data = answer

        return Message


def leader(*answers: bytes | None) -> tuple[StreamLeader, Servers]:
    servers = Servers(list(answers))
    return StreamLeader(servers, subjects.RESPONSES), servers  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "answers",
    [
        [info(b=0.2, c=0.2), info(b=0.01, c=9.0)],  # one of two others is a majority with the leader itself
        [info(b=8.0, c=9.0), info(leader="", a=0.1, b=0.1, c=0.1), info(leader="b", b=0.01, c=0.01), info(b=0.01, c=9.0)],
        [b'{"state": {"messages": 9}}'],  # a single server
        [b'{"state": {"messages": 9}, "cluster": {"name": "platea", "leader": "a"}}'],
        [b'{"error": {"code": 503, "err_code": 10008}}', info(b=0.01, c=0.01)],
        [info(b=0.01, c=0.01, d=7.0, e=7.0), info(b=0.01, c=0.01, d=0.0, e=7.0)],
    ],
)
async def test_a_leader_that_a_majority_confirmed_since_may_call_it_unknown(answers: list[bytes]) -> None:
    asked, servers = leader(*answers)
    assert await asked.holds("s") is False
    assert servers.asked >= len(answers)


@pytest.mark.parametrize(
    "answer",
    [
        info(b=6.0, c=8.0),  # cut off from both others, and still a leader in its own eyes
        info(b=0.0, c=0.0),  # it has never heard them
        info(leader="b", b=0.01, c=0.01),  # a follower
        info(leader="", a=0.01, b=0.01, c=0.01),  # nobody knows a leader
        info(b=0.01, c=6.0, d=6.0, e=6.0),  # two of five
        None,
    ],
)
async def test_who_is_not_certainly_the_leader_calls_nothing_unknown(monkeypatch: pytest.MonkeyPatch, answer: bytes | None) -> None:
    monkeypatch.setattr(stream_leader, "PATIENCE", 0.3)
    asked, _ = leader(answer)
    with pytest.raises(LeaderOutOfReach):
        await asked.holds("s")


async def test_what_is_found_needs_no_confirmation() -> None:
    asked, servers = leader(info(found=1, b=6.0, c=8.0))
    assert await asked.holds("s") is True
    assert servers.asked == 1


async def test_what_the_leader_has_is_looked_for_until_a_replica_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([None, None, "it"])

    async def ask() -> str | None:
        return next(found)

    async def never() -> None:
        return None

    async def held() -> bool:
        return True

    async def not_held() -> bool:
        return False

    assert await certain(ask, held) == "it"
    assert await certain(never, not_held) is None
    monkeypatch.setattr(replica_reads, "CATCHING_UP", 0.1)
    with pytest.raises(Behind):
        await certain(never, held)


async def test_a_frozen_replica_delays_an_answer_by_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = doubts = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked < 3:
            await asyncio.sleep(60)
        return asked

    def doubt() -> None:
        nonlocal doubts
        doubts += 1

    async with asyncio.timeout(30):
        assert await hedged(ask, doubt) == 3
    assert doubts == 2

    async def fail() -> int:
        raise nats.errors.NoRespondersError

    with pytest.raises(nats.errors.NoRespondersError):
        await hedged(fail, doubt)
    monkeypatch.setattr(replica_reads, "ATTEMPT", 0.3)
    asked = -1000
    with pytest.raises(TimeoutError):
        await hedged(ask, doubt)


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


async def test_behind_or_not_a_right_receipt_is_known_and_a_wrong_one_is_not(api: Api, provisioner: Client) -> None:
    first, js = key(), provisioner.jetstream(timeout=5)
    assert (await api.submit(0, first)).status_code == 201
    async with behind(js, subjects.RESPONSES, knowing=subjects.journalled(receipt.response_id(first))):
        for number in range(12):
            mine = key()
            assert (await api.submit(number, mine)).status_code == 201
            assert (await api.submit(number, mine)).status_code == 200
            assert (await api.receipt(mine)).status_code == 200
            assert (await api.receipt(mine, "PUT", json=body(number + 1))).status_code == 200
            assert (await api.receipt(mine, "DELETE")).status_code == 202
        for method in ("GET", "PUT", "DELETE"):
            assert (await api.receipt(key(), method, json=body())).status_code == 404


async def test_behind_or_not_a_draft_is_found_and_deleted(nats_urls: NatsUrls, provisioner: Client) -> None:
    client = await nats_client.connect(nats_urls.intake, "test")
    store = DraftStore(client, 30)
    await store.put("0" * 32, b"known to all", 60)
    async with behind(provisioner.jetstream(timeout=5), subjects.DRAFTS, knowing=subjects.draft("0" * 32)):
        for number in range(1, 13):
            id = f"{number:032x}"
            await store.put(id, b"sealed", 60)
            assert await store.get(id) == b"sealed"
            assert await store.delete(id)
            assert await store.get(id) is None
    await client.close()
