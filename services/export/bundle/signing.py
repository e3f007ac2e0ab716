"""Signatures of manifests: Ed25519 (RFC 8032) over the manifest as it reads without its signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proto.manifest import Manifest, encode


class Signer:
    """The key that all releases of this installation are signed with."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public_key: str = base64.b64encode(raw).decode()
        self._seed = seed

    @staticmethod
    def opened(path: Path) -> Signer:
        """The key in this file, 64 hexadecimal digits; made now, for its owner alone, where there is none."""
        if not path.exists():
            draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # whoever comes first: two services that start at once keep one key
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return Signer(bytes.fromhex(path.read_text().strip()))

    def derived(self, use: str) -> bytes:
        """A key for another use, from which the signing key cannot be found. 32 bytes."""
        return hashlib.blake2b(use.encode(), key=self._seed, digest_size=32, person=b"platea").digest()

    def sign(self, manifest: Manifest) -> Manifest:
        named = msgspec.structs.replace(manifest, public_key=self.public_key, signature=None)
        return msgspec.structs.replace(named, signature=base64.b64encode(self._key.sign(encode(named))).decode())


def is_genuine(manifest: Manifest) -> bool:
    """Whether the manifest is signed with the key that it names. Who owns that key is not checked here."""
    unsigned = msgspec.structs.replace(manifest, signature=None)
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(manifest.public_key or "", validate=True))
        key.verify(base64.b64decode(manifest.signature or "", validate=True), encode(unsigned))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
