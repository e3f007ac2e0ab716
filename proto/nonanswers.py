"""Which options say that somebody gives no answer of substance, by their words. Pure."""

from __future__ import annotations

import re

from proto.instrument import NON_SUBSTANTIVE, Instrument, Matrix, Single

_WORDS = (
    (
        "dk",
        r"(i )?(don.?t|do not) know( yet)?|not sure|unsure|no idea|no opinion|(je )?ne sai[st] pas|sans opinion"
        r"|no (lo )?s[eé]|no sabe|(ich )?wei(ß|ss) (ich |es )?nicht|keine meinung|non (lo )?so|não sei",
    ),
    (
        "pnts",
        r"(i )?prefer not to (say|answer)|no answer|refused|ne souhaite pas répondre|pas de réponse"
        r"|prefiero no (decirlo|responder|contestar)|keine (angabe|antwort)|preferisco non rispondere|prefiro não (dizer|responder)",
    ),
    ("na", r"not applicable|n/?a|sans objet|non concernée?|no procede|no aplicable|nicht zutreffend|trifft nicht zu|non applicabile"),
)
_PATTERNS = tuple((code, re.compile(pattern, re.IGNORECASE)) for code, pattern in _WORDS)
_DASH = re.compile("\\s[\u2013\u2014-]\\s")


def meant(label: str) -> str:
    """The code that an option with this label should have: dk, pnts or na; empty for an answer of substance."""
    plain = _DASH.split(label)[0].replace("\u2019", "'").rstrip(".!")
    return next((code for code, pattern in _PATTERNS if pattern.fullmatch(plain)), "")


def scored_by_mistake(instrument: Instrument) -> list[tuple[str, str, str]]:
    """Options of ordered scales that are no answer by their words, but are scored like one: (question, code, the code they should
    have)."""
    return [
        (question.id, option.code, code)
        for question in instrument.questions
        if isinstance(question, Single | Matrix) and question.ordered
        for option in question.options
        if option.code not in NON_SUBSTANTIVE
        and (code := next((proposed for text in option.text.values() if (proposed := meant(text))), ""))
    ]
