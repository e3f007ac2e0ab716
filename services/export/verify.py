"""Verify a release folder against its manifest; needs no server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from proto import manifest as manifests
from proto.manifest import File

MANIFEST = "manifest.json"


def checksum(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path: Path) -> File:
    return File(path.name, path.stat().st_size, checksum(path))


def check(folder: Path) -> list[str]:
    """One sentence per thing that is wrong; an empty list says that the release is whole and unchanged."""
    try:
        manifest = manifests.decode((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return [f"{folder} holds no {MANIFEST}: it is not a release."]
    except (OSError, msgspec.MsgspecError) as error:
        return [f"{MANIFEST} cannot be read: {error}."]
    wrong: list[str] = []
    for named in manifest.files:
        path = folder / named.name
        if path.parent != folder or not path.is_file():
            wrong.append(f"{named.name} is missing.")
        elif (size := path.stat().st_size) != named.bytes:
            wrong.append(f"{named.name} has {size} bytes instead of {named.bytes}.")
        elif checksum(path) != named.sha256:
            wrong.append(f"{named.name} was changed: its SHA-256 is another than in the manifest.")
    known = {named.name for named in manifest.files} | {MANIFEST}
    wrong += [f"{path.name} is not named in the manifest." for path in sorted(folder.iterdir()) if path.name not in known]
    return wrong
