"""An event that once travelled stays readable with the same meaning: the golden files are what was written then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proto import author, events, instrument
from proto.events import UnreadableEvent
from proto.instrument import Instrument
from proto.tokens import Token

GOLDEN = Path(__file__).parent / "golden"
ID = "00112233445566778899aabbccddeeff"
ANSWERS = msgspec.Raw(b'{"A01":"FR","B02":{"cctv":"live"},"B08":["cost","law"],"C04":12.5}')
DIGEST = "sha256:" + "ab" * 32
TRAVELLED: dict[str, Any] = {
    "response.submitted.v1": events.ResponseSubmitted(ID, "ai-security", "0.1.0", ANSWERS, DIGEST, "fr"),
    "response.submitted.v1.noticed": events.ResponseSubmitted(ID, "ai-security", "0.1.0", ANSWERS, DIGEST, "fr", "0123456789ab"),
    "response.replaced.v1": events.ResponseReplaced(ID, "ai-security", "0.1.0", ANSWERS, DIGEST),
    "response.withdrawn.v1": events.ResponseWithdrawn(ID, "ai-security"),
    "survey.closed.v1": events.SurveyClosed("ai-security"),
    "survey.quotas.v1": events.QuotasFilled("ai-security", {"west": 100}),
    "survey.retention.v1": events.RetentionSet("ai-security", "2027-06-30"),
    "token.v1": Token("0a1b2c3d", "cd" * 32, "researcher", "ai-security", 1_800_000_000),
}


def read(name: str, data: bytes) -> Any:
    return events.read_response(data) if name.startswith("response.") else events.read_control(data)


def kind_of(name: str) -> str:
    """`response.submitted.v1.noticed` is the same kind after it got a field."""
    return re.sub(r"(?<=\.v\d)\..*", "", name)


def comparable(event: Any) -> Any:
    return msgspec.json.decode(events.encode(event))


@pytest.mark.parametrize("name", TRAVELLED)
def test_an_event_that_travelled_means_today_what_it_meant_then(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes()
    assert comparable(read(name, data)) == comparable(TRAVELLED[name])
    assert events.tag(read(name, data)) == kind_of(name)


def test_each_kind_of_event_has_a_golden_file() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in (*events.ResponseEvent.__args__, *events.ControlEvent.__args__)}
    assert {kind_of(path.name.removesuffix(".json")) for path in GOLDEN.glob("*.json")} == kinds


def test_a_published_instrument_that_travelled_is_still_an_instrument() -> None:
    event = events.read_control((GOLDEN / "survey.published.v1.json").read_bytes())
    assert isinstance(event, events.SurveyPublished)
    found = instrument.decode(bytes(event.instrument))
    assert (found.id, found.version) == (event.survey, event.version) == ("square-visitors", "0.1.0")
    assert [type(question).__name__ for question in found.questions] == ["Integer", "Single", "Multiple", "Matrix", "LongText"]
    assert found.derived[0].rule == instrument.Rule(q="B2", op="any_row_in", value=("1", "2"), rows=("safe",))


def test_a_field_that_a_later_release_adds_does_not_make_an_event_unreadable() -> None:
    data = msgspec.json.decode((GOLDEN / "response.withdrawn.v1.json").read_bytes()) | {"later": [1]}
    assert events.read_response(msgspec.json.encode(data)) == TRAVELLED["response.withdrawn.v1"]


@pytest.mark.parametrize(
    "data", [b"", b"null", b"{}", b'{"type":"response.submitted.v2"}', b'{"type":"response.withdrawn.v1"}', b"\xff", b"[" * 9999]
)
def test_what_is_no_event_is_called_unreadable_without_being_quoted(data: bytes) -> None:
    for reader in (events.read_response, events.read_control):
        with pytest.raises(UnreadableEvent) as told:
            reader(data)
        assert str(told.value) in ("DecodeError", "ValidationError", "UnicodeDecodeError")


def test_headers_hold_no_time() -> None:
    assert not [name for name in events.headers(TRAVELLED["response.withdrawn.v1"], ID) if "time" in name]


def test_equal_answers_have_one_digest_whatever_the_order_of_their_keys() -> None:
    one, other = events.canonical({"a": 1, "b": ["x"]}), events.canonical({"b": ["x"], "a": 1})
    assert one == other == b'{"a":1,"b":["x"]}'
    assert events.digest("s", "1", one) != events.digest("s", "2", one)


def write_golden() -> None:
    """For a new kind of event only: a file that is there is never written again."""
    page = (Path(__file__).parents[2] / "docs" / "instrument.md").read_text(encoding="utf-8")
    example = author.read(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0], "", lambda name: "")
    assert isinstance(example, Instrument)
    published = events.SurveyPublished(example.id, example.version, msgspec.Raw(instrument.encode(example)))
    for name, event in (TRAVELLED | {"survey.published.v1": published}).items():
        path = GOLDEN / f"{name}.json"
        if not path.exists():
            path.write_bytes(events.encode(event) + b"\n")
