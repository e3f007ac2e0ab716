"""Invitation and answer cannot be joined by somebody who has everything that was stored and logged."""

from __future__ import annotations

import asyncio
import csv
import random
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from deploy.nats_server import NatsServer
from proto import invitation, receipt, subjects
from services.intake.wholes import Wholes
from tests.conftest import NatsUrls
from tests.faults.operated import Operated
from tests.intake.invited import API, SURVEY, TEXT, Guest, guests, key_in, open_invited
from tests.intake.linkage import Attack, Dump, Verdict, judge
from tests.intake.serving import served
from tests.pages.visitor import Page

AT_ONCE = 8
"""Respondents who are answering at the same time."""


@dataclass
class Plain(Guest):
    """Somebody whose browser has no scripts."""

    async def exchange(self) -> httpx.Response:
        body = {"place": "invitation", "code": self.code, "go": "next"}
        answer = await self.http.post(f"/s/{SURVEY}?lang=en", data=body, headers={"Accept": "text/html"})
        if answer.status_code == 200:
            self.ticket = msgspec.json.decode(Page(answer.text).control("sheet").value)["ticket"]
        return answer


async def come(everybody: list[Guest]) -> list[str]:
    """All of them, in a random order, each takes a moment for the answers. Returns the ids of the responses."""
    gate, ids = asyncio.Semaphore(AT_ONCE), [""] * len(everybody)
    order = list(range(len(everybody)))
    random.shuffle(order)

    async def one(number: int) -> None:
        guest = everybody[number]
        async with gate:
            assert (await guest.exchange()).status_code == 200
            await asyncio.sleep(random.uniform(0.02, 0.1))
            assert (await guest.answer(number)).status_code == 201
            assert (await guest.answer(number + 1)).status_code == 409
        token, _, _ = guest.ticket.partition(".")
        ids[number] = receipt.response_id(invitation.receipt(invitation.decoded(token)))

    await asyncio.gather(*map(one, order))
    return ids


def verdict_on(dump: Dump, everybody: list[Guest], ids: list[str]) -> tuple[Attack, Verdict]:
    listed = sorted(ids)
    attack = Attack(dump, SURVEY, [guest.code for guest in everybody], listed)
    return attack, judge(attack, {number: listed.index(id) for number, id in enumerate(ids)})


async def test_who_has_the_whole_server_joins_codes_and_answers_no_better_than_by_chance(stack: Operated, tmp_path: Path) -> None:
    (tmp_path / "square.yaml").write_text(TEXT)
    stack.platea("survey", "publish", str(tmp_path / "square.yaml"))
    stack.platea("invite", SURVEY, "--count", "200", "--out", str(tmp_path / "codes.csv"))
    codes = [row["code"] for row in csv.DictReader((tmp_path / "codes.csv").open(encoding="utf-8", newline=""))]
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as http:
        key = key_in((await http.get(f"{API}/tickets")).json())
        everybody = [(Plain if number % 3 == 0 else Guest)(http, code, key) for number, code in enumerate(codes)]
        ids = await come(everybody)
        async with asyncio.timeout(60):
            while (await http.get(f"{API}/aggregates")).json().get("responses", 0) < 190:
                await asyncio.sleep(0.3)
        metrics = {path: (await http.get(path)).content for path in ("/metrics", "/analysis/metrics", "/export/metrics")}
    stack.stop()  # now everything that was in memory is on disk or gone
    dump = Dump.of(stack.data, **metrics)
    attack, verdict = verdict_on(dump, everybody, ids)
    print(f"\n{sum(map(len, dump.files.values())) / 1e6:.0f} MB in {len(dump.files)} files. {verdict}")
    assert len(attack.marks) == 200, "else this test looks in the wrong place"
    assert "id in RESPONSES, first message's time" in attack.of_responses
    assert any(name.startswith("raw first in postgres/") for name in attack.of_responses), "nor does it read the store's files"
    assert attack.shared() == []
    assert verdict.right <= verdict.ceiling
    assert verdict.correlation <= verdict.correlation_by_chance + 0.1
    for guest in everybody:
        token, _, signature = guest.ticket.partition(".")
        for secret in (guest.code, guest.code.replace("-", ""), token, signature):
            assert not any(secret.encode() in data for name, data in dump.files.items() if not name.startswith("postgres/base"))


async def forget(self: Wholes, subject: str, before: int) -> None:
    """What one would build first: the stream's own limit drops a former writing, and nobody overwrites it."""


@pytest.fixture
async def forgetful(nats_urls: NatsUrls, provisioner: Client, monkeypatch: pytest.MonkeyPatch) -> NatsUrls:
    monkeypatch.setattr(Wholes, "erase", forget)
    js = provisioner.jetstream(timeout=5)
    await js.delete_stream(subjects.INVITATIONS)
    stream = subjects.invitations_stream()
    stream.max_msgs_per_subject = 1
    await js.add_stream(stream)
    await open_invited(provisioner)
    return nats_urls


async def test_the_same_attack_finds_the_order_where_former_writings_are_only_forgotten(
    forgetful: NatsUrls, nats_server: NatsServer
) -> None:
    async with served(forgetful) as api:
        everybody = await guests(api.http, 120)
        ids = await come(everybody)
    _, verdict = verdict_on(Dump.of(nats_server.folder), everybody, ids)
    print(f"\n{verdict}")
    assert verdict.right > verdict.ceiling
    assert verdict.correlation > 0.9
