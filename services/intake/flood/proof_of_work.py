"""The proof of work that a device does while a survey is flooded. ALTCHA's library makes tasks, checks solutions, asks no other server.

A task is made for one receipt, and a receipt counts once. So a solution is worth one response however often it is sent, no server has to
remember used solutions, and sending again after a lost answer needs no new work.
"""

from __future__ import annotations

from typing import Any, cast

import altcha

COST = 500
"""Rounds of PBKDF2 for each try; checking a solution costs the server one try."""
PREFIX = "000"
"""Hex digits that the key of a solution begins with: 4,096 tries on average, about two seconds of one core."""
LASTS = 600
"""Seconds for which a task is valid."""
LONGEST = 2000
"""Characters of a solution."""


def task(key: bytes, id: str, now: float) -> dict[str, Any]:
    """A task for the response with this id, as JSON-ready values. `now`: Unix time."""
    challenge = altcha.create_challenge(
        "PBKDF2/SHA-256", COST, key_prefix=PREFIX, expires_at=int(now) + LASTS, data={"for": id}, hmac_secret=key
    )
    return cast("dict[str, Any]", challenge.to_dict())


def solved(key: bytes, id: str, text: str) -> bool:
    """Whether `text` is a valid solution, in time, of a task that was made for this response."""
    if not text or len(text) > LONGEST:
        return False
    try:
        payload = altcha.Payload.from_base64(text)
        about = cast("dict[str, Any] | None", payload.challenge.parameters.data)
        return about == {"for": id} and altcha.verify_solution(payload, key).verified
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
