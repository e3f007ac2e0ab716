"""The stream of drafts on a real NATS: saved, replaced, deleted from disk, gone in time, and never in the way of answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.client import Client

from deploy.stack.nats_server import NatsServer
from proto import subjects
from services.intake.drafts.draft_store import DraftStore, NotNow
from services.runtime import nats_client
from tests.conftest import NatsUrls

ID, OTHER = "0" * 32, "1" * 32


@pytest.fixture
async def store(nats_urls: NatsUrls) -> AsyncIterator[DraftStore]:
    client = await nats_client.connect(nats_urls.intake, "test")
    yield DraftStore(client, 30)
    await client.close()


async def test_a_draft_is_read_replaced_and_deleted(store: DraftStore) -> None:
    assert await store.get(ID) is None
    await store.put(ID, b"first", 60)
    await store.put(OTHER, b"other", 60)
    await store.put(ID, b"second", 60)
    assert await store.get(ID) == b"second"
    assert await store.delete(ID)
    assert await store.get(ID) is None
    assert not await store.delete(ID)
    assert await store.get(OTHER) == b"other"


async def test_a_deleted_draft_is_overwritten_on_disk(store: DraftStore, nats_server: NatsServer) -> None:
    sealed = b"0123456789abcdef" * 64

    def files_with_it() -> list[Path]:
        return [path for path in nats_server.folder.rglob("*") if path.is_file() and sealed in path.read_bytes()]

    await store.put(ID, sealed, 60)
    assert files_with_it()
    assert await store.delete(ID)
    assert not files_with_it()


async def test_a_draft_goes_when_its_time_is_over(store: DraftStore, provisioner: Client) -> None:
    await store.put(ID, b"sealed", 1)
    await store.put(OTHER, b"sealed", 60)
    await asyncio.sleep(2.5)
    assert await store.get(ID) is None
    assert (await provisioner.jetstream().stream_info(subjects.DRAFTS)).state.messages == 1


async def test_no_room_for_new_drafts_pushes_out_none_and_lets_known_ones_be_replaced(store: DraftStore, provisioner: Client) -> None:
    js = provisioner.jetstream()
    config = (await js.stream_info(subjects.DRAFTS)).config
    await js.update_stream(replace(config, max_bytes=100_000))
    for number in range(8):
        await store.put(f"{number:032x}", b"x" * 10_000, 60)
    with pytest.raises(NotNow):
        await store.put(f"{8:032x}", b"x" * 30_000, 60)
    assert await store.get("0" * 32) == b"x" * 10_000
    await store.put("0" * 32, b"y" * 10_000, 60)
    assert await store.get("0" * 32) == b"y" * 10_000


async def test_without_its_stream_nothing_is_promised(store: DraftStore, provisioner: Client) -> None:
    await provisioner.jetstream().delete_stream(subjects.DRAFTS)
    for asked in (store.put(ID, b"sealed", 60), store.get(ID), store.delete(ID)):
        with pytest.raises(NotNow):
            await asked


async def test_the_stream_keeps_one_message_per_draft_and_no_draft_for_ever(provisioner: Client, nats_urls: NatsUrls) -> None:
    config = (await provisioner.jetstream().stream_info(subjects.DRAFTS)).config
    assert (config.max_msgs_per_subject, config.discard, config.allow_msg_ttl) == (1, "new", True)
    assert config.max_age == subjects.DRAFT_DAYS * 86_400
