"""A text that may be in another language than the page: plain as a string, marked with `lang` in HTML."""

from __future__ import annotations

from typing import Self

from markupsafe import Markup


class LocalisedText(str):
    """`lang` is "" where only parts of it are in another language: those are marked inside `html`."""

    lang: str
    html: Markup

    @classmethod
    def of(cls, text: str, lang: str) -> Self:
        return cls.mixed(text, Markup('<span lang="{}">{}</span>').format(lang, text), lang)

    @classmethod
    def mixed(cls, text: str, html: Markup, lang: str = "") -> Self:
        marked = cls(text)
        marked.lang, marked.html = lang, html
        return marked

    def __html__(self) -> Markup:
        return self.html


def lang(text: str) -> Markup:
    """The attribute for an element that can hold text only, such as an option or a title."""
    return Markup(' lang="{}"').format(text.lang) if isinstance(text, LocalisedText) and text.lang else Markup("")
