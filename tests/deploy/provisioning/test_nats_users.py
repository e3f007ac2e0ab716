"""Each NATS user can do its own work, but nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from deploy.keys import KeyFolder
from deploy.stack.child import Child
from deploy.stack.nats_server import NatsServer
from proto import subjects
from proto.registry import Registry
from services.intake.invitations.invitation_store import InvitationStore
from services.intake.streams.cas_store import Overtaken, Record
from services.runtime import nats_client, stream_settings
from services.runtime.supervision import Supervisor
from tests.conftest import NatsUrls

ID = "0" * 31 + "1"


class Guest:
    """A connection that remembers what it was refused."""

    def __init__(self) -> None:
        self.client = Client()
        self.refused: list[str] = []

    async def connect(self, url: str, user: str) -> None:
        async def note(error: Exception) -> None:
            self.refused.append(str(error))

        await self.client.connect(url, inbox_prefix=f"_INBOX.{user}", error_cb=note, allow_reconnect=False)

    async def may_publish(self, subject: str) -> bool:
        await self.client.publish(subject, b"{}")
        return await self._unrefused()

    async def may_subscribe(self, subject: str) -> bool:
        await self.client.subscribe(subject)
        return await self._unrefused()

    async def _unrefused(self) -> bool:
        before = len(self.refused)
        for _ in range(2):  # nats-py lets its first ping overtake what it has yet to write; a refusal comes before the answer to the second
            await self.client.flush()
        await asyncio.sleep(0.02)
        return len(self.refused) == before


@contextlib.asynccontextmanager
async def guest(urls: NatsUrls, user: str) -> AsyncGenerator[Guest]:
    visitor = Guest()
    await visitor.connect(getattr(urls, user), "dashboard" if user == "websocket" else user)
    try:
        yield visitor
    finally:
        await visitor.client.close()


FORBIDDEN = {
    "intake": [
        "platea.aggregates.s",
        "platea.query.s",
        "platea.journal.0.s.x",
        "$JS.API.STREAM.DELETE.RESPONSES",
        "$JS.API.STREAM.PURGE.RESPONSES",
        "$JS.API.STREAM.MSG.DELETE.RESPONSES",
        "$JS.API.STREAM.MSG.GET.RESPONSES",
        "$JS.API.DIRECT.GET.RESPONSES",
        "$JS.API.CONSUMER.CREATE.RESPONSES.mine",
        "$JS.API.CONSUMER.MSG.NEXT.RESPONSES.analysis-0",
        "$JS.ACK.RESPONSES.analysis-0.1.1.1.1.0",
        "$JS.API.STREAM.PURGE.DRAFTS",
        "$JS.API.STREAM.MSG.GET.DRAFTS",
        "$JS.API.DIRECT.GET.DRAFTS",
        "$JS.API.CONSUMER.CREATE.DRAFTS.mine",
        "$JS.API.STREAM.PURGE.CONTACTS",
        "$JS.API.STREAM.INFO.CONTACTS",
        "$JS.API.CONSUMER.CREATE.CONTACTS.mine",
        subjects.acts("export"),
        "$JS.API.STREAM.MSG.DELETE.ACTS",
        "$JS.API.STREAM.PURGE.ACTS",
    ],
    "analysis": [
        subjects.acts("intake"),
        subjects.uses("intake", "x"),
        "$JS.API.DIRECT.GET.ACTS",
        subjects.contacts("s"),
        f"$JS.API.DIRECT.GET.CONTACTS.{subjects.contacts('s')}",
        "$JS.API.DIRECT.GET.CONTACTS",
        "$JS.API.STREAM.MSG.GET.CONTACTS",
        "$JS.API.STREAM.MSG.DELETE.CONTACTS",
        subjects.draft(ID),
        f"$JS.API.DIRECT.GET.DRAFTS.{subjects.draft(ID)}",
        "$JS.API.STREAM.MSG.DELETE.DRAFTS",
        f"platea.responses.s.{ID}",
        "platea.control.token.x",
        subjects.closing("s"),
        subjects.survey("s", "1.0.0"),
        "$JS.API.STREAM.DELETE.RESPONSES",
        "$JS.API.STREAM.PURGE.RESPONSES",
        "$JS.API.STREAM.UPDATE.RESPONSES",
        "$JS.API.CONSUMER.CREATE.CONTROL.mine",
    ],
    "export": [
        subjects.acts("intake"),
        subjects.uses("analysis", "x"),
        "$JS.API.DIRECT.GET.ACTS",
        subjects.contacts("s"),
        f"$JS.API.DIRECT.GET.CONTACTS.{subjects.contacts('s')}",
        "$JS.API.DIRECT.GET.CONTACTS",
        "$JS.API.STREAM.MSG.GET.CONTACTS",
        "$JS.API.STREAM.MSG.DELETE.CONTACTS",
        subjects.draft(ID),
        f"$JS.API.DIRECT.GET.DRAFTS.{subjects.draft(ID)}",
        "$JS.API.STREAM.MSG.DELETE.DRAFTS",
        f"platea.responses.s.{ID}",
        "platea.control.token.x",
        subjects.quotas("s"),
        "platea.aggregates.s",
        "$JS.API.DIRECT.GET.RESPONSES",
        f"$JS.API.DIRECT.GET.RESPONSES.platea.journal.*.*.{ID}",
        "$JS.API.STREAM.INFO.RESPONSES",
        "$JS.API.CONSUMER.CREATE.RESPONSES.mine",
    ],
    "dashboard": [
        subjects.contacts("s"),
        f"$JS.API.DIRECT.GET.CONTACTS.{subjects.contacts('s')}",
        "$JS.API.DIRECT.GET.CONTACTS",
        "$JS.API.STREAM.MSG.GET.CONTACTS",
        "$JS.API.STREAM.MSG.DELETE.CONTACTS",
        subjects.draft(ID),
        f"$JS.API.DIRECT.GET.DRAFTS.{subjects.draft(ID)}",
        "$JS.API.STREAM.MSG.DELETE.DRAFTS",
        f"platea.responses.s.{ID}",
        "platea.control.token.x",
        "platea.aggregates.s",
        "platea.query.s",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.DIRECT.GET.AGGREGATES",
        f"$JS.API.DIRECT.GET.AGGREGATES.{subjects.aggregates('s')}",
        "$JS.API.STREAM.MSG.GET.AGGREGATES",
        "_INBOX.dashboard.x",
        "anything",
        "$JS.API.CONSUMER.CREATE.AGGREGATES",
        "$JS.API.DIRECT.GET.CONTROL",
    ],
    "provisioner": [f"platea.journal.0.s.{ID}", subjects.draft(ID), "platea.aggregates.s", "platea.query.s"],
}
FORBIDDEN["websocket"] = FORBIDDEN["dashboard"]
OF_INVITATIONS = [
    subjects.invitations("s", "used"),
    f"$JS.API.DIRECT.GET.INVITATIONS.{subjects.invitations('s', 'key')}",
    "$JS.API.DIRECT.GET.INVITATIONS",
    "$JS.API.STREAM.MSG.GET.INVITATIONS",
    "$JS.API.STREAM.MSG.DELETE.INVITATIONS",
    subjects.seal("s"),
    "$JS.API.DIRECT.GET.SEALS",
    "$JS.API.STREAM.MSG.GET.SEALS",
    "$JS.API.STREAM.MSG.DELETE.SEALS",
]
for _user in ("analysis", "export", "dashboard"):
    FORBIDDEN[_user] += OF_INVITATIONS
FORBIDDEN["intake"] += ["$JS.API.STREAM.PURGE.INVITATIONS", "$JS.API.CONSUMER.CREATE.INVITATIONS.mine"]
UNHEARD = {
    "intake": [
        "platea.responses.>",
        "platea.drafts.>",
        "platea.contacts.>",
        "platea.journal.>",
        "platea.aggregates.>",
        "_INBOX.analysis.>",
        "_INBOX.>",
        ">",
    ],
    "analysis": ["platea.responses.>", "platea.drafts.>", "platea.contacts.>", "_INBOX.intake.>", "_INBOX.>", ">"],
    "export": ["platea.responses.>", "platea.drafts.>", "platea.contacts.>", "platea.aggregates.>", "_INBOX.intake.>", ">"],
    "dashboard": [
        "platea.responses.>",
        "platea.drafts.>",
        "platea.contacts.>",
        "platea.control.>",
        "platea.query.>",
        "_INBOX.dashboard.>",
        "_INBOX.intake.>",
        "_INBOX.>",
        ">",
    ],
    "provisioner": ["platea.responses.>", "platea.drafts.>", "platea.contacts.>", "_INBOX.intake.>", ">"],
}
for _subjects in UNHEARD.values():
    _subjects += ["platea.invitations.>", "platea.seals.>"]
UNHEARD["websocket"] = UNHEARD["dashboard"]


@pytest.mark.parametrize("user", list(FORBIDDEN))
async def test_what_belongs_to_others_is_refused(nats_urls: NatsUrls, user: str) -> None:
    async with guest(nats_urls, user) as visitor:
        for subject in FORBIDDEN[user]:
            assert not await visitor.may_publish(subject), subject
        for subject in UNHEARD[user]:
            assert not await visitor.may_subscribe(subject), subject


async def test_intake_writes_the_journal_and_asks_about_one_receipt(nats_urls: NatsUrls) -> None:
    async with guest(nats_urls, "intake") as visitor:
        js = visitor.client.jetstream(timeout=2)
        ack = await js.publish(subjects.response("s", ID), b"{}", headers={"Nats-Msg-Id": ID})
        message = await js.get_last_msg(subjects.RESPONSES, subjects.journalled(ID), direct=True)
        assert message.seq == ack.seq
        partition = subjects.partition_of(message.subject or "")
        info = await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
        assert info.num_pending == 1
        assert await visitor.may_publish(subjects.token("x"))
        assert not visitor.refused


async def test_intake_saves_reads_and_deletes_a_draft(nats_urls: NatsUrls) -> None:
    async with guest(nats_urls, "intake") as visitor:
        js = visitor.client.jetstream(timeout=2)
        for sealed in (b"first", b"second"):
            await js.publish(subjects.draft(ID), sealed, msg_ttl=60)
        message = await js.get_last_msg(subjects.DRAFTS, subjects.draft(ID), direct=True)
        assert message.data == b"second"
        assert await js.delete_msg(subjects.DRAFTS, message.seq or 0)
        with pytest.raises(NotFoundError):
            await js.get_last_msg(subjects.DRAFTS, subjects.draft(ID), direct=True)
        assert not visitor.refused


async def test_intake_rewrites_what_it_knows_about_invitations_and_erases_the_former_writing(nats_urls: NatsUrls) -> None:
    client = await nats_client.connect(nats_urls.intake, "test")
    store = InvitationStore(client)
    first = await store.write("s", "used", b"first", 0)
    second = await store.write("s", "used", b"second", first)
    assert await store.read("s", "used") == Record(b"second", second)
    with pytest.raises(Overtaken):
        await store.write("s", "used", b"third", first)
    await client.close()
    async with guest(nats_urls, "provisioner") as visitor:
        state = (await visitor.client.jetstream().stream_info(subjects.INVITATIONS)).state
        assert state.messages == 1


async def test_analysis_reads_the_journal_deletes_from_it_and_publishes_figures(nats_urls: NatsUrls) -> None:
    async with guest(nats_urls, "intake") as visitor:
        await visitor.client.jetstream().publish(subjects.response("s", ID), b"{}")
    async with guest(nats_urls, "analysis") as visitor:
        js = visitor.client.jetstream(timeout=2)
        found = []
        for partition in range(4):
            pulling = await js.pull_subscribe_bind(subjects.durable(partition), subjects.RESPONSES)
            with contextlib.suppress(nats.errors.TimeoutError):
                found += await pulling.fetch(1, timeout=0.3)
        assert len(found) == 1
        await found[0].ack_sync()
        assert await js.delete_msg(subjects.RESPONSES, found[0].metadata.sequence.stream)
        await js.publish(subjects.aggregates("s"), b"{}")

        async def answer(message: Msg) -> None:
            await message.respond(b"42")

        await visitor.client.subscribe(subjects.query("s"), cb=answer)
        assert (await visitor.client.request(subjects.query("s"), b"", timeout=2)).data == b"42"
        # A store that was restored from a backup makes its consumer anew.
        await js.delete_consumer(subjects.RESPONSES, subjects.durable(0))
        await js.add_consumer(subjects.RESPONSES, stream_settings.analysis_consumer(0, 1))
        assert not visitor.refused


@pytest.mark.parametrize("user", ["intake", "analysis", "export"])
async def test_every_service_follows_surveys_and_tokens(nats_urls: NatsUrls, user: str) -> None:
    client = await nats_client.connect(getattr(nats_urls, user), "test")
    tasks = Supervisor()
    follower = await nats_client.follow_control(client, Registry(), tasks)
    async with guest(nats_urls, "provisioner") as visitor:
        ack = await visitor.client.jetstream().publish(subjects.token("x"), b"{}")
    await follower.reached(ack.seq, 3)
    await tasks.stop()
    await client.close()


@pytest.mark.parametrize("user", ["dashboard", "websocket"])
async def test_a_dashboard_gets_all_figures_as_they_are_published(nats_urls: NatsUrls, user: str) -> None:
    async with guest(nats_urls, "analysis") as analysis, guest(nats_urls, user) as visitor:
        heard = await visitor.client.subscribe("platea.aggregates.*")
        await visitor.client.flush()
        await analysis.client.jetstream().publish(subjects.aggregates("s"), b"second")
        assert (await heard.next_msg(2)).data == b"second"
        assert not visitor.refused


async def test_a_stranger_cannot_have_figures_repeated_where_answers_belong(nats_urls: NatsUrls) -> None:
    async with guest(nats_urls, "analysis") as analysis:
        await analysis.client.jetstream().publish(subjects.aggregates("s"), b"figures")
    async with guest(nats_urls, "dashboard") as visitor:
        asked = f"$JS.API.DIRECT.GET.AGGREGATES.{subjects.aggregates('s')}"
        for target in (subjects.response("s", ID), subjects.aggregates("other"), subjects.token("x")):
            await visitor.client.publish(asked, b"", reply=target)
        await visitor.client.flush()
        await asyncio.sleep(0.1)
    async with guest(nats_urls, "provisioner") as visitor:
        js = visitor.client.jetstream()
        assert (await js.stream_info(subjects.RESPONSES)).state.messages == 0
        assert (await js.stream_info(subjects.CONTROL)).state.messages == 0
        with pytest.raises(NotFoundError):
            await js.get_last_msg(subjects.AGGREGATES, subjects.aggregates("other"))


@pytest.mark.parametrize("user", ["dashboard", "websocket"])
async def test_a_stranger_takes_a_few_subscriptions_and_no_more(nats_urls: NatsUrls, user: str) -> None:
    """The server keeps a table of them beside the journal; sixty thousand of one connection took 90 MB."""
    async with guest(nats_urls, user) as visitor:
        taken = 0
        with contextlib.suppress(nats.errors.Error):  # nats-py gives up at the first refusal
            for number in range(300):
                await visitor.client.subscribe(subjects.aggregates(f"s{number}"))
                await visitor.client.flush()
                taken = number + 1
        assert 2 <= taken < 8, "the refusal may come a moment later"
        assert "maximum subscriptions exceeded" in str(visitor.client.last_error)
    async with guest(nats_urls, user) as visitor:
        await visitor.client.publish(f"$JS.API.DIRECT.GET.AGGREGATES.{subjects.aggregates('s')}", b"x" * 1025)
        with contextlib.suppress(nats.errors.Error):
            async with asyncio.timeout(30):
                while visitor.client.is_connected:
                    await visitor.client.flush()
        assert not visitor.client.is_connected, "what a stranger may ask is short"


async def test_strangers_take_a_share_of_the_connections_and_services_get_in_all_the_same(nats_urls: NatsUrls) -> None:
    host, _, port = nats_urls.websocket.removeprefix("ws://").partition(":")
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, contextlib.AsyncExitStack() as held:
        refused = 0
        for _ in range(70):
            stranger = await held.enter_async_context(session.ws_connect(f"ws://{host}:{port}", max_msg_size=0))
            await stranger.send_bytes(b"CONNECT {}\r\nPING\r\n")
            said = b""
            while b"PONG" not in said and b"maximum" not in said and (heard := await stranger.receive(30)).type is aiohttp.WSMsgType.BINARY:
                said += heard.data
            refused += b"PONG" not in said
        assert refused == 70 - 64
        async with guest(nats_urls, "intake") as service:
            assert await service.may_publish(subjects.token("x"))


async def test_no_log_says_who_a_stranger_was(tmp_path: Path) -> None:
    server = NatsServer.embedded(tmp_path / "nats", KeyFolder(tmp_path / "secrets"))
    child = Child(server.program, tmp_path)
    await child.start(60)
    try:
        for told in ("203.0.113.9", "2001:db8::9"):
            async with (
                aiohttp.ClientSession(headers={"X-Forwarded-For": told}) as session,
                session.ws_connect(f"ws://127.0.0.1:{server.websocket}", max_msg_size=0) as stranger,
            ):
                await stranger.send_bytes(b"CONNECT {}\r\nSUB platea.responses.> 1\r\nPUB platea.responses.s.x 0\r\n\r\nPING\r\n")
                said = b""
                while b"PONG" not in said:
                    said += await stranger.receive_bytes(timeout=30)
                assert said.count(b"Permissions Violation") == 2
        async with asyncio.timeout(30):
            while (tmp_path / "nats.log").read_text().count("Violation") < 4:
                await asyncio.sleep(0.02)
    finally:
        await child.stop()
    log = (tmp_path / "nats.log").read_text()
    assert log.count("[address]") == 4
    assert "203.0.113.9" not in log
    assert "2001:db8" not in log


async def test_a_service_password_does_not_open_the_public_listener(nats_urls: NatsUrls) -> None:
    user, _, rest = nats_urls.intake.removeprefix("nats://").partition(":")
    password = rest.partition("@")[0]
    with pytest.raises(nats.errors.Error):
        await nats.connect(nats_urls.websocket.replace("ws://", f"ws://{user}:{password}@"), allow_reconnect=False, connect_timeout=2)


async def test_nobody_deletes_what_organisers_did(nats_urls: NatsUrls, provisioner: Client) -> None:
    js = provisioner.jetstream(timeout=10)
    async with guest(nats_urls, "intake") as service:
        await service.client.jetstream(timeout=10).publish(subjects.acts("intake"), b"{}")
    with pytest.raises(JetStreamError):
        await js.delete_msg(subjects.ACTS, 1)
    with pytest.raises(JetStreamError):
        await js.purge_stream(subjects.ACTS)
    assert (await js.stream_info(subjects.ACTS)).state.messages == 1
