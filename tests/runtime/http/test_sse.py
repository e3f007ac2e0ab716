"""What is written as an event is heard as that event, and comments are heard by nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http import sse

names = st.from_regex(r"[a-z]{1,10}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)


def heard(stream: bytes) -> list[tuple[str, str, str]]:
    """Name, id and data of each event, as the standard says that a browser reads them; data of several lines has line feeds between."""
    found: list[tuple[str, str, str]] = []
    last = name = ""
    data: list[str] = []
    for line in stream.decode().split("\n"):
        if not line:
            if data:
                found.append((name or "message", last, "\n".join(data)))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            last = value
        elif field == "data":
            data.append(value)
    return found


@given(st.lists(st.tuples(names, texts, st.integers(0, 2**62)), max_size=4), texts.filter(lambda text: "\n" not in text))
def test_events_are_heard_as_they_were_written(events: list[tuple[str, str, int]], aside: str) -> None:
    stream = sse.retry(2000) + b"".join(sse.event(name, data.encode(), id) + sse.comment(aside) for name, data, id in events)
    assert heard(stream) == [(name, str(id), data) for name, data, id in events]


def test_an_event_without_a_number_keeps_the_last_one() -> None:
    assert heard(sse.event("a", b"1", 7) + sse.event("b", b"2")) == [("a", "7", "1"), ("b", "7", "2")]
    assert sse.event("progress", b"{}") == b"event: progress\ndata: {}\n\n"
    assert sse.comment("alive") == b": alive\n\n"
