"""How a release is cited."""

from __future__ import annotations

from services.export.table import Edition
from services.export.words import text


def cite(edition: Edition) -> str:
    """One line, the same for ever: no date of access, no address that may move."""
    publisher = text(edition.publisher, edition.language).partition(",")[0]
    parts = [
        publisher,
        text(edition.title, edition.language),
        f"Release {edition.number} ({edition.survey}, questionnaire {edition.version})",
    ]
    return ". ".join(part.rstrip(".") for part in parts if part) + ". Data set."
