"""Builds one release: read → protect → gate → report → write → publish, a function for each step."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import pandas as pd

from proto.instrument import Instrument
from proto.manifest import Manifest
from proto.registry import Registry
from services.export import release, threads
from services.export.bundle import publish as places
from services.export.bundle.signing import Signer
from services.export.bundle.verify import differing
from services.export.dataset.profiles import PROFILES, Profile
from services.export.dataset.table import Dataset, Passages
from services.export.dataset.variables import Variable, variables, with_bands
from services.export.gate import after, before, ledger
from services.export.gate.advice import advise
from services.export.gate.after import Protected
from services.export.gate.before import Admitted
from services.export.gate.ledger import LedgerKeys, People, StoredLedger
from services.export.gate.refused import ReleaseRefused
from services.export.protect import sequence
from services.export.protect.refusal import Unprotectable
from services.export.protect.sequence import SequenceStep
from services.export.report.of_release import files as report_files
from services.export.report.of_release import report_on
from services.export.report.report import ReleaseReport
from services.export.report.sentences import warnings
from services.export.responses import read_responses
from services.export.store import Numbering, Positions, ReleaseEntry, Store
from services.export.texts import accepted as texts
from services.export.texts import review
from services.export.texts.accepted import Gathered
from services.export.texts.passages import passages

Stage = Literal["reading", "protecting", "writing"]
BATCH = 1000
"""Responses that are read into codes at once: they and their cells stay in the processor's cache, which halves the time of 4,000."""
READ, PROTECTED, WRITTEN = 0.4, 0.6, 0.95
"""Progress at the end of these stages, of 1."""
EARLIER_RULES = (
    "Release {} hides rare answers by earlier rules, which this program no longer has: its files and its signature can be checked as "
    "before, but it cannot be built again to the same bytes."
)


@dataclass(frozen=True)
class Order:
    """What a release is built for. `language`: of the labels in files that hold only one; empty for the survey's own."""

    survey: str
    profile: str
    purpose: str = ""
    language: str = ""


class BuildProgress(Protocol):
    """Told about a build while it runs."""

    def __call__(self, stage: Stage, share: float, responses: int | None = None) -> None:
        """`share`: of the whole build, 0 to 1. `responses`: read so far; None where that did not change."""
        ...


@dataclass(frozen=True)
class Workshop:
    """What every build needs. `site`: the address of the site, for citations; empty where its operator has set none. `today`: ISO 8601."""

    store: Store
    registry: Registry
    folder: Path
    signer: Signer
    site: str
    today: Callable[[], str]

    def current(self, survey: str) -> Instrument:
        """The version of the questionnaire that is published now. Raises ReleaseRefused."""
        instrument = self.registry.current(survey)
        if instrument is None:
            raise ReleaseRefused("This survey is unknown.")
        return instrument

    def version(self, survey: str, version: str) -> Instrument:
        """Raises ReleaseRefused."""
        instrument = self.registry.instrument(survey, version)
        if instrument is None:
            raise ReleaseRefused(f"Version {version} of the instrument is unknown here.")
        return instrument

    def earlier(self, instrument: Instrument) -> dict[str, list[Variable]]:
        """Each variable in the versions published before this one, oldest first: they keep the numbers of its values."""
        earlier: dict[str, list[Variable]] = {}
        for version, former in self.registry.versions[instrument.id].items():
            if version == instrument.version:
                break
            for variable in variables(with_bands(former)):
                earlier.setdefault(variable.name, []).append(variable)
        return earlier


@dataclass(frozen=True)
class Source:
    """Result of `read`. `answers`: a column of codes per variable; `people[i]`: the keyed hash of the response in row i.

    `positions`: what was read, to read the same again. `gathered`, `text_book`: the free texts, and which of them earlier releases hold.
    """

    instrument: Instrument
    profile: Profile
    columns: list[Variable]
    answers: pd.DataFrame
    people: People
    keys: LedgerKeys
    positions: Positions
    gathered: Gathered
    text_book: texts.TextLedger


@dataclass(frozen=True)
class Cleared:
    """Result of `gate`. `passages`: the free texts that go out, None where the profile has none. `text_book`: with this release in it."""

    source: Source
    number: int
    protected: Protected
    passages: Passages | None
    text_book: texts.TextLedger


