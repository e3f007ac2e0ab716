"""Invitation and answer cannot be joined by somebody who has everything that was stored and logged, nor by somebody who reads the memory
of every process and has not the codes."""

from __future__ import annotations

import asyncio
import csv
import random
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil
import pytest
from nats.aio.client import Client

from deploy.stack.nats_server import NatsServer
from proto import invitation, receipt, subjects
from proto.blind import PublicKey
from proto.invitation import TicketRequest
from services.intake.invitations.sorted_names import NAME, SortedNames
from services.intake.invitations.spent_tickets import SPENT
from services.intake.streams.cas_store import CasStore
from services.runtime import stream_settings
from tests.conftest import NatsUrls
from tests.faults.operated import Operated
from tests.intake.invited import API, SURVEY, TEXT, Guest, bare, guests, key_in, open_invited
from tests.intake.linkage import Attack, Dump, Verdict, judge, records
from tests.intake.memory import memory_of
from tests.intake.serving import served
from tests.pages.visitor import Visitor

AT_ONCE = 8
"""Respondents who are answering at the same time."""
COUNT = 200


@dataclass
class Person:
    """Somebody who was invited, and who answers the form in a browser of their own, with scripts or without."""

    code: str
    number: int
    key: PublicKey
    scripts: bool
    receipt: str = ""

    @property
    def request(self) -> TicketRequest:
        return invitation.ticket_request(SURVEY, bare(self.code), self.key)

    @property
    def id(self) -> str:
        return receipt.response_id(self.receipt)

    @property
    def remark(self) -> str:
        return f"remark {self.number:05d}"

    async def visit(self, url: str) -> None:
        """Looks in twice, stays for a moment, answers, and tries to answer again."""
        async with httpx.AsyncClient(base_url=url, timeout=120) as http:
            visitor = Visitor(http, "en")  # pyright: ignore[reportArgumentType]  it speaks the same
            for _ in range(2):
                await self._enter(visitor, http)
                assert visitor.status == 200, visitor.page.text
            await asyncio.sleep(random.uniform(0.02, 0.1))
            visitor.page.fill("consent", "yes")
            await visitor.press("next")
            visitor.page.fill("q.A1", str(self.number % 3 + 1))
            visitor.page.fill("q.A2", self.remark)
            await visitor.press("next")
            await visitor.press("send")
            assert visitor.status == 200, visitor.page.text
            self.receipt = visitor.page.control("receipt").value
            await self._refused(visitor, http)

    async def _refused(self, visitor: Visitor, http: httpx.AsyncClient) -> None:
        """The form says so once it is noted that the ticket is spent, which nobody waited for."""
        deadline = time.monotonic() + 60
        await self._enter(visitor, http)
        while visitor.status == 200 and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            await self._enter(visitor, http)
        assert visitor.status == 410, visitor.page.text

    async def _enter(self, visitor: Visitor, http: httpx.AsyncClient) -> None:
        fields = {"place": "invitation", "code": self.code, "go": "next"}
        if self.scripts:
            guest = Guest(http, self.code, self.key)
            assert (await guest.exchange()).status_code == 200
            fields = {"place": "invitation", "ticket": guest.ticket, "go": "next"}
        await visitor.send(f"/s/{SURVEY}?lang=en", urlencode(fields))


@dataclass
class World:
    """All who came, and what an attacker finds: below the data folder once all has ended, and in memory while it runs."""

    people: Sequence[Person]
    disk: Dump
    memory: Dump

    def verdict(self, dump: Dump, *, with_codes: bool) -> tuple[Attack, Verdict]:
        """With the codes the attacker makes everybody's ticket, and has to find which response came with it. Without them every ticket that
        lies anywhere is taken for granted to lead to its response."""
        codes, responses = self.people, sorted(self.people, key=lambda person: person.id)
        of_codes, of_responses = _of_codes(codes), _of_responses(responses)
        (of_codes if with_codes else of_responses).update(_of_tickets(codes if with_codes else responses))
        attack = Attack(dump, SURVEY, [person.code for person in codes], [person.id for person in responses], of_codes, of_responses)
        truth = {number: next(place for place, other in enumerate(responses) if other is person) for number, person in enumerate(codes)}
        return attack, judge(attack, truth)


def _of_codes(people: Sequence[Person]) -> dict[str, Sequence[bytes]]:
    return {
        "code": [person.code.encode() for person in people],
        "bare code": [bare(person.code).encode() for person in people],
        "blinded": [invitation.encoded(person.request.blinded)[:40].encode() for person in people],
        "raw blinded": [person.request.blinded for person in people],
    }


