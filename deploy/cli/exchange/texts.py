"""Texts of a foreign questionnaire: plain words, one for each language. Pure."""

from __future__ import annotations

import functools
import html
import re
from collections import Counter
from collections.abc import Callable
from typing import cast

from deploy.cli.exchange.model import Texts
from proto.authoring.parse import LONGEST_TEXT, UNPRINTABLE

_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']?([^"'\s>]+)["']?[^>]*>(.*?)</a\s*>""", re.IGNORECASE | re.DOTALL)
_MARKDOWN_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_ITEM = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_LINE = re.compile(r"<br\s*/?>|</(p|div|li|tr|h[1-6]|ul|ol)\s*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1|(?<!\w)([*_])(?=\S)([^*_\n]+?)(?<=\S)\3(?!\w)")
_HEADING = re.compile(r"(?m)^#{1,6}\s+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?")


def plain(text: str) -> str:
    """Words without markup: a link becomes "words (address)", an item of a list a line."""
    found = _HIDDEN.sub(" ", text)
    found = _LINK.sub(lambda link: f"{link[2]} ({link[1]})" if link[1] not in link[2] else link[2], found)
    found = _MARKDOWN_LINK.sub(r"\1 (\2)", found)
    found = _LINE.sub("\n", _ITEM.sub("\n- ", found))
    found = html.unescape(_TAG.sub("", found))
    return tidy(found)


def plain_markdown(text: str) -> str:
    """The same of a text in which stars and underscores emphasise."""
    found = _EMPHASIS.sub(lambda match: match[2] or match[4], _HEADING.sub("", text))
    return plain(found)


def tidy(text: str) -> str:
    """Without control characters and superfluous blanks; cut where no text may be longer."""
    lines = [" ".join(line.split()) for line in UNPRINTABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return joined if len(joined) <= LONGEST_TEXT else joined[: LONGEST_TEXT - 1] + "…"


def joined(parts: list[Texts], between: str) -> Texts:
    """One text per language out of several; a language that is missing in some has the others'."""
    languages = dict.fromkeys(language for part in parts for language in part)
    return {language: between.join(text for part in parts if (text := part.get(language, ""))) for language in languages}


def tag(name: str, said: dict[str, str]) -> str:
    """The language tag that a name such as "French (fr)", "fr" or "Français" stands for; empty where it is not known."""
    if name in said:
        return said[name]
    bracketed = re.search(r"\(([A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?)\)\s*$", name)
    candidate = (bracketed[1] if bracketed else name).strip().replace("_", "-")
    first, joint, second = candidate.partition("-")
    if (bracketed or len(candidate) in (2, 3, 5, 6, 7)) and len(first) in (2, 3) and first.isalpha() and (not joint or second):
        spelled = first.lower() + (f"-{second[0].upper()}{second[1:].lower() if len(second) > 2 else second[1:].upper()}" if joint else "")
        if _LANGUAGE.fullmatch(spelled) and (bracketed or joint or _is_known(first.lower())):
            return spelled
    return _by_name().get(candidate.split("(")[0].strip().casefold(), "")


_OWN_NAMES = (
    "ar bg bn bs ca cs cy da de el es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka ko lb lt lv mk ms mt my nb ne nl nn pl pt ro ru "
    "sk sl so sq sr sv sw ta th tr uk ur vi zh"
)
"""Languages that are known by their own names, too."""


def _is_known(code: str) -> bool:
    return code in _by_name().values()


@functools.cache
def _by_name() -> dict[str, str]:
    """Languages by their English and their own names."""
    from babel import Locale

    english = cast("dict[str, str]", dict(Locale("en").languages))
    names = {name.casefold(): code for code, name in english.items() if len(code) <= 3}
    for code in _OWN_NAMES.split():
        names.setdefault((Locale(code).get_language_name() or code).casefold(), code)
    return names


class Filler:
    """Gives each text all languages: where one is missing, the words of the source language stand in and are counted."""

    def __init__(self, languages: list[str], source: str, change: Callable[[str], str]) -> None:
        self.languages = languages
        self.source = source
        self.change = change
        self.missing: Counter[str] = Counter()

    def __call__(self, texts: Texts, otherwise: str = "") -> Texts:
        """`otherwise` stands where there is no text at all."""
        given = {language: changed for language, text in texts.items() if (changed := tidy(self.change(text)))}
        words = given.get(self.source) or next(iter(given.values()), "") or tidy(otherwise)
        if not words:
            return {}
        if given:
            self.missing.update(language for language in self.languages if language not in given)
        return {language: given.get(language, words) for language in self.languages}
