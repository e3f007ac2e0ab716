"""Access tokens of the API. The secret is shown once; only its hash is kept. Pure."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

import msgspec

TokenRole = Literal["organiser", "researcher"]


class Token(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag="token.v1"):
    """`sha256` is the hex digest of the secret; `expires` is in Unix seconds; `survey` None means all surveys.

    `maker`: the id of the token that made it, and once that is revoked this opens nothing; None of the one that came with the server.
    `made`: the day on which it was made (ISO date, UTC).
    """

    id: str
    sha256: str
    role: TokenRole
    survey: str | None = None
    expires: int | None = None
    revoked: bool = False
    maker: str | None = None
    made: str | None = None

    def allows(self, role: TokenRole, survey: str | None, now: float) -> bool:
        """An organiser may do what a researcher may; a token for one survey opens only that one. Its maker is looked at by `Registry`."""
        fits = self.role in ("organiser", role)
        return fits and self.lives(now) and (self.survey is None or self.survey == survey)

    def lives(self, now: float) -> bool:
        """Neither revoked nor past its end. `now` in Unix seconds."""
        return not self.revoked and (self.expires is None or now < self.expires)


def make() -> tuple[str, str]:
    """A new token: its public id and its secret (256 bits)."""
    id = secrets.token_hex(4)
    return id, f"platea_{id}_{secrets.token_urlsafe(32)}"


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
