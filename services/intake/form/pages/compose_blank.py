"""Renders the whole questionnaire without answers, to read and to print."""

from __future__ import annotations

from dataclasses import dataclass

from proto.instrument import Computed, Instrument, Note, Rule
from proto.parts import conditional
from services.intake.form.form_layout import Item, TextsOfOptions, pages_of
from services.intake.form.pages.compose import SurveyView, of
from services.intake.form.pages.fields import Field, field_of
from services.intake.form.pages.render import render
from services.intake.form.pages.rule_words import only_if, plain
from services.intake.form.pages.voice import Voice


@dataclass(frozen=True)
class BlankItem:
    """A question (`field`) or a note, with the rule that shows it in words. `parts`: the rules of its options or rows, by code."""

    only_if: str
    parts: dict[str, str]
    note: str = ""
    field: Field | None = None


def blank(survey: SurveyView) -> bytes:
    """Every section, question and note, whatever is answered."""
    title, path = survey.voice.words("blank_title"), f"/s/{survey.instrument.id}/print"
    return render("blank.html", **of(survey, title, path), sections=sections_of(survey))


def sections_of(survey: SurveyView) -> list[tuple[str, str, list[BlankItem]]]:
    """Id, heading and items of each section; the text of an option stands with the option."""
    instrument, voice = survey.instrument, survey.voice
    texts = TextsOfOptions(instrument)
    earlier: dict[Rule, str] = {}
    return [
        (
            section.id,
            voice.text(section.text),
            [
                _item(voice, instrument, texts, item, earlier)
                for page in pages_of(instrument).values()
                if page.section == section.id
                for item in page.items
                if not isinstance(item, Computed) and item.id not in texts.options
            ],
        )
        for section in instrument.sections
    ]


def _item(voice: Voice, instrument: Instrument, texts: TextsOfOptions, item: Item, earlier: dict[Rule, str]) -> BlankItem:
    """Adds the rule of a question to `earlier`, for the questions after it."""

    def said(rule: Rule | None) -> str:
        return only_if(voice, instrument, rule, earlier)

    if isinstance(item, Note):
        return BlankItem(said(item.show_if), {}, note=voice.text(item.text))
    parts = {part.code: said(part.show_if) for part in conditional(item)}
    told = BlankItem(said(item.show_if), parts, field=field_of(voice, item, "", texts=texts.inside.get(item.id)))
    if item.show_if is not None:
        earlier.setdefault(plain(instrument, item.show_if), item.id)
    return told
