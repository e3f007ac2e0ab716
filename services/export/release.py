"""Build a release: responses in, protected table, measured result and files out. No database, no network."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto import manifest as manifests
from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export import formats
from services.export.bundle.signing import Signer
from services.export.bundle.verify import MANIFEST, describe
from services.export.dataset.profiles import WIDE, Profile
from services.export.dataset.table import Edition, Table, tabulate
from services.export.dataset.variables import WITHHELD, Variable
from services.export.gate import answers, ledger, measuring, truth
from services.export.gate.advice import advise, rules_of
from services.export.gate.ledger import Book, Keys, People
from services.export.gate.quasi_identifiers import Reading, codes_of, read
from services.export.gate.rare import Shown
from services.export.gate.refused import Refused
from services.export.protect import sequence
from services.export.protect.anonymise import Result
from services.export.protect.measure import Measures
from services.export.protect.refusal import Unprotectable

Ints = NDArray[np.int64]

ROUNDING = 1e-6
MOST_LOST = 0.95
"""Loss (NCP) beyond which a release would not be worth its name."""


@dataclass(frozen=True)
class Protected:
    """The protected table, and what is known about it.

    `rows[i]`: which of the responses row i came from. `generalised`: rows with a quasi-identifier coarser than given. `suppressed`:
    rows left out. `withheld`: cells withheld because of rare answers; `merged`: scales on which neighbours are told as one.
    `book`: the ledger once this is released.
    """

    table: pd.DataFrame
    rows: Ints
    reading: Reading
    measures: Measures
    reasons: tuple[str, ...]
    generalised: int
    suppressed: int
    withheld: int
    merged: int
    book: Book


def protect(
    columns: list[Variable], full: pd.DataFrame, profile: Profile, people: People, keys: Keys, number: int = 1, book: Book | None = None
) -> Protected:
    """The protected table of these responses, as release `number` after what `book` tells. Raises Refused where the profile cannot be met.

    `people`: the keyed hash of each response. The order of `full` leaves no trace.
    """
    if len(full) < profile.minimum:
        raise Refused(f"There are {len(full)} responses; a {profile.name} release needs {profile.minimum}. Wait for more.")
    order = np.argsort(people, kind="stable")
    people, reading = people[order], read(columns, full, WIDE.units, order)
    former = ledger.before(book, number, reading.hierarchies, keys)
    try:
        step = sequence.release(people, reading.codes, reading.hierarchies, reading.sensitive, rules_of(reading), former, profile.narrow)
    except Unprotectable as reason:
        raise Refused(f"{reason} {advise(reading, profile)}".strip()) from None
    reading = reading.seen_by(profile)
    rows = np.flatnonzero(step.result.kept)
    rows = rows[keys.order(people[rows], number)]
    shown = answers.hidden(columns, full, order[np.sort(rows)], profile)
    withheld = sum(int(each.withheld.sum()) for each in shown.values())
    merged = sum(len(np.unique(each.steps)) < len(each.steps) for each in shown.values())
    table = _released(columns, full, reading, step.result, rows, order, shown)
    measures = _let_out(columns, reading, table, rows, profile, full, order)
    coarse = sum(step.result.released[rows, v] >= len(hierarchy.values) for v, hierarchy in enumerate(reading.hierarchies))
    reasons = step.result.reasons
    if merged:
        scales = "1 scale" if merged == 1 else f"{merged:,} scales"
        reasons += (f"On {scales} neighbouring answers are told as one, because few gave one of them.",)
    if withheld:
        reasons += (
            f"{withheld:,} answers are withheld: rare ones, and others beside them, so that at least {profile.k} rows look the same.",
        )
    return Protected(
        table,
        order[rows],
        replace(reading, codes=reading.codes[:0], sensitive=()),
        measures,
        reasons,
        int((np.asarray(coarse) > 0).sum()),
        len(full) - len(rows),
        withheld,
        merged,
        ledger.after(book, number, step, reading.hierarchies, keys),
    )


def _released(
    columns: list[Variable],
    full: pd.DataFrame,
    reading: Reading,
    result: Result,
    rows: Ints,
    order: Ints,
    shown: dict[str, Shown],
) -> pd.DataFrame:
    """The columns as they go out. `order`: the row of `full` that each of `reading` is; `shown` has the released rows in that order."""
    out: dict[str, pd.Categorical] = {}
    place = {column.name: v for v, column in enumerate(reading.identifiers)}
    given, at = order[rows], np.argsort(np.argsort(rows))
    for column in columns:
        if column.name in place:
            v = place[column.name]
            labels = [node.label for node in result.values[v]]
            codes, values = result.released[rows, v], list(dict.fromkeys(labels))
            codes = np.array([values.index(label) for label in labels], np.int16)[codes]
        else:
            codes, values = codes_of(full, column)[given], [*column.codes]
            if how := shown.get(column.name):
                codes, values = answers.released(column, codes, Shown(how.steps, how.withheld[at]))
        out[column.name] = pd.Categorical.from_codes(codes, categories=pd.Index(values, dtype="object"))  # pyright: ignore[reportArgumentType]
    return pd.DataFrame(out, copy=False)


def _let_out(
    columns: list[Variable],
    reading: Reading,
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    profile: Profile,
    full: pd.DataFrame,
    order: Ints,
) -> Measures:
    """The gate: what the released columns hold, counted afresh. Raises Refused where that is less than the profile asks, and Untrue where a
    cell is not what was answered. `order`: the row of `full` that each of `reading` is."""
    others = [column for column in columns if column.role != "quasi_identifier"]
    if name := truth.unlike(others, lambda column: codes_of(full, column)[order[rows]], table):
        raise truth.Untrue(f"The column {name} would tell something else than was answered.")
    back = measuring.read_back(reading, table, rows, len(reading.codes))
    sensitive = measuring.sensitive_back(reading, table, rows, columns)
    found, measures = measuring.weighed(reading, back, sensitive, profile)
    broken = [str(each) for each in found]
    if single := answers.alone(columns, full, order[rows], table, profile):
        broken.append(str(measuring.Broken("Rare answers must single nobody out", single)))
    if len(rows) < profile.minimum:
        broken.append(f"Only {len(rows)} rows would remain after protection; {profile.minimum} are needed.")
    if reading.identifiers and int(back.classes.max()) == 0:
        broken.append(f"All {len(rows)} rows would stand in one class, and their quasi-identifiers would tell nothing.")
    if measures.loss > MOST_LOST:
        broken.append(f"The quasi-identifiers would tell next to nothing: {measures.loss:.0%} of them would be lost.")
    if broken:
        raise Refused(" ".join([*broken, advise(reading, profile) or "Wait for more responses."]))
    return measures


def table_of(
    number: int,
    instrument: Instrument,
    columns: list[Variable],
    protected: Protected,
    profile: Profile,
    total: int,
    language: str = "",
    date: str = "",
    address: str = "",
    earlier: Mapping[str, Sequence[Variable]] | None = None,
) -> Table:
    """The typed table of release `number`. `total`: how many responses there were before protection. `language`: of files that hold
    only one; the survey's own where none is named. `date`, `address`: as in the manifest. `earlier`: as `tabulate` takes it."""
    edition = Edition(
        number=number,
        survey=instrument.id,
        version=instrument.version,
        title=instrument.title,
        languages=instrument.languages,
        language=language or instrument.source_language,
        licence=instrument.licence,
        publisher=instrument.data_protection.controller if instrument.data_protection else {},
        profile=profile.name,
        k=profile.k,
        smallest=protected.measures.smallest,
        responses=total,
        generalised=protected.generalised,
        suppressed=protected.suppressed,
        date=date,
        address=address,
    )
    return tabulate(edition, instrument, columns, protected.table, _levels(protected), earlier)


