"""A signed timestamp: when a visit began. The page carries it, and nobody can change it. Pure."""

from __future__ import annotations

import hashlib
import hmac


def make(key: bytes, id: str, now: float) -> str:
    """Valid for the response with this id only. `now`: Unix time; kept to a tenth of a second. It is stored nowhere."""
    began = str(int(now * 10))
    return f"{began}.{_sign(key, id, began)}"


def age(key: bytes, id: str, stamp: str, now: float) -> float | None:
    """Seconds since the visit began; None where the signature is wrong or belongs to another response."""
    began, _, signature = stamp.partition(".")
    if not (began.isascii() and began.isdigit() and len(began) < 16):
        return None
    if not hmac.compare_digest(signature.encode(), _sign(key, id, began).encode()):
        return None
    return max(0.0, now - int(began) / 10)


def _sign(key: bytes, id: str, began: str) -> str:
    return hmac.new(key, f"platea-began-1\0{id}\0{began}".encode(), hashlib.sha256).hexdigest()[:32]
