"""Provisioning prepares the servers once; a second time it changes nothing."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from nats.aio.client import Client

from deploy.provisioning.provision import PARTITIONS, provision
from deploy.provisioning.streams import create_streams
from deploy.refusal import Refusal
from proto import author, events, subjects, tokens
from proto.events import SurveyPublished
from proto.tokens import Token
from tests.conftest import DatabaseUrls, NatsUrls


async def _provision(nats_urls: NatsUrls, database_urls: DatabaseUrls, folder: Path) -> None:
    await provision(nats_urls.provisioner, database_urls.owner, folder / "organiser.token", {})


async def _control(client: Client) -> list[events.ControlEvent]:
    js = client.jetstream()
    last = (await js.stream_info(subjects.CONTROL)).state.last_seq
    return [events.read_control((await js.get_msg(subjects.CONTROL, seq=seq)).data or b"") for seq in range(1, last + 1)]


async def test_the_first_start_makes_a_token_and_opens_the_surveys(
    nats_urls: NatsUrls, database_urls: DatabaseUrls, provisioner: Client, tmp_path: Path
) -> None:
    for _ in range(2):
        await _provision(nats_urls, database_urls, tmp_path)
    told = await _control(provisioner)
    published = [event.survey for event in told if isinstance(event, SurveyPublished)]
    assert sorted(published) == sorted(author.bundled())
    assert len(published) == 4
    secret = (tmp_path / "organiser.token").read_text().strip()
    assert [(event.sha256, event.role) for event in told if isinstance(event, Token)] == [(tokens.digest(secret), "organiser")]
    assert (tmp_path / "organiser.token").stat().st_mode & 0o777 == 0o600


async def test_a_revoked_token_stays_revoked(nats_urls: NatsUrls, database_urls: DatabaseUrls, provisioner: Client, tmp_path: Path) -> None:
    await _provision(nats_urls, database_urls, tmp_path)
    secret = (tmp_path / "organiser.token").read_text().strip()
    id = secret.split("_")[1]
    await provisioner.jetstream().publish(subjects.token(id), events.encode(Token(id, tokens.digest(secret), "organiser", revoked=True)))
    await _provision(nats_urls, database_urls, tmp_path)
    last = [event for event in await _last_words(provisioner) if isinstance(event, Token)]
    assert [event.revoked for event in last] == [True]


async def _last_words(client: Client) -> list[events.ControlEvent]:
    js = client.jetstream()
    info = await js.stream_info(subjects.CONTROL, subjects_filter=">")
    return [events.read_control((await js.get_last_msg(subjects.CONTROL, subject)).data or b"") for subject in info.state.subjects or {}]


async def test_a_journal_made_anew_goes_on_above_what_the_store_has_seen(
    nats_urls: NatsUrls, database_urls: DatabaseUrls, provisioner: Client, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute("insert into positions (partition, seq) values (0, 40), (1, 57)")
    await connection.close()
    js = provisioner.jetstream()
    await js.delete_stream(subjects.RESPONSES)
    await _provision(nats_urls, database_urls, tmp_path)
    assert (await js.stream_info(subjects.RESPONSES)).state.first_seq == 58
    for _ in range(2):  # and doing it again leaves the journal as it is
        await _provision(nats_urls, database_urls, tmp_path)
    assert (await js.stream_info(subjects.RESPONSES)).state.first_seq == 58


async def test_the_number_of_partitions_stays(provisioner: Client, nats_urls: NatsUrls) -> None:
    with pytest.raises(Refusal, match="another number of partitions"):
        await create_streams(provisioner.jetstream(), PARTITIONS + 1, replicas=1, highest=0)


async def test_the_journal_is_as_durable_as_promised(provisioner: Client, nats_urls: NatsUrls) -> None:
    info = await provisioner.jetstream().stream_info(subjects.RESPONSES)
    config = info.config
    assert (config.storage, config.retention, config.max_age, config.max_msgs) == ("file", "limits", 0, -1)
    assert (config.allow_atomic, config.allow_direct) == (True, True)
