"""The server's half of the key of every draft: one random number for each survey, erased together with the answers to it.

*Claim.* Once it is erased nobody opens a draft of that survey any more, whether they hold its code, its link or an older copy of the
stream of drafts. *Argument* and what it assumes: `services.intake.drafts.drafts`. *Does not protect* against somebody who copied this
stream before, too, and has the code.
"""

from __future__ import annotations

import contextlib
import secrets

from proto import subjects
from services.intake.streams.cas_store import Overtaken, Wholes

SIZE = 32
"""Bytes."""


class Seals:
    def __init__(self, wholes: Wholes) -> None:
        self._wholes = wholes
        self._known: dict[str, bytes] = {}

    async def half(self, survey: str) -> bytes | None:
        """None where nothing was saved for later yet, or it is erased. Raises OutOfReach."""
        known = self._known.get(survey) or (await self._wholes.read(subjects.seal(survey))).data
        return self._known.setdefault(survey, known) if known else None

    async def made(self, survey: str) -> bytes:
        """The same, made now where there is none; where two intakes make one, the first counts. Raises OutOfReach."""
        while (known := await self.half(survey)) is None:
            with contextlib.suppress(Overtaken):
                await self._wholes.write(subjects.seal(survey), secrets.token_bytes(SIZE), 0)
        return known

    async def erase(self, survey: str) -> None:
        """Raises OutOfReach."""
        self._known.pop(survey, None)
        await self._wholes.erase(subjects.seal(survey))
