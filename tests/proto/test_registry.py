"""What the control stream folds into: when answers are deleted."""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st

from proto.events import RetentionSet, SurveyClosed
from proto.registry import GRACE, Registry

SURVEY = "square"
days = st.integers(0, 60).map(lambda later: datetime.date(2026, 11, 1) + datetime.timedelta(later))


def _grace(day: datetime.date) -> datetime.date:
    return day + datetime.timedelta(GRACE)


@given(day=days, said=days, closed=days, today=days, swapped=st.booleans())
def test_answers_stay_for_days_of_grace_after_each_act_that_has_them_deleted(
    day: datetime.date, said: datetime.date, closed: datetime.date, today: datetime.date, swapped: bool
) -> None:
    acts = [RetentionSet(SURVEY, day.isoformat(), said.isoformat()), SurveyClosed(SURVEY, on=closed.isoformat())]
    registry = Registry(versions={SURVEY: {}})
    for event in reversed(acts) if swapped else acts:
        registry.apply(event)
    assert registry.over(SURVEY, today.isoformat()) == (today >= day and today >= _grace(said) and today >= _grace(closed))
    registry.apply(SurveyClosed(SURVEY, closed=False, on=today.isoformat()))
    assert not registry.over(SURVEY, "2099-01-01"), "an open survey keeps its answers"


@given(days)
def test_what_an_older_version_wrote_keeps_its_meaning(day: datetime.date) -> None:
    registry = Registry(versions={SURVEY: {}})
    registry.apply(RetentionSet(SURVEY, day.isoformat()))
    registry.apply(SurveyClosed(SURVEY))
    assert registry.deletion_day(SURVEY) == day.isoformat()
    registry.apply(RetentionSet(SURVEY, None))
    assert registry.deletion_day(SURVEY) is None
