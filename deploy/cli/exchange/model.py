"""The neutral tree: what every reader makes of its format, with the place of each part. Pure.

Names and codes are as the source has them; texts are by language tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from deploy.cli.exchange.expressions.tree import Condition

Texts = dict[str, str]
Kind = Literal[
    "single", "multiple", "matrix", "ranking", "integer", "numeric", "date", "short_text", "long_text", "constant_sum", "note", "computed"
]
FormatName = Literal["xlsform", "surveyjs", "limesurvey", "redcap", "qualtrics"]
Bound = Decimal | str | None
"""A number; of dates a day, or "today"."""


class ForeignOption(msgspec.Struct, kw_only=True):
    """`specify`: it opens a text of its own, called `text_name` in the source. `aliases`: how conditions call it besides."""

    code: str
    text: Texts
    place: str = ""
    exclusive: bool = False
    specify: bool = False
    text_name: str = ""
    show_if: Condition | None = None
    score: Decimal | None = None
    aliases: tuple[str, ...] = ()


class ForeignRow(msgspec.Struct, kw_only=True):
    """`aliases`: names by which conditions call the row as if it were a question."""

    code: str
    text: Texts
    show_if: Condition | None = None
    aliases: tuple[str, ...] = ()


class Special(msgspec.Struct, frozen=True):
    """A value beside the range of a number or date, whose meaning only the author knows."""

    value: str


class ForeignQuestion(msgspec.Struct, kw_only=True):
    """What is asked, noted or computed at one place of the source. `rules` must all hold for it to be shown.

    `asked_softly`: the source reminds of it and lets it pass. `identifying`: the source says that it tells who somebody is.
    `aliases`: how conditions call it besides.
    """

    place: str
    name: str
    kind: Kind
    text: Texts
    help: Texts = {}
    section: str = ""
    required: bool = False
    required_if: Condition | None = None
    asked_softly: bool = False
    enabled: bool = True
    rules: tuple[Condition, ...] = ()
    options: list[ForeignOption] = []
    rows: list[ForeignRow] = []
    ordered: bool | None = None
    randomise_options: bool = False
    randomise_rows: bool = False
    min_choices: int | None = None
    max_choices: int | None = None
    rank_count: int | None = None
    min: Bound = None
    max: Bound = None
    specials: tuple[Special, ...] = ()
    decimals: int | None = None
    unit: Texts = {}
    precision: Literal["day", "month", "year"] = "day"
    total: int | None = None
    max_chars: int | None = None
    pattern: str = ""
    identifying: bool = False
    aliases: tuple[str, ...] = ()
    formula: Condition | None = None
    kept: Mapping[str, object] = {}
    """Keys of the author format that the file carries for us, from an export of ours."""


class ForeignSection(msgspec.Struct, kw_only=True):
    key: str
    text: Texts
    place: str = ""


class ForeignSoftCheck(msgspec.Struct, kw_only=True):
    name: str
    when: Condition
    text: Texts
    place: str


class ForeignQuota(msgspec.Struct, kw_only=True):
    """Of those who meet all of `rules` about `limit` are wanted; whoever comes after that reads `text`."""

    name: str
    place: str
    limit: int
    text: Texts
    rules: tuple[Condition, ...]


class Form(msgspec.Struct, kw_only=True):
    """A whole questionnaire. `language` is the tag of the language that texts without one are in."""

    format: FormatName
    file: str
    name: str
    title: Texts
    version: str = ""
    language: str = "en"
    languages: list[str] = []
    introduction: Texts = {}
    sections: list[ForeignSection] = []
    questions: list[ForeignQuestion] = []
    soft_checks: list[ForeignSoftCheck] = []
    left_out: set[str] = set()
    """Names of what is not asked here; a condition that speaks of one is refused."""
    opens: str = ""
    closes: str = ""
    """Days and times such as "2026-12-31 18:00", by clocks that the source does not name."""
    notice: Texts = {}
    invited: bool = False
    listed: bool = True
    one_question_per_page: bool = False
    quotas: list[ForeignQuota] = []
    joint: str = ""
    loose: bool = False
    numbered: Mapping[str, str] = {}
    piped: str = ""
    """A regular expression of what shows an answer in a text; its group is the name of the question."""
    kept: Mapping[str, object] = {}
    ours: bool = False
    """The file is an export of ours: nothing in it is guessed."""
    fragment: bool = False
    """A single question or group, without a head."""
