"""Build a release: responses in, protected table, measured result and files out. No database, no network."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proto import manifest as manifests
from proto.instrument import NON_SUBSTANTIVE, Instrument
from proto.manifest import Manifest
from services.export import formats
from services.export.gate import ledger, measuring, rare, truth
from services.export.gate.advice import advise, rules_of
from services.export.gate.ledger import Book, Keys, People
from services.export.gate.reading import Reading, codes_of, read
from services.export.gate.refused import Refused
from services.export.profiles import NARROW, WIDE, Profile
from services.export.protect import sequence
from services.export.protect.measure import Measures
from services.export.protect.protection import Result
from services.export.protect.refusal import Unprotectable
from services.export.signing import Signer
from services.export.table import WITHHELD, Edition, Table, tabulate
from services.export.variables import MISSING, SKIPPED, Variable
from services.export.verify import MANIFEST, describe

Ints = NDArray[np.int64]

MOST_LOST = 0.95
"""Loss (NCP) beyond which a release would not be worth its name."""


@dataclass(frozen=True)
class Protected:
    """The protected table, and what is known about it.

    `rows[i]`: which of the responses row i came from. `generalised`: rows with a quasi-identifier coarser than given. `suppressed`:
    rows left out. `withheld`: rare answers withheld, as cells. `book`: the ledger once this is released.
    """

    table: pd.DataFrame
    rows: Ints
    reading: Reading
    measures: Measures
    reasons: tuple[str, ...]
    generalised: int
    suppressed: int
    withheld: int
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
    hidden = _hidden(columns, full, order[np.sort(rows)], profile)
    withheld = sum(map(len, hidden.values()))
    table = _released(columns, full, reading, step.result, rows, order, hidden)
    measures = _let_out(columns, reading, table, rows, profile, full, order)
    coarse = sum(step.result.released[rows, v] >= len(hierarchy.values) for v, hierarchy in enumerate(reading.hierarchies))
    reasons = step.result.reasons
    if withheld:
        reasons += (f"{withheld:,} rare answers are withheld, because few gave them or they single a row out together.",)
    return Protected(
        table,
        order[rows],
        replace(reading, codes=reading.codes[:0], sensitive=()),
        measures,
        reasons,
        int((np.asarray(coarse) > 0).sum()),
        len(full) - len(rows),
        withheld,
        ledger.after(book, number, step, reading.hierarchies, keys),
    )


def _released(
    columns: list[Variable],
    full: pd.DataFrame,
    reading: Reading,
    result: Result,
    rows: Ints,
    order: Ints,
    hidden: dict[str, NDArray[np.intp]],
) -> pd.DataFrame:
    """The columns as they go out. `order`: the row of `full` that each of `reading` is; `hidden` counts released rows in that order."""
    out: dict[str, pd.Categorical] = {}
    place = {column.name: v for v, column in enumerate(reading.identifiers)}
    given, shown = order[rows], np.argsort(rows)
    for column in columns:
        if column.name in place:
            v = place[column.name]
            labels = [node.label for node in result.values[v]]
            codes, values = result.released[rows, v], list(dict.fromkeys(labels))
            codes = np.array([values.index(label) for label in labels], np.int16)[codes]
        else:
            codes, values = codes_of(full, column)[given], [*column.codes]
            if len(hidden.get(column.name, ())):
                codes = codes.astype(np.int16)
                codes[shown[hidden[column.name]]] = len(values)
                values.append(WITHHELD)
        out[column.name] = pd.Categorical.from_codes(codes, categories=pd.Index(values, dtype="object"))  # pyright: ignore[reportArgumentType]
    return pd.DataFrame(out, copy=False)


def _hidden(columns: list[Variable], full: pd.DataFrame, given: Ints, profile: Profile) -> dict[str, NDArray[np.intp]]:
    """The rows whose rare answer is withheld, of each variable. `given`: rows of `full` in an order that stays from release to release.

    What a scientific release of the same rows withholds a public one withholds too, so that both together tell no more than the former.
    """
    plain = [column for column in columns if column.role == "insensitive"]
    told = [_told(codes_of(full, column), column)[given] for column in plain]
    cells: list[NDArray[np.intp]] = []
    for each in (NARROW,) if profile.narrow else (NARROW, profile):
        cells = rare.withhold(told, each.k, rarity(len(given), each), np.arange(len(given)), cells)
    return {column.name: cell for column, cell in zip(plain, cells, strict=True)}


def rarity(rows: int, profile: Profile) -> int:
    """An answer is rare that so many people gave, or fewer."""
    return max(2 * profile.k, int(profile.rare * rows))


def _told(codes: NDArray[np.integer[Any]], column: Variable) -> NDArray[np.integer[Any]]:
    """Where nothing was answered, and where "*" stands, nothing can single out."""
    silent = {MISSING, SKIPPED, *NON_SUBSTANTIVE}
    told = [rare.UNTOLD if code in silent else place for place, code in enumerate(column.codes)]
    return np.array([*told, rare.UNTOLD], np.min_scalar_type(-1 - len(told)))[codes]  # "*" is none of the variable's codes


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
    if name := truth.unlike(others, lambda column: codes_of(full, column)[order[rows]], lambda column: codes_of(table, column)):
        raise truth.Untrue(f"The column {name} would tell something else than was answered.")
    back = measuring.read_back(reading, table, rows, len(reading.codes))
    sensitive = measuring.sensitive_back(reading, table, rows, columns)
    found, measures = measuring.weighed(reading, back, sensitive, profile)
    broken = [str(each) for each in found]
    plain = [_told(codes_of(table, column), column) for column in columns if column.role == "insensitive"]
    if single := rare.singled_out(plain, profile.k, rarity(len(rows), profile)):
        broken.append(str(measuring.Broken("Rare answers must single nobody out", single)))
    if len(rows) < profile.minimum:
        broken.append(f"Only {len(rows)} rows would remain after protection; {profile.minimum} are needed.")
    if int(back.classes.max()) == 0:
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


def policy_of(profile: Profile, measures: Measures, withheld: int) -> dict[str, int | float | str]:
    """What was asked for, and what was measured in the table as released."""
    policy: dict[str, int | float | str] = {
        "k": profile.k,
        "smallest_group": measures.smallest,
        "minimum": profile.minimum,
        "withheld_cells": withheld,
    }
    if measures.distinct:
        varied = [least for least in measures.distinct.values() if least]  # 0: nobody gave an answer that is a secret to keep
        policy |= {"l": profile.diversity.l, "smallest_l": min(varied, default=0)}
        policy |= {"t": profile.closeness.t, "largest_t": round(max(measures.distance.values()), 4)}
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
