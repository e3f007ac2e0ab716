"""A release from the store to the download, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pandas as pd
import pytest
from msgspec.structs import replace

from deploy.provisioning.migrate import migrations
from proto import tokens
from proto.registry import Registry, published
from proto.tokens import Token
from services.export import release
from services.export.bundle import publish
from services.export.bundle.signing import Signer
from services.export.bundle.verify import check
from services.export.gate import answers
from services.export.http.app import Context, create_app
from services.export.jobs import Jobs
from services.export.release import policy_of
from services.export.store import Store
from services.runtime.http.host_guard import HostGuard
from tests.builders.bundled import questionnaire
from tests.export.tables import stored

API = "/api/v1/surveys/ai-security/releases"
Client = httpx.AsyncClient


@pytest.fixture
def secrets() -> dict[str, str]:
    return {}


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.apply(published(questionnaire()))
    return registry


@pytest.fixture
async def client(database_urls: Any, tmp_path: Path, registry: Registry, secrets: dict[str, str]) -> AsyncIterator[Client]:
    for role in ("organiser", "researcher"):
        id, secrets[role] = tokens.make()
        registry.apply(Token(id, tokens.digest(secrets[role]), role))  # type: ignore[arg-type]
    store = await Store.open(database_urls.export)
    jobs = Jobs(store, registry, tmp_path, Signer(bytes(32)))
    context = Context(registry, store, jobs, tmp_path, lambda: True)
    transport = httpx.ASGITransport(HostGuard("http://platea.test").before(create_app(context)))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://platea.test") as opened:
        yield opened
    await store.close()


async def fill(url: str, count: int, seed: int = 5, after: int = 0) -> None:
    """Stores plausible responses as analysis would, those `after` so many."""
    columns, rows = stored("ai-security", count, seed)
    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table("responses", records=rows[after:], columns=columns)
    await connection.close()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def build(client: Client, secret: str, profile: str = "public") -> dict[str, Any]:
    """Orders a release and follows the job to its end."""
    order = {"profile": profile, "purpose": "A thesis" if profile == "scientific" else ""}
    return await ended(client, secret, await client.post(API, json=order, headers=bearer(secret)))


async def rebuild(client: Client, secret: str, number: int) -> dict[str, Any]:
    """Has a release built again and compared."""
    return await ended(client, secret, await client.post(f"{API}/{number}/rebuild", headers=bearer(secret)))


async def ended(client: Client, secret: str, ordered: httpx.Response) -> dict[str, Any]:
    assert ordered.status_code == 202, ordered.text
    while True:
        job: dict[str, Any] = (await client.get(ordered.headers["location"], headers=bearer(secret))).json()
        if job["status"] in ("done", "refused", "failed"):
            return job
        await asyncio.sleep(0.05)


async def test_a_release_holds_k_verifies_and_rebuilds_to_the_same_bytes(
    client: Client, database_urls: Any, secrets: dict[str, str], tmp_path: Path
) -> None:
    await fill(database_urls.analysis, 400)
    assert (await build(client, secrets["organiser"]))["number"] == 1
    assert (await build(client, secrets["organiser"]))["number"] == 2
    first, second = tmp_path / "ai-security" / "1", tmp_path / "ai-security" / "2"
    assert check(first) == check(second) == []
    one, two = ((folder / "data.csv").read_text().splitlines() for folder in (first, second))
    assert sorted(one) == sorted(two), "whoever was released keeps what was released"
    assert one != two, "but nobody's row stands where it stood"
    for number in (1, 2):
        rebuilt = await rebuild(client, secrets["organiser"], number)
        assert (rebuilt["status"], rebuilt["differing"], rebuilt["detail"]) == ("done", [], "")

    csv = pd.read_csv(first / "data.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(csv, pd.read_parquet(first / "data.parquet").astype(str), check_dtype=False)
    identifiers = [q.var for q in questionnaire().questions if q.privacy.role == "quasi_identifier"]
    groups = Counter(csv[identifiers].itertuples(index=False, name=None))
    assert min(groups.values()) >= 10
    assert not {"lesson", "one_change"} & set(csv.columns)
    manifest = (await client.get(f"{API}/1", headers=bearer(secrets["researcher"]))).json()
    assert manifest["released"] == len(csv) == 400 - manifest["suppressed"]


async def test_an_old_release_is_built_again_whatever_has_joined_since_and_says_so_where_answers_changed(
    client: Client, database_urls: Any, registry: Registry, secrets: dict[str, str]
) -> None:
    await fill(database_urls.analysis, 300)
    await build(client, secrets["organiser"])
    await fill(database_urls.analysis, 420, after=300)
    later = replace(questionnaire(), version="99", title={"en": "Another title", "fr": "Un autre titre", "es": "Otro título"})
    registry.apply(published(later))
    assert (await build(client, secrets["organiser"]))["responses"] == 420
    for number, responses in ((1, 300), (2, 420)):
        again = await rebuild(client, secrets["organiser"], number)
        assert (again["status"], again["responses"], again["differing"], again["detail"]) == ("done", responses, [], "")

    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute("update responses set seq = 1000 where seq = 7")
    again = await rebuild(client, secrets["organiser"], 1)
    assert (again["responses"], "data.csv" in again["differing"]) == (299, True)
    assert again["detail"] == "1 of the 300 responses that release 1 was made of was changed or withdrawn since."
    await connection.execute("update releases set positions = null")
    await connection.close()
    assert "420 responses now; release 1 was made of 300" in (await rebuild(client, secrets["organiser"], 1))["detail"]


async def test_releases_of_both_profiles_have_one_ledger_and_texts_stay_with_those_that_hold_them(
    client: Client, database_urls: Any, secrets: dict[str, str]
) -> None:
    await fill(database_urls.analysis, 200)
    connection = await asyncpg.connect(database_urls.owner)
    for number, profile in enumerate(("public", "scientific", "public"), 1):
        if number == 3:
            await connection.execute(
                "update responses set status = 'withdrawn', version = null, language = null, notice = null, answers = null where seq <= 5"
            )
        job = await build(client, secrets["organiser"], profile)
        assert (job["status"], job["number"]) == ("done", number), job["detail"]
        rows = await connection.fetch("select number, texts is not null as texts from release_ledgers where survey = 'ai-security'")
        assert [(row["number"], row["texts"]) for row in rows] == [(number, number > 1)]
    await connection.close()
    assert (await rebuild(client, secrets["organiser"], 3))["differing"] == []
    assert "5 of the 200 responses" in (await rebuild(client, secrets["organiser"], 2))["detail"]


async def test_a_release_of_earlier_rules_says_why_it_cannot_be_built_again_and_later_ones_can(
    client: Client, database_urls: Any, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rare answers were hidden otherwise once, and manifests did not tell of merged scales."""
    await fill(database_urls.analysis, 200)

    def policy_then(*given: Any) -> dict[str, int | float | str]:
        return {name: value for name, value in policy_of(*given).items() if name not in ("quasi_identifiers", "merged_scales")}

    with monkeypatch.context() as former:
        former.setattr(answers, "hidden", lambda *_: {})
        former.setattr(answers, "alone", lambda *_: 0)
        former.setattr(release, "policy_of", policy_then)
        assert (await build(client, secrets["organiser"]))["number"] == 1
    again = await rebuild(client, secrets["organiser"], 1)
    assert "data.csv" in again["differing"]
    assert "Release 1 hides rare answers by earlier rules" in again["detail"]
    page = (await client.get("/data/ai-security")).text
    assert "one of at least" in page
    made = await build(client, secrets["organiser"])
    assert (made["number"], made["status"]) == (2, "done")
    assert (await rebuild(client, secrets["organiser"], 2))["differing"] == []


