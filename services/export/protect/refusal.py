"""Why a table cannot be protected as asked."""

from __future__ import annotations


class Unprotectable(ValueError):
    """The request cannot be met with these rows; the message is a sentence that says why, and what would help."""
