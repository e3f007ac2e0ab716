"""Publishes editions of the figures on the policy's schedule."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from structlog.contextvars import bound_contextvars

from proto import snapshot as snapshots
from proto import subjects
from proto.codebook import same_columns
from proto.snapshot import Snapshot
from services.analysis import metrics
from services.analysis.disclosure.editions import Due, Marks, due
from services.analysis.disclosure.parameters import parameters_of
from services.analysis.disclosure.published_state import PublishedState, SavedState, due_now, next_edition
from services.analysis.ingest.compiled_surveys import CompiledSurveys
from services.analysis.ingest.totals import Totals
from services.analysis.records import StoredEdition
from services.analysis.state.state_codec import UnreadableState
from services.analysis.store import Store
from services.runtime.outages import Outages

log = logging.getLogger(__name__)

LOOK = 0.1
"""Least seconds between two checks whether an edition is due."""
LOOK_AT_OTHERS = 1.0
"""Seconds between two reads of the checkpoints of other workers."""
CLOSING = 3.0
"""Seconds from the close to the closing edition, in which the last answers are recorded. There is one such edition."""


@dataclass
class PublicationState:
    """The publication state of one survey."""

    revision: int = 0
    saved: int | None = None
    """The revision in the store; None where there is none."""
    marks: Marks = field(default_factory=Marks)
    redrawn_at: int | None = None
    """How many respondents the figures have that an earlier release of Platea published. Where there are as many at the start, figures with
    new noise are published at once."""
    edition: PublishedState | None = None
    unsent: Snapshot | None = None
    at: float = -1e9
    looked_at: float = -1e9
    closed_at: float | None = None
    moves_seen: int | None = None
    """`Totals.moves` of the last state that was judged or published; None before the first. An outage in between judges nothing."""

    def marks_at(self, responses: int) -> Marks:
        """Returns the marks. Where figures are to get new noise, all but the numbers of editions are as before the first edition."""
        return dataclasses.replace(self.marks, top=0, tables_at=0) if self.redrawn_at == responses else self.marks


class Publisher:
    def __init__(
        self, client: Client, totals: Totals, compiled: CompiledSurveys, store: Store, now: Callable[[], datetime.datetime] | None = None
    ) -> None:
        self._js = client.jetstream(timeout=5)
        self._totals, self._compiled, self._store = totals, compiled, store
        self._now = now or (lambda: datetime.datetime.now(datetime.UTC))
        self._publications: dict[str, PublicationState] = {}
        self._nudge = asyncio.Event()
        self._outages = Outages(log, "publishing figures")

    def nudge(self) -> None:
        """A count has changed."""
        self._nudge.set()

    def edition(self, survey: str) -> PublishedState | None:
        publication = self._publications.get(survey)
        return publication.edition if publication else None

    def revision(self, survey: str) -> int:
        publication = self._publications.get(survey)
        return publication.revision if publication else 0

    async def run(self) -> None:
        while True:
            if not self._totals.speaks:  # the worker that does continues from the store, and so does this one when it is its turn
                self._publications.clear()
            for survey in self._compiled.surveys() if self._totals.speaks else ():
                try:
                    with bound_contextvars(survey=survey):
                        if await self._look(survey):
                            self._outages.works(survey)
                except Exception as error:  # one survey that cannot be published must not keep the others from it
                    self._outages.failed(error, survey)
            await asyncio.sleep(LOOK)
            self._nudge.clear()
            try:
                async with asyncio.timeout(1):
                    await self._nudge.wait()
            except TimeoutError:
                pass

    async def _look(self, survey: str) -> bool:
        """Publishes what is due, and returns whether anything was."""
        if not self._totals.ready(survey):
            return False
        asked = survey not in self._publications
        if asked:
            self._publications[survey] = await self._recall(survey)
        publication = self._publications[survey]
        asked |= publication.unsent is not None
        await self._send(survey, publication)
        if self._worth_adding_up(survey, publication):
            asked = True
            await self._publish(survey, publication)
        publication.redrawn_at = None
        return asked

    def _due(self, survey: str, publication: PublicationState, responses: int) -> Due:
        """Returns what is due with this many respondents if enough of them have left or changed."""
        folder = self._compiled.folder(survey)
        assert folder is not None
        policy = folder.codebook.instrument.policy
        if time.monotonic() - publication.at < policy.clock:
            return Due()
        noise, parameters = self._compiled.noise(survey), parameters_of(folder.codebook.instrument)
        marks, closed = publication.marks_at(responses), self._closed(survey, publication)
        return due(marks, responses, self._now().timestamp(), parameters, noise.threshold, closed=closed, moved=responses + marks.top)

    def _closed(self, survey: str, publication: PublicationState) -> bool:
        """Returns whether the survey was closed long enough ago for the last answers to be recorded."""
        if survey not in self._compiled.registry.closed:
            publication.closed_at = None
            return False
        publication.closed_at = publication.closed_at or time.monotonic()
        return time.monotonic() - publication.closed_at >= CLOSING

    def _worth_adding_up(self, survey: str, publication: PublicationState) -> bool:
        """Returns whether an edition is likely to be due. What other workers count is known only after summing up."""
        if not self._totals.alone:
            return time.monotonic() - publication.looked_at >= LOOK_AT_OTHERS
        what = self._due(survey, publication, self._totals.own(survey))
        return what.singles and (not what.clock or self._totals.moves(survey) != publication.moves_seen)

    async def _publish(self, survey: str, publication: PublicationState) -> None:
        publication.looked_at, moves = time.monotonic(), self._totals.moves(survey)
        counted = await self._totals.state(survey)
        if counted is None:
            return
        folder, state = counted
        if not self._due(survey, publication, state.responses).singles:
            publication.moves_seen = moves
            return
        at, now, noise = time.monotonic(), self._now(), self._compiled.noise(survey)  # the clock counts from state to state
        marks, closed = publication.marks_at(state.responses), self._closed(survey, publication)
        what = await asyncio.to_thread(due_now, folder, state, publication.edition, marks, noise, now.timestamp(), closed=closed)
        if not what.singles:
            publication.moves_seen = moves
            return
        as_of, revision = now.strftime("%Y-%m-%dT%H:%M:%SZ"), publication.revision + 1
        edition = await asyncio.to_thread(
            next_edition, folder, state, publication.edition, marks, what, noise, revision, now.timestamp(), as_of
        )
        if not await self._save(survey, edition, publication.saved):
            log.warning("another worker published figures; going on from those", extra={"survey": survey})
            del self._publications[survey]
            return
        # From here on the edition counts as published, even if the message is lost: a second attempt would be another state.
        publication.revision, publication.saved, publication.at, publication.redrawn_at = revision, revision, at, None
        publication.moves_seen = moves
        publication.marks, publication.edition, publication.unsent = edition.marks, edition, edition.public
        await self._send(survey, publication)

    async def _send(self, survey: str, publication: PublicationState) -> None:
        if publication.unsent is not None:
            body = snapshots.encode(publication.unsent)
            id = f"{survey}.{publication.unsent.revision}"
            await self._js.publish(subjects.aggregates(survey), body, stream=subjects.AGGREGATES, headers={"Nats-Msg-Id": id})
            publication.unsent = None
            metrics.published.labels(survey).inc()

    async def _recall(self, survey: str) -> PublicationState:
        """Reads revision, marks and the last edition from the store, and from the stream what was published."""
        publication = PublicationState()
        published = await self._published(survey)
        if published is not None:
            publication.revision = published.revision
        saved = await self._store.edition(survey)
        if saved is not None:
            publication.saved, publication.revision = saved.revision, max(publication.revision, saved.revision)
            try:
                read = await asyncio.to_thread(SavedState.load, saved.state)
            except UnreadableState:
                self._begin_anew(publication, published)
                return publication
            publication.marks = read.marks
            publication.edition = await self._restored(survey, saved, read)
            self._keep_numbers(publication, published)
            if publication.edition is not None and (published is None or saved.revision > published.revision):
                publication.unsent = publication.edition.public
            elif publication.edition is not None and published is not None:
                self._put_right(publication, publication.edition, published)
        elif published is not None:
            self._begin_anew(publication, published)
        return publication

    def _begin_anew(self, publication: PublicationState, published: Snapshot | None) -> None:
        """Starts after figures of an earlier release of Platea whose exact counts cannot be read.

        They stay published until the survey has grown past them, or get new noise where nobody came or left since.
        """
        if published is not None:
            publication.marks = _above(Marks(grown=self._now().timestamp()), published)
            publication.redrawn_at = None if published.policy.guarantee else published.responses

    @staticmethod
    def _keep_numbers(publication: PublicationState, published: Snapshot | None) -> None:
        """Raises the marks so that no published number of an edition is used again, even after an older store was restored."""
        if published is not None and published.revision > (publication.saved or 0):
            publication.marks = _above(publication.marks, published)

    @staticmethod
    def _put_right(publication: PublicationState, edition: PublishedState, published: Snapshot) -> None:
        """Publishes the same counts again where this release of Platea computes other figures from them than the published ones.

        No count and no noise changes, so it does not wait for new answers.
        """
        again = msgspec.structs.replace(edition.public, revision=published.revision)
        same = again.as_of == published.as_of and again.version == published.version and again.responses == published.responses
        if same and snapshots.encode(again) != snapshots.encode(published):
            publication.revision = published.revision + 1
            publication.unsent = msgspec.structs.replace(again, revision=publication.revision)
            publication.edition = dataclasses.replace(edition, public=publication.unsent)
        elif same:
            publication.edition = dataclasses.replace(edition, public=again)

    async def _published(self, survey: str) -> Snapshot | None:
        try:
            message = await self._js.get_last_msg(subjects.AGGREGATES, subjects.aggregates(survey), direct=True)
            return msgspec.json.decode(message.data or b"", type=Snapshot)
        except (NotFoundError, msgspec.MsgspecError):
            return None

    async def _restored(self, survey: str, saved: StoredEdition, read: SavedState) -> PublishedState | None:
        folder = self._compiled.folder(survey, saved.version)
        if folder is None or not same_columns(folder.codebook.digest, saved.codebook) or len(read.single) != len(folder.codebook):
            return None
        noise, tables = self._compiled.noise(survey), None
        of = self._compiled.folder(survey, read.version) if read.burt is not None else None
        if of is not None and same_columns(of.codebook.digest, read.codebook):
            tables = read.tables(of.codebook, noise)
        return await asyncio.to_thread(PublishedState.of, folder, read.marks, read.single, tables, noise, saved.revision, saved.as_of)

    async def _save(self, survey: str, edition: PublishedState, after: int | None) -> bool:
        """Stores the edition before it is published: a restart must never continue from an older one. Returns whether it was stored."""
        digest, public = edition.folder.codebook.digest, edition.public
        state = await asyncio.to_thread(edition.dump)
        return await self._store.save_edition(survey, StoredEdition(public.version, public.revision, digest, public.as_of, state), after)


def _above(marks: Marks, published: Snapshot) -> Marks:
    """Returns the marks raised to this snapshot. With a guarantee it counts its editions; else each edition had its own revision."""
    seen = published.policy.guarantee.editions if published.policy.guarantee else published.revision
    top = max(marks.top, published.responses)
    return dataclasses.replace(marks, edition=max(marks.edition, seen), tables=max(marks.tables, seen), top=top)
