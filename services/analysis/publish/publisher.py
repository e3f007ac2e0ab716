"""Releases states on the policy's clock: what is released is published, and every public figure is read from it."""

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

from proto import snapshot as snapshots
from proto import subjects
from proto.codebook import same_columns
from proto.snapshot import Snapshot
from services.analysis import metrics, store
from services.analysis.disclosure.editions import Due, Marks, due
from services.analysis.disclosure.parameters import parameters_of
from services.analysis.disclosure.published_state import ReleasedState, Saved, due_now, release
from services.analysis.ingest import journal
from services.analysis.ingest.compiled_surveys import Books
from services.analysis.ingest.totals import Totals
from services.analysis.records import StoredEdition
from services.analysis.state.state_codec import UnreadableState
from services.analysis.store import Store
from services.runtime.error_location import place_of
from services.runtime.outage import Outages, refused

log = logging.getLogger(__name__)

LOOK = 0.1
"""Seconds between two looks, at the least."""
LOOK_AT_OTHERS = 1.0
"""Seconds between two looks at the checkpoints of other workers."""
CLOSING = 3.0
"""Seconds after the close within which the last answers are recorded: the closing edition comes once."""


@dataclass
class Desk:
    """What the publisher remembers of a survey."""

    revision: int = 0
    saved: int | None = None
    """The revision that stands in the store."""
    marks: Marks = field(default_factory=Marks)
    redrawn_at: int | None = None
    """So many respondents have the figures that an earlier release of Platea left behind: where there are as many at the start, they are
    drawn anew at once."""
    released: ReleasedState | None = None
    unsent: Snapshot | None = None
    at: float = -1e9
    looked_at: float = -1e9
    closed_at: float | None = None
    moves_seen: int | None = None
    """`Totals.moves` when it was last looked whether an edition is due; None before the first look."""

    def marks_at(self, responses: int) -> Marks:
        """As if nothing had been published, but for the numbers of editions, where what stands is to be drawn anew."""
        return dataclasses.replace(self.marks, top=0, tables_at=0) if self.redrawn_at == responses else self.marks


