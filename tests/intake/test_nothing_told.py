"""No answer, receipt, token, code or address is in any line that intake logs, whatever is refused and whatever fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import pytest
from nats.aio.client import Client

from proto import receipt, tokens
from services.intake import main
from services.intake.streams.journal import Journal
from services.intake.streams.publish_acks import PublishAcks
from services.intake.submission.committer import Committer
from tests.conftest import NatsUrls
from tests.intake.serving import PATH, SURVEY, Api, open_survey, served
from tests.log_lines import LogLines
from tests.mortal_tasks import MortalTasks, each_fails_in_turn

ANSWER, TEXT, ADDRESS, CODE = "planted-answer-91", "planted words on a bench", "planted.person@example.org", "PLANT-EDCDE-23456-789AB-CDEFG"
RECEIPT, (_, TOKEN) = receipt.make(), tokens.make()
PLANTED = (ANSWER, TEXT, ADDRESS, CODE, RECEIPT, receipt.response_id(RECEIPT), TOKEN)


async def unsuspecting(*arguments: Any) -> NoReturn:
    answers, token = TEXT, TOKEN
    raise ValueError(f"{answers} {token} {arguments}")


async def refusing(*arguments: Any) -> bytes:
    return b'{"error": {"code": 400, "err_code": 10054, "description": "%b"}}' % TEXT.encode()


def sent(**changes: Any) -> Callable[[Api], Awaitable[Any]]:
    return lambda api: api.submit(0, RECEIPT, **changes)


def posted(path: str, content: bytes, kind: str = "application/json") -> Callable[[Api], Awaitable[Any]]:
    return lambda api: api.http.post(path, content=content, headers={"Content-Type": kind, "Idempotency-Key": RECEIPT})


def asked(method: str, path: str) -> Callable[[Api], Awaitable[Any]]:
    return lambda api: api.http.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})


FORM = "application/x-www-form-urlencoded"
REFUSED: dict[str, Callable[[Api], Awaitable[Any]]] = {
    "an answer that is no option": sent(answers={"B02": {"cctv": ANSWER}}),
    "a question that there is not": sent(answers={ANSWER: TEXT}),
    "a language that there is not": sent(language=ANSWER),
    "a body that is no JSON": posted(PATH, f'{{"answers": {{"H01": "{TEXT}'.encode()),
    "a body that is too large": posted(PATH, TEXT.encode() * 100_000),
    "a receipt that nobody has": asked("GET", f"/api/v1/receipts/{RECEIPT}"),
    "a withdrawal of nothing": asked("DELETE", f"/api/v1/receipts/{RECEIPT}"),
    "a token that there is not": asked("GET", "/api/v1/acts"),
    "a code of no draft": posted(f"/s/{SURVEY}/continue", f"code={CODE}".encode(), FORM),
    "an address where none is asked for": posted(f"/s/{SURVEY}/contact", f"email={ADDRESS}".encode(), FORM),
}
FAILING: dict[str, tuple[Any, str, Any, str]] = {
    "a fault on the way to the journal": (Committer, "commit", unsuspecting, "a request failed"),
    "a fault in writing a batch": (Journal, "write", unsuspecting, "a batch failed"),
    "a journal that refuses": (PublishAcks, "ask", refusing, "refused; this does not pass by itself"),
}


@pytest.fixture
async def api(nats_urls: NatsUrls, provisioner: Client) -> AsyncIterator[Api]:
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        yield api


async def test_what_is_refused_or_fails_leaves_nothing_of_a_respondent_in_the_log(
    api: Api, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, request in REFUSED.items():
        answer = await request(api)
        assert 400 <= answer.status_code < 500, (name, answer.status_code)
    for name, (owner, method, instead, event) in FAILING.items():
        with monkeypatch.context() as patch:
            patch.setattr(owner, method, instead)
            answer = await api.submit(0, RECEIPT)
        assert answer.status_code >= 500, name
        assert logged.levels(event=event) == ["error"], name
    assert (await api.submit(0, RECEIPT)).status_code == 201, "afterwards all is well"
    assert [planted for planted in PLANTED if planted in logged.text] == []


TASKS = {
    "follow CONTROL",
    "watch the journal",
    "rewrite contacts",
    "rewrite invitations",
    "close surveys",
    "erase what is over",
    "follow USES",
}


async def test_each_task_of_intake_that_ends_is_told_once_without_what_it_held_and_comes_back(
    nats_urls: NatsUrls, provisioner: Client, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[MortalTasks] = []
    monkeypatch.setattr(main, "Supervisor", lambda: made.append(MortalTasks()) or made[-1])
    await open_survey(provisioner)
    async with served(nats_urls) as api:
        (tasks,) = made
        await each_fails_in_turn(tasks, TASKS, api.http, logged)
