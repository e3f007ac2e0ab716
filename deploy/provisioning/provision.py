"""Prepares the servers for the services: streams, consumers, roles, tables, the first token, the bundled surveys.

`python -m deploy.provisioning` does it for a cluster; the embedded stack calls `provision`. Doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from nats.js.api import RawStreamMsg
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from deploy.keys import write_secret
from deploy.provisioning.migrate import PHASES, Phase, create_database, migrate, progress
from deploy.provisioning.streams import DRAFT_MEGABYTES, create_consumers, create_streams
from deploy.refusal import Refusal
from proto import author, events, registry, subjects, tokens
from proto.events import ControlEvent
from proto.instrument import Instrument
from services.runtime import nats_client

PARTITIONS = 4


class ProvisionSettings(msgspec.Struct, frozen=True):
    """Settings of `python -m deploy.provisioning`. Role passwords are read from files, as containers get secrets."""

    nats_url: str
    database_url: str
    partition_count: int = PARTITIONS
    replicas: int = 1
    draft_megabytes: int = DRAFT_MEGABYTES
    token_file: str = "organiser.token"  # noqa: S105  the name of a file
    analysis_password_file: str | None = None
    export_password_file: str | None = None


async def provision(
    nats_url: str,
    database_url: str,
    token_file: Path,
    passwords: Mapping[str, str],
    partitions: int = PARTITIONS,
    replicas: int = 1,
    draft_megabytes: int = DRAFT_MEGABYTES,
    phases: Sequence[Phase] = PHASES,
) -> None:
    """Everything, in the order in which it is needed; of the migrations those of `phases`. Raises Refusal."""
    await create_database(database_url)
    await migrate(database_url, passwords, phases)
    highest, positions = await progress(database_url)
    client = await nats_client.connect(nats_url, "provisioning")
    try:
        js = client.jetstream(timeout=10)
        await create_streams(js, partitions, replicas, highest, draft_megabytes)
        await create_consumers(js, partitions, positions)
        await publish_first_token(js, token_file)
        await publish_bundled(js)
    finally:
        await client.close()


async def publish_first_token(js: JetStreamContext, file: Path) -> None:
    """The organiser's secret stays in a file that its owner alone reads; the control stream learns its hash."""
    secret = _kept(file, lambda: tokens.make()[1])
    id = secret.split("_")[1] if secret.startswith("platea_") else ""
    if not id.isalnum():
        raise Refusal(f"{file} does not hold a token.", "Move it away; the next start makes a new one.")
    if await _last(js, subjects.token(id)) is None:
        await _publish(js, subjects.token(id), tokens.Token(id, tokens.digest(secret), "organiser"), id)


def _kept(file: Path, make: Callable[[], str]) -> str:
    if not file.exists():
        write_secret(file, make() + "\n")
    return file.read_text().strip()


async def publish_bundled(js: JetStreamContext) -> None:
    """The questionnaires that come with Platea open at the very first start; from then on the organiser decides."""
    if await _last(js, "platea.control.survey.>") is not None:
        return
    for name, path in author.bundled().items():
        instrument = author.load(path)
        if not isinstance(instrument, Instrument):
            raise Refusal(f"The bundled survey {name} is faulty: {instrument[0]}", f"`platea survey check {path}` lists every fault.")
        subject = subjects.survey(instrument.id, instrument.version)
        await _publish(js, subject, registry.published(instrument), f"{instrument.id}.{instrument.version}")


async def _publish(js: JetStreamContext, subject: str, event: ControlEvent, id: str) -> None:
    await js.publish(subject, events.encode(event), stream=subjects.CONTROL, headers=events.headers(event, id))


async def _last(js: JetStreamContext, subject: str) -> RawStreamMsg | None:
    try:
        return await js.get_last_msg(subjects.CONTROL, subject, direct=True)
    except NotFoundError:
        return None
