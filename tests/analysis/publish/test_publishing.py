"""What is published, and when: by net growth, with revisions and marks that go on after a restart."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
import nats
import pytest
from nats.js.errors import NotFoundError

from proto import snapshot as snapshots
from proto import subjects
from proto.instrument import Policy
from proto.snapshot import Snapshot
from services.analysis.disclosure.editions import step
from services.analysis.disclosure.noise import Noise
from services.analysis.disclosure.parameters import OPEN
from services.analysis.main import Analysis
from services.analysis.records import StoredEdition
from services.analysis.store import Store
from tests.analysis.conftest import SURVEY, Pen, Service, ask, judged, submitted, until, withdrawn
from tests.builders.bundled import questionnaire


async def published(provisioner: Any, survey: str = SURVEY) -> Snapshot | None:
    try:
        message = await provisioner.jetstream().get_last_msg(subjects.AGGREGATES, subjects.aggregates(survey))
    except NotFoundError:
        return None
    return msgspec.json.decode(message.data, type=Snapshot)


KEY = b"0123456789abcdef0123456789abcdef"
"""That of the service."""


def wait(top: int, edition: int) -> int:
    """By how many the survey has to grow past its mark, while it is open."""
    return step(top, OPEN, Noise(KEY, SURVEY).threshold(edition))


async def test_figures_move_by_net_growth_and_go_on_after_a_restart(pen: Pen, service: Service, provisioner: Any) -> None:
    async def responses(wanted: int) -> bool:
        found = await published(provisioner)
        return found is not None and found.responses == wanted

    async def grow(analysis: Analysis, start: int, end: int) -> None:
        """All but the last first: so many at once are counted in parts, of which any might be published."""
        await pen.write(*(submitted(number) for number in range(start, end - 1)))
        await until(lambda: analysis.totals.own(SURVEY) == end - 1)
        await judged(analysis)
        assert not await responses(end - 1)
        await pen.write(submitted(end - 1))
        await until(partial(responses, end))

    tops = [10]
    while tops[-1] < 40:
        tops.append(tops[-1] + wait(tops[-1], len(tops)))
    async with service.running() as analysis:
        await grow(analysis, 0, 10)
        assert (await ask(service, what="table", row="A04", column="A05"))["status"] == 404
        for start, end in pairwise(tops):
            await grow(analysis, start, end)
        assert (await ask(service, what="table", row="A04", column="A05"))["responses"] == tops[-1]
    last = await published(provisioner)
    assert last is not None
    assert last.revision == len(tops)
    async with service.running() as analysis:
        await until(lambda: analysis.publisher.edition(SURVEY) is not None)
        table = await ask(service, what="table", row="A04", column="A05")
        assert (table["responses"], table["revision"]) == (tops[-1], last.revision), "tables stay with the snapshot after a restart"
        await pen.write(*(withdrawn(number) for number in range(20)))
        await until(lambda: analysis.totals.own(SURVEY) == tops[-1] - 20)
        await pen.write(*(submitted(number) for number in range(100, 129)))
        await until(lambda: analysis.totals.own(SURVEY) == tops[-1] + 9)
        await judged(analysis)
        assert await published(provisioner) == last, "twenty who left and twenty-nine who came are nine more than ever before"
        assert (await ask(service, what="exact"))["responses"] == tops[-1] + 9
        assert (await ask(service, what="table", row="A04", column="A05", exact=True))["responses"] == tops[-1] + 9
        end = tops[-1] + wait(tops[-1], len(tops))
        await pen.write(*(submitted(number) for number in range(129, 129 + end - tops[-1] - 9)))
        await until(lambda: responses(end))
        after = await published(provisioner)
        assert after is not None
        assert after.revision == last.revision + 1
        again = await ask(service, what="table", row="A04", column="A05")
        assert (again["responses"], again["revision"]) == (tops[-1], after.revision), "tables wait until there are twice as many"


@pytest.mark.parametrize("more", [0, 3])
async def test_figures_of_an_earlier_release_stand_until_the_survey_grows_or_are_drawn_anew_at_once(
    pen: Pen, service: Service, provisioner: Any, database: Any, more: int
) -> None:
    """What an upgrade finds: a published snapshot, and a released state in a form that is not read any more."""
    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(60 + more)))
        await until(lambda: analysis.totals.own(SURVEY) == 60 + more)
        await until(lambda: analysis.publisher.edition(SURVEY) is not None)
    found = await published(provisioner)
    assert found is not None
    former = msgspec.structs.replace(found, responses=60, revision=70)
    client = await nats.connect(service.settings.nats_url, inbox_prefix="_INBOX.analysis")
    await client.jetstream().publish(subjects.aggregates(SURVEY), snapshots.encode(former))
    await client.close()
    await database.execute("update released set revision = 70, state = $1 where survey = $2", b"former", SURVEY)
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY) and analysis.totals.own(SURVEY) == 60 + more)
        await until(lambda: analysis.publisher.revision(SURVEY) >= 70)
        if more:
            await judged(analysis)
            assert await published(provisioner) == former
            assert (await ask(service, what="table", row="A04", column="A05"))["status"] == 404
            await pen.write(*(submitted(number) for number in range(100, 115)))  # at most fifteen are waited for
        await until(lambda: analysis.publisher.revision(SURVEY) >= 71)
        await until(lambda: analysis.publisher.edition(SURVEY) is not None)
        table = await ask(service, what="table", row="A04", column="A05")
        assert table["responses"] >= 60
        released = analysis.publisher.edition(SURVEY)
        assert released is not None
        assert released.marks.top >= (70 if more else 60)
        assert min(released.marks.edition, released.marks.tables) > 70, "no number that was seen comes again"


@pytest.mark.parametrize("older", [False, True])
async def test_no_edition_that_was_seen_comes_again_whatever_the_store_has_forgotten(
    pen: Pen, service: Service, provisioner: Any, database: Any, older: bool
) -> None:
    """The same number with other counts would give their difference away."""
    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(45)))
        await until(lambda: analysis.totals.own(SURVEY) == 45)
        await until(lambda: analysis.publisher.revision(SURVEY) >= 1)
        kept = await database.fetchrow("select * from released where survey = $1", SURVEY)
        await pen.write(*(submitted(number) for number in range(45, 100)))
        await until(lambda: analysis.totals.own(SURVEY) == 100)
        await until(lambda: analysis.publisher.revision(SURVEY) > kept["revision"])
    seen = await published(provisioner)
    assert seen is not None
    await database.execute("delete from released where survey = $1", SURVEY)
    if older:
        columns = list(kept.keys())
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        await database.execute(f"insert into released ({', '.join(columns)}) values ({places})", *kept.values())
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY) and analysis.totals.own(SURVEY) == 100)
        await until(lambda: analysis.publisher.revision(SURVEY) >= seen.revision)
        await pen.write(*(submitted(number) for number in range(100, 125)))
        await until(lambda: analysis.publisher.revision(SURVEY) > seen.revision)
        released = analysis.publisher.edition(SURVEY)
        assert released is not None
        assert released.marks.edition > seen.revision
        assert released.marks.top >= seen.responses


async def test_an_edition_is_written_down_once_whoever_else_publishes(service: Service, pen: Pen) -> None:
    """Two workers that take themselves for the one that speaks: only one of them can give the next number away."""
    del pen
    store = Store(service.settings.database_url)
    one, other = (StoredEdition("1.0.0", revision, "book", "now", b"state") for revision in (1, 2))
    try:
        assert await store.save_edition("twice", one, None)
        assert not await store.save_edition("twice", one, None)
        assert await store.save_edition("twice", other, 1)
        assert not await store.save_edition("twice", other, 1)
        assert await store.edition("twice") == other
    finally:
        await store.close()


async def test_questions_that_make_no_sense_get_a_problem(pen: Pen, service: Service) -> None:
    async with service.running() as analysis:
        await until(lambda: analysis.totals.ready(SURVEY))
        for question in ({"what": "everything"}, {"what": "table", "row": "Z9", "column": "A04", "exact": True}):
            assert (await ask(service, **question))["status"] >= 400


async def test_an_edition_by_the_clock_is_not_given_up_where_the_store_fails_at_its_moment(
    pen: Pen, service: Service, provisioner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(minimum=3, batch=1, clock=0, i_understand_that_this_protects_nobody=True)
    await pen.publish(msgspec.structs.replace(questionnaire(), version="9.0.0", policy=policy))
    save, failures = Store.save_edition, 0

    async def failing(self: Store, survey: str, edition: StoredEdition, after: int | None) -> bool:
        nonlocal failures
        if edition.revision > 1 and not failures:
            failures += 1
            raise ConnectionError
        return await save(self, survey, edition, after)

    async def responses() -> int:
        found = await published(provisioner)
        return 0 if found is None else found.responses

    async def shown(wanted: int) -> bool:
        return await responses() == wanted

    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(10)))
        await until(partial(shown, 10))
        monkeypatch.setattr(Store, "save_edition", failing)
        await pen.write(withdrawn(3))
        await until(partial(shown, 9))
        assert (failures, analysis.totals.own(SURVEY)) == (1, 9)
