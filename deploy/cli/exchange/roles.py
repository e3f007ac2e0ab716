"""A first guess of privacy roles, by the words of questions. Every one is marked for review. Pure."""

from __future__ import annotations

import re
from typing import Literal

from deploy.cli.exchange.model import ForeignQuestion
from deploy.cli.exchange.words import de, en, es, fr, it, nl, pl, pt

LANGUAGES = {"de": de, "en": en, "es": es, "fr": fr, "it": it, "nl": nl, "pl": pl, "pt": pt}
"""The languages whose words are known."""
Role = Literal["identifying", "quasi_identifier", "sensitive", "insensitive", "free_text"]
_ORDER: tuple[Role, ...] = ("identifying", "sensitive", "quasi_identifier")


def _pattern(role: Role) -> re.Pattern[str]:
    """The words of every language. A word stands for all that begin with it; with a full stop for itself alone."""
    words = [word for language in LANGUAGES.values() for word in language.WORDS[role]]
    spelled = [re.escape(word[:-1]) + r"\b" if word.endswith(".") else re.escape(word) for word in words]
    return re.compile(r"(?<![^\W_])(?:" + "|".join(spelled) + ")", re.IGNORECASE)


_PATTERNS = {role: _pattern(role) for role in _ORDER}


def guess(question: ForeignQuestion) -> Role:
    """The role of a question by what the source says, by its kind and by its words."""
    if question.identifying or question.pattern in ("email", "telephone"):
        return "identifying"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", question.name)
    words = " ".join([name, *question.text.values()])
    for role in _ORDER:
        if _PATTERNS[role].search(words):
            if question.kind in ("short_text", "long_text") and role != "identifying":
                return "free_text"
            if role == "quasi_identifier" and question.kind not in ("single", "integer", "numeric", "date"):
                return "sensitive"
            return role
    return "free_text" if question.kind in ("short_text", "long_text") else "insensitive"
