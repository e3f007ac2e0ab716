"""The settings of all streams, with their durable consumers."""

from __future__ import annotations

import re

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    SubjectTransform,
)

from proto import subjects


def partitions_of(config: StreamConfig) -> int:
    """How many partitions the journal is divided into."""
    found = re.search(r"partition\((\d+),", (config.subject_transform.dest if config.subject_transform else None) or "")
    return int(found.group(1)) if found else 1


def responses_stream(partitions: int, replicas: int = 1, first_seq: int | None = None) -> StreamConfig:
    """The journal. The server numbers the partition of each response, so no client can disagree about it."""
    return StreamConfig(
        name=subjects.RESPONSES,
        subjects=["platea.responses.*.*"],
        subject_transform=SubjectTransform(
            src="platea.responses.*.*",
            dest=f"platea.journal.{{{{partition({partitions},2)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}",
        ),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        duplicate_window=120,
        num_replicas=replicas,
        allow_atomic=True,
        allow_direct=True,
        max_msg_size=4 * 1024 * 1024,
        first_seq=first_seq,
    )


def control_stream(replicas: int = 1) -> StreamConfig:
    """Surveys, closings and tokens: the last word on each is kept for ever."""
    return StreamConfig(
        name=subjects.CONTROL,
        subjects=["platea.control.>"],
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        num_replicas=replicas,
        allow_direct=True,
    )


def acts_stream(replicas: int = 1) -> StreamConfig:
    """What organisers did, from the first act on. Nobody may delete from it, those who write to it included."""
    return StreamConfig(
        name=subjects.ACTS,
        subjects=["platea.acts.*"],
        storage=StorageType.FILE,
        num_replicas=replicas,
        allow_direct=True,
        max_msg_size=4 * 1024,
        deny_delete=True,
        deny_purge=True,
    )


def uses_stream(replicas: int = 1) -> StreamConfig:
    """The last day on which each token was used with each service."""
    return StreamConfig(
        name=subjects.USES,
        subjects=["platea.uses.*.*"],
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        num_replicas=replicas,
        allow_direct=True,
        max_msg_size=64,
    )


def aggregates_stream(replicas: int = 1) -> StreamConfig:
    """The last published snapshot of each survey."""
    return StreamConfig(
        name=subjects.AGGREGATES,
        subjects=["platea.aggregates.*"],
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        num_replicas=replicas,
        allow_direct=True,
    )


def drafts_stream(megabytes: int, replicas: int = 1) -> StreamConfig:
    """Sealed drafts, the last of each, each with its own time to live. Full, it refuses new ones: a flood neither pushes out
    what somebody relies on nor fills the disk on which answers arrive."""
    return StreamConfig(
        name=subjects.DRAFTS,
        subjects=["platea.drafts.*"],
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        max_bytes=megabytes * 1024 * 1024,
        max_msg_size=1024 * 1024,
        max_age=subjects.DRAFT_DAYS * 86_400,
        num_replicas=replicas,
        allow_direct=True,
        allow_msg_ttl=True,
    )


def contacts_stream(replicas: int = 1) -> StreamConfig:
    """One list per survey, written anew each time; intake erases the former writing, which a limit would only forget."""
    return _cas_stream(subjects.CONTACTS, "platea.contacts.*", replicas)


def seals_stream(replicas: int = 1) -> StreamConfig:
    """One random number per survey, without which its drafts cannot be opened. Intake erases it when the survey is over."""
    return _cas_stream(subjects.SEALS, "platea.seals.*", replicas)


def invitations_stream(replicas: int = 1) -> StreamConfig:
    """A few messages per survey. Intake erases a former writing itself, which a limit would only forget."""
    return _cas_stream(subjects.INVITATIONS, "platea.invitations.*.*", replicas)


def _cas_stream(name: str, subject: str, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        storage=StorageType.FILE,
        num_replicas=replicas,
        allow_direct=True,
        max_msg_size=4 * 1024 * 1024,
    )


def analysis_consumer(partition: int, start: int | None = None) -> ConsumerConfig:
    """One durable consumer per partition. It acknowledges whole batches, so its floor says what the store holds."""
    return ConsumerConfig(
        durable_name=subjects.durable(partition),
        filter_subject=subjects.journalled_in(partition),
        ack_policy=AckPolicy.ALL,
        ack_wait=subjects.ACK_WAIT,
        max_ack_pending=20 * subjects.BATCH,
        deliver_policy=DeliverPolicy.ALL if start is None else DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
    )
