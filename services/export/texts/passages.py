"""The free texts of one release, in an order that tells nothing."""

from __future__ import annotations

from proto.instrument import Instrument
from services.export.dataset.table import Passage, PassageQuestion, Passages
from services.export.texts import accepted as texts
from services.export.texts.accepted import Gathered, TextCounts, TextLedger
from services.export.texts.review import asked_of


def passages(
    instrument: Instrument, gathered: Gathered, book: TextLedger, number: int, k: int, again: bool = False
) -> tuple[Passages, TextLedger]:
    """Returns the texts of release `number` and the ledger with this release in it. Raises ReleaseRefused.

    `again`: the release was built before; it holds the texts in the ledger, whatever was decided since.
    """
    names = asked_of(instrument)
    if not again:
        accepted = {handle: text.group for handle, text in gathered.accepted.items() if text.question in names}
        book = texts.admit(book, accepted, number, k, gathered.tallies(names))
    chosen = {handle: gathered.texts[handle] for handle in book.at(number) if handle in gathered.texts}
    if not again:
        texts.require_accepted(chosen.values(), gathered.handles, gathered.decisions, k)
    order = {question: place for place, question in enumerate(names)}
    handles = sorted(chosen, key=lambda handle: (order.get(chosen[handle].question, 0), gathered.handles.place(handle, number)))
    lines = tuple(Passage(names.get(text.question, text.question), text.language, text.text) for text in map(chosen.__getitem__, handles))
    tallies = book.told.get(number, {})
    questions: list[PassageQuestion] = []
    for question in instrument.questions:
        if question.id in names:
            tally, released = tallies.get(question.id, TextCounts()), sum(line.question == question.var for line in lines)
            questions.append(
                PassageQuestion(question.var, question.id, question.text, tally.given, tally.accepted, tally.refused, tally.open, released)
            )
    return Passages(tuple(questions), lines), book
