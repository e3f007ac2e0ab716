"""Which version of the information notice the start page shows."""

from __future__ import annotations

from proto import notice
from proto.instrument import Instrument
from services.intake.form.pages.words import SOURCE, words

SHARED = ("notice_no_name", "notice_receipt", "notice_figures", "notice_data", "notice_controller", "contact_agree")
"""What every survey tells. Translations of one text are one version, so the source stands for all of them."""


def version_of(instrument: Instrument) -> str:
    """Costs a hash over the texts: asked when a survey is compiled and when its start page is made, not for each response."""
    strings = words(SOURCE).strings
    return notice.version(instrument, [str(strings[key]) for key in SHARED])
