"""Review of free texts: lists the texts, enters decisions about them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from operator import itemgetter
from typing import Annotated, Literal

import msgspec

from proto.instrument import Instrument, LongText, ShortText, Texts
from proto.registry import Registry
from services.export.bundle.signing import Signer
from services.export.store import Store
from services.export.texts.accepted import Gathered, GivenText, Handles, TextCounts
from services.export.texts.pii_hints import Mark, marks

BATCH = 1000
"""Responses read at once, and the most decisions that are entered at once."""

REMEMBERED = 10_000
"""Texts shown last whose response is found at once; others are looked for among all."""

Decision = Literal["accepted", "refused", "open"]


class ReviewText(msgspec.Struct, frozen=True):
    """A text to decide on. `id` names it as it stands: one that is changed gets another."""

    id: str
    question: str
    language: str
    text: str
    marks: tuple[Mark, ...]
    decision: Decision


class ReviewQuestion(msgspec.Struct, frozen=True):
    """A question that is answered in free text."""

    question: str
    text: Texts
    given: int
    accepted: int
    refused: int
    open: int


class ReviewPage(msgspec.Struct, frozen=True):
    """Some texts in the order of the questionnaire, within a question in one that tells nothing. `next`: where to go on, or None."""

    survey: str
    questions: tuple[ReviewQuestion, ...]
    texts: tuple[ReviewText, ...]
    next: str | None


class ReviewDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    decision: Decision


class ReviewOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decisions: Annotated[tuple[ReviewDecision, ...], msgspec.Meta(max_length=BATCH)]


class ReviewResult(msgspec.Struct, frozen=True):
    """How many of each were entered. `gone`: the texts that are no longer there as they were shown, of which nothing was entered."""

    accepted: int
    refused: int
    open: int
    gone: tuple[str, ...]


def handles_of(signer: Signer, survey: str) -> Handles:
    return Handles(signer.derived("texts"), survey)


def asked_of(instrument: Instrument) -> dict[str, str]:
    """The questions whose texts may be released once accepted: id and name of the variable."""
    return {
        question.id: question.var
        for question in instrument.questions
        if isinstance(question, ShortText | LongText) and question.privacy.role == "free_text"
    }


def asked_in(now: Instrument, then: Instrument | None) -> frozenset[str]:
    """Those that both versions ask as free text; none where one is unknown."""
    return frozenset(asked_of(now).keys() & asked_of(then).keys()) if then else frozenset()


class Reviewer:
    """Shows texts and takes decisions. Remembers where the texts it has shown are, so that deciding on one reads one response."""

    def __init__(self, store: Store, registry: Registry, signer: Signer) -> None:
        self._store, self._registry, self._signer = store, registry, signer
        self._places: dict[bytes, bytes] = {}

    async def page(self, instrument: Instrument, after: str = "", most: int = 100, decided: bool = False) -> ReviewPage:
        """Returns the next open texts after this place; with `decided`, decided ones too. Deletes decisions about texts that are gone.

        Raises ValueError where `after` is no page's `next`.
        """
        names = asked_of(instrument)
        order = {question: place for place, question in enumerate(names)}
        gathered = Gathered(handles_of(self._signer, instrument.id), await self._store.decisions(instrument.id))
        begin = _place(after)
        candidates: list[tuple[tuple[int, bytes], GivenText]] = []
        async for text in self._standing(instrument):
            handle = gathered.add(text)
            if handle is None or (key := (order[text.question], handle)) <= begin or (handle in gathered.decisions and not decided):
                continue
            candidates.append((key, text))
            if len(candidates) > 8 * most:
                candidates = heapq.nsmallest(most + 1, candidates, key=itemgetter(0))
        candidates = heapq.nsmallest(most + 1, candidates, key=itemgetter(0))
        await self._store.decide(instrument.id, dict.fromkeys(gathered.gone()))
        last = candidates[most - 1][0] if len(candidates) > most else None
        self._remember({key[1]: text.id for key, text in candidates[:most]})
        texts = tuple(_shown(key[1], text, names, gathered) for key, text in candidates[:most])
        return ReviewPage(instrument.id, _asked(instrument, gathered, names), texts, f"{last[0]}.{last[1].hex()}" if last else None)

    async def enter(self, instrument: Instrument, order: ReviewOrder) -> ReviewResult:
        """Enters what was decided about texts that are still as they were shown."""
        handles = handles_of(self._signer, instrument.id)
        decisions: dict[bytes, Decision] = {bytes.fromhex(entry.id): entry.decision for entry in order.decisions}
        ids = [self._places[handle] for handle in decisions if handle in self._places]
        there: set[bytes] = set()
        async for text in self._standing(instrument, ids if len(ids) == len(decisions) else None):
            handle = handles.of(text.id, text.question, text.language, text.text)
            if handle in decisions:
                there.add(handle)
        current = {handle: decision for handle, decision in decisions.items() if handle in there}
        entered = {handle: None if decision == "open" else decision == "accepted" for handle, decision in current.items()}
        await self._store.decide(instrument.id, entered)
        counts = Counter(current.values())
        gone = tuple(handle.hex() for handle in decisions if handle not in there)
        return ReviewResult(counts["accepted"], counts["refused"], counts["open"], gone)

    async def _standing(self, instrument: Instrument, ids: Sequence[bytes] | None = None) -> AsyncIterator[GivenText]:
        """The free texts of the survey that count now; `ids`: of these responses alone."""
        allowed: dict[str, frozenset[str]] = {}
        questions = list(asked_of(instrument))
        async for batch in self._store.texts(instrument.id, questions, BATCH, ids):
            for id, version, language, answers in batch:
                if version not in allowed:
                    allowed[version] = asked_in(instrument, self._registry.instrument(instrument.id, version))
                for question, text in zip(questions, answers, strict=True):
                    if text and question in allowed[version]:
                        yield GivenText(id, question, language, text)

    def _remember(self, places: dict[bytes, bytes]) -> None:
        self._places |= places
        for handle in list(self._places)[:-REMEMBERED]:
            del self._places[handle]


def _place(after: str) -> tuple[int, bytes]:
    """Decodes a page's `next`. Raises ValueError."""
    if not after:
        return -1, b""
    question, _, handle = after.partition(".")
    return int(question), bytes.fromhex(handle)


def _shown(handle: bytes, text: GivenText, names: Mapping[str, str], gathered: Gathered) -> ReviewText:
    accepted = gathered.decisions.get(handle)
    decision: Decision = "open" if accepted is None else "accepted" if accepted else "refused"
    return ReviewText(handle.hex(), names[text.question], text.language, text.text, marks(text.text), decision)


def _asked(instrument: Instrument, gathered: Gathered, names: Mapping[str, str]) -> tuple[ReviewQuestion, ...]:
    tallies = gathered.tallies(names)
    texts = {question.id: question.text for question in instrument.questions}
    return tuple(ReviewQuestion(names[id], texts[id], *_counts(tallies[id])) for id in names)


def _counts(tally: TextCounts) -> tuple[int, int, int, int]:
    return tally.given, tally.accepted, tally.refused, tally.open
