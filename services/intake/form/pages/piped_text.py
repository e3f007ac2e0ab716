"""A text of a page whose answers are filled in later, by the server for each respondent and by the page's script as they change."""

from __future__ import annotations

from markupsafe import Markup

from proto import piping
from services.intake.form.pages.skeleton import hole
from services.runtime.localised_text import LocalisedText


class PipedText(LocalisedText):
    """`template` is the text as it was written; the script fills it in anew."""

    template: str


def piped_text(template: str) -> PipedText:
    """The text with a hole "pipe {id}" for each answer."""
    plain = piping.fill(template, lambda id: hole("text", f"pipe {id}"))
    text = PipedText.mixed(plain, Markup('<span data-piped="{}">{}</span>').format(template, plain))
    text.template = template
    return text


def attribute(text: str) -> Markup:
    """The attribute for an element that can hold text only, such as an option."""
    return Markup(' data-piped="{}"').format(text.template) if isinstance(text, PipedText) else Markup("")
