"""What is tried again and again is told once, as what it is."""

from __future__ import annotations

import logging

import nats.errors
import pytest
from nats.js.errors import BadRequestError, ServiceUnavailableError

from services.runtime.outage import Outages, named, refused


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_each_outage_is_told_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages(logging.getLogger("test"), "publishing")
    for _ in range(3):
        outages.failed(TimeoutError(), False, "one")
        outages.failed(nats.errors.MaxPayloadError(), True, "one")
        outages.failed(TimeoutError(), False, "other")
    outages.works("one")
    outages.works("one")
    outages.works("other")
    for _ in range(2):
        outages.surprised("KeyError at there.py:3", "other")
    assert lines(caplog) == [
        ("WARNING", "publishing one: no answer (TimeoutError); trying again until there is one"),
        ("ERROR", "publishing one: refused (MaxPayloadError); this does not pass by itself"),
        ("INFO", "publishing one: works again"),
        ("ERROR", "publishing other: failed (KeyError at there.py:3); trying again all the same"),
    ]


@pytest.mark.parametrize(
    ("error", "for_good"),
    [
        (OSError(), False),
        (TimeoutError(), False),
        (nats.errors.TimeoutError(), False),
        (nats.errors.NoServersError(), False),
        (nats.errors.StaleConnectionError(), False),
        (ServiceUnavailableError(), False),
        (nats.errors.MaxPayloadError(), True),
        (BadRequestError(code=400, err_code=10054), True),
    ],
)
def test_who_is_away_is_told_from_who_refuses(error: Exception, for_good: bool) -> None:
    ours = RuntimeError("an answer could stand here")
    ours.__cause__ = error
    assert refused(error) is refused(ours) is for_good
    assert named(ours) == named(error)


def test_a_refusal_is_named_by_its_code_and_never_by_its_words() -> None:
    assert named(BadRequestError(code=400, err_code=10054, description="an answer")) == "BadRequestError 10054"
