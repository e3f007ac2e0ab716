"""Why the stack does not start: a sentence with the cause, a sentence with the way out."""

from __future__ import annotations


class Refusal(Exception):
    """Shown to the operator as it is."""

    def __init__(self, cause: str, way_out: str) -> None:
        super().__init__(f"{cause}\n{way_out}")
        self.cause = cause
        self.way_out = way_out
