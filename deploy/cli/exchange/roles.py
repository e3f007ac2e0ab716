"""A first guess of privacy roles, by the words of questions. Every one is marked for review. Pure."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal

from deploy.cli.exchange.model import Question

Role = Literal["identifying", "quasi_identifier", "sensitive", "insensitive", "free_text"]
_ORDER: tuple[Role, ...] = ("identifying", "sensitive", "quasi_identifier")
_FOLDER = Path(__file__).parent / "words"


@functools.cache
def _words() -> dict[Role, re.Pattern[str]]:
    """The words of every language, role by role. A word stands for all that begin with it; with a full stop for itself alone."""
    found: dict[Role, list[str]] = {role: [] for role in _ORDER}
    for file in sorted(_FOLDER.glob("*.txt")):
        role: Role = "insensitive"
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("["):
                role = next(known for known in _ORDER if known == line.strip("[]"))
            elif line.strip():
                word = line.strip()
                found[role].append(re.escape(word[:-1]) + r"\b" if word.endswith(".") else re.escape(word))
    return {role: re.compile(r"(?<![^\W_])(?:" + "|".join(words) + ")", re.IGNORECASE) for role, words in found.items()}


def guess(question: Question) -> Role:
    """The role of a question by what the source says, by its kind and by its words."""
    if question.identifying or question.pattern in ("mail", "telephone"):
        return "identifying"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", question.name)
    words = " ".join([name, *question.text.values()])
    for role in _ORDER:
        if _words()[role].search(words):
            if question.kind in ("short_text", "long_text") and role != "identifying":
                return "free_text"
            if role == "quasi_identifier" and question.kind not in ("single", "integer", "numeric", "date"):
                return "sensitive"
            return role
    return "free_text" if question.kind in ("short_text", "long_text") else "insensitive"