async def test_a_ledger_of_public_releases_goes_on_with_one_ledger_for_all_and_others_say_that_they_cannot(database_urls: Any) -> None:
    former = {each.number: each.text for each in migrations()}
    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute(
        "create schema former; set search_path to former;"
        "create table releases (survey text, number integer, primary key (survey, number));"
        + former[4]
        + "alter table release_ledgers add column texts bytea;"
        + "insert into releases select survey, number from unnest(array['p', 's', 'b']) as survey, generate_series(1, 2) as number"
    )
    for survey, profile, number, texts in (
        ("p", "public", 2, None),
        ("s", "scientific", 1, b"t"),
        ("b", "public", 1, None),
        ("b", "scientific", 2, b"u"),
    ):
        await connection.execute("insert into release_ledgers values ($1, $2, $3, $4, $5)", survey, profile, number, b"book", texts)
    await connection.execute(former[8])
    rows = await connection.fetch("select survey, book, texts from release_ledgers order by survey")
    assert [tuple(row) for row in rows] == [("b", b"", b"u"), ("p", b"book", None), ("s", b"", b"t")]
    await connection.close()


async def test_too_few_responses_are_refused_with_the_reason(
    client: Client, database_urls: Any, secrets: dict[str, str], tmp_path: Path
) -> None:
    await fill(database_urls.analysis, 9)
    job = await build(client, secrets["organiser"])
    assert job["status"] == "refused"
    assert "9 responses" in job["detail"]
    assert not os.listdir(tmp_path)
    columns, rows = stored("ai-security", 200)
    connection = await asyncpg.connect(database_urls.analysis)
    await connection.copy_records_to_table("responses", records=rows[9:], columns=columns)
    await connection.close()
    assert (await build(client, secrets["organiser"]))["number"] == 1, "a refusal burns no number"


