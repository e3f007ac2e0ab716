"""What was written as a whole is read as it was written last, or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig, StreamSource
from nats.js.client import JetStreamContext

from proto import invitation, subjects
from services.intake.invitations.invitations import MOST
from services.intake.streams.cas_store import CasStore, Record, StreamOutOfReach
from services.runtime import nats_client
from tests.conftest import NatsUrls

SUBJECT = subjects.invitations("s", "codes")


@pytest.fixture
async def client(nats_urls: NatsUrls) -> AsyncIterator[Client]:
    client = await nats_client.connect(nats_urls.intake, "test")
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("stream", "subject", "other"),
    [
        (subjects.INVITATIONS, SUBJECT, subjects.invitations("other", "codes")),
        (subjects.SEALS, subjects.seal("s"), subjects.seal("other")),
        (subjects.CONTACTS, subjects.contacts("s"), subjects.contacts("other")),
    ],
)
async def test_a_replica_that_is_behind_makes_nobody_unknown_and_nothing_gone(
    client: Client, provisioner: Client, stream: str, subject: str, other: str
) -> None:
    wholes, js = CasStore(client, stream), provisioner.jetstream(timeout=5)
    async with behind(js, stream, knowing=other):
        await wholes.write(other, b"", 0)
        async with asyncio.timeout(10):
            while (await js.stream_info(f"{stream}-BEHIND")).state.messages < 1:
                await asyncio.sleep(0.02)
        seq = 0
        for number in range(20):
            data = str(number).encode()
            seq = await wholes.write(subject, data, seq)
            assert await wholes.read(subject) == Record(data, seq)
            assert (await js.stream_info(stream)).state.messages == 2, "a former writing was not erased"


@asynccontextmanager
async def behind(js: JetStreamContext, stream: str, knowing: str) -> AsyncGenerator[None]:
    """Like a replica that lacks all other subjects so far: it takes turns with the stream in answering whoever asks directly."""
    await js.add_stream(StreamConfig(f"{stream}-BEHIND", mirror=StreamSource(stream, filter_subject=knowing), mirror_direct=True))
    try:
        yield
    finally:
        await js.delete_stream(f"{stream}-BEHIND")


async def test_what_was_never_written_is_told_from_what_cannot_be_asked(client: Client, provisioner: Client) -> None:
    wholes = CasStore(client, subjects.INVITATIONS)
    assert await wholes.read(SUBJECT) == Record()
    await provisioner.jetstream(timeout=5).delete_stream(subjects.INVITATIONS)
    with pytest.raises(StreamOutOfReach):
        await wholes.read(SUBJECT)


async def test_the_used_codes_of_the_largest_survey_come_back_whole(client: Client) -> None:
    wholes = CasStore(client, subjects.INVITATIONS)
    data = os.urandom(2 * invitation.NAME * MOST)
    seq = await wholes.write(SUBJECT, data, 0)
    assert await wholes.read(SUBJECT) == Record(data, seq)
