"""The published contracts say what the code does: up to date, whole, and true of what travels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.routes import HTTPRoute

from deploy import contracts
from proto import author, events, subjects
from proto.problem import KINDS
from services.analysis.gateway import app as gateway
from services.export.http import app as export
from services.intake import app as intake
from services.intake.http.routes_responses import PREFIX, SUFFIX
from tests.builders.bundled import population

DOCUMENTS: dict[str, Any] = {name: msgspec.json.decode(text) for name, text in contracts.documents().items()}


def refs(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                if key == "$ref":
                    yield value
                yield from refs(value)
        case list():
            for value in node:
                yield from refs(value)
        case _:
            pass


def test_contracts_in_the_documentation_are_up_to_date(tmp_path: Path) -> None:
    assert contracts.drifted() == []
    contracts.write(tmp_path)
    assert contracts.drifted(tmp_path) == []
    (tmp_path / "docs/contracts/asyncapi.json").write_bytes(b"{}")
    (tmp_path / "docs/contracts/old.json").write_bytes(b"{}")
    (tmp_path / "services/intake/http/openapi.json").write_bytes(b"{}")
    assert contracts.drifted(tmp_path) == [
        "docs/contracts/asyncapi.json",
        "docs/contracts/old.json",
        "services/intake/http/openapi.json",
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_in_a_contract_leads_somewhere(name: str) -> None:
    for ref in refs(DOCUMENTS[name]):
        found = DOCUMENTS[name]
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]


def test_one_origin_has_one_description_of_all_services() -> None:
    paths = DOCUMENTS["openapi.json"]["paths"]
    assert f"{PREFIX}{{survey}}{SUFFIX}" in paths  # answered before the framework is asked, so no route of the app
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    schemas = DOCUMENTS["openapi.json"]["components"]["schemas"]
    assert "code" in schemas["Row"]["properties"]
    assert "answered" in schemas["PublishedRow"]["properties"]


@pytest.mark.parametrize("routes", [intake.ROUTES, gateway.ROUTES, export.ROUTES], ids=["intake", "analysis", "export"])
def test_every_route_of_the_api_is_described(routes: Sequence[Any]) -> None:
    app = Litestar(list(routes), dependencies={"intake": Provide(object, sync_to_thread=False)}, openapi_config=None)
    paths = DOCUMENTS["openapi.json"]["paths"]
    served = {
        (route.path_format, method.lower())
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/api/")
        for method in route.methods - {"OPTIONS"}  # says which methods there are
    }
    assert len(served) >= 6
    assert served <= {(path, method) for path, item in paths.items() for method in item}


def test_every_refusal_in_the_description_is_a_problem_that_there_is() -> None:
    statuses = {str(kind.status) for kind in KINDS.values()}
    for path, item in DOCUMENTS["openapi.json"]["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                refused = "application/problem+json" in response.get("content", {})
                assert refused == (status[0] in "45"), f"{method} {path} {status}"
                assert not refused or status in statuses, f"{method} {path} {status}"


def test_addresses_in_asyncapi_are_the_subjects_that_are_used() -> None:
    addresses = [channel["address"] for channel in DOCUMENTS["asyncapi.json"]["channels"].values()]
    used = [
        subjects.response("ai-security", "0" * 32),
        f"platea.journal.1.ai-security.{'0' * 32}",
        subjects.survey("ai-security", "0.1.0"),
        subjects.closing("ai-security"),
        subjects.retention("ai-security"),
        subjects.quotas("ai-security"),
        subjects.token("ab"),
        subjects.aggregates("ai-security"),
        subjects.contacts("ai-security"),
        subjects.invitations("ai-security", "codes"),
        subjects.draft("0" * 32),
        subjects.seal("ai-security"),
        subjects.query("ai-security"),
        subjects.acts("intake"),
        subjects.uses("intake", "ab"),
    ]
    patterns = [re.sub(r"\\{\w+\\}", "[^.]+", re.escape(address)) for address in addresses]
    assert [[bool(re.fullmatch(pattern, subject)) for pattern in patterns].count(True) for subject in used] == [1] * len(addresses)


def test_headers_in_asyncapi_are_the_headers_that_are_sent() -> None:
    withdrawn = events.ResponseWithdrawn(id="0" * 32, survey="ai-security")
    told = DOCUMENTS["asyncapi.json"]["components"]["messages"]["ResponseWithdrawn"]["headers"]
    sent = events.headers(withdrawn, withdrawn.id)
    assert sorted(sent) == told["required"]
    assert all(rule.get("const", sent[name]) == sent[name] for name, rule in told["properties"].items())


@pytest.mark.parametrize("survey", author.bundled())
def test_what_respondents_send_fits_the_schema(survey: str) -> None:
    jsonschema = pytest.importorskip("jsonschema_rs", reason="jsonschema_rs comes with Schemathesis")
    validator = jsonschema.validator_for(DOCUMENTS[f"responses/{survey}.schema.json"])
    for number in range(50):
        body = msgspec.json.decode(population(survey).body(number))
        validator.validate(body)
        first = next(iter(body["answers"]))
        assert not validator.is_valid(body | {"answers": body["answers"] | {first: {"no": "such"}}})
        assert not validator.is_valid(body | {"answers": body["answers"] | {"Unknown": "x"}})
    assert not validator.is_valid({"answers": {}, "consent": False})