async def test_a_full_disk_is_told_leaves_nothing_and_burns_no_number(
    client: Client, database_urls: Any, secrets: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(release: Path, archive: Path, name: str) -> None:
        archive.write_bytes(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device", str(archive))

    await fill(database_urls.analysis, 200)
    with monkeypatch.context() as patched:
        patched.setattr(publish, "pack", full)
        job = await build(client, secrets["organiser"])
    assert job["status"] == "failed"
    assert "no room left" in job["detail"]
    assert str(tmp_path) not in job["detail"]
    assert not os.listdir(tmp_path / "ai-security")
    assert (await build(client, secrets["organiser"]))["number"] == 1


async def test_a_scientific_release_needs_a_purpose_and_tells_it(client: Client, database_urls: Any, secrets: dict[str, str]) -> None:
    await fill(database_urls.analysis, 200)
    headers = bearer(secrets["organiser"])
    refused = await client.post(API, json={"profile": "scientific"}, headers=headers)
    assert refused.status_code in (400, 422)
    assert "purpose" in refused.text
    ordered = await client.post(API, json={"profile": "scientific", "purpose": "A thesis on cameras"}, headers=headers)
    assert (await ended(client, secrets["organiser"], ordered))["status"] == "done"
    manifest = (await client.get(f"{API}/1", headers=bearer(secrets["researcher"]))).json()
    assert manifest["purpose"] == "A thesis on cameras"
    assert manifest["policy"]["smallest_group"] >= manifest["policy"]["k"] == 5
    assert (await rebuild(client, secrets["organiser"], 1))["differing"] == []


async def test_a_release_for_everybody_is_open_and_one_for_research_is_not(
    client: Client, database_urls: Any, secrets: dict[str, str]
) -> None:
    await fill(database_urls.analysis, 200)
    for profile in ("public", "scientific"):
        assert (await build(client, secrets["organiser"], profile))["status"] == "done"
    assert [each["number"] for each in (await client.get(API)).json()] == [1]
    assert len((await client.get(API, headers=bearer(secrets["researcher"]))).json()) == 2
    for name in ("", "/data.csv", "/manifest.json", "/release.zip", "/nothing"):
        public, closed = await client.get(f"{API}/1{name}"), await client.get(f"{API}/2{name}")
        assert (public.status_code, closed.status_code) == (404 if name == "/nothing" else 200, 401), name
        assert closed.content == (await client.get(f"{API}/3{name}")).content, "nor is it told which numbers there are"
        assert (await client.get(f"{API}/1{name}", headers=bearer("nonsense"))).status_code == 403
    assert (await client.get(f"{API}/1/data.csv")).headers["cache-control"].startswith("public")
    allowed = await client.get(f"{API}/2/data.csv", headers=bearer(secrets["researcher"]))
    assert allowed.headers["cache-control"].startswith("private")
    assert (await client.post(f"{API}/1/rebuild")).status_code == 401
    page = (await client.get("/data/ai-security")).text
    assert "for the stated purpose only" in page
    assert "creativecommons.org" in page


async def test_files_of_one_language_speak_the_one_that_was_ordered(client: Client, database_urls: Any, secrets: dict[str, str]) -> None:
    await fill(database_urls.analysis, 200)
    headers = bearer(secrets["organiser"])
    refused = await client.post(API, json={"language": "pl"}, headers=headers)
    assert refused.status_code == 422
    assert "en, fr, es" in refused.text
    for language in ("fr", ""):
        ordered = await client.post(API, json={"language": language} if language else {}, headers=headers)
        assert (await ended(client, secrets["organiser"], ordered))["status"] == "done"
    asked = questionnaire().question("B01").text
    told = []
    for number in (1, 2):
        manifest = (await client.get(f"{API}/{number}", headers=bearer(secrets["researcher"]))).json()
        page = await client.get(f"{API}/{number}/codebook.html", headers=bearer(secrets["researcher"]))
        script = await client.get(f"{API}/{number}/read.R", headers=bearer(secrets["researcher"]))
        told.append((manifest["language"], *(language for language in ("en", "fr") if asked[language][:20] in script.text)))
        assert f'lang="{manifest["language"]}"' in page.text
    assert told == [("fr", "fr"), ("en", "en")]
    assert (await rebuild(client, secrets["organiser"], 1))["differing"] == []


async def test_a_download_can_be_resumed_and_is_not_sent_again_unchanged(
    client: Client, database_urls: Any, secrets: dict[str, str]
) -> None:
    await fill(database_urls.analysis, 200)
    await build(client, secrets["organiser"])
    path, headers = f"{API}/1/data.csv", bearer(secrets["researcher"])
    whole = await client.get(path, headers=headers)
    assert len(pd.read_csv(io.BytesIO(whole.content))) > 0
    part = await client.get(path, headers=headers | {"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    tail = await client.get(path, headers=headers | {"Range": "bytes=-5"})
    assert tail.content == whole.content[-5:]
    for beyond in ("99999999", "9" * 5000):
        outside = await client.get(path, headers=headers | {"Range": f"bytes={beyond}-"})
        assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    backwards = await client.get(path, headers=headers | {"Range": "bytes=5-3"})
    assert (backwards.status_code, backwards.content) == (200, whole.content)
    same = await client.get(path, headers=[*headers.items(), ("If-None-Match", '"other"'), ("If-None-Match", whole.headers["etag"])])
    assert same.status_code == 304
    stale = await client.get(path, headers=headers | {"Range": "bytes=0-0", "If-Range": '"other"'})
    assert stale.content == whole.content
    for address in (path, f"{API}/1", f"{API}/1/release.zip", API, "/data/ai-security", "/data/ai-security/1/citation.bib"):
        full, head = await client.get(address, headers=headers), await client.head(address, headers=headers)
        assert (head.status_code, head.content, full.status_code) == (200, b"", 200)
        assert head.headers == full.headers
    head = await client.head(path, headers=headers | {"Range": "bytes=0-9"})
    assert (head.status_code, head.headers) == (200, whole.headers)


async def test_how_it_is_and_what_it_does_is_told_as_by_every_service(client: Client, secrets: dict[str, str]) -> None:
    assert (await client.get("/export/health/live")).json() == {"status": "live"}
    ready = await client.get("/export/health/ready")
    assert ready.json() == {"status": "ready", "checks": {"nats": True, "database": True, "tasks": True}}
    assert (ready.status_code, ready.headers["cache-control"]) == (200, "no-store")
    assert (await build(client, secrets["organiser"]))["status"] == "refused"
    metrics = await client.get("/export/metrics")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'platea_export_jobs{status="refused"} 1.0' in metrics.text
    ordered = await client.post(API, json={}, headers=bearer(secrets["organiser"]))
    followed = await client.get(ordered.headers["location"] + "/events", headers=bearer(secrets["organiser"]))
    assert followed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert followed.text.split("\n")[0] == "event: progress"


async def test_without_the_right_token_there_is_nothing_to_see(client: Client, secrets: dict[str, str]) -> None:
    assert (await client.post(API, json={})).status_code == 401
    assert (await client.post(API, json={}, headers=bearer(secrets["researcher"]))).status_code == 403
    assert (await client.get(API)).json() == []
    assert (await client.get(API, headers=bearer("nonsense"))).status_code == 403
    assert (await client.get(f"{API}/1")).status_code == 401
    assert (await client.get(f"{API}/1/..%2f..%2fsecret", headers=bearer(secrets["researcher"]))).status_code == 404
    for body in ({"profile": "nonsense"}, {"profil": "public"}, [], 3):
        answer = await client.post(API, json=body, headers=bearer(secrets["organiser"]))
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_page_lists_releases_without_a_script(client: Client, database_urls: Any, secrets: dict[str, str]) -> None:
    assert "There is no release yet" in (await client.get("/data/ai-security")).text
    await fill(database_urls.analysis, 200)
    await build(client, secrets["organiser"])
    page = await client.get("/data/ai-security")
    assert "Release 1" in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "were withdrawn" not in page.text
    style = await client.get("/data/static/data.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "@misc{ai-security-1," in (await client.get("/data/ai-security/1/citation.bib")).text
    assert (await client.get("/data/ai-security/1/citation.json")).json()[0]["URL"] == "http://platea.test/data/ai-security"
    assert (await client.get("/data/ai-security/7/citation.json")).status_code == 404
    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute(
        "update responses set status = 'withdrawn', version = null, language = null, notice = null, answers = null "
        "where id in (select id from responses order by id limit 6)"
    )
    await connection.close()
    assert "6 responses to this survey were withdrawn since this release." in (await client.get("/data/ai-security")).text
    assert (await client.get("/data/nowhere")).status_code == 404


async def test_answers_that_are_deleted_leave_releases_whole_and_are_told(
    client: Client, database_urls: Any, secrets: dict[str, str], tmp_path: Path
) -> None:
    await fill(database_urls.analysis, 200)
    await build(client, secrets["organiser"])
    connection = await asyncpg.connect(database_urls.analysis)
    await connection.execute("insert into deletions (survey, partition, day) values ('ai-security', 0, '2026-12-31')")
    for table in ("responses", "text_reviews", "release_ledgers"):
        await connection.execute(f"delete from {table} where survey = 'ai-security'")
    await connection.close()
    assert check(tmp_path / "ai-security" / "1") == []
    assert (await client.get(f"{API}/1/data.csv", headers=bearer(secrets["researcher"]))).status_code == 200
    assert "Release 1" in (await client.get("/data/ai-security")).text
    for job in (await build(client, secrets["organiser"]), await rebuild(client, secrets["organiser"], 1)):
        assert job["status"] == "refused"
        assert "were deleted on 2026-12-31" in job["detail"]
