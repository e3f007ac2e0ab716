"""Why a table cannot be protected as asked."""

from __future__ import annotations


class Unprotectable(ValueError):
    """These rows cannot be protected as requested. The message is a sentence: why, and what would help."""
