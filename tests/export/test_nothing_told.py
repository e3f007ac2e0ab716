"""No answer, response id or token is in any line that export logs, whatever is refused and whatever fails."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, cast

import asyncpg
import httpx
import pytest
from nats.aio.client import Client

from proto import events, subjects, tokens
from proto.author import bundled, load
from proto.instrument import Instrument
from proto.registry import published
from proto.tokens import Token
from services.export import release
from services.export.jobs import ENDED
from services.export.main import running
from services.export.settings import Settings
from services.export.store import Store
from tests.conftest import DatabaseUrls, NatsUrls
from tests.export.tables import stored
from tests.log_lines import LogLines

SURVEY = "social-cohesion"
API = f"/api/v1/surveys/{SURVEY}/releases"
TEXT, PERSON = "planted words on a bench", uuid.UUID("91919191919191919191919191919191")
ID, ORGANISER = tokens.make()
_, STRANGER = tokens.make()
PLANTED = (TEXT, PERSON.hex, str(PERSON), ORGANISER, STRANGER)
SAYING = f"""
    create function quote_a_row() returns trigger language plpgsql as $$
    begin raise exception 'unexpected % of %', '{TEXT}', '{PERSON}'; end $$;
    create trigger quote_a_row before insert on releases for each row execute function quote_a_row()"""

Asked = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def posted(path: str, content: Any, token: str = ORGANISER) -> Asked:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return lambda http: http.post(path, content=body, headers=headers)


def got(path: str, token: str = ORGANISER) -> Asked:
    return lambda http: http.get(path, headers={"Authorization": f"Bearer {token}"})


REFUSED: dict[str, Asked] = {
    "a token that there is not": posted(API, {}, STRANGER),
    "a profile that there is not": posted(API, {"profile": TEXT}),
    "a language that there is not": posted(API, {"language": TEXT}),
    "a field that there is not": posted(API, {TEXT: STRANGER}),
    "a body that is no JSON": posted(API, f'{{"purpose": "{TEXT}'.encode()),
    "a body that is too large": posted(API, TEXT.encode() * 10_000),
    "a survey that there is not": got(f"/api/v1/surveys/{TEXT}/releases"),
    "a job that there is not": got(f"{API}/jobs/{PERSON.hex}"),
    "a release that there is not": got(f"{API}/91/{TEXT}"),
    "a page of texts that there is not": got(f"{API}/review?after={TEXT}"),
    "a decision on no text": posted(f"{API}/review", {"decisions": [{"id": TEXT, "decision": "accepted"}]}),
}


async def unsuspecting(*arguments: Any) -> NoReturn:
    answers, person = TEXT, PERSON
    raise ValueError(f"{answers} {person} {arguments}")


def unsuspecting_thread(*arguments: Any) -> NoReturn:
    answers = TEXT
    raise ValueError(f"{answers} {PERSON} {arguments}")


@pytest.fixture
async def http(nats_urls: NatsUrls, database_urls: DatabaseUrls, provisioner: Client, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service with 120 responses to a survey, one of them by PERSON."""
    instrument = load(bundled()[SURVEY])
    assert isinstance(instrument, Instrument)
    js = provisioner.jetstream()
    await js.publish(subjects.survey(SURVEY, instrument.version), events.encode(published(instrument)))
    await js.publish(subjects.token(ID), events.encode(Token(ID, tokens.digest(ORGANISER), "organiser")))
    columns, rows = stored(SURVEY, 120)
    rows[0] = (PERSON, *rows[0][1:])
    owner = await asyncpg.connect(database_urls.owner)
    await owner.copy_records_to_table("responses", records=rows, columns=columns)
    await owner.close()
    async with running(Settings(nats_urls.export, database_urls.export, tmp_path)) as app:
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://platea.test", timeout=30) as opened:
            yield opened


async def ended(http: httpx.AsyncClient) -> dict[str, Any]:
    """A release that was ordered, once its job has ended."""
    ordered = await posted(API, {})(http)
    assert ordered.status_code == 202, ordered.text
    async with asyncio.timeout(120):
        while (job := (await got(ordered.headers["location"])(http)).json())["status"] not in ENDED:
            await asyncio.sleep(0.05)
    return job


async def test_what_is_refused_or_fails_leaves_nothing_of_a_respondent_in_the_log(
    http: httpx.AsyncClient, database_urls: DatabaseUrls, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, request in REFUSED.items():
        answer = await request(http)
        assert 400 <= answer.status_code < 500, (name, answer.status_code)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "published", unsuspecting)
        assert (await got(API)(http)).status_code == 500
        assert logged.levels(event="a request failed") == ["error"]
    owner = await asyncpg.connect(database_urls.owner)
    failed = {"event": "a release failed", "survey": SURVEY}

    # An answer that this program cannot read, a step that fails in its thread, a database that quotes a row.
    unreadable = json.dumps({"A01": {TEXT: str(PERSON)}})
    before = await owner.fetchval("select answers from responses where id = $1", PERSON)
    await owner.execute("update responses set answers = $2 where id = $1", PERSON, unreadable)
    assert (await ended(http))["status"] == "failed"
    assert logged.levels(**failed) == ["error"]
    await owner.execute("update responses set answers = $2 where id = $1", PERSON, before)
    with monkeypatch.context() as patch:
        patch.setattr(release, "write", unsuspecting_thread)
        assert (await ended(http))["status"] == "failed"
    assert logged.levels(**failed) == ["error"] * 2
    await owner.execute(SAYING)
    assert (await ended(http))["status"] == "failed"
    assert logged.levels(**failed) == ["error"] * 3
    await owner.execute("drop trigger quote_a_row on releases")
    await owner.close()

    assert (await ended(http))["status"] == "done", "afterwards all is well"
    assert "in unsuspecting_thread" in logged.text
    assert [planted for planted in PLANTED if planted in logged.text] == []
