"""What a server refuses for good is told at once and loudly, and told once."""

from __future__ import annotations

from typing import Any

import pytest

from services.analysis.publish import publisher, responder
from tests.analysis.conftest import SURVEY, Pen, Service, ask, submitted, until
from tests.log_lines import LogLines


async def test_a_right_that_was_taken_away_is_told_once_and_so_is_its_return(
    pen: Pen, service: Service, database: Any, logged: LogLines
) -> None:
    await database.execute("revoke insert, update on checkpoints from platea_analysis")
    of: dict[str, Any] = {"work": "writing checkpoints", "survey": SURVEY}
    async with service.running(checkpoint=0.1) as analysis:
        await pen.write(*(submitted(number) for number in range(30)))
        await until(lambda: analysis.totals.own(SURVEY) == 30)
        await until(lambda: logged.levels(**of))
        await pen.write(*(submitted(number) for number in range(30, 40)))
        await until(lambda: analysis.totals.own(SURVEY) == 40)
        assert logged.levels(**of) == ["error"]
        await database.execute("grant insert, update on checkpoints to platea_analysis")
        await until(lambda: logged.levels(**of) == ["error", "info"])
        assert logged.levels(**of, error="InsufficientPrivilegeError 42501") == ["error"]


async def test_figures_larger_than_a_message_are_told_and_whoever_asked_hears_it_at_once(
    pen: Pen, service: Service, database: Any, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large:
        @staticmethod
        def encode(_: Any) -> bytes:
            return b" " * 20_000_000

    monkeypatch.setattr(publisher, "snapshots", Large)
    monkeypatch.setattr(responder, "snapshots", Large)
    async with service.running() as analysis:
        await pen.write(*(submitted(number) for number in range(30)))
        await until(lambda: analysis.totals.own(SURVEY) == 30 and analysis.totals.ready(SURVEY))
        answer = await ask(service, what="exact")
        assert (answer["status"], "bytes" in answer["detail"]) == (500, True)
        of: dict[str, Any] = {"work": "publishing figures", "survey": SURVEY}
        await until(lambda: logged.levels(**of, error="MaxPayloadError"))
        assert logged.levels(**of) == ["error"]


async def test_a_subject_that_is_forbidden_is_told_without_whose_answer_it_names(service: Service, logged: LogLines) -> None:
    async with service.running() as analysis:
        client: Any = analysis.publisher._js._nc
        for _ in range(3):
            await client.publish(f"platea.responses.{SURVEY}.{'0' * 32}", b"{}")
        await until(lambda: logged.levels(event="NATS gives no leave"))
        await client.flush()
        assert logged.levels(event="NATS gives no leave") == ["error"]
        assert "0" * 32 not in logged.text
