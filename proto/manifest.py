"""The manifest of a release: what it holds, how it was protected, and the checksum of every file. Pure."""

from __future__ import annotations

import msgspec


class File(msgspec.Struct, frozen=True):
    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything in it follows from the responses, the instrument, the profile, the code, and what it tells of itself (`date`, `address`):
    a release that is built again takes these from here, and so comes out byte for byte the same."""

    number: int
    survey: str
    version: str
    profile: str
    policy: dict[str, int | float | str]
    code_version: str
    responses: int
    released: int
    suppressed: int
    files: tuple[File, ...]
    format: str = "platea-release/1"
    purpose: str = ""
    """What the data were asked for; there with profiles that want a reason."""
    language: str = ""
    """Of titles and labels in the files that hold only one language; empty in releases from before it could be chosen: the survey's own."""
    date: str = ""
    """The day of the release in UTC (ISO 8601), which citations tell; empty in releases from before it was kept."""
    address: str = ""
    """Of the page of the survey's releases, where the site knew its own address (PLATEA_PUBLIC_URL)."""
    left_out: tuple[str, ...] = ()
    """Variables of the questionnaire that are not in the data: numbers and dates without bands, of which nothing can be told."""
    public_key: str | None = None
    """Ed25519, base64. Compare it with the one published at /data/{survey}/key: anybody can sign with a key of their own."""
    signature: str | None = None
    """Base64, over this manifest in the form of `encode` without the signature."""


def encode(manifest: Manifest) -> bytes:
    """Indented JSON with sorted keys and a final line break."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def decode(data: bytes) -> Manifest:
    """Raises msgspec.MsgspecError on anything but a manifest."""
    return msgspec.json.decode(data, type=Manifest)
