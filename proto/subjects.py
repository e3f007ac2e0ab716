"""The names that Platea uses on NATS: subjects, streams, durable consumers. Pure."""

from __future__ import annotations

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
    """Where intake publishes a version of a survey."""
    return f"platea.control.survey.{survey}.{version.replace('.', '_')}"


def closing(survey: str) -> str:
    """Where intake says that a survey was closed, or opened again."""
    return f"platea.control.closing.{survey}"


def retention(survey: str) -> str:
    """Where intake says until which day the answers to a survey are kept."""
    return f"platea.control.retention.{survey}"


def quotas(survey: str) -> str:
    return f"platea.control.quotas.{survey}"


def token(id: str) -> str:
    """Where intake publishes an access token, by its digest, or revokes it."""
    return f"platea.control.token.{id}"


def acts(service: str) -> str:
    """Where a service records what organisers did by it."""
    return f"platea.acts.{service}"


def uses(service: str, token: str) -> str:
    """Where a service notes the day on which a token was last used with it."""
    return f"platea.uses.{service}.{token}"


def aggregates(survey: str) -> str:
    """Where analysis publishes each edition of a survey's figures."""
    return f"platea.aggregates.{survey}"


def draft(id: str) -> str:
    """The subject of a sealed draft."""
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


def partition_of(subject: str) -> int:
    """The partition in a journalled subject."""
    return int(subject.split(".", 3)[2])
