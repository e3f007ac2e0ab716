"""Which questions and notes stand on which page of the form, in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proto.instrument import AnyQuestion, CaseWeight, Computed, Instrument, Note, OptionRef, ShortText

Item = AnyQuestion | Note


@dataclass(frozen=True)
class FormPage:
    """`place`: the id of its section, or of its question where each has a page. `items`: in the order of the page; the text of an option
    stands behind its question.
    """

    place: str
    section: str
    items: tuple[Item, ...]

    @property
    def questions(self) -> list[AnyQuestion]:
        """Those that somebody is asked."""
        return [item for item in self.items if not isinstance(item, Note | Computed)]


def pages_of(instrument: Instrument) -> dict[str, FormPage]:
    """The pages by their place, in the order of the form."""
    pages: dict[str, FormPage] = {}
    for section in instrument.sections:
        items = list(_items(instrument, section.id))
        groups = _one_by_one(items) if instrument.one_question_per_page else {section.id: items}
        pages |= {place: FormPage(place, section.id, tuple(group)) for place, group in groups.items()}
    return pages


def _one_by_one(items: list[Item]) -> dict[str, list[Item]]:
    """Each question with the notes before it, the texts of its options and what is computed from it; notes at the end of a section go with
    its last question.
    """
    groups: dict[str, list[Item]] = {}
    place, waiting = "", list[Item]()
    for item in items:
        if isinstance(item, Note):
            waiting.append(item)
        elif place and (isinstance(item, Computed) or (isinstance(item, ShortText) and item.specifies is not None)):
            groups[place].append(item)
        else:
            place = item.id
            groups[place] = [*waiting, item]
            waiting = []
    if place:
        groups[place] += waiting
    return groups


def _items(instrument: Instrument, section: str) -> Iterator[Item]:
    """The questions of a section, each note before its question, the others at the end."""
    for question in instrument.questions:
        if question.section == section and not isinstance(question, CaseWeight):
            yield from (note for note in instrument.notes if note.before == question.id)
            yield question
    yield from (note for note in instrument.notes if not note.before and note.section == section)


class TextsOfOptions:
    """The texts that options open. `inside`: their ids by question and by code; `options`: the option of each text."""

    def __init__(self, instrument: Instrument) -> None:
        self.inside: dict[str, dict[str, str]] = {}
        self.options: dict[str, OptionRef] = {}
        for question in instrument.questions:
            if isinstance(question, ShortText) and (of := question.specifies) is not None:
                self.inside.setdefault(of.question, {})[of.option] = question.id
                self.options[question.id] = of
