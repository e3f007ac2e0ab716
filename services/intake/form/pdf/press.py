"""Makes PDF a few at a time: beyond that the answer is 503 with Retry-After."""

from __future__ import annotations

import logging
from collections import OrderedDict

from proto.answers import Reader
from proto.problem import Problem
from services.intake.form.pages import compose
from services.intake.form.pdf import compose_pdf
from services.intake.form.pdf.typeset import NotTypeset, typeset
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.render_queue import RenderQueue

PDF = "application/pdf"
AGAIN = 5
"""Seconds after which it is worth asking again."""
MOST = 100
"""Blank questionnaires that are kept, of 100 to 300 kB each."""
log = logging.getLogger(__name__)


class PdfPress:
    """One per process. Keeps the blank questionnaires, and of answers nothing."""

    def __init__(self, at_once: int = 1, waiting: int = 8) -> None:
        self._queue = RenderQueue(at_once, waiting, AGAIN, "Very many copies are asked for just now.")
        self._blank: OrderedDict[tuple[Reader, str, str], Encoded] = OrderedDict()

    async def typeset(self, document: bytes) -> bytes:
        """The PDF of a `Document` as JSON. Raises Problem where too many wait or it cannot be made."""
        async with self._queue.turn():
            return await self._set(document)

    async def blank(self, reader: Reader, language: str, tongue: str) -> Encoded:
        """The blank questionnaire, made once per edition and languages. Raises Problem."""
        key = (reader, language, tongue)
        if key not in self._blank:
            async with self._queue.turn():
                if key not in self._blank:
                    document = compose_pdf.blank(compose.survey_in(reader.instrument, language, tongue))
                    self._blank[key] = Encoded.of(await self._set(document), PDF)
                    while len(self._blank) > MOST:
                        self._blank.popitem(last=False)
        self._blank.move_to_end(key)
        return self._blank[key]

    async def _set(self, document: bytes) -> bytes:
        try:
            return await typeset(document)
        except NotTypeset:
            log.warning("a PDF could not be made", extra={"bytes": len(document)})
            raise Problem("unavailable", "The PDF cannot be made just now. The page has the same text.", retry_after=AGAIN) from None
