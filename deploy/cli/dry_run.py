"""What an import would do: checks every row as intake would, and asks the server which rows it has already."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing

import msgspec

from deploy.cli.bulk_sender import BulkSubmission, Sender
from deploy.cli.console import Trouble
from deploy.cli.server import Server
from deploy.cli.simulating import definition
from proto.answers import Reader, today_of
from proto.events import digest
from proto.instrument import Instrument

KNOWN, UNKNOWN = 200, 404


class _BodyVersion(msgspec.Struct):
    version: str | None = None


class _Status(msgspec.Struct):
    status: str
    digest: str | None = None


def checked(
    submissions: Iterable[BulkSubmission], server: Server, instrument: Instrument
) -> Iterator[tuple[BulkSubmission, str | list[str]]]:
    """Each submission with the digest of its answers, or with the reasons to refuse it."""
    today = today_of(time.time())
    readers: dict[str, Reader | str] = {instrument.version: Reader(instrument)}
    for submission in submissions:
        version = msgspec.json.decode(submission.body, type=_BodyVersion).version or instrument.version
        reader = readers.get(version) or readers.setdefault(version, _reader(server, instrument.id, version))
        if isinstance(reader, str):
            yield submission, [f"version {version[:20]}: {reader}"]
            continue
        found = reader.read(submission.body, today)
        if isinstance(found, list):
            yield submission, [f"{fault.pointer.removeprefix('/answers/')}: {fault.detail}" for fault in found]
        else:
            yield submission, digest(instrument.id, version, reader.canonical(found.answers))


def _reader(server: Server, survey: str, version: str) -> Reader | str:
    """The reader of an earlier version that a line of NDJSON names, or why there is none."""
    try:
        return Reader(definition(server, survey, version))
    except Trouble as refused:
        return refused.message


async def there_before(
    digests: Mapping[BulkSubmission, str], server: Server, survey: str, at_once: int, advance: Callable[[], None]
) -> Counter[str] | None:
    """How many of these rows the server has the same, with other answers ("other"), or withdrawn.

    None where it does not tell: without an organiser's token, and once answers were deleted. Raises Trouble where it does not answer.
    """
    found: Counter[str] = Counter()
    async with (
        Sender(server.url, survey, at_once, server.token) as sender,
        aclosing(sender.send_all(digests, send=sender.look_up)) as replies,
    ):
        async for reply in replies:
            advance()
            if reply.status == UNKNOWN:
                continue
            if reply.status != KNOWN:
                return None
            response = msgspec.json.decode(reply.body, type=_Status)
            same = response.digest == digests[reply.submission]
            found["withdrawn" if response.status == "withdrawn" else "same" if same else "other"] += 1
    return found
