"""The control stream, folded into memory. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from proto import instrument as instruments
from proto import schedule, tokens
from proto.events import ControlEvent, QuotasFilled, RetentionSet, SurveyClosed, SurveyPublished
from proto.instrument import Closing, Instrument
from proto.schedule import Phase
from proto.tokens import Token, TokenRole

T = TypeVar("T")

GRACE = 7
"""Days between the act that has answers deleted (closing a survey, setting a day) and their deletion. Until then it can be taken back."""


@dataclass
class Registry:
    """Surveys by id and version, in the order of publication (the last is current), and tokens by their hash."""

    versions: dict[str, dict[str, Instrument]] = field(default_factory=dict[str, dict[str, Instrument]])
    closed: set[str] = field(default_factory=set[str])
    retention: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """The day that was set for the deletion of answers, where one was. `deletion_day` says when they are deleted."""
    retention_said: dict[str, str] = field(default_factory=dict[str, str])
    """When that day was set, as far as the event tells it."""
    closed_on: dict[str, str] = field(default_factory=dict[str, str])
    """When a survey was closed, as far as the event tells it."""
    lifted: dict[str, float] = field(default_factory=dict[str, float])
    """The closing of a survey that was taken back by reopening it, in seconds since 1970."""
    full: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """Of each survey the quotas that were full, with the limit at which they were."""
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    """By the hash of their secret."""
    hashes: dict[str, str] = field(default_factory=dict[str, str])
    """Of tokens by their ids."""
    used: Callable[[str], None] = lambda _: None
    """Told the id of each token that opened something."""
    revision: int = 0
    """Grows with what is published, closed or opened, so that what is drawn of it can be remembered. It stands in ETags, so it tells
    nothing of tokens."""

    def apply(self, event: ControlEvent) -> None:
        """Applying an event twice, or an unchanged one again, changes nothing but the revision."""
        match event:
            case SurveyPublished():
                self.revision += 1
                known = self.versions.setdefault(event.survey, {})
                if event.version not in known:
                    known[event.version] = instruments.decode(bytes(event.instrument))
                    if event.opens:
                        self.closed.discard(event.survey)
                        _keep(self.closed_on, event.survey, None)
            case SurveyClosed():
                self.revision += 1
                if event.closed:
                    self.closed.add(event.survey)
                else:
                    self.closed.discard(event.survey)
                _keep(self.lifted, event.survey, event.lifts)
                _keep(self.closed_on, event.survey, event.on if event.closed else None)
            case RetentionSet():
                self.retention[event.survey] = event.on
                _keep(self.retention_said, event.survey, event.said)
            case QuotasFilled():
                self.full[event.survey] = event.full
            case Token():
                former = self.hashes.get(event.id)
                if former is not None and former != event.sha256:
                    self.tokens.pop(former, None)
                self.hashes[event.id] = event.sha256
                self.tokens[event.sha256] = event

    def current(self, survey: str) -> Instrument | None:
        """The version published last; None where the survey is unknown."""
        known = self.versions.get(survey)
        return known[next(reversed(known))] if known else None

    def instrument(self, survey: str, version: str | None = None) -> Instrument | None:
        return self.current(survey) if version is None else self.versions.get(survey, {}).get(version)

    def phase(self, survey: str, now: float) -> Phase:
        """Whether it takes answers at this time (Unix seconds), by what organisers said and by the dates of its current version."""
        current = None if survey in self.closed else self.current(survey)
        return "closed" if current is None else schedule.phase(current, now, self.lifted.get(survey))

    def closing(self, survey: str) -> Closing | None:
        """The date of closing that counts: that of the current version, unless the survey was reopened after it."""
        current = self.current(survey)
        closes = None if current is None else current.closes
        return None if closes is None or schedule.closing(closes) == self.lifted.get(survey) else closes

    def full_quotas(self, instrument: Instrument) -> frozenset[str]:
        """The ids of the quotas of this version that are full. One that was full at a lower limit is not."""
        full = self.full.get(instrument.id)
        return frozenset(quota.id for quota in instrument.quotas if full.get(quota.id, 0) >= quota.limit) if full else frozenset()

    def takes_answers(self, survey: str, now: float) -> bool:
        """At this time (Unix seconds), of those who have begun."""
        return self.phase(survey, now) in ("open", "ending")

    def is_open(self, survey: str) -> bool:
        """Published, and not closed: by an organiser, or on its date once intake has said so. Before it opens, too."""
        return survey in self.versions and survey not in self.closed

    def deletion_day(self, survey: str) -> str | None:
        """From which day on the answers are deleted once the survey is closed (ISO date); None where no day is set.

        The day that was set, but not within `GRACE` days after it was set or the survey was closed.
        """
        day = self.retention.get(survey)
        if day is None:
            return None
        acts = (self.retention_said.get(survey), self.closed_on.get(survey))
        return max([day, *(after_grace(act) for act in acts if act is not None)])

    def over(self, survey: str, today: str) -> bool:
        """Whether the answers are to be deleted, or were: the survey is closed and its day has come. `today` is an ISO date."""
        day = self.deletion_day(survey)
        return day is not None and day <= today and not self.is_open(survey)

    def surveys(self) -> list[str]:
        return list(self.versions)

    def allows(self, secret: str | None, role: TokenRole, survey: str | None, now: float) -> bool:
        """Whether this bearer secret opens that role on that survey at that time (Unix seconds)."""
        return self.opening(secret, role, survey, now) is not None

    def opening(self, secret: str | None, role: TokenRole, survey: str | None, now: float) -> Token | None:
        """The token of this secret where it opens that; None otherwise."""
        token = self.living(secret, now)
        if token is None or not token.allows(role, survey, now):
            return None
        self.used(token.id)
        return token

    def living(self, secret: str | None, now: float) -> Token | None:
        """The token of this secret while it and all its makers live; None otherwise."""
        token = None if secret is None else self.tokens.get(tokens.digest(secret))
        return token if token is not None and self.lives(token, now) else None

    def token(self, id: str) -> Token | None:
        return self.tokens.get(self.hashes.get(id, ""))

    def lives(self, token: Token, now: float) -> bool:
        """Whether this token and all its makers live."""
        seen: set[str] = set()
        while token.lives(now) and token.id not in seen:
            if token.maker is None:
                return True
            seen.add(token.id)
            maker = self.token(token.maker)
            if maker is None:
                return False
            token = maker
        return False


def after_grace(day: str) -> str:
    """The first day (ISO date) after the days of grace that begin on this day."""
    return (datetime.date.fromisoformat(day) + datetime.timedelta(GRACE)).isoformat()


def _keep(known: dict[str, T], survey: str, value: T | None) -> None:
    if value is None:
        known.pop(survey, None)
    else:
        known[survey] = value


def published(instrument: Instrument) -> SurveyPublished:
    """The event that publishes this instrument, and opens the survey with it."""
    return SurveyPublished(instrument.id, instrument.version, msgspec.Raw(instruments.encode(instrument)), opens=True)
