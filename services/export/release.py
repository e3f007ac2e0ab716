"""A protected table as the files of a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from pathlib import Path

import pandas as pd

from proto import manifest as manifests
from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export import formats
from services.export.bundle.signing import Signer
from services.export.bundle.verify import MANIFEST, describe
from services.export.dataset.profiles import Profile
from services.export.dataset.table import Dataset, ReleaseInfo, tabulate
from services.export.dataset.variables import WITHHELD, Variable
from services.export.gate.after import Protected
from services.runtime.version import VERSION

ROUNDING = 1e-6


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
) -> Dataset:
    """The typed table of release `number`.

    `total`: responses before protection. `language`: of files that hold only one; empty for the survey's own. `date`, `address`: as in the
    manifest. `earlier`: as in `tabulate`.
    """
    edition = ReleaseInfo(
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
    """For each generalised variable, the levels of its hierarchy that its released values belong to, finest first."""
    levels: dict[str, str] = {}
    for column in protected.quasi_identifiers.identifiers:
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
            levels[column.name] = " / ".join(names)
    return levels


def policy_of(profile: Profile, protected: Protected) -> dict[str, int | float | str]:
    """The rules of the profile, with the measured value of each.

    l and t are of the answers as given in each class, since withheld ones count; t is rounded up.
    """
    measures = protected.measures
    policy: dict[str, int | float | str] = {
        "k": profile.k,
        "smallest_group": measures.smallest,
        "minimum": profile.minimum,
        "quasi_identifiers": len(protected.quasi_identifiers.identifiers),
        "withheld_cells": protected.withheld,
        "merged_scales": protected.merged,
    }
    if measures.distinct:
        varied = [least for least in measures.distinct.values() if least]  # 0: nobody gave a sensitive answer
        policy |= {"l": profile.diversity.l, "smallest_l": min(varied, default=0)}
        policy |= {"t": profile.closeness.t, "largest_t": ceil(100 * max(measures.distance.values()) - ROUNDING) / 100}
    if measures.population is not None:
        policy |= {"k_map": profile.units, "smallest_population": measures.population}
    return policy


def write(
    folder: Path,
    table: Dataset,
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
        code_version=VERSION,
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
