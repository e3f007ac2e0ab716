"""How a release gets its place on disk: whole and for ever, or not at all."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STAGE = ".building"
"""Where a release is written. Whoever holds the numbering of a survey is alone here; what is found was cut off."""
_READABLE = 0o100644 << 16
_STORED = (".parquet",)
"""Compressed already."""


@contextmanager
def stage(folder: Path) -> Generator[Path]:
    """An empty hidden folder beside a survey's releases, gone afterwards. `folder`: that of the survey."""
    place = folder / STAGE
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def publish(release: Path, folder: Path, number: int) -> None:
    """Gives a finished release its number, in one step each for the folder and its archive, and only once all is on the disk.

    A folder already there was never entered: its job was cut off between this step and the entry.
    """
    archive = release.with_name(f"{number}.zip")
    pack(release, archive, f"{folder.name}-{number}")
    for path in (*release.iterdir(), archive, release):
        _flush(path)
    target = folder / str(number)
    shutil.rmtree(target, ignore_errors=True)
    archive.replace(folder / archive.name)
    release.rename(target)
    _flush(folder)


def pack(release: Path, archive: Path, name: str) -> None:
    """One file with all of a release in it; no dates, no owners, so that the same release gives the same archive."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(release.iterdir()):
            entry = zipfile.ZipInfo(f"{name}/{path.name}")
            entry.external_attr, entry.create_system = _READABLE, 3
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            entry.file_size = path.stat().st_size  # tells zipfile when the large format is needed
            with path.open("rb") as file, packed.open(entry, "w") as packing:
                shutil.copyfileobj(file, packing, 1024 * 1024)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
