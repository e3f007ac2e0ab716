"""Build a release: responses in, protected table, measured result and files out. No database, no network."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from proto import manifest as manifests
from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export import formats
from services.export.anonymise import Protected, anonymise, class_sizes
from services.export.signing import Signer
from services.export.table import Edition, Table, tabulate
from services.export.variables import Variable
from services.export.verify import MANIFEST, describe


@dataclass(frozen=True)
class Profile:
    """What a release must meet. `minimum`: fewest responses worth a release."""

    name: str
    k: int
    minimum: int


PROFILES = {"public": Profile("public", k=5, minimum=10)}


class Refused(Exception):
    """This release would not protect the respondents; the message says why and what would help."""


def protect(columns: list[Variable], full: pd.DataFrame, profile: Profile) -> Protected:
    """The protected table of these responses. Raises Refused where the profile cannot be met."""
    if len(full) < profile.minimum:
        raise Refused(f"There are {len(full)} responses; a {profile.name} release needs {profile.minimum}. Wait for more.")
    identifiers = {column.name: column.ladder() for column in columns if column.role == "quasi_identifier"}
    for name in identifiers:
        full[name] = full[name].astype("object")  # generalised values are other codes
    protected = anonymise(full, identifiers, profile.k)
    measure(protected.table, list(identifiers), profile)
    return protected


def measure(released: pd.DataFrame, identifiers: list[str], profile: Profile) -> int:
    """The smallest group in the table as it would go out, counted afresh. Raises Refused where it is below k."""
    if len(released) < profile.minimum:
        raise Refused(f"Only {len(released)} rows would remain after protection; {profile.minimum} are needed.")
    smallest = int(class_sizes(released, identifiers).min())
    if smallest < profile.k:
        raise Refused(f"A group of {smallest} would remain, and {profile.k} are needed.")
    return smallest


def table_of(number: int, instrument: Instrument, columns: list[Variable], protected: Protected, profile: Profile, total: int) -> Table:
    """The typed table of release `number`. `total`: how many responses there were before protection."""
    identifiers = [column.name for column in columns if column.name in protected.levels]
    edition = Edition(
        number=number,
        survey=instrument.id,
        version=instrument.version,
        title=instrument.title,
        languages=instrument.languages,
        language=instrument.source_language,
        licence=instrument.licence,
        publisher=instrument.data_protection.controller if instrument.data_protection else {},
        profile=profile.name,
        k=profile.k,
        smallest=measure(protected.table, identifiers, profile),
        responses=total,
        generalised=protected.generalised,
        suppressed=protected.suppressed,
    )
    levels = {
        column.name: column.hierarchy.levels[protected.levels[column.name]]
        for column in columns
        if column.hierarchy and column.name in protected.levels
    }
    return tabulate(edition, instrument, columns, protected.table, levels)


def write(folder: Path, table: Table, minimum: int, signer: Signer, progress: Callable[[float], None]) -> Manifest:
    """Writes the files of a release into an empty folder, the signed manifest last."""
    edition = table.edition
    names = formats.write(folder, table, progress)
    manifest = Manifest(
        number=edition.number,
        survey=edition.survey,
        version=edition.version,
        profile=edition.profile,
        policy={"k": edition.k, "smallest_group": edition.smallest, "minimum": minimum},
        code_version=importlib.metadata.version("platea"),
        responses=edition.responses,
        released=table.rows,
        suppressed=edition.suppressed,
        files=tuple(describe(folder / name) for name in names),
    )
    manifest = signer.sign(manifest)
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    return manifest
