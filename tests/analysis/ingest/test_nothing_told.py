"""Nothing of an answer is in any line that analysis logs, whatever it cannot read and whatever the database says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proto import subjects
from services.analysis.ingest import worker
from services.analysis.publish import responder
from tests.analysis.conftest import SURVEY, Pen, Service, ask, id_of, submitted, until
from tests.log_lines import LogLines

TEXT = "planted words on a bench"
SAYING = """
    create function quote_a_row() returns trigger language plpgsql as $$
    begin raise exception 'unexpected % of %', 'planted words on a bench', new.id; end $$;
    create trigger quote_a_row before insert on responses for each row execute function quote_a_row()"""


async def test_what_cannot_be_read_or_recorded_leaves_nothing_of_a_respondent_in_the_log(
    pen: Pen, service: Service, database: Any, logged: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service.running() as analysis:
        await pen.scrawl(f'{{"type": "response-submitted.v1", "answers": "{TEXT}'.encode(), number=1)
        await until(lambda: logged.levels(event="events cannot be read and are parked"))
        await pen.write(msgspec.structs.replace(submitted(2), language=f"{TEXT}\0"))
        await until(lambda: logged.levels(event="the database refused a batch; recording its events one by one"))
        await database.execute(SAYING)
        await pen.write(submitted(3))
        await until(lambda: logged.levels(work="recording", error="RaiseError P0001") == ["error"])
        await database.execute("drop trigger quote_a_row on responses")
        await until(lambda: analysis.totals.own(SURVEY) == 1)
        assert logged.levels(work="recording", event="works again") == ["info"] * len(
            logged.levels(work="recording", error="RaiseError P0001")
        )

        async def fail(*arguments: Any) -> None:
            held = TEXT
            raise ValueError(f"{held} {arguments}")

        with monkeypatch.context() as patch:
            patch.setattr(worker.Worker, "_handle", fail)
            patch.setattr(responder.Responder, "_body", fail)
            await pen.write(submitted(4))
            await until(lambda: logged.levels(work="recording", event="failed; trying again all the same"))
            assert (await ask(service, what="exact"))["status"] == 500
            await until(lambda: logged.levels(event="a question was not answered"))
        await until(lambda: analysis.totals.own(SURVEY) == 2)
        client = analysis.publisher._js._nc
        await client.publish(subjects.response(SURVEY, id_of(5)), TEXT.encode())  # analysis may not write there
        await until(lambda: logged.levels(event="NATS gives no leave"))
    assert "in fail" in logged.text
    assert [planted for planted in (TEXT, *map(id_of, range(1, 6))) if planted in logged.text] == []
