"""Verify a release folder against its manifest; needs no server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from proto import manifest as manifests
from proto.manifest import File, Manifest
from services.export.bundle.signing import is_genuine

MANIFEST = "manifest.json"


def checksum(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path: Path) -> File:
    return File(path.name, path.stat().st_size, checksum(path))


def read(folder: Path) -> Manifest:
    """Raises OSError, or msgspec.MsgspecError where the file is no manifest."""
    return manifests.decode((folder / MANIFEST).read_bytes())


def differing(one: Manifest, other: Manifest) -> list[str]:
    """Names of the files that are not the same in both."""
    files = [{file.name: file for file in manifest.files} for manifest in (one, other)]
    return [name for name in dict.fromkeys([*files[0], *files[1]]) if files[0].get(name) != files[1].get(name)]


def check(folder: Path, public_key: str | None = None) -> list[str]:
    """Returns a sentence for each fault; an empty list if the release is whole and unchanged.

    `public_key` (base64): also checks that the release is signed with this key. Without it, anybody could have signed.
    """
    try:
        manifest = read(folder)
    except FileNotFoundError:
        return [f"{folder} holds no {MANIFEST}: it is not a release."]
    except (OSError, msgspec.MsgspecError) as error:
        return [f"{MANIFEST} cannot be read: {error}."]
    wrong: list[str] = []
    if manifest.signature is not None and not is_genuine(manifest):
        wrong.append(f"{MANIFEST} was changed after it was signed.")
    if public_key is not None and (manifest.signature is None or manifest.public_key != public_key):
        wrong.append(f"{MANIFEST} is not signed with this key.")
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