class Publisher:
    def __init__(
        self, client: Client, totals: Totals, books: Books, store: Store, now: Callable[[], datetime.datetime] | None = None
    ) -> None:
        self._js = client.jetstream(timeout=5)
        self._totals, self._books, self._store = totals, books, store
        self._now = now or (lambda: datetime.datetime.now(datetime.UTC))
        self._desks: dict[str, Desk] = {}
        self._nudge = asyncio.Event()
        self._outages = Outages(log, "publishing the figures of")

    def nudge(self) -> None:
        """Something was counted."""
        self._nudge.set()

    def released(self, survey: str) -> ReleasedState | None:
        desk = self._desks.get(survey)
        return desk.released if desk else None

    def revision(self, survey: str) -> int:
        desk = self._desks.get(survey)
        return desk.revision if desk else 0

    async def run(self) -> None:
        while True:
            if not self._totals.speaks:  # whoever does goes on from what is stored, and so does this worker when it is its turn again
                self._desks.clear()
            for survey in self._books.surveys() if self._totals.speaks else ():
                try:
                    if await self._look(survey):
                        self._outages.works(survey)
                except (*store.Unavailable, *journal.Unavailable) as error:
                    self._outages.failed(error, store.refused(error) or refused(error), survey)
                except Exception as error:  # one survey that cannot be published must not keep the others from it
                    self._outages.surprised(place_of(error), survey)
            await asyncio.sleep(LOOK)
            self._nudge.clear()
            try:
                async with asyncio.timeout(1):
                    await self._nudge.wait()
            except TimeoutError:
                pass

    async def _look(self, survey: str) -> bool:
        """Whether there was something to do, and it was done."""
        if not self._totals.ready(survey):
            return False
        asked = survey not in self._desks
        if asked:
            self._desks[survey] = await self._recall(survey)
        desk = self._desks[survey]
        asked |= desk.unsent is not None
        await self._send(survey, desk)
        if self._worth_adding_up(survey, desk):
            asked = True
            await self._release(survey, desk)
        desk.redrawn_at = None
        return asked

    def _due(self, survey: str, desk: Desk, responses: int) -> Due:
        """What moves with so many respondents, however many left or changed."""
        folder = self._books.folder(survey)
        assert folder is not None
        policy = folder.codebook.instrument.policy
        if time.monotonic() - desk.at < policy.clock:
            return Due()
        noise, parameters = self._books.noise(survey), parameters_of(folder.codebook.instrument)
        marks, closed = desk.marks_at(responses), self._closed(survey, desk)
        return due(marks, responses, self._now().timestamp(), parameters, noise.threshold, closed=closed, moved=responses + marks.top)

    def _closed(self, survey: str, desk: Desk) -> bool:
        """Whether the survey was closed long enough ago for the last answers to be recorded."""
        if survey not in self._books.registry.closed:
            desk.closed_at = None
            return False
        desk.closed_at = desk.closed_at or time.monotonic()
        return time.monotonic() - desk.closed_at >= CLOSING

    def _worth_adding_up(self, survey: str, desk: Desk) -> bool:
        """Whether a release is likely; what other workers count is not known before."""
        if not self._totals.alone:
            return time.monotonic() - desk.looked_at >= LOOK_AT_OTHERS
        what = self._due(survey, desk, self._totals.own(survey))
        return what.singles and (not what.clock or self._totals.moves(survey) != desk.moves_seen)

    async def _release(self, survey: str, desk: Desk) -> None:
        desk.looked_at, desk.moves_seen = time.monotonic(), self._totals.moves(survey)
        counted = await self._totals.state(survey)
        if counted is None or not self._due(survey, desk, counted[1].responses).singles:
            return
        folder, state = counted
        at, now, noise = time.monotonic(), self._now(), self._books.noise(survey)  # the clock counts from state to state
        marks, closed = desk.marks_at(state.responses), self._closed(survey, desk)
        what = await asyncio.to_thread(due_now, folder, state, desk.released, marks, noise, now.timestamp(), closed=closed)
        if not what.singles:
            return
        as_of, revision = now.strftime("%Y-%m-%dT%H:%M:%SZ"), desk.revision + 1
        released = await asyncio.to_thread(release, folder, state, desk.released, marks, what, noise, revision, now.timestamp(), as_of)
        if not await self._save(survey, released, desk.saved):
            log.warning("another worker published figures of %s; going on from those", survey)
            del self._desks[survey]
            return
        # Decided: from here on it counts as released, whatever becomes of the message. A second try would be another state.
        desk.revision, desk.saved, desk.at, desk.redrawn_at = revision, revision, at, None
        desk.marks, desk.released, desk.unsent = released.marks, released, released.public
        await self._send(survey, desk)

    async def _send(self, survey: str, desk: Desk) -> None:
        if desk.unsent is not None:
            body = snapshots.encode(desk.unsent)
            id = f"{survey}.{desk.unsent.revision}"
            await self._js.publish(subjects.aggregates(survey), body, stream=subjects.AGGREGATES, headers={"Nats-Msg-Id": id})
            desk.unsent = None
            metrics.published.labels(survey).inc()

    async def _recall(self, survey: str) -> Desk:
        """Revisions and marks go on after a restart, and what was released stays released."""
        desk = Desk()
        published = await self._published(survey)
        if published is not None:
            desk.revision = published.revision
        saved = await self._store.edition(survey)
        if saved is not None:
            desk.saved, desk.revision = saved.revision, max(desk.revision, saved.revision)
            try:
                read = await asyncio.to_thread(Saved.load, saved.state)
            except UnreadableState:
                self._begin_anew(desk, published)
                return desk
            desk.marks = read.marks
            desk.released = await self._restored(survey, saved, read)
            self._keep_numbers(desk, published)
            if desk.released is not None and (published is None or saved.revision > published.revision):
                desk.unsent = desk.released.public
            elif desk.released is not None and published is not None:
                self._put_right(desk, desk.released, published)
        elif published is not None:
            self._begin_anew(desk, published)
        return desk

    def _begin_anew(self, desk: Desk, published: Snapshot | None) -> None:
        """After figures of an earlier release of Platea, of which no exact counts are kept in a form that is read today: they stand until
        the survey has grown past them, or are drawn anew where nobody came or left since."""
        if published is not None:
            desk.marks = _above(Marks(grown=self._now().timestamp()), published)
            desk.redrawn_at = None if published.policy.guarantee else published.responses

    @staticmethod
    def _keep_numbers(desk: Desk, published: Snapshot | None) -> None:
        """Numbers of editions that people have seen never come again with other counts, whatever an older store has forgotten."""
        if published is not None and published.revision > (desk.saved or 0):
            desk.marks = _above(desk.marks, published)

    @staticmethod
    def _put_right(desk: Desk, released: ReleasedState, published: Snapshot) -> None:
        """Where the same counts are read otherwise than when they were published, by another release of this program, the reading of
        today takes the place of the former one without waiting for new answers. Nothing is counted or drawn anew."""
        again = msgspec.structs.replace(released.public, revision=published.revision)
        same = again.as_of == published.as_of and again.version == published.version and again.responses == published.responses
        if same and snapshots.encode(again) != snapshots.encode(published):
            desk.revision = published.revision + 1
            desk.unsent = msgspec.structs.replace(again, revision=desk.revision)
            desk.released = dataclasses.replace(released, public=desk.unsent)
        elif same:
            desk.released = dataclasses.replace(released, public=again)

    async def _published(self, survey: str) -> Snapshot | None:
        try:
            message = await self._js.get_last_msg(subjects.AGGREGATES, subjects.aggregates(survey), direct=True)
            return msgspec.json.decode(message.data or b"", type=Snapshot)
        except (NotFoundError, msgspec.MsgspecError):
            return None

    async def _restored(self, survey: str, saved: StoredEdition, read: Saved) -> ReleasedState | None:
        folder = self._books.folder(survey, saved.version)
        if folder is None or not same_columns(folder.codebook.digest, saved.codebook) or len(read.single) != len(folder.codebook):
            return None
        noise, tables = self._books.noise(survey), None
        of = self._books.folder(survey, read.version) if read.burt is not None else None
        if of is not None and same_columns(of.codebook.digest, read.codebook):
            tables = read.tables(of.codebook, noise)
        return await asyncio.to_thread(ReleasedState.of, folder, read.marks, read.single, tables, noise, saved.revision, saved.as_of)

    async def _save(self, survey: str, released: ReleasedState, after: int | None) -> bool:
        """Before anybody sees it: what a restart goes on from must never be older than what was shown."""
        digest, public = released.folder.codebook.digest, released.public
        state = await asyncio.to_thread(released.dump)
        return await self._store.save_edition(survey, StoredEdition(public.version, public.revision, digest, public.as_of, state), after)


def _above(marks: Marks, published: Snapshot) -> Marks:
    """No edition up to this snapshot had a higher number: where there is a guarantee they are counted, else each was a revision."""
    seen = published.policy.guarantee.editions if published.policy.guarantee else published.revision
    top = max(marks.top, published.responses)
    return dataclasses.replace(marks, edition=max(marks.edition, seen), tables=max(marks.tables, seen), top=top)
