"""The page of a survey's releases: how each is protected, cited, fetched, opened, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined

from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export.dataset.citation import Work, name_of
from services.export.dataset.licences import LICENCES, PURPOSE, Licence, terms
from services.export.dataset.words import text
from services.export.http.interface import CATALOGUES, Say, offered
from services.export.store import StoredRelease

_pages = Environment(loader=PackageLoader("services.export.http", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
FEW = 5
"""Fewer withdrawals than this are not told exactly: who knows that just one person left would know which row went."""


@dataclass(frozen=True)
class ReleaseView:
    """One release as the page shows it. `warning`: what became of its responses since; empty where nothing did."""

    manifest: Manifest
    citation: str
    protection: list[str]
    warning: str
    size: str
    date: date | None
    licence: Licence | None
    """None where it is for the stated purpose alone."""


def work(instrument: Instrument, manifest: Manifest, address: str) -> Work:
    """In the questionnaire's own language, as in the files of the release. `address`: of the page, for releases that do not know it."""
    source = instrument.source_language
    publisher = text(instrument.data_protection.controller, source) if instrument.data_protection else ""
    title = text(instrument.title, source)
    return Work(name_of(publisher), title, manifest.number, manifest.survey, manifest.version, manifest.date, manifest.address or address)


def _licence(instrument: Instrument, manifest: Manifest) -> Licence | None:
    """Releases from before their day was kept have the survey's licence in their files, whatever their profile."""
    licence = terms(instrument.licence, manifest.profile) if manifest.date else LICENCES[instrument.licence]
    return None if licence is PURPOSE else licence


def warnings(releases: Sequence[StoredRelease], now: int, say: Say, last: bool = False) -> list[str]:
    """For each release, oldest first, whether responses were withdrawn since and which later one is without them (`last`: none follows)."""
    known = [release.withdrawn for release in releases]
    sentences: list[str] = []
    for place, before in enumerate(known):
        gone = 0 if before is None else now - before
        if gone <= 0:
            sentences.append("")
            continue
        without = [releases[later].manifest.number for later in range(place + 1, len(known)) if known[later] == now]
        many = say("withdrawn", n=say.number(gone)) if gone >= FEW else say("withdrawn_few", n=FEW)
        sentences.append(
            f"{many} " + (say("withdrawn_later", n=without[-1]) if without else say("withdrawn_never" if last else "withdrawn_next"))
        )
    return sentences


def protection(manifest: Manifest, say: Say) -> list[str]:
    """Sentences on what was measured in the released table, one for each measure in the manifest."""
    policy = manifest.policy

    def measured(name: str) -> float:
        value = policy.get(name, 0)
        return value if isinstance(value, int | float) else 0

    smallest, sentences = measured("smallest_group"), list[str]()
    if policy.get("quasi_identifiers") == 0:
        sentences.append(say("one_group", n=say.number(smallest)))
    elif smallest > 1:
        sentences.append(say("group", n=say.number(smallest - 1), size=say.number(smallest)))
    if policy.get("quasi_identifiers") != 0:
        sentences.append(say("coarser"))
    if (population := measured("smallest_population")) > 1:
        sentences.append(say("units", n=say.number(population)))
    if (different := measured("smallest_l")) > 1:
        sentences.append(say("different", n=say.number(different)))
    if "largest_t" in policy:
        sentences.append(say("distance", t=say.hundredths(measured("largest_t"))))
    if scales := measured("merged_scales"):
        sentences.append(say("merged", n=say.number(scales)))
    if cells := measured("withheld_cells"):
        sentences.append(say("withheld", n=int(cells)))
    sentences.append(say("left_out", n=manifest.suppressed) if manifest.suppressed else say("left_out_none"))
    if manifest.left_out:
        sentences.append(say("without_bands", names=", ".join(manifest.left_out)))
    if "texts" in policy:
        texts = measured("texts")
        sentences.append(say("texts", n=int(texts)) if texts else say("texts_none"))
    if any(file.name == "report.html" for file in manifest.files):
        sentences.append(say("report"))
    return sentences


def render(
    instrument: Instrument,
    releases: Sequence[StoredRelease],
    withdrawn: int,
    language: str,
    origin: str,
    public_key: str,
    deleted: date | None = None,
) -> str:
    """`releases`: oldest first; `withdrawn`: responses withdrawn from this survey so far; `origin`: where this page is, without path;
    `deleted`: since when all answers are gone, as retention wants it."""
    say = Say(language)
    shown = [
        ReleaseView(
            release.manifest,
            work(instrument, release.manifest, f"{origin}/data/{instrument.id}").line(),
            protection(release.manifest, say),
            warning,
            say.size(sum(file.bytes for file in release.manifest.files)),
            date.fromisoformat(release.manifest.date) if release.manifest.date else None,
            _licence(instrument, release.manifest),
        )
        for release, warning in zip(releases, warnings(releases, withdrawn, say, deleted is not None), strict=True)
    ]
    return _pages.get_template("data.html.j2").render(
        say=say,
        instrument=instrument,
        title=say.text(instrument.title, instrument.source_language),
        languages=[(code, CATALOGUES[code].native) for code in offered(instrument)],
        releases=shown[::-1],
        deleted=say.date(deleted) if deleted else "",
        origin=origin,
        api=f"{origin}/api/v1/surveys/{instrument.id}/releases",
        public_key=public_key,
    )
