"""The API around the answers: surveys, for everybody and for organisers; access tokens."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from proto import instrument as instruments
from proto import receipt as receipts
from proto import subjects
from proto.events import ControlEvent, read_control
from proto.instrument import Integer, Policy, Question
from proto.problem import Problem
from proto.registry import GRACE, Registry
from services.intake.context import Intake
from tests.builders.bundled import questionnaire
from tests.conftest import NatsUrls
from tests.ended import end_at_once
from tests.intake.serving import SURVEY, Api, open_survey, served


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


def _version(version: str, id: str = SURVEY) -> bytes:
    return instruments.encode(msgspec.structs.replace(questionnaire(), id=id, version=version))


async def test_surveys_are_listed_and_described_with_etags(api: Api) -> None:
    for path in ("/api/v1/surveys", f"/api/v1/surveys/{SURVEY}"):
        answer = await api.http.get(path)
        assert answer.status_code == 200
        same = await api.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
    [listed] = (await api.http.get("/api/v1/surveys")).json()
    assert listed["id"] == SURVEY
    assert set(listed["title"]) >= {"en", "fr", "es"}


async def test_the_definition_is_a_readable_instrument_with_every_parameter_of_its_policy(api: Api) -> None:
    answer = await api.http.get(f"/api/v1/surveys/{SURVEY}")
    described = instruments.decode(answer.content)
    assert described.questions == questionnaire().questions
    assert {"name", "minimum", "batch", "clock"} <= set(answer.json()["policy"])
    assert (await api.http.get(f"/api/v1/surveys/{SURVEY}?version={questionnaire().version}")).content == answer.content
    assert (await api.http.get(f"/api/v1/surveys/{SURVEY}?version=99.0.0")).status_code == 404
    assert (await api.http.get("/api/v1/surveys/none")).status_code == 404


async def test_publishing_twice_is_harmless_and_never_changes_a_version(api: Api) -> None:
    new = _version("7.0.0")
    first = await api.organise("POST", "/api/v1/surveys", new)
    opened = {"survey": SURVEY, "version": "7.0.0", "open": True, "current": "7.0.0", "state": "open"}
    assert (first.status_code, first.json()) == (201, opened)
    assert (await api.http.get(f"/api/v1/surveys/{SURVEY}")).json()["version"] == "7.0.0"
    assert (await api.organise("POST", "/api/v1/surveys", new)).status_code == 200
    other = new.replace(b"artificial intelligence", b"arithmetic", 1)
    assert other != new
    refused = await api.organise("POST", "/api/v1/surveys", other)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/version-differs")


async def test_versions_only_go_up_and_an_earlier_one_published_again_changes_nothing(api: Api) -> None:
    assert (await api.organise("POST", "/api/v1/surveys", _version("7.10.0"))).status_code == 201
    for version in ("7.9.0", "0.0.1"):
        refused = await api.organise("POST", "/api/v1/surveys", _version(version))
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/version-not-higher")
        assert "7.10.0" in refused.json()["detail"]
    await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")
    for version in (questionnaire().version, "7.10.0"):
        again = await api.organise("POST", "/api/v1/surveys", _version(version))
        assert (again.status_code, again.json()["open"], again.json()["current"]) == (200, False, "7.10.0")
    assert (await api.http.get(f"/api/v1/surveys/{SURVEY}")).json()["version"] == "7.10.0"
    assert (await api.http.get("/api/v1/surveys")).json() == [], "it stays closed"


async def test_an_id_keeps_its_type_also_over_a_version_without_it(api: Api) -> None:
    *others, last = questionnaire().questions
    without = msgspec.structs.replace(questionnaire(), version="7.0.0", questions=tuple(others))
    assert (await api.organise("POST", "/api/v1/surveys", instruments.encode(without))).status_code == 201
    common: dict[str, Any] = {field: getattr(last, field) for field in Question.__struct_fields__} | {"stats": ("count",)}
    other = msgspec.structs.replace(without, version="8.0.0", questions=(*others, Integer(**common, min=0, max=9)))
    refused = await api.organise("POST", "/api/v1/surveys", instruments.encode(other))
    assert refused.status_code == 422, refused.text
    [fault] = refused.json()["errors"]
    assert (fault["code"], fault["pointer"]) == ("type-changed", f"/questions/{len(others)}/type")
    assert fault["detail"] == f"{last.id} was a question of type single: a changed meaning needs a new id."
    back = msgspec.structs.replace(without, version="8.0.0", questions=(*others, last))
    assert (await api.organise("POST", "/api/v1/surveys", instruments.encode(back))).status_code == 201


async def test_a_survey_keeps_its_guarantee_and_its_lack_of_one_for_life(api: Api) -> None:
    async def published(id: str, version: str, policy: Policy) -> list[str]:
        made = msgspec.structs.replace(questionnaire(), id=id, version=version, policy=policy)
        answer = await api.organise("POST", "/api/v1/surveys", instruments.encode(made))
        assert answer.status_code in (201, 422), answer.text
        return [f"{fault['code']} {fault['pointer']}" for fault in answer.json().get("errors", [])]

    usual, promised = Policy(), Policy(name="differential-privacy", epsilon=4.0, delta=1e-6)
    assert await published("promised", "1.0.0", msgspec.structs.replace(promised, epsilon=99.0)) == ["unfit /policy/epsilon"]
    assert await published("promised", "1.0.0", promised) == []
    assert await published("promised", "1.1.0", promised) == []
    for other in (usual, msgspec.structs.replace(promised, epsilon=2.0), msgspec.structs.replace(promised, delta=1e-7)):
        assert await published("promised", "1.2.0", other) == ["guarantee-changed /policy"]
    assert await published(SURVEY, "9.0.0", promised) == ["guarantee-changed /policy"], "what was shown before had none"


async def test_publishing_to_a_closed_survey_is_one_event_and_cannot_be_done_by_half(
    api: Api, provisioner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")
    publish = Intake.publish_control_event
    written: list[tuple[Intake, ControlEvent]] = []

    async def once(intake: Intake, event: ControlEvent) -> None:
        if written:
            raise Problem("busy")
        written.append((intake, event))
        await publish(intake, event)

    monkeypatch.setattr(Intake, "publish_control_event", once)
    for status in (201, 200):
        published = await api.organise("POST", "/api/v1/surveys", _version("7.0.0"))
        assert (published.status_code, published.json()["open"]) == (status, True)
    assert (await _replayed(provisioner)).is_open(SURVEY), "whoever starts later knows it too"
    monkeypatch.undo()
    await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")
    with pytest.raises(Problem):  # by an intake that does not know of it yet
        await publish(*written[0])
    assert not (await _replayed(provisioner)).is_open(SURVEY), "it would have come after the closing"


async def _replayed(client: Client) -> Registry:
    """What a service that starts now reads from the control stream."""
    js, found = client.jetstream(), Registry()
    state = (await js.stream_info(subjects.CONTROL)).state
    for seq in range(max(state.first_seq, 1), state.last_seq + 1):
        with contextlib.suppress(NotFoundError):
            found.apply(read_control((await js.get_msg(subjects.CONTROL, seq)).data or b""))
    return found


async def test_answers_may_still_name_an_older_version(api: Api) -> None:
    await api.organise("POST", "/api/v1/surveys", _version("7.0.0"))
    assert (await api.submit(0, version=None)).json()["version"] == "7.0.0"
    assert (await api.submit(1, version=questionnaire().version)).json()["version"] == questionnaire().version


async def test_closing_is_repeatable_and_a_new_version_opens_again(api: Api) -> None:
    for _ in range(2):
        assert (await api.organise("POST", f"/api/v1/surveys/{SURVEY}/close")).status_code == 200
    assert (await api.http.get("/api/v1/surveys")).json() == []
    assert [listed["open"] for listed in (await api.http.get("/api/v1/surveys?closed=true")).json()] == [False]
    assert (await api.organise("POST", "/api/v1/surveys", _version("0.9.0"))).status_code == 201
    assert len((await api.http.get("/api/v1/surveys")).json()) == 1
    assert (await api.organise("POST", "/api/v1/surveys/none/close")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"id": "Capital"},
        {"id": "dots.and.stars.*"},
        {"version": "1"},
        {"version": "1.0.0 "},
        {"questions": ()},
        {"source_language": "tlh"},
        {"strata": ("nowhere.level",)},
        {"questions": (questionnaire().questions[0], questionnaire().questions[0])},
        {"questions": tuple(reversed(questionnaire().questions))},
        {"questions": (msgspec.structs.replace(questionnaire().questions[0], id="__class__"),)},
        {"questions": (msgspec.structs.replace(questionnaire().questions[0], id="1; drop"),)},
    ],
)
async def test_an_instrument_with_faults_is_refused_with_their_places(api: Api, change: dict[str, object]) -> None:
    refused = await api.organise("POST", "/api/v1/surveys", msgspec.json.encode(msgspec.structs.replace(questionnaire(), **change)))
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"]
    assert len((await api.http.get("/api/v1/surveys?closed=true")).json()) == 1


async def test_an_instrument_must_be_json_of_the_right_shape(api: Api) -> None:
    for content, status in (
        (b"{", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b"\xff", 400),
        (b"[" * 50_000, 422),
        (b'{"a":' * 50_000, 422),
        (b" " * 2_000_000, 413),
    ):
        assert (await api.organise("POST", "/api/v1/surveys", content)).status_code == status
    [fault] = (await api.organise("POST", "/api/v1/surveys", _version("8.0.0").replace(b'"var"', b'"bar"', 1))).json()["errors"]
    assert fault["pointer"].startswith("/questions/")


async def test_only_organisers_publish_close_and_make_tokens(api: Api) -> None:
    requests = [
        ("POST", "/api/v1/surveys", _version("7.0.0")),
        ("POST", f"/api/v1/surveys/{SURVEY}/close", b""),
        ("POST", "/api/v1/tokens", b'{"role":"researcher"}'),
        ("GET", "/api/v1/tokens", b""),
        ("DELETE", "/api/v1/tokens/first", b""),
    ]
    researcher = (await api.organise("POST", "/api/v1/tokens", {"role": "researcher"})).json()["secret"]
    for method, path, content in requests:
        for secret, status in ((None, 401), ("platea_guess", 403), (researcher, 403)):
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {secret}"} if secret else {})
            refused = await api.http.request(method, path, content=content, headers=headers)
            assert refused.status_code == status, (method, path)
            assert (status == 401) == ("www-authenticate" in refused.headers)


async def test_a_token_is_shown_once_works_and_can_be_revoked(api: Api) -> None:
    made = await api.organise("POST", "/api/v1/tokens", {"role": "organiser", "survey": SURVEY, "days": 3})
    assert made.status_code == 201
    token = made.json()
    listed = await api.organise("GET", "/api/v1/tokens")
    assert token["secret"] not in listed.text
    assert {each["id"] for each in listed.json()} == {"first", token["id"]}

    async def close(survey: str) -> int:
        answer = await api.http.post(f"/api/v1/surveys/{survey}/close", headers={"Authorization": f"Bearer {token['secret']}"})
        return answer.status_code

    assert await close(SURVEY) == 200
    assert await close("other") == 403
    for _ in range(2):
        assert (await api.organise("DELETE", f"/api/v1/tokens/{token['id']}")).status_code == 204
    assert await close(SURVEY) == 403
    assert (await api.organise("DELETE", "/api/v1/tokens/none")).status_code == 404
    for order in ({"role": "king"}, {"role": "organiser", "days": 0}, {"role": "organiser", "survey": "none"}, {}, [], {"rôle": 1}):
        assert (await api.organise("POST", "/api/v1/tokens", order)).status_code == 422


async def test_a_token_opens_no_more_and_lives_no_longer_than_its_maker(api: Api) -> None:
    async def ask(secret: str, method: str, path: str, body: object = None) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        return await api.http.request(method, path, content=content, headers=headers)

    parent = (await api.organise("POST", "/api/v1/tokens", {"role": "organiser", "survey": SURVEY, "days": 1})).json()
    for wide in ({"role": "researcher"}, {"role": "researcher", "survey": "other"}):
        assert (await ask(parent["secret"], "POST", "/api/v1/tokens", wide)).status_code == 403
    longer = await ask(parent["secret"], "POST", "/api/v1/tokens", {"role": "researcher", "survey": SURVEY, "days": 2})
    assert (longer.status_code, longer.json()["errors"][0]["code"]) == (422, "longer-than-maker")
    child = (await ask(parent["secret"], "POST", "/api/v1/tokens", {"role": "organiser", "survey": SURVEY})).json()
    assert child["expires"] <= parent["expires"]
    grandchild = (await ask(child["secret"], "POST", "/api/v1/tokens", {"role": "researcher", "survey": SURVEY})).json()
    endless = (await api.organise("POST", "/api/v1/tokens", {"role": "researcher"})).json()
    assert 364 < (endless["expires"] - time.time()) / 86_400 <= 365, "an end by default"

    listed = {each["id"]: each for each in (await ask(child["secret"], "GET", "/api/v1/tokens")).json()}
    assert listed.keys() == {parent["id"], child["id"], grandchild["id"]}, "an organiser of one survey sees the tokens for it"
    assert (listed[child["id"]]["maker"], listed[child["id"]]["made"]) == (parent["id"], _day(0))
    assert (await ask(child["secret"], "DELETE", f"/api/v1/tokens/{endless['id']}")).status_code == 404
    assert (await ask(child["secret"], "DELETE", f"/api/v1/tokens/{grandchild['id']}")).status_code == 204
    assert (await ask(child["secret"], "GET", f"/api/v1/surveys/{SURVEY}/retention")).status_code == 200
    assert (await api.organise("DELETE", f"/api/v1/tokens/{parent['id']}")).status_code == 204
    assert (await ask(child["secret"], "GET", f"/api/v1/surveys/{SURVEY}/retention")).status_code == 403, "revoked with its maker"
    listed = {each["id"]: each["revoked"] for each in (await api.organise("GET", "/api/v1/tokens")).json()}
    assert listed == {"first": False, parent["id"]: True, child["id"]: True, grandchild["id"]: True, endless["id"]: False}

    async def used() -> dict[str, str | None]:
        return {each["id"]: each["used"] for each in (await api.organise("GET", "/api/v1/tokens")).json()}

    async with asyncio.timeout(30):
        while (await used())["first"] is None or (await used())[child["id"]] is None:
            await asyncio.sleep(0.05)
    assert (await used())[child["id"]] == _day(0)
    assert (await used())[endless["id"]] is None


async def test_who_did_what_is_recorded_and_told_to_organisers_of_that_survey(api: Api) -> None:
    parent = (await api.organise("POST", "/api/v1/tokens", {"role": "organiser", "survey": SURVEY})).json()
    await api.organise("PUT", f"/api/v1/surveys/{SURVEY}/retention", {"on": _day(9)})
    await api.organise("POST", "/api/v1/surveys", _version("7.0.0"))
    await api.organise("POST", "/api/v1/surveys", _version("1.0.0", id="other"))
    mine = {"Authorization": f"Bearer {parent['secret']}"}
    assert (await api.http.post(f"/api/v1/surveys/{SURVEY}/close", headers=mine)).status_code == 200
    assert (await api.http.get("/api/v1/acts")).status_code == 401
    everything = (await api.organise("GET", "/api/v1/acts")).json()
    assert everything["after"] is None
    assert [(act["by"], act["act"], act.get("survey"), act.get("about", "")) for act in everything["acts"]] == [
        ("first", "token-made", SURVEY, parent["id"]),
        ("first", "retention-set", SURVEY, _day(9)),
        ("first", "survey-published", SURVEY, "7.0.0"),
        ("first", "survey-published", "other", "1.0.0"),
        (parent["id"], "survey-closed", SURVEY, ""),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", act["at"]) for act in everything["acts"])
    theirs = (await api.http.get("/api/v1/acts", headers=mine)).json()["acts"]
    assert [act.get("survey") for act in theirs] == [SURVEY] * 4
    assert (await api.organise("GET", "/api/v1/acts?after=4")).json()["acts"] == everything["acts"][4:]
    assert (await api.organise("GET", "/api/v1/acts?after=-1")).status_code == 422


async def test_health_metrics_and_schema_are_served(api: Api) -> None:
    await api.submit(0)
    assert (await api.http.get("/health/live")).status_code == 200
    assert (await api.http.get("/health/ready")).json()["surveys"] == 1
    text = (await api.http.get("/metrics")).text
    assert 'platea_intake_outcomes_total{outcome="accepted"} 1.0' in text
    schema = await api.http.get("/schema")
    assert schema.json()["openapi"].startswith("3.1")
    assert {"/api/v1/surveys/{survey}/aggregates", "/api/v1/surveys/{survey}/releases"} <= schema.json()["paths"].keys()
    assert (await api.http.get("/schema", headers={"If-None-Match": schema.headers["etag"]})).status_code == 304


async def test_every_refusal_is_a_problem(api: Api) -> None:
    for method, path in (("GET", "/api/v1/nothing"), ("DELETE", "/api/v1/surveys"), ("POST", "/metrics"), ("GET", "/api/v1/tokens")):
        refused = await api.http.request(method, path)
        assert 400 <= refused.status_code < 500
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert refused.json()["status"] == refused.status_code
        assert refused.status_code != 405 or refused.headers["allow"]


async def test_the_day_on_which_answers_go_is_set_moved_and_final_once_it_came(api: Api, provisioner: Client) -> None:
    path = f"/api/v1/surveys/{SURVEY}/retention"

    async def keep(body: bytes) -> tuple[int, dict[str, Any]]:
        answer = await api.organise("PUT", path, body)
        return answer.status_code, answer.json()

    assert (await api.organise("GET", path)).json() == {"survey": SURVEY, "open": True, "on": None, "deleted_from": None, "over": False}
    assert (await api.http.get(path)).status_code == 401
    assert (await keep(b'{"on": "2999-01-01"}'))[1]["on"] == "2999-01-01"
    assert (await keep(b'{"on": null}'))[1]["on"] is None
    for bad in (b'{"on": "2027-02-30"}', b'{"on": "soon"}', b'{"on": 3}', b"{}", b'{"until": "2027-01-01"}'):
        assert (await keep(bad))[0] == 422
    assert (await keep(b"{"))[0] == 400
    assert (await keep(b'{"on": "2020-01-01"}'))[1]["errors"][0]["code"] == "past"
    assert (await keep(b'{"on": "%s"}' % _day(0).encode()))[1]["over"] is False, "an open survey keeps its answers"
    await end_at_once(provisioner, SURVEY)
    async with asyncio.timeout(30):
        while (await api.organise("GET", path)).json()["over"] is not True:
            await asyncio.sleep(0.05)
    assert (await keep(b'{"on": null}'))[0] == 422, "nothing brings them back"
    refused = await api.organise("POST", "/api/v1/surveys", _version("7.0.0"))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/survey-closed")
    unknown = (await api.http.get(f"/api/v1/receipts/{receipts.make()}")).json()
    assert "their time was over" in unknown["detail"]
    assert (await api.organise("GET", "/api/v1/surveys/none/retention")).status_code == 404


def _day(later: int) -> str:
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(later)).isoformat()


async def test_nothing_is_deleted_within_seven_days_and_until_then_everything_can_be_taken_back(api: Api) -> None:
    path = f"/api/v1/surveys/{SURVEY}"

    async def kept() -> dict[str, Any]:
        return (await api.organise("GET", f"{path}/retention")).json()

    set_today = (await api.organise("PUT", f"{path}/retention", {"on": _day(0)})).json()
    assert (set_today["on"], set_today["deleted_from"]) == (_day(0), _day(GRACE))
    closed = (await api.organise("POST", f"{path}/close")).json()
    assert (closed["open"], closed["deleted_from"]) == (False, _day(GRACE))
    assert (await kept())["over"] is False
    opened = await api.organise("POST", f"{path}/reopen")
    assert (opened.status_code, opened.json()["open"]) == (200, True)
    assert (await api.submit(0)).status_code == 201
    assert (await api.organise("POST", f"{path}/reopen")).status_code == 200, "opening twice is harmless"
    await api.organise("POST", f"{path}/close")
    assert (await api.organise("PUT", f"{path}/retention", {"on": None})).json()["deleted_from"] is None
    late = (await api.organise("PUT", f"{path}/retention", {"on": _day(90)})).json()
    assert late["deleted_from"] == _day(90), "a day that is far away is the day"


async def test_what_is_deleted_stays_closed(api: Api, provisioner: Client) -> None:
    await end_at_once(provisioner, SURVEY)
    async with asyncio.timeout(30):
        while not (await api.organise("GET", f"/api/v1/surveys/{SURVEY}/retention")).json()["over"]:
            await asyncio.sleep(0.05)
    refused = await api.organise("POST", f"/api/v1/surveys/{SURVEY}/reopen")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/survey-closed")
    assert (await api.organise("POST", "/api/v1/surveys/none/reopen")).status_code == 404
