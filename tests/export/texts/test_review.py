"""Free texts go into releases only as somebody accepted them, apart from the rows, never a few alone."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.respondents import Population
from proto import tokens
from proto.answers import today_of
from proto.registry import Registry, published
from proto.tokens import Token
from services.export.bundle.signing import Signer
from services.export.bundle.verify import check
from services.export.formats.passages import cell
from services.export.gate.refused import ReleaseRefused
from services.export.http.app import Context, create_app
from services.export.jobs import Jobs
from services.export.store import Store
from services.export.texts.accepted import GivenText, Handles, TextLedger, admit, decode, encode, require_accepted
from services.export.texts.pii_hints import marks
from services.runtime.spreadsheet_csv import guarded
from tests.export.tables import every_kind

K = 5
API = "/api/v1/surveys/every-kind/releases"
GROUP = ("A8", "en")


# What is marked


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("Write to jane.doe@city.example, please", "e-mail", "jane.doe@city.example"),
        ("jane (at) city.example", "e-mail", "jane (at) city.example"),
        ("call +32 475 12 34 56 now", "phone", "+32 475 12 34 56"),
        ("see https://city.example/a?b", "web address", "https://city.example/a?b"),
        ("pay DE89 3704 0044 0532 0130 00", "IBAN", "DE89 3704 0044 0532 0130 00"),
        ("my plate is B-MA 1234", "number plate", "B-MA 1234"),
        ("on 12.03.2024 we", "date", "12.03.2024"),
        ("el 3 de marzo de 2021", "date", "3 de marzo de 2021"),
        ("Herr Dr. von Müller said", "name", "Herr Dr. von Müller"),
        ("la señora García López", "name", "señora García López"),
        ("at 12 rue de la Paix", "address", "12 rue de la Paix"),
        ("Bahnhofstraße 12 is dark", "address", "Bahnhofstraße 12"),
        ("ask @someone_there", "account", "@someone_there"),
        ("file 7-123456 or 20231234567890123", "number", "20231234567890123"),
    ],
)
def test_what_may_point_to_a_person_is_marked(text: str, kind: str, part: str) -> None:
    assert (kind, part) in [(mark.kind, text[mark.begin : mark.end]) for mark in marks(text)]


@pytest.mark.parametrize(
    "text", ["In 2019-2023 it cost 50 000 euros.", "COVID-19 and GPT-4, ISO 27001, 3 cameras in the street", "12 street lights"]
)
def test_ordinary_figures_are_left_alone(text: str) -> None:
    assert marks(text) == ()


@given(st.text(alphabet="aM.@ 0129+-/(\nrueMr", max_size=300))
def test_marks_lie_in_the_text_and_never_overlap(text: str) -> None:
    end = 0
    for mark in marks(text):
        assert end <= mark.begin < mark.end <= len(text)
        end = mark.end


# Which texts stand together


@given(st.lists(st.tuples(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39))), min_size=1, max_size=6))
def test_texts_stay_come_and_go_in_company(steps: Sequence[tuple[set[int], set[int]]]) -> None:
    """The attacker holds all releases and subtracts them from each other in every way."""
    book, accepted = TextLedger(), set[int]()
    for number, (ticked, gone) in enumerate(steps, 1):
        accepted = (accepted | ticked) - gone
        book = decode(encode(admit(book, {bytes([each]): GROUP for each in accepted}, number, K)))
        assert book.at(number) <= {bytes([each]) for each in accepted}, "only what is accepted now"
    releases = [book.at(number) for number in range(1, len(steps) + 1)]
    for one in releases:
        for other in releases:
            for seen in (one & other, one - other):
                assert not seen or len(seen) >= K


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_a_later_release_leaves_the_earlier_ones_as_they_were(first: set[int], second: set[int]) -> None:
    one = admit(TextLedger(), {bytes([each]): GROUP for each in first}, 1, K)
    two = admit(one, {bytes([each]): GROUP for each in second}, 2, K)
    assert one.at(1) == two.at(1)


def test_a_language_of_few_waits() -> None:
    accepted = {bytes([n]): ("A8", "mt" if n < 4 else "en") for n in range(12)}
    assert admit(TextLedger(), accepted, 1, K).at(1) == {bytes([n]) for n in range(4, 12)}


def test_the_gate_refuses_a_text_that_nobody_accepted_as_it_stands() -> None:
    handles = Handles(bytes(32), "s")
    texts = [GivenText(uuid.UUID(int=n).bytes, "A8", "en", f"text {n}") for n in range(K)]
    decisions = {handles.of(each.id, each.question, each.language, each.text): True for each in texts}
    require_accepted(texts, handles, decisions, K)
    with pytest.raises(ReleaseRefused, match="nobody has accepted"):
        require_accepted([*texts[1:], GivenText(texts[0].id, "A8", "en", "text 0, changed")], handles, decisions, K)
    with pytest.raises(ReleaseRefused, match="nobody has accepted"):
        require_accepted(texts, handles, decisions | {next(iter(decisions)): False}, K)
    with pytest.raises(ReleaseRefused, match="stand together"):
        require_accepted(texts[1:], handles, decisions, K)


def test_a_text_is_no_formula_and_commands_no_terminal() -> None:
    assert guarded(cell("=1+1")) == "'=1+1"
    assert cell("red \x1b[31m\r\nnext") == "red \ufffd[31m\nnext"


# From the store to the file


@pytest.fixture
def secrets() -> dict[str, str]:
    return {}


@pytest.fixture
async def client(database_urls: Any, tmp_path: Path, secrets: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    registry = Registry()
    registry.apply(published(every_kind()))
    for role in ("organiser", "researcher"):
        id, secrets[role] = tokens.make()
        registry.apply(Token(id, tokens.digest(secrets[role]), role))  # type: ignore[arg-type]
    store = await Store.open(database_urls.export)
    context = Context(registry, store, Jobs(store, registry, tmp_path, Signer(bytes(32))), tmp_path, lambda: True)
    transport = httpx.ASGITransport(create_app(context))  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {secrets['organiser']}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://platea.test", headers=headers) as opened:
        yield opened
    await store.close()


async def fill(url: str, count: int, wishes: int) -> list[str]:
    """Plausible responses of which the first ones wish something; their wishes."""
    population = Population(every_kind(), 3, today_of(0))
    said = [f"Wish {n}: write to me{n}@city.example" for n in range(wishes)]
    rows: list[tuple[object, ...]] = []
    for n in range(count):
        answers: dict[str, Any] = msgspec.to_builtins(population.respondent(n).answers)
        answers = {name: value for name, value in answers.items() if name != "A8"} | ({"A8": said[n]} if n < wishes else {})
        rows.append((uuid.UUID(int=n + 1), "every-kind", "0.1.0", 0, n + 1, "recorded", "en", msgspec.json.encode(answers).decode()))
    connection = await asyncpg.connect(url)
    columns = ["id", "survey", "version", "partition", "seq", "status", "language", "answers"]
    await connection.copy_records_to_table("responses", records=rows, columns=columns)
    await connection.close()
    return said


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def review(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    found = await client.get(f"{API}/review", params=query)
    assert found.status_code == 200, found.text
    return found.json()


async def decide(client: httpx.AsyncClient, texts: Sequence[dict[str, Any]], decision: str) -> dict[str, Any]:
    body = {"decisions": [{"id": each["id"], "decision": decision} for each in texts]}
    return (await client.post(f"{API}/review", json=body)).raise_for_status().json()


async def ended(client: httpx.AsyncClient, ordered: httpx.Response) -> dict[str, Any]:
    assert ordered.status_code == 202, ordered.text
    while (job := (await client.get(ordered.headers["location"])).json())["status"] not in ("done", "refused", "failed"):
        await asyncio.sleep(0.05)
    return job


async def release(client: httpx.AsyncClient, profile: str = "scientific") -> dict[str, Any]:
    return await ended(client, await client.post(API, json={"profile": profile, "purpose": "a study"}))


def lines(folder: Path, number: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "every-kind" / str(number) / "texts.csv").read_text(encoding="utf-8"))))


async def test_a_release_holds_the_accepted_texts_and_no_other(
    client: httpx.AsyncClient, database_urls: Any, tmp_path: Path, secrets: dict[str, str]
) -> None:
    said = await fill(database_urls.analysis, 300, wishes=12)
    assert (await release(client))["number"] == 1
    assert not (tmp_path / "every-kind" / "1" / "texts.csv").exists(), "nothing was accepted yet"

    page = await review(client)
    assert page["questions"][0] | {"text": 0} == {"question": "wish", "text": 0, "given": 12, "accepted": 0, "refused": 0, "open": 12}
    texts = page["texts"]
    assert {each["text"] for each in texts} == set(said)
    assert all(each["marks"][0]["kind"] == "e-mail" for each in texts)
    assert all(uuid.UUID(int=n + 1).hex not in str(page) for n in range(12)), "nothing leads from a text to its response"
    assert await decide(client, texts[:7], "accepted") == {"accepted": 7, "refused": 0, "open": 0, "gone": []}
    await decide(client, texts[7:9], "refused")
    assert [each["id"] for each in (await review(client, most=2))["texts"]] == [each["id"] for each in texts[9:11]]

    assert (await release(client))["number"] == 2
    found = lines(tmp_path, 2)
    assert {each["text"] for each in found} == {each["text"] for each in texts[:7]}
    assert {(each["question"], each["language"]) for each in found} == {("wish", "en")}
    assert check(tmp_path / "every-kind" / "2") == []
    folder = tmp_path / "every-kind" / "2"
    assert "wish" not in pd.read_csv(folder / "data.csv", dtype=str).columns, "texts belong to no row"
    report = msgspec.json.decode((folder / "report.json").read_bytes())
    assert report["free_text"] == [{"question": "wish", "given": 12, "accepted": 7, "refused": 2, "not_reviewed": 3, "released": 7}]
    assert "Of 12 free texts a person read 9: 7 were accepted, 2 refused, 3 not reviewed." in (folder / "report.html").read_text()
    assert [each["name"] for each in msgspec.json.decode((folder / "datapackage.json").read_bytes())["resources"]] == ["data", "texts"]
    assert 'URI="texts.csv"' in (folder / "codebook.xml").read_text()
    manifest = (await client.get(f"{API}/2", headers={"Authorization": f"Bearer {secrets['researcher']}"})).json()
    assert manifest["policy"]["texts"] == 7
    assert "7 free texts" in (await client.get("/data/every-kind")).text

    await decide(client, texts[9:], "accepted")
    rebuilt = await ended(client, await client.post(f"{API}/2/rebuild"))
    assert rebuilt["differing"] == [], "later decisions change no release"
    assert (await release(client))["number"] == 3
    assert len(lines(tmp_path, 3)) == 7, "three new texts wait until they are five"
    assert [each["text"] for each in lines(tmp_path, 3)] != [each["text"] for each in found], "another order"

    assert (await release(client, "public"))["number"] == 4
    assert not (tmp_path / "every-kind" / "4" / "texts.csv").exists()
    assert "Free text is not part" in (tmp_path / "every-kind" / "4" / "report.html").read_text()


async def test_a_changed_or_withdrawn_text_loses_its_tick_and_goes_in_company(
    client: httpx.AsyncClient, database_urls: Any, tmp_path: Path
) -> None:
    await fill(database_urls.analysis, 300, wishes=12)
    texts = (await review(client))["texts"]
    await decide(client, texts, "accepted")
    assert (await release(client))["number"] == 1
    assert len(lines(tmp_path, 1)) == 12

    id = f"'{uuid.UUID(int=1)}'"
    await run(database_urls.owner, f'update responses set answers = answers || \'{{"A8": "Another wish"}}\' where id = {id}')
    page = await review(client)
    assert [(each["text"], each["decision"]) for each in page["texts"]] == [("Another wish", "open")]
    gone = next(each for each in texts if each["text"].startswith("Wish 0:"))
    assert (await decide(client, [gone], "accepted"))["gone"] == [gone["id"]], "a decision about what was changed is not entered"
    assert (await release(client))["number"] == 2
    left = [each["text"] for each in lines(tmp_path, 2)]
    assert len(left) == 12 - K, "four more leave with it, so that nobody sees which one was changed"
    assert not any(text.startswith("Wish 0:") for text in left)
    assert "Another wish" not in left

    await run(
        database_urls.owner,
        f"update responses set status = 'withdrawn', version = null, language = null, answers = null where answers ->> 'A8' = '{left[0]}'",
    )
    assert (await release(client))["number"] == 3
    assert not (tmp_path / "every-kind" / "3" / "texts.csv").exists(), "fewer than five would stay: all go"


async def test_the_review_is_for_organisers_and_refuses_what_it_does_not_know(client: httpx.AsyncClient, secrets: dict[str, str]) -> None:
    researcher = {"Authorization": f"Bearer {secrets['researcher']}"}
    assert (await client.get(f"{API}/review", headers=researcher)).status_code == 403
    assert (await client.post(f"{API}/review", json={"decisions": []}, headers=researcher)).status_code == 403
    assert (await client.get("/api/v1/surveys/nowhere/releases/review")).status_code == 404
    assert (await client.get(f"{API}/review", params={"after": "nonsense"})).status_code == 400
    assert (await client.get(f"{API}/review", params={"most": 0})).status_code in (400, 422)
    for body in ({"decisions": [{"id": "x", "decision": "accepted"}]}, {"decisions": [{"id": "0" * 32, "decision": "perhaps"}]}, {}, []):
        assert (await client.post(f"{API}/review", json=body)).status_code in (400, 422)
    unknown = await client.post(f"{API}/review", json={"decisions": [{"id": "0" * 32, "decision": "accepted"}]})
    assert unknown.json()["gone"] == ["0" * 32]


async def test_pages_of_texts_follow_one_another_without_gap_or_repetition(client: httpx.AsyncClient, database_urls: Any) -> None:
    said = await fill(database_urls.analysis, 40, wishes=23)
    after, found = "", list[str]()
    while after is not None:
        page = await review(client, most=5, after=after)
        assert len(page["texts"]) <= 5
        found += [each["text"] for each in page["texts"]]
        after = page["next"]
    assert sorted(found) == sorted(said)
