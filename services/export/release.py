"""Build a release: responses in, protected table, measured result and files out. No database, no network."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from proto import manifest as manifests
from proto.answers import Reader
from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export.anonymise import Protected, anonymise, class_sizes
from services.export.codebook import codebook
from services.export.variables import Variable, table, variables
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


def protect(instrument: Instrument, rows: Iterable[tuple[Reader, Any]], profile: Profile) -> tuple[list[Variable], Protected]:
    """The protected table of these responses. Raises Refused where the profile cannot be met."""
    columns = variables(instrument.questions, instrument.hierarchies)
    full = table(columns, rows)
    if len(full) < profile.minimum:
        raise Refused(f"There are {len(full)} responses; a {profile.name} release needs {profile.minimum}. Wait for more.")
    identifiers = {column.name: column.ladder() for column in columns if column.role == "quasi_identifier"}
    protected = anonymise(full, identifiers, profile.k)
    measure(protected.table, list(identifiers), profile)
    return columns, protected


def measure(released: pd.DataFrame, identifiers: list[str], profile: Profile) -> int:
    """The smallest group in the table as it would go out, counted afresh. Raises Refused where it is below k."""
    if len(released) < profile.minimum:
        raise Refused(f"Only {len(released)} rows would remain after protection; {profile.minimum} are needed.")
    smallest = int(class_sizes(released, identifiers).min())
    if smallest < profile.k:
        raise Refused(f"A group of {smallest} would remain, and {profile.k} are needed.")
    return smallest


def write(
    folder: Path, number: int, instrument: Instrument, columns: list[Variable], protected: Protected, profile: Profile, total: int
) -> Manifest:
    """Writes the files of a release into an empty folder, the manifest last."""
    released = protected.table
    released.to_csv(folder / "data.csv", index=False, lineterminator="\n", encoding="utf-8")
    arrow: Any = pa.Table.from_pandas(released.astype("category"), preserve_index=False)  # pyright: ignore[reportUnknownVariableType]
    pq.write_table(arrow.replace_schema_metadata(None), folder / "data.parquet", compression="zstd")
    identifiers = [column.name for column in columns if column.name in protected.levels]
    smallest = measure(released, identifiers, profile)
    page = codebook(instrument, number, columns, protected, profile.k, smallest)
    (folder / "codebook.html").write_text(page, encoding="utf-8")
    files = tuple(describe(folder / name) for name in ("data.csv", "data.parquet", "codebook.html"))
    manifest = Manifest(
        number=number,
        survey=instrument.id,
        version=instrument.version,
        profile=profile.name,
        policy={"k": profile.k, "smallest_group": smallest, "minimum": profile.minimum},
        code_version=importlib.metadata.version("platea"),
        responses=total,
        released=len(released),
        suppressed=protected.suppressed,
        files=files,
    )
    (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    return manifest
