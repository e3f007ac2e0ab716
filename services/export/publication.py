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
_LEVEL = 1
"""Of compression: codes shrink to a thirtieth at the quickest, and a million rows are a gigabyte and a half."""
_LARGE = 2**30
"""Bytes from which an entry gets the archive's large format."""


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
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
        for path in sorted(release.iterdir()):
            entry = f"{name}/{path.name}"
            with path.open("rb") as file, packed.open(entry, "w", force_zip64=path.stat().st_size > _LARGE) as packing:
                shutil.copyfileobj(file, packing, 1024 * 1024)
            packed.getinfo(entry).external_attr = _READABLE


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
