"""Moves a finished release to its place on disk, completely or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

STAGE = ".building"
"""Where releases are written, each in a folder of its own. Whoever holds the lock of a survey is alone here; what is found was cut off,
or belongs to a job that has lost the lock with its connection, and cannot go on without its folder."""
_READABLE = 0o100644 << 16
_LEVEL = 1
"""Of compression: codes shrink to a thirtieth at the quickest, and a million rows are a gigabyte and a half."""
_LARGE = 2**30
"""Bytes from which an entry gets the archive's large format."""


@contextmanager
def stage(folder: Path) -> Generator[Path]:
    """An empty hidden folder beside a survey's releases, gone afterwards. `folder`: that of the survey."""
    shutil.rmtree(folder / STAGE, ignore_errors=True)
    place = folder / STAGE / secrets.token_hex(4)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):  # another job may stand there by now
            place.parent.rmdir()


def prepare(release: Path, folder: Path, number: int) -> None:
    """Packs a finished release and puts all of it on the disk: what is long about publishing it."""
    archive = release.with_name(f"{number}.zip")
    pack(release, archive, f"{folder.name}-{number}")
    for path in (*release.iterdir(), archive, release):
        _flush(path)


def publish(release: Path, folder: Path, number: int) -> None:
    """Moves a prepared release and its archive into the survey's folder, under its number. `release`: as `prepare` left it.

    Each of the two moves is one step of the file system. A folder that has the number already is deleted: its job was cut off before
    the release was entered in the database, so nobody was told of it.
    """
    archive, target = release.with_name(f"{number}.zip"), folder / str(number)
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