def _levels(protected: Protected) -> dict[str, str]:
    """For each generalised variable the levels of its hierarchy that its values stand at, finest first."""
    found: dict[str, str] = {}
    for column in protected.reading.identifiers:
        if column.hierarchy is None:
            continue
        used = set(pd.Categorical(protected.table[column.name]).remove_unused_categories().categories)
        steps = [set(column.codes), *(set(step.values()) for step in column.ladder()), {WITHHELD}]
        names: list[str] = []
        for name, step in zip(column.hierarchy.levels, steps, strict=True):
            if used & step:
                names.append(name)
                used -= step
        if names != [column.hierarchy.levels[0]]:
            found[column.name] = " / ".join(names)
    return found


def policy_of(profile: Profile, protected: Protected) -> dict[str, int | float | str]:
    """What was asked for, and what was measured: l and t of the answers as given in each class, t rounded up, since withheld ones count."""
    measures = protected.measures
    policy: dict[str, int | float | str] = {
        "k": profile.k,
        "smallest_group": measures.smallest,
        "minimum": profile.minimum,
        "quasi_identifiers": len(protected.reading.identifiers),
        "withheld_cells": protected.withheld,
        "merged_scales": protected.merged,
    }
    if measures.distinct:
        varied = [least for least in measures.distinct.values() if least]  # 0: nobody gave an answer that is a secret to keep
        policy |= {"l": profile.diversity.l, "smallest_l": min(varied, default=0)}
        policy |= {"t": profile.closeness.t, "largest_t": ceil(100 * max(measures.distance.values()) - ROUNDING) / 100}
    if measures.population is not None:
        policy |= {"k_map": profile.units, "smallest_population": measures.population}
    return policy


def write(
    folder: Path,
    table: Table,
    policy: dict[str, int | float | str],
    signer: Signer,
    progress: Callable[[float], None],
    purpose: str = "",
    report: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Writes the files of a release into an empty folder, the signed manifest last. `report`: its files, by name."""
    edition = table.edition
    files = formats.write(folder, table, progress)
    for name, body in (report or {}).items():
        (folder / name).write_bytes(body)
        files.append(describe(folder / name))
    manifest = Manifest(
        number=edition.number,
        survey=edition.survey,
        version=edition.version,
        profile=edition.profile,
        policy=policy,
        code_version=importlib.metadata.version("platea"),
        responses=edition.responses,
        released=table.rows,
        suppressed=edition.suppressed,
        files=tuple(files),
        purpose=purpose,
        language=edition.language,
        date=edition.date,
        address=edition.address,
        left_out=table.left_out,
    )
    manifest = signer.sign(manifest)
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    return manifest