@dataclass(frozen=True)
class BuiltRelease:
    """Result of `publish_next`."""

    number: int
    warnings: list[str]


@dataclass(frozen=True)
class Comparison:
    """Result of `rebuild`. `differing`: the files whose bytes came out different. `detail`: sentences on why; may be empty."""

    number: int
    warnings: list[str]
    differing: list[str]
    detail: str


async def publish_next(shop: Workshop, order: Order, progress: BuildProgress) -> BuiltRelease:
    """Builds and publishes the next release. Raises ReleaseRefused where it would not protect the respondents; then nothing is published.

    Holds the right to build this survey, which is a lock of a connection outside any transaction: releases of a survey build on each other.
    """
    date, address = shop.today(), f"{shop.site}/data/{order.survey}" if shop.site else ""
    async with shop.store.building(order.survey) as numbering:
        withdrawn = await shop.store.withdrawn(order.survey)
        source = await read(shop, order, shop.current(order.survey), progress)
        cleared = await protect_and_gate(shop, source, numbering.number, progress)
        table, measured = await threads.run(report, shop, order, cleared, date, address, progress)
        with places.stage(shop.folder / order.survey) as place:
            manifest = await threads.run(write, shop, order, cleared, table, measured, place / "release", progress)
            await publish(shop, numbering, cleared, manifest, place / "release", withdrawn)
    await shop.store.decide(order.survey, dict.fromkeys(source.gathered.gone()))
    return BuiltRelease(numbering.number, warnings(measured))


async def rebuild(shop: Workshop, published: Manifest, progress: BuildProgress) -> Comparison:
    """Builds a published release again from the same version and the unchanged responses, and compares the files. Publishes nothing."""
    number, survey = published.number, published.survey
    order = Order(survey, published.profile, published.purpose, published.language)
    positions = await shop.store.positions(survey, number)
    source = await read(shop, order, shop.version(survey, published.version), progress, positions)
    cleared = await protect_and_gate(shop, source, number, progress, again=True)
    table, measured = await threads.run(report, shop, order, cleared, published.date, published.address, progress)
    with tempfile.TemporaryDirectory(prefix=".rebuilding-", dir=shop.folder) as place:
        manifest = await threads.run(write, shop, order, cleared, table, measured, Path(place) / "release", progress)
    different = differing(published, manifest)
    detail = _why_different(published, manifest, bool(different), positions is not None, await shop.store.mended())
    return Comparison(number, warnings(measured), different, detail)


async def read(shop: Workshop, order: Order, instrument: Instrument, progress: BuildProgress, positions: Positions | None = None) -> Source:
    """The responses that count now; with `positions`, only those unchanged since then. Raises ReleaseRefused once they are deleted."""
    survey = order.survey
    if (day := await shop.store.deleted(survey)) is not None:
        raise ReleaseRefused(
            f"The answers to this survey were deleted on {day.isoformat()}, as its retention says. Its figures and releases stay; "
            "no release can be built from them any more, nor built again."
        )
    progress("reading", 0.0)
    profile, instrument = PROFILES[order.profile], with_bands(instrument)
    columns, keys = variables(instrument), LedgerKeys(shop.signer.derived("ledger"), survey)
    handles = review.handles_of(shop.signer, survey)
    gathered, text_book = Gathered(handles, {}), texts.TextLedger()
    if profile.texts:
        text_book = texts.decode(await shop.store.text_book(survey))
        gathered = Gathered(handles, await shop.store.decisions(survey), frozenset(text_book.entries))
    async with shop.store.responses(survey, BATCH, positions) as responses:
        answers, people = await read_responses(
            responses,
            instrument,
            lambda version: shop.version(survey, version),
            columns,
            keys,
            gathered if profile.texts else None,
            lambda count: progress("reading", READ * count / responses.count, count),
        )
    return Source(instrument, profile, columns, answers, people, keys, responses.positions, gathered, text_book)


async def protect_and_gate(shop: Workshop, source: Source, number: int, progress: BuildProgress, again: bool = False) -> Cleared:
    """Returns what may be released under `number`. `again`: it was released before. Raises ReleaseRefused."""
    progress("protecting", READ)
    stored = await shop.store.ledger(source.instrument.id)
    book = ledger.decode(stored) if stored is not None else None
    protected = await threads.run(protected_table, source.columns, source.answers, source.profile, source.people, source.keys, number, book)
    if not source.profile.texts:
        return Cleared(source, number, protected, None, source.text_book)
    chosen, text_book = passages(source.instrument, source.gathered, source.text_book, number, source.profile.k, again)
    return Cleared(source, number, protected, chosen, text_book)


