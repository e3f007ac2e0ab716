"""A service says whether it is ready and, where it is not, what is missing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.problem import Problem
from services.runtime.http import health
from services.runtime.http.health import Readiness


@given(st.dictionaries(st.sampled_from(["nats", "database", "tasks"]), st.booleans()), st.integers(0, 9))
def test_it_is_ready_if_every_check_holds(checks: dict[str, bool], surveys: int) -> None:
    readiness = Readiness(checks, {"surveys": surveys})
    if False not in checks.values():
        answer = health.ready(readiness, "Come back.")
        assert msgspec.json.decode(answer.content) == {"status": "ready", "checks": checks, "surveys": surveys}
        assert answer.headers["Cache-Control"] == "no-store"
        return
    with pytest.raises(Problem) as refused:
        health.ready(readiness, "Come back.")
    told = msgspec.json.decode(refused.value.body())
    assert (told["status"], told["detail"], told["checks"], told["surveys"]) == (503, "Come back.", checks, surveys)


def test_a_process_that_answers_is_live() -> None:
    assert msgspec.json.decode(health.live().content) == {"status": "live"}
