"""The events on NATS as an AsyncAPI 3 document: channels, messages with CloudEvents headers, senders, receivers."""

from __future__ import annotations

from typing import Any

import msgspec

from proto import events, subjects
from proto.snapshot import Snapshot, Table
from proto.tokens import Token
from services.analysis.publish.responder import GatewayQuestion
from services.intake.contacts.contacts import Contact
from services.runtime.audit_log import Act

Json = dict[str, Any]

_EVENTS: tuple[type[msgspec.Struct], ...] = (
    events.ResponseSubmitted,
    events.ResponseReplaced,
    events.ResponseWithdrawn,
    events.SurveyPublished,
    events.SurveyClosed,
    events.RetentionSet,
    events.QuotasFilled,
    Token,
)
_RESPONSE = ("ResponseSubmitted", "ResponseReplaced", "ResponseWithdrawn")
_PARAMETERS = {
    "survey": "A survey's id, such as ai-security.",
    "id": "The id of a response, 32 hexadecimal digits made from its receipt; or the id of a token.",
    "version": "A version with underscores for the dots, such as 0_1_0.",
    "service": "intake, analysis or export.",
    "partition": "A number from 0, given by the server from the response's id.",
}


def document() -> Json:
    _, schemas = msgspec.json.schema_components(
        (*_EVENTS, Snapshot, Table, GatewayQuestion, Contact, Act), ref_template="#/components/schemas/{name}"
    )
    messages = {kind.__name__: _event(kind) for kind in _EVENTS}
    messages["Snapshot"] = _message(
        "Snapshot", "The whole published picture of a survey; the one with the higher revision replaces the other."
    )
    messages["GatewayQuestion"] = _message("GatewayQuestion", "Exact figures, a table, or a recount.")
    messages["Answer"] = {
        "summary": "A snapshot, a table, the result of a recount, or a problem (RFC 9457), told by its member `status`. Empty messages "
        "before it, one every few seconds, say that a worker is at it.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    }
    messages["Act"] = _message("Act", "What an organiser did, and with which token. Nothing that somebody answered.")
    messages["Use"] = {"summary": "A day: an ISO date, UTC.", "contentType": "text/plain", "payload": {"type": "string", "format": "date"}}
    messages["Contacts"] = {
        "summary": "All addresses of a survey. Nothing in it is in a response too.",
        "contentType": "application/json",
        "payload": {"type": "array", "items": {"$ref": "#/components/schemas/Contact"}},
    }
    messages["Draft"] = {
        "summary": "A draft, sealed with ChaCha20-Poly1305: twelve bytes of nonce, then the content filled up to one of four sizes.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    }
    messages["Seal"] = {
        "summary": "32 random bytes.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    }
    messages["Invitations"] = {
        "summary": "Sorted, without separators: names of codes, 16 bytes each; in `used` each with a mark of 16 bytes. The key as JSON.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Platea on NATS",
            "version": "1",
            "description": "Subjects under `platea.`. Aggregates are for everybody; the rest is told here for operators.",
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas},
    }


def _channels() -> Json:
    journal = subjects.journalled("{id}").replace("*", "{partition}", 1).replace("*", "{survey}", 1)
    return {
        "responses": _channel(
            subjects.response("{survey}", "{id}"),
            "Everything that happens to a response. Captured by the stream RESPONSES and stored under `journal`'s address.",
            *_RESPONSE,
        ),
        "journal": _channel(
            journal, "The stream RESPONSES as it is stored: one durable consumer `analysis-{partition}` per partition.", *_RESPONSE
        ),
        "surveys": _channel(subjects.survey("{survey}", "{version}"), "Published versions, in the stream CONTROL.", "SurveyPublished"),
        "quotas": _channel(subjects.quotas("{survey}"), "Which quotas of a survey are full, in the stream CONTROL.", "QuotasFilled"),
        "closings": _channel(subjects.closing("{survey}"), "Whether a survey is closed, in the stream CONTROL.", "SurveyClosed"),
        "retention": _channel(
            subjects.retention("{survey}"), "When the answers to a survey are deleted, in the stream CONTROL.", "RetentionSet"
        ),
        "tokens": _channel(subjects.token("{id}"), "Access tokens by the hash of their secret, in the stream CONTROL.", "Token"),
        "acts": _channel(subjects.acts("{service}"), "What organisers did, in the stream ACTS, from which nobody may delete.", "Act"),
        "uses": _channel(
            subjects.uses("{service}", "{id}"), "The last day on which a token was used with a service, in the stream USES.", "Use"
        ),
        "aggregates": _channel(
            subjects.aggregates("{survey}"),
            "The last published snapshot of each survey, in the stream AGGREGATES; over WebSocket too.",
            "Snapshot",
        ),
        "contacts": _channel(
            subjects.contacts("{survey}"),
            "Who wants the results of a survey, as one sorted list in the stream CONTACTS. Written anew each time, the former erased.",
            "Contacts",
        ),
        "drafts": {
            "address": subjects.draft("{draft}"),
            "description": "What somebody saved to continue later, sealed, in the stream DRAFTS.",
            "messages": {"Draft": {"$ref": "#/components/messages/Draft"}},
            "parameters": {"draft": {"description": "32 hexadecimal digits made from the code for continuing."}},
        },
        "seals": _channel(
            subjects.seal("{survey}"),
            "The server's half of the key of a survey's drafts, in the stream SEALS. Erased when the answers to the survey are deleted.",
            "Seal",
        ),
        "invitations": {
            "address": subjects.invitations("{survey}", "{part}"),
            "description": "What intake knows about invitations, in the stream INVITATIONS: the signing key, the names of codes with the "
            "marks of what is signed for them, spent tickets; of release 0.1.0 also codes without marks, and used ones. Each is one "
            "message, written anew as a whole, the former erased.",
            "messages": {"Invitations": {"$ref": "#/components/messages/Invitations"}},
            "parameters": {"survey": {"description": _PARAMETERS["survey"]}, "part": {"enum": ["key", "marks", "spent", "codes", "used"]}},
        },
        "queries": _channel(subjects.query("{survey}"), "What gateways ask the worker, by request and reply.", "GatewayQuestion", "Answer"),
    }


def _channel(address: str, description: str, *messages: str) -> Json:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "parameters": {name: {"description": text} for name, text in _PARAMETERS.items() if f"{{{name}}}" in address},
    }


def _operations() -> Json:
    return {
        "intake.journal": _operation("send", "responses", "Intake writes each accepted event to disk before it answers.", *_RESPONSE),
        "intake.publish": _operation("send", "surveys", "Intake publishes a version.", "SurveyPublished"),
        "intake.close": _operation("send", "closings", "Intake closes or reopens a survey.", "SurveyClosed"),
        "analysis.quotas": _operation("send", "quotas", "The worker says which quotas are full, and nothing else of them.", "QuotasFilled"),
        "intake.retention": _operation("send", "retention", "Intake says when the answers to a survey are deleted.", "RetentionSet"),
        "intake.token": _operation("send", "tokens", "Intake makes or revokes a token.", "Token"),
        "service.act": _operation("send", "acts", "Intake, analysis and export record what organisers did by them.", "Act"),
        "service.use": _operation("send", "uses", "Intake, analysis and export note the use of a token, once a day.", "Use"),
        "intake.acts": _operation("receive", "acts", "Intake lists them for organisers.", "Act"),
        "intake.uses": _operation("receive", "uses", "Intake tells organisers when a token was last used.", "Use"),
        "intake.contacts": _operation("send", "contacts", "Intake adds an address, or takes one back.", "Contacts"),
        "intake.save": _operation("send", "drafts", "Intake saves a draft for later, for so many seconds (`Nats-TTL`).", "Draft"),
        "intake.seal": _operation("send", "seals", "Intake makes one where somebody saves the first draft of a survey.", "Seal"),
        "intake.invite": _operation("send", "invitations", "Intake adds codes, or notes spent tickets.", "Invitations"),
        "service.surveys": _operation("receive", "surveys", "Every service follows the versions into memory.", "SurveyPublished"),
        "service.closings": _operation("receive", "closings", "Every service follows the closings into memory.", "SurveyClosed"),
        "service.quotas": _operation("receive", "quotas", "Every service follows it into memory; intake goes by it.", "QuotasFilled"),
        "service.retention": _operation("receive", "retention", "Every service follows it into memory.", "RetentionSet"),
        "service.tokens": _operation("receive", "tokens", "Every service follows the tokens into memory.", "Token"),
        "analysis.record": _operation("receive", "journal", "Analysis records batches and acknowledges them after the commit.", *_RESPONSE),
        "analysis.release": _operation("send", "aggregates", "Analysis publishes a released state.", "Snapshot"),
        "analysis.answer": _operation("receive", "queries", "The worker answers its gateways.", "GatewayQuestion")
        | {"reply": {"channel": {"$ref": "#/channels/queries"}, "messages": [{"$ref": "#/channels/queries/messages/Answer"}]}},
        "gateway.follow": _operation("receive", "aggregates", "Each gateway follows all surveys and serves its own readers.", "Snapshot"),
        "gateway.ask": _operation("send", "queries", "A gateway asks for what no snapshot holds, once per revision.", "GatewayQuestion")
        | {"reply": {"channel": {"$ref": "#/channels/queries"}, "messages": [{"$ref": "#/channels/queries/messages/Answer"}]}},
        "dashboard.watch": _operation(
            "receive", "aggregates", "Anybody may watch: the read-only user sees these subjects and no other.", "Snapshot"
        ),
    }


def _operation(action: str, channel: str, summary: str, *messages: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _message(name: str, summary: str) -> Json:
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": {"$ref": f"#/components/schemas/{name}"}}


def _event(kind: type[msgspec.Struct]) -> Json:
    """A message with the CloudEvents headers that `proto.events` writes."""
    tag = str(kind.__struct_config__.tag)
    summary = " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
    fixed = {"ce-specversion": "1.0", "ce-source": events.SOURCE, "ce-type": f"eu.platea.{tag}", "content-type": "application/json"}
    properties: Json = {name: {"const": value} for name, value in fixed.items()} | {"ce-id": {"type": "string"}}
    headers = {"type": "object", "required": sorted(properties), "properties": properties}
    return _message(kind.__name__, summary) | {"headers": headers}
