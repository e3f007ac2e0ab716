"""What a log line holds: fields, and never what somebody sent."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.runtime import logs

SECRET = "receipt-7QXM-somebodys-answer"


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level
    structlog.contextvars.clear_contextvars()


def fail() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise ValueError(f"unexpected {SECRET}") from error


def test_a_line_for_a_collector_is_one_object_with_service_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("analysis", "json")
    with structlog.contextvars.bound_contextvars(partition=3):
        logging.getLogger("services.analysis.ingest.worker").warning("reads %d events again", 7, extra={"survey": "small"})
    (line,) = capsys.readouterr().err.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "reads 7 events again",
        "level": "warning",
        "logger": "services.analysis.ingest.worker",
        "partition": 3,
        "service": "analysis",
        "survey": "small",
    }


def test_a_line_for_people_has_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("intake", "text")
    logging.getLogger("nats").error("no leave")
    (line,) = capsys.readouterr().err.splitlines()
    assert "error" in line
    assert "no leave" in line
    assert "service=intake" in line


@pytest.mark.parametrize("form", ["json", "text"])
def test_of_an_exception_types_and_frames_are_logged_and_no_message(form: logs.LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("intake", form)
    try:
        fail()
    except ValueError:
        logging.getLogger("some.library").exception("a callback failed")
    told = capsys.readouterr().err
    assert SECRET not in told
    assert "builtins.ValueError" in told
    assert "builtins.KeyError" in told
    assert "in fail" in told


async def test_what_a_task_binds_is_on_its_own_lines_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("analysis", "json")
    log = logging.getLogger("services.analysis")

    async def work(partition: int) -> None:
        structlog.contextvars.bind_contextvars(partition=partition)
        for _ in range(3):
            await asyncio.sleep(0)
            log.info("of %d", partition)

    await asyncio.gather(*(work(number) for number in range(4)))
    log.info("of none")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 13
    assert all(line["event"] == f"of {line.get('partition', 'none')}" for line in lines)