def _of_tickets(people: Sequence[Person]) -> dict[str, Sequence[bytes]]:
    tokens = [person.request.token for person in people]
    return {
        "token": [invitation.encoded(token).encode() for token in tokens],
        "raw token": tokens,
        "spent": [invitation.spent_name(token) for token in tokens],
    }


def _of_responses(people: Sequence[Person]) -> dict[str, Sequence[bytes]]:
    return {
        "receipt": [person.receipt.encode() for person in people],
        "remark": [person.remark.encode() for person in people],
        "remark on its way": [person.remark.replace(" ", "+").encode() for person in people],
    }


@pytest.fixture(scope="module")
def world(stack: Operated, tmp_path_factory: pytest.TempPathFactory) -> World:
    return asyncio.run(_came(stack, tmp_path_factory.mktemp("codes")))


async def _came(stack: Operated, folder: Path) -> World:
    (folder / "square.yaml").write_text(TEXT)
    stack.platea("survey", "publish", str(folder / "square.yaml"))
    stack.platea("invite", SURVEY, "--count", str(COUNT), "--out", str(folder / "codes.csv"))
    codes = [row["code"] for row in csv.DictReader((folder / "codes.csv").read_text("utf-8").splitlines())]
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as http:
        key = key_in((await http.get(f"{API}/tickets")).json())
        people = [Person(code, number, key, scripts=number % 3 > 0) for number, code in enumerate(random.sample(codes, COUNT))]

        async def come(person: Person) -> None:
            async with gate:
                await person.visit(stack.url)

        await asyncio.gather(*map(come, people))
        async with asyncio.timeout(120):
            while (await http.get(f"{API}/aggregates")).json().get("responses", 0) <= COUNT - 15:  # fifteen at most are waited for
                await asyncio.sleep(0.3)
        metrics = {path: (await http.get(path)).content for path in ("/metrics", "/analysis/metrics", "/export/metrics")}
    memory = memory_of([psutil.Process(stack.supervisor.pid), *stack.family()])
    stack.stop()  # now everything that was in memory is on disk or gone
    random.shuffle(people)
    return World(people, Dump.of(stack.data, **metrics), Dump(memory))


def test_who_has_the_whole_server_and_all_codes_joins_codes_and_answers_no_better_than_by_chance(world: World) -> None:
    attack, verdict = world.verdict(world.disk, with_codes=True)
    print(f"\n{sum(map(len, world.disk.files.values())) / 1e6:.0f} MB in {len(world.disk.files)} files. {verdict}")
    assert len(attack.marks) == COUNT, "else this test looks in the wrong place"
    assert "id in RESPONSES, first message's time" in attack.of_responses
    assert any(name.startswith("spent first in INVITATIONS") for name in attack.of_codes), "nor does it read what is spent"
    assert any(name.startswith("raw first in postgres/") for name in attack.of_responses), "nor the store's files"
    assert attack.shared() == []
    assert verdict.right <= verdict.ceiling
    assert verdict.correlation <= verdict.correlation_by_chance + 0.1
    outside = Dump({name: data for name, data in world.disk.files.items() if not name.startswith("postgres/base")})
    secrets = [*_of_codes(world.people).values(), *list(_of_tickets(world.people).values())[:2]]
    assert outside.holds([secret for each in secrets for secret in each]) == set()


def test_no_ticket_is_listed_with_its_response_once_that_is_written(world: World) -> None:
    found = [
        record for name, data in world.disk.files.items() if "INVITATIONS" in name and name.endswith(".blk") for record in records(data)
    ]
    spent = {record.seq: record.data for record in found if record.subject.endswith(f"{SURVEY}.spent")}
    names = {invitation.spent_name(person.request.token) for person in world.people}
    listed = dict(SortedNames(NAME, spent[max(spent)][-2 * NAME * COUNT :]))  # before it stand the message's headers
    assert listed.keys() - names == names - listed.keys() == set()
    assert {name for name, value in listed.items() if value != SPENT} == set()


