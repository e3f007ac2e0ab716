"""What of an instrument decides where an answer is counted, as one digest. Pure.

Everything does, except what `IRRELEVANT` names: so a new field of the schema is counted anew until somebody gives a reason
why it need not be. Two versions with the same fingerprint count every stored answer in the same way.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec

from proto.instrument import (
    ConstantSum,
    Derived,
    Headline,
    Hierarchy,
    Instrument,
    Integer,
    Margin,
    Matrix,
    Multiple,
    Numeric,
    Option,
    Portion,
    Privacy,
    Question,
    Ranking,
    Row,
    ShortText,
    Single,
)

_TEXT = "a text: what respondents and readers see of something that keeps its code"
_FORM = "it concerns the form only"
_READING = "figures are read from the counts by it; it counts nobody"

IRRELEVANT: dict[tuple[type, str], str] = {
    (Instrument, "version"): "a version is a name",
    (Instrument, "source_language"): _FORM,
    (Instrument, "languages"): _FORM,
    (Instrument, "title"): _TEXT,
    (Instrument, "introduction"): _TEXT,
    (Instrument, "definitions"): _TEXT,
    (Instrument, "notice"): _TEXT,
    (Instrument, "data_protection"): _TEXT,
    (Instrument, "accessibility"): _TEXT,
    (Instrument, "contact_form"): _FORM,
    (Instrument, "participation"): "who may answer is decided before anything is counted",
    (Instrument, "opens"): "when answers are taken is decided before anything is counted",
    (Instrument, "closes"): "when answers are taken is decided before anything is counted",
    (Instrument, "listed"): _FORM,
    (Instrument, "quotas"): "the name of a quota's column holds its rule",
    (Instrument, "licence"): "it concerns releases only",
    (Instrument, "estimated_minutes"): _FORM,
    (Instrument, "unit_of_response"): _TEXT,
    (Instrument, "one_question_per_page"): _FORM,
    (Instrument, "sections"): "their order is that of the questions, and figures of a section are sums over its questions",
    (Instrument, "notes"): _TEXT,
    (Instrument, "soft_checks"): _FORM,
    (Instrument, "headlines"): _READING,
    (Instrument, "policy"): "it decides what is released of the counts",
    (Question, "section"): _READING,
    (Question, "text"): _TEXT,
    (Question, "help"): _TEXT,
    (Question, "prefill"): _FORM,
    (Question, "stats"): _READING,
    (Question, "piped"): _TEXT,
    (Privacy, "role"): "which figures are shown, and what is released, of the counts",
    (Option, "text"): _TEXT,
    (Row, "text"): _TEXT,
    (Matrix, "randomise_rows"): _FORM,
    (ConstantSum, "unit"): _TEXT,
    (Single, "randomise_options"): _FORM,
    (Multiple, "randomise_options"): _FORM,
    (Ranking, "randomise_options"): _FORM,
    (ShortText, "specifies"): "where the form draws it; its rule says when it is asked",
    (ShortText, "pattern"): "of texts only the absence is counted, and what was accepted stays",
    (Integer, "unit"): _TEXT,
    (Numeric, "unit"): _TEXT,
    (Hierarchy, "labels"): _TEXT,
    (Derived, "labels"): _TEXT,
    (Headline, "label"): _TEXT,
    (Margin, "source"): _TEXT,
    (Portion, "share"): "weights are worked out from the counts when they are read",
}
"""Fields that may change without counting anew, each with its reason. A field of a class holds for those derived from it."""


def fingerprint(instrument: Instrument) -> str:
    """Sixteen hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(_relevant(instrument))).hexdigest()[:16]


def relevant(kind: type, field: str) -> bool:
    """Whether this field of an instrument's Struct decides where an answer is counted."""
    return not any((base, field) in IRRELEVANT for base in kind.__mro__)


def _relevant(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        return [kind.__name__, *([name, _relevant(getattr(value, name))] for name in kind.__struct_fields__ if relevant(kind, name))]
    if isinstance(value, dict):
        return [[key, _relevant(inner)] for key, inner in sorted(cast("dict[str, Any]", value).items())]
    if isinstance(value, tuple | list):
        return [_relevant(inner) for inner in cast("tuple[Any, ...]", value)]
    return value
