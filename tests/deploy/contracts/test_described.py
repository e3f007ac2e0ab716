"""What analysis and export are described with is true, behind one origin with figures and a release."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec

from deploy import contracts
from services.analysis.gateway import app as gateway
from services.export.http import app as export
from services.runtime import openapi
from tests.described import judge
from tests.faults.operated import Operated

SURVEY = "social-cohesion"


async def test_generated_requests_are_answered_as_described(stack: Operated, tmp_path: Path) -> None:
    stack.platea("simulate", SURVEY, "--responses", "60", "--seed", "1")
    stack.platea("release", "create", SURVEY)
    document = openapi.document([*gateway.ROUTES, *export.ROUTES])
    # OpenAPI 3.1 says what a stream is as a text and not what its events are, as Schemathesis takes it; that of figures has no end.
    streams = "--exclude-operation-id", "watchAggregates", "--exclude-operation-id", "followJob"
    # Builds are others' business. Names that are always right cannot be wrong where Schemathesis wants them to be.
    built, wrong = ("--exclude-operation-id", "orderRelease"), ["negative_data_rejection"]
    await judge(document, stack.url, stack.token, tmp_path / "known", *streams, *built, unchecked=wrong, survey=SURVEY, number="1")
    await judge(document, stack.url, stack.token, tmp_path / "any", *streams)


def test_one_origin_serves_the_document_of_all_services(stack: Operated) -> None:
    served = httpx.get(f"{stack.url}/schema", timeout=60)
    assert served.headers["content-type"] == "application/json"
    assert served.content == (contracts.ROOT / contracts.SERVED).read_bytes()
    assert served.json() == msgspec.json.decode(msgspec.json.encode(contracts.http.document()))
    again = httpx.get(f"{stack.url}/schema", headers={"If-None-Match": served.headers["etag"]}, timeout=60)
    assert (again.status_code, again.content) == (304, b"")