def test_who_reads_the_memory_of_every_process_and_has_no_codes_joins_no_better_than_by_chance(world: World) -> None:
    """Those without scripts show the server the code itself, and what it forgot may lie about for a while: the codes of the last few."""
    attack, verdict = world.verdict(world.memory, with_codes=False)
    programs = " ".join(world.memory.files)
    print(f"\n{sum(map(len, world.memory.files.values())) / 1e6:.0f} MB in {len(world.memory.files)} processes. {verdict}")
    for program in ("deploy.cli", "deploy.front", "services.analysis", "services.export", "nats", "postgres"):
        assert program in programs, "else this test looks in the wrong place"
    assert any(name.startswith("memory/nats") for name in attack.nearest), "nor does it lay traces beside each other"
    codes = [person.code.encode() for person in world.people] + [bare(person.code).encode() for person in world.people]
    seen = {place % COUNT for place in world.memory.holds(codes)}
    print(f"codes that lie about: {len(seen)}")
    assert verdict.right <= verdict.ceiling
    assert verdict.correlation <= verdict.correlation_by_chance + 0.1
    assert not any(world.people[place].scripts for place in seen), "with scripts no code reaches the server"
    assert len(seen) <= 2 * AT_ONCE


def test_the_same_attack_on_memory_succeeds_for_whoever_has_the_codes_too(world: World) -> None:
    """That is no promise: it shows that the attack sees what is there, and `docs/promises.md` tells the figure."""
    _, verdict = world.verdict(world.memory, with_codes=True)
    print(f"\n{verdict}")
    assert verdict.right > verdict.ceiling


@asynccontextmanager
async def remembering(names: Sequence[bytes], ids: Sequence[str]) -> AsyncGenerator[psutil.Process]:
    """A process that keeps used codes and responses as release 0.1.0 did: in dictionaries, in the order in which they came."""
    program = "import sys; lines = sys.stdin.read().split(); names = {bytes.fromhex(line): b'' for line in lines[::2]}; "
    program += "ids = {line: b'' for line in lines[1::2]}; del lines; print(flush=True); sys.stdin.close(); import time; time.sleep(600)"
    lines = " ".join(f"{name.hex()} {id}" for name, id in zip(names, ids, strict=True))
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(lines.encode())
        process.stdin.close()
        await asyncio.to_thread(process.stdout.readline)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_the_same_attack_finds_the_order_where_a_process_keeps_codes_as_they_came() -> None:
    codes = [bare(invitation.make_code()) for _ in range(COUNT)]
    ids = [receipt.response_id(receipt.make()) for _ in range(COUNT)]
    async with remembering([invitation.name(SURVEY, code) for code in codes], ids) as process:
        dump = Dump(memory_of([process]))
    listed, order = sorted(ids), random.sample(range(COUNT), COUNT)
    attack = Attack(dump, SURVEY, [codes[number] for number in order], listed)
    verdict = judge(attack, {place: listed.index(ids[number]) for place, number in enumerate(order)})
    print(f"\n{verdict}")
    assert verdict.right > verdict.ceiling


async def forget(self: CasStore, subject: str, before: int) -> None:
    """What one would build first: the stream's own limit drops a former writing, and nobody overwrites it."""


@pytest.fixture
async def forgetful(nats_urls: NatsUrls, provisioner: Client, monkeypatch: pytest.MonkeyPatch) -> NatsUrls:
    monkeypatch.setattr(CasStore, "erase", forget)
    js = provisioner.jetstream(timeout=5)
    await js.delete_stream(subjects.INVITATIONS)
    stream = stream_settings.invitations_stream()
    stream.max_msgs_per_subject = 1
    await js.add_stream(stream)
    await open_invited(provisioner)
    return nats_urls


async def test_the_same_attack_finds_the_order_where_former_writings_are_only_forgotten(
    forgetful: NatsUrls, nats_server: NatsServer
) -> None:
    async with served(forgetful) as api:
        everybody = await guests(api.http, 120)
        order = random.sample(range(120), 120)
        gate = asyncio.Semaphore(AT_ONCE)

        async def come(number: int) -> None:
            async with gate:
                assert (await everybody[number].exchange()).status_code == 200
                await asyncio.sleep(random.uniform(0.02, 0.1))
                assert (await everybody[number].answer(number)).status_code == 201

        await asyncio.gather(*map(come, order))
    listed = sorted(receipt.response_id(guest.receipt) for guest in everybody)
    spent = {"spent": [invitation.spent_name(guest.request.token) for guest in everybody]}
    attack = Attack(Dump.of(nats_server.folder), SURVEY, [guest.code for guest in everybody], listed, spent)
    verdict = judge(attack, {number: listed.index(receipt.response_id(guest.receipt)) for number, guest in enumerate(everybody)})
    print(f"\n{verdict}")
    assert verdict.right > verdict.ceiling
    assert verdict.correlation > 0.9