def protected_table(
    columns: list[Variable],
    answers: pd.DataFrame,
    profile: Profile,
    people: People,
    keys: LedgerKeys,
    number: int = 1,
    book: StoredLedger | None = None,
) -> Protected:
    """The table of release `number`, protected together with the releases in `book`. Pure; the order of `answers` leaves no trace.

    `people[i]`: the keyed hash of the response in row i. Raises ReleaseRefused where the profile cannot be met.
    """
    admitted = before.admit(columns, answers, profile, people, keys, number, book)
    return after.check(admitted, protect(admitted))


def protect(admitted: Admitted) -> SequenceStep:
    """The next step in the sequence of the survey's releases. Raises ReleaseRefused, with what would help."""
    table = admitted.table
    try:
        return sequence.release(
            admitted.people,
            table.codes,
            table.hierarchies,
            table.sensitive,
            admitted.rules,
            admitted.former,
            admitted.profile.narrow,
        )
    except Unprotectable as reason:
        raise ReleaseRefused(f"{reason} {advise(table, admitted.profile)}".strip()) from None


def report(
    shop: Workshop, order: Order, cleared: Cleared, date: str, address: str, progress: BuildProgress
) -> tuple[Dataset, ReleaseReport]:
    """The typed table of the release, and what it risks. `date`, `address`: as the manifest has them. Blocks."""
    progress("writing", PROTECTED)
    source, protected = cleared.source, cleared.protected
    table = release.table_of(
        cleared.number,
        source.instrument,
        source.columns,
        protected,
        source.profile,
        len(source.answers),
        order.language,
        date,
        address,
        shop.earlier(source.instrument),
    )
    table = replace(table, passages=cleared.passages)
    return table, report_on(source.answers, table, source.columns, source.instrument, protected.reasons, protected.quasi_identifiers)


def write(
    shop: Workshop, order: Order, cleared: Cleared, table: Dataset, measured: ReleaseReport, folder: Path, progress: BuildProgress
) -> Manifest:
    """Writes the files of the release into this new folder, the signed manifest last. Blocks."""
    folder.mkdir(mode=0o755)
    policy = release.policy_of(cleared.source.profile, cleared.protected)
    policy["texts"] = len(cleared.passages.lines) if cleared.passages else 0

    def written(share: float) -> None:
        progress("writing", PROTECTED + (WRITTEN - PROTECTED) * share)

    return release.write(folder, table, policy, shop.signer, written, order.purpose, report_files(measured, table))


async def publish(shop: Workshop, numbering: Numbering, cleared: Cleared, manifest: Manifest, written: Path, withdrawn: int) -> None:
    """Moves the written folder to its place in the same transaction as its entry; what takes long is done before the transaction."""
    published, number = shop.folder / numbering.survey, numbering.number
    await threads.run(places.prepare, written, published, number)
    text_book = texts.encode(cleared.text_book) if cleared.source.profile.texts else None
    entry = ReleaseEntry(manifest, ledger.encode(cleared.protected.book), text_book, cleared.source.positions)
    async with numbering.entering(entry, withdrawn):
        await threads.run(places.publish, written, published, number)


def _why_different(published: Manifest, rebuilt: Manifest, different: bool, positions_known: bool, mended: bool) -> str:
    """Why a rebuilt release may differ from the published one."""
    number, sentences = published.number, list[str]()
    gone = published.responses - rebuilt.responses
    if gone and positions_known:
        were = "was" if gone == 1 else "were"
        sentences.append(
            f"{gone} of the {published.responses} responses that release {number} was made of {were} changed or withdrawn since."
        )
        if mended:
            sentences.append("Answers that were put back into the journal from the store count as changed.")
    elif gone:
        sentences.append(f"There are {rebuilt.responses} responses now; release {number} was made of {published.responses}.")
    if different and "merged_scales" not in published.policy:
        sentences.append(EARLIER_RULES.format(number))
    return " ".join(sentences)
