"""The version of the information notice on the start page."""

from __future__ import annotations

from proto import notice
from proto.instrument import Instrument
from services.intake.form.pages.words import SOURCE, words

SHARED = ("notice_no_name", "notice_receipt", "notice_figures", "notice_data", "notice_controller", "contact_agree")
"""Translation keys of the texts in every survey's notice. The version is computed from the source language only."""


def version_of(instrument: Instrument) -> str:
    """A hash over the texts. Computed when a survey is compiled and when its start page is rendered, not for each response."""
    strings = words(SOURCE).strings
    return notice.version(instrument, [str(strings[key]) for key in SHARED])
