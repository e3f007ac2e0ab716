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
from proto.outage import Outages, refused
from proto.snapshot import Snapshot
from services.analysis import disclose, journal, metrics, store
from services.analysis.books import Books
from services.analysis.packing import UnreadableState
from services.analysis.released import ReleasedState, release
from services.analysis.standing import Standing
from services.analysis.store import Released, Store
from services.analysis.surprise import place_of
from services.analysis.totals import Totals

log = logging.getLogger(__name__)

LOOK = 0.1
"""Seconds between two looks, at the least."""
LOOK_AT_OTHERS = 1.0
"""Seconds between two looks at the checkpoints of other workers."""


@dataclass
class Desk:
    """What the publisher remembers of a survey."""

    revision: int = 0
    responses: int | None = None
    """As of the last release; None before the first."""
    moved: set[str] = field(default_factory=set[str])
    released: ReleasedState | None = None
    unsent: Snapshot | None = None
    at: float = -1e9
    looked_at: float = -1e9


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
        return asked

    def _may_release(self, survey: str, desk: Desk, responses: int, moved: int) -> bool:
        folder = self._books.folder(survey)
        assert folder is not None
        # A restart forgets who moved, and of other workers' counts it is not known; the numbers alone say how many did at least.
        joined_or_left = max(moved, abs(responses - (desk.responses or 0)))
        return disclose.may_release(
            folder.codebook.instrument.policy, desk.responses, responses, joined_or_left, time.monotonic() - desk.at
        )

    def _worth_adding_up(self, survey: str, desk: Desk) -> bool:
        """Whether a release is likely; what other workers count is not known before."""
        if not self._totals.alone:
            return time.monotonic() - desk.looked_at >= LOOK_AT_OTHERS
        return self._may_release(survey, desk, self._totals.own(survey), len(desk.moved) + self._totals.moved(survey))

    async def _release(self, survey: str, desk: Desk) -> None:
        desk.looked_at = time.monotonic()
        found = await self._totals.state(survey, moved=desk.moved)
        if found is None:
            return
        folder, state = found
        if not self._may_release(survey, desk, state.responses, len(desk.moved)):
            return
        at = time.monotonic()  # the clock counts from state to state, however long it takes to publish one
        as_of = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        draws = self._books.draws(survey)
        released = await asyncio.to_thread(release, folder, state, desk.released, desk.revision + 1, as_of, draws)
        await self._save(survey, released)
        # Decided: from here on it counts as released, whatever becomes of the message. A second try would be another state.
        desk.revision, desk.responses, desk.moved, desk.at = desk.revision + 1, state.responses, set(), at
        desk.released, desk.unsent = released, released.public
        await self._send(survey, desk)

    async def _send(self, survey: str, desk: Desk) -> None:
        if desk.unsent is not None:
            body = snapshots.encode(desk.unsent)
            id = f"{survey}.{desk.unsent.revision}"
            await self._js.publish(subjects.aggregates(survey), body, stream=subjects.AGGREGATES, headers={"Nats-Msg-Id": id})
            desk.unsent = None
            metrics.published.labels(survey).inc()

    async def _recall(self, survey: str) -> Desk:
        """Revisions go on after a restart, and what was released stays released."""
        desk = Desk()
        published = await self._published(survey)
        if published is not None:
            desk.revision, desk.responses = published.revision, published.responses
        saved = await self._store.released(survey)
        if saved is not None:
            desk.released = await self._restored(survey, saved)
            if desk.released is not None and saved.revision > desk.revision:
                desk.revision, desk.responses, desk.unsent = saved.revision, desk.released.standing.responses, desk.released.public
            elif desk.released is not None and published is not None:
                self._put_right(desk, desk.released, published)
        return desk

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

    async def _restored(self, survey: str, saved: Released) -> ReleasedState | None:
        folder = self._books.folder(survey, saved.version)
        if folder is None or not same_columns(folder.codebook.digest, saved.codebook):
            return None
        try:
            standing = await asyncio.to_thread(Standing.load, saved.state, saved.codebook)
        except UnreadableState:
            return None
        return await asyncio.to_thread(ReleasedState.of, folder, standing, saved.as_of, self._books.draws(survey))

    async def _save(self, survey: str, released: ReleasedState) -> None:
        """Before anybody sees it: what a restart goes on from must never be older than what was shown."""
        digest, public = released.folder.codebook.digest, released.public
        state = await asyncio.to_thread(released.standing.dump, digest)
        await self._store.save_released(survey, Released(public.version, public.revision, digest, public.as_of, state))
