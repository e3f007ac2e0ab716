"""Subjects, streams and durable consumers: the names under which everything travels on NATS."""

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

RESPONSES = "RESPONSES"
CONTROL = "CONTROL"
AGGREGATES = "AGGREGATES"
INVITATIONS = "INVITATIONS"
DRAFTS = "DRAFTS"
CONTACTS = "CONTACTS"
SEALS = "SEALS"
ACTS = "ACTS"
USES = "USES"

ACK_WAIT = 30.0
"""Seconds after which an unacknowledged batch is delivered again."""
BATCH = 1000
"""Most events that analysis records in one transaction."""
JOURNAL_ID = "platea-journal"
"""The name in the metadata of RESPONSES under which a random id says which journal it is. Copies and snapshots carry it."""
DRAFT_DAYS = 366
"""No draft is kept longer, whatever time it was given."""


def response(survey: str, id: str) -> str:
    """Where intake publishes every event about one response."""
    return f"platea.responses.{survey}.{id}"


def journalled(id: str, survey: str = "*") -> str:
    """Matches every event about one response as the journal stores it, whatever its partition and, if none is given, its survey."""
    return f"platea.journal.*.{survey}.{id}"


def journalled_in(partition: int) -> str:
    """Matches every event of one partition as the journal stores it."""
    return f"platea.journal.{partition}.>"


def survey(survey: str, version: str) -> str:
    return f"platea.control.survey.{survey}.{version.replace('.', '_')}"


def closing(survey: str) -> str:
    return f"platea.control.closing.{survey}"


def retention(survey: str) -> str:
    return f"platea.control.retention.{survey}"


def token(id: str) -> str:
    return f"platea.control.token.{id}"


def acts(service: str) -> str:
    """Where a service records what organisers did by it."""
    return f"platea.acts.{service}"


def uses(service: str, token: str) -> str:
    """Where a service notes the day on which a token was last used with it."""
    return f"platea.uses.{service}.{token}"


def aggregates(survey: str) -> str:
    return f"platea.aggregates.{survey}"


def draft(id: str) -> str:
    """Where intake keeps the sealed draft that somebody continues later."""
    return f"platea.drafts.{id}"


NO_SURVEY = "_"
"""Where a question is about no survey; no survey is called that."""


def query(survey: str) -> str:
    """Where the worker answers the gateways: exact view, any table, recount."""
    return f"platea.query.{survey}"


def invitations(survey: str, part: str) -> str:
    """Where intake keeps one part of what it knows about invitations: "key", "marks" and "spent"; of release 0.1.0 "codes" and "used"."""
    return f"platea.invitations.{survey}.{part}"


def seal(survey: str) -> str:
    return f"platea.seals.{survey}"


def contacts(survey: str) -> str:
    """Where all addresses of those who want the results of a survey are kept, as one list."""
    return f"platea.contacts.{survey}"


def durable(partition: int) -> str:
    return f"analysis-{partition}"


def partitions_of(config: StreamConfig) -> int:
    """How many partitions the journal is divided into."""
    found = re.search(r"partition\((\d+),", (config.subject_transform.dest if config.subject_transform else None) or "")
    return int(found.group(1)) if found else 1


def partition_of(subject: str) -> int:
    """The partition in a journalled subject."""
    return int(subject.split(".", 3)[2])


def responses_stream(partitions: int, replicas: int = 1, first_seq: int | None = None) -> StreamConfig:
    """The journal. The server numbers the partition of each response, so no client can disagree about it."""
    return StreamConfig(
        name=RESPONSES,
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
        name=CONTROL,
        subjects=["platea.control.>"],
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        num_replicas=replicas,
        allow_direct=True,
    )


def acts_stream(replicas: int = 1) -> StreamConfig:
    """What organisers did, from the first act on. Nobody may delete from it, those who write to it included."""
    return StreamConfig(
        name=ACTS,
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
        name=USES,
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
        name=AGGREGATES,
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
        name=DRAFTS,
        subjects=["platea.drafts.*"],
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        max_bytes=megabytes * 1024 * 1024,
        max_msg_size=1024 * 1024,
        max_age=DRAFT_DAYS * 86_400,
        num_replicas=replicas,
        allow_direct=True,
        allow_msg_ttl=True,
    )


def contacts_stream(replicas: int = 1) -> StreamConfig:
    """One list per survey, written anew each time; intake erases the former writing, which a limit would only forget."""
    return _wholes(CONTACTS, "platea.contacts.*", replicas)


def seals_stream(replicas: int = 1) -> StreamConfig:
    """One random number per survey, without which its drafts cannot be opened. Intake erases it when the survey is over."""
    return _wholes(SEALS, "platea.seals.*", replicas)


def invitations_stream(replicas: int = 1) -> StreamConfig:
    """A few messages per survey. Intake erases a former writing itself, which a limit would only forget."""
    return _wholes(INVITATIONS, "platea.invitations.*.*", replicas)


def _wholes(name: str, subject: str, replicas: int) -> StreamConfig:
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
        durable_name=durable(partition),
        filter_subject=journalled_in(partition),
        ack_policy=AckPolicy.ALL,
        ack_wait=ACK_WAIT,
        max_ack_pending=20 * BATCH,
        deliver_policy=DeliverPolicy.ALL if start is None else DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
    )
