"""Creates or updates the streams with their consumers, as `proto.subjects` defines them."""

from __future__ import annotations

import uuid
from dataclasses import replace

from nats.js.api import StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from deploy.refusal import Refusal
from proto import subjects
from services.runtime import stream_settings
from services.runtime.retry import retry

_FINDING_ITSELF = frozenset({10005, 10008, 10009})
"""JetStream's codes for: too few servers yet, no leader yet, not the leader."""
_PATIENCE = 60.0
"""Seconds for a cluster to find itself."""

DRAFT_MEGABYTES = 128
"""Room for drafts on each server unless the operator says otherwise: some 15,000 of them."""


async def create_streams(
    js: JetStreamContext, partitions: int, replicas: int, highest: int, draft_megabytes: int = DRAFT_MEGABYTES
) -> None:
    """Creates or updates all streams. `highest`: the highest sequence in the store; a new journal continues above it."""
    journal = stream_settings.responses_stream(partitions, replicas, first_seq=highest + 1 if highest else None)
    await _ensure(js, replace(journal, metadata={subjects.JOURNAL_ID: uuid.uuid4().hex}))
    await _ensure(js, stream_settings.control_stream(replicas))
    await _ensure(js, stream_settings.aggregates_stream(replicas))
    await _ensure(js, stream_settings.acts_stream(replicas))
    await _ensure(js, stream_settings.uses_stream(replicas))
    await _ensure(js, stream_settings.invitations_stream(replicas))
    await _ensure(js, stream_settings.contacts_stream(replicas))
    await _ensure(js, stream_settings.seals_stream(replicas))
    await _ensure(js, stream_settings.drafts_stream(draft_megabytes, replicas))


async def create_consumers(js: JetStreamContext, partitions: int, positions: dict[int, int]) -> None:
    """One per partition, beginning after what the store holds. One that exists is left alone: it knows better."""
    for partition in range(partitions):
        try:
            await js.consumer_info(subjects.RESPONSES, subjects.durable(partition))
        except NotFoundError:
            start = positions[partition] + 1 if partition in positions else None
            await js.add_consumer(subjects.RESPONSES, stream_settings.analysis_consumer(partition, start))


async def _ensure(js: JetStreamContext, config: StreamConfig) -> None:
    """Creates or updates a stream; retries while the cluster has no leader. Raises Refusal or APIError."""
    try:
        await retry(lambda: _create_or_update(js, config), on=_finding_itself, longest=1.0, seconds=_PATIENCE)
    except (APIError, TimeoutError) as error:
        if not _finding_itself(error):
            raise
        way_out = "Look at their logs: each must reach the others on the cluster port."
        raise Refusal("The NATS servers do not form a cluster.", way_out) from None


def _finding_itself(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or (isinstance(error, APIError) and error.err_code in _FINDING_ITSELF)


async def _create_or_update(js: JetStreamContext, config: StreamConfig) -> None:
    assert config.name is not None
    try:
        present = (await js.stream_info(config.name)).config
    except NotFoundError:
        await js.add_stream(config)
        return
    if config.subject_transform and present.subject_transform and config.subject_transform.dest != present.subject_transform.dest:
        raise Refusal(
            "The journal was made with another number of partitions, and that number stays for its whole life.",
            "Set PLATEA_PARTITION_COUNT back to what it was.",
        )
    await js.update_stream(
        replace(config, first_seq=present.first_seq, metadata={**(config.metadata or {}), **own_metadata(present)} or None)
    )


def own_metadata(present: StreamConfig) -> dict[str, str]:
    """The stream's metadata without the entries of the server."""
    return {name: value for name, value in (present.metadata or {}).items() if not name.startswith("_nats.")}
