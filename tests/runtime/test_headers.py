"""Headers are read as nats-py reads them, only sooner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from services.runtime import nats_client

names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,30}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)


@given(st.dictionaries(names, values, max_size=8), st.sampled_from([":", ": ", ":\t"]))
def test_headers_are_read_as_nats_py_reads_them(headers: dict[str, str], colon: str) -> None:
    raw = "".join(f"{name}{colon}{value}\r\n" for name, value in headers.items()).encode() + b"\r\n"
    theirs = Client._parse_header_lines(raw)
    ours = nats_client._Client._parse_header_lines(raw)
    assert ours.keys() == theirs.keys()
    assert all(ours[name].strip() == theirs[name].strip() for name in ours)


def test_nats_py_still_asks_there() -> None:
    assert nats_client._Client._parse_header_lines is not Client._parse_header_lines
    assert Client.__dict__["_parse_header_lines"]
