"""When a survey takes answers, by the clocks of its zone."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proto import author, schedule
from proto.events import SurveyClosed
from proto.instrument import Closing, Instrument, Opening
from proto.registry import Registry, published
from tests.builders.bundled import questionnaire
from tests.builders.no_table import no_table

ZONES = ("Europe/Brussels", "Europe/Dublin", "America/St_Johns", "Asia/Kathmandu", "UTC")
BEGINNING = datetime.datetime.fromisoformat("2026-01-01")
times = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: BEGINNING + datetime.timedelta(minutes=minutes))


def _survey(opens: Opening | None = None, closes: Closing | None = None, version: str = "9.0.0") -> Instrument:
    return msgspec.structs.replace(questionnaire(), version=version, opens=opens, closes=closes)


def _unix(year: int, month: int, day: int, hour: int, minute: int = 0) -> float:
    return datetime.datetime(year, month, day, hour, minute, tzinfo=datetime.UTC).timestamp()


def test_a_time_is_read_by_the_clocks_of_its_zone() -> None:
    assert schedule.closing(Closing("2026-12-31 18:00", "Europe/Brussels")) == _unix(2026, 12, 31, 17)
    assert schedule.closing(Closing("2026-07-01 18:00", "Europe/Brussels")) == _unix(2026, 7, 1, 16)
    assert schedule.closing(Closing("2026-07-01 18:00", "UTC")) == _unix(2026, 7, 1, 18)


def test_in_the_hour_that_comes_twice_a_survey_is_open_in_both() -> None:
    """On 25 October 2026 clocks in Brussels go from 3:00 back to 2:00, at 1:00 UTC."""
    assert schedule.opening(Opening("2026-10-25 02:30", "Europe/Brussels")) == _unix(2026, 10, 25, 0, 30)
    assert schedule.closing(Closing("2026-10-25 02:30", "Europe/Brussels")) == _unix(2026, 10, 25, 1, 30)


@given(times, times, st.integers(0, 500), st.sampled_from(ZONES), times)
@example(BEGINNING, BEGINNING + datetime.timedelta(1), 60, "UTC", BEGINNING + datetime.timedelta(1))
def test_the_phase_is_what_the_clock_on_the_wall_says(
    opens: datetime.datetime, closes: datetime.datetime, grace: int, zone: str, now: datetime.datetime
) -> None:
    written = _survey(Opening(f"{opens:%Y-%m-%d %H:%M}", zone), Closing(f"{closes:%Y-%m-%d %H:%M}", zone, grace))
    if schedule.misfits(written):
        return
    there = ZoneInfo(zone)
    first, last, at = (t.replace(tzinfo=there).astimezone(datetime.UTC) for t in (opens, closes.replace(fold=1), now))
    if at < first:
        expected = "coming"
    elif at < last:
        expected = "open"
    else:
        expected = "ending" if at - last < datetime.timedelta(minutes=grace) else "closed"
    assert schedule.phase(written, at.timestamp()) == expected


def test_a_survey_without_dates_is_open() -> None:
    assert schedule.phase(questionnaire(), 0.0) == "open"


@pytest.mark.parametrize(
    ("opens", "closes", "told"),
    [
        (None, Closing("2026-12-31 18:00", "Europe/Brussel"), ["closes/zone"]),
        (None, Closing("2026-12-31 18:00", "Etc/GMT-1"), ["closes/zone"]),
        (None, Closing("2026-02-30 18:00", "Europe/Brussels"), ["closes/at"]),
        (None, Closing("2026-12-31", "Europe/Brussels"), ["closes/at"]),
        (None, Closing("2026-12-31 18:00", "UTC", -1), ["closes/grace_minutes"]),
        (Opening("2026-03-29 02:30", "Europe/Brussels"), None, ["opens/at"]),
        (Opening("2026-12-31 18:00", "Europe/Brussels"), Closing("2026-12-31 17:00", "UTC"), ["closes"]),
        (Opening("2026-12-31 17:59", "Europe/Brussels"), Closing("2026-12-31 17:00", "UTC"), []),
    ],
)
def test_what_no_clock_shows_is_a_fault(opens: Opening | None, closes: Closing | None, told: list[str]) -> None:
    assert ["/".join(path) for path, _, _ in schedule.misfits(_survey(opens, closes))] == told


FILE = """format: platea-instrument/2
id: square
version: "0.1.0"
source_language: en
languages: [en]
title: {{en: "The square"}}
opens: {{at: "2026-12-01 09:00", zone: Europe/Brussels}}
closes: {{at: "{at}", zone: {zone}, grace_minutes: 30}}
listed: false
sections: [{{id: A, text: {{en: "You"}}}}]
questions:
  - {{id: A1, var: a, section: A, type: short_text, text: {{en: "Why?"}}, privacy: {{role: free_text}}}}
"""


def test_an_author_writes_a_time_and_its_zone_and_is_told_the_line_of_a_fault() -> None:
    read = author.read(FILE.format(at="2026-12-31 18:00", zone="Europe/Brussels"), "square.yaml", no_table)
    assert isinstance(read, Instrument), read
    assert (read.opens, read.closes) == (
        Opening("2026-12-01 09:00", "Europe/Brussels"),
        Closing("2026-12-31 18:00", "Europe/Brussels", 30),
    )
    assert not read.listed
    for at, zone in (("2026-12-31 25:00", "Europe/Brussels"), ("2026-12-31 18:00", "Brussels"), ("2026-11-30 18:00", "UTC")):
        faults = author.read(FILE.format(at=at, zone=zone), "square.yaml", no_table)
        assert isinstance(faults, list)
        assert [fault.line for fault in faults] == [8], faults


closes_at = Closing("2026-12-31 18:00", "Europe/Brussels", 60)
END = schedule.end(closes_at)
said = st.sampled_from(["close", "reopen", "publish", "publish later", "wait"])


@given(st.lists(said, max_size=8))
def test_whoever_starts_later_knows_the_same_as_who_heard_everything(acts: list[str]) -> None:
    """The control stream keeps the last event about closing alone, so that has to say all that matters."""
    registry, last, now = Registry(), dict[str, object](), END - 7200
    survey = _survey(closes=closes_at)
    registry.apply(published(survey))
    last["publish 0"] = published(survey)
    for number, act in enumerate(acts):
        now += 3600
        lifted = registry.lifted.get(survey.id)
        current = registry.current(survey.id)
        assert current is not None
        assert current.closes is not None
        due = schedule.closing(current.closes)
        match act:
            case "close":
                event = SurveyClosed(survey.id, on="2026-12-31", lifts=lifted)
            case "reopen":
                event = SurveyClosed(survey.id, closed=False, lifts=due if due <= now else lifted)
            case "publish" | "publish later":
                closes = closes_at if act == "publish" else Closing("2027-01-31 18:00", "Europe/Brussels")
                event = published(_survey(closes=closes, version=f"9.{number + 1}.0"))
            case _:
                continue
        registry.apply(event)
        key = "closing" if isinstance(event, SurveyClosed) else f"publish {number + 1}"
        last.pop(key, None)
        last[key] = event
        if act == "reopen":
            assert registry.phase(survey.id, now) == "open"
            assert registry.takes_answers(survey.id, END + 86_400 * 365) == (due <= now), "a closing that is to come still closes"
    heard_late = Registry()
    for event in last.values():
        heard_late.apply(event)  # pyright: ignore[reportArgumentType]  a control event
    for later in (0, 3600, 86_400, 86_400 * 40):
        assert heard_late.phase(survey.id, now + later) == registry.phase(survey.id, now + later)
