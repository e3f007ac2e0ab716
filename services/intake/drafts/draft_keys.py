"""The server's half of the key of every draft: one random number per survey, erased together with the answers to it.

*Claim.* Once it is erased nobody can open a draft of that survey any more, even with its code, its link or an older copy of the stream of
drafts. *Argument* and *assumptions*: `services.intake.drafts.drafts`. *Does not protect* against somebody who copied this stream before,
too, and has the code.
"""

from __future__ import annotations

import contextlib
import secrets

from proto import subjects
from services.intake.streams.cas_store import CasStore, Overtaken

SIZE = 32
"""Bytes."""


class DraftKeys:
    """Keys that were read stay in memory until they are erased."""

    def __init__(self, store: CasStore) -> None:
        self._store = store
        self._keys: dict[str, bytes] = {}

    async def get(self, survey: str) -> bytes | None:
        """The server's half (32 bytes). None where no draft was saved yet, or the key is erased. Raises StreamOutOfReach."""
        key = self._keys.get(survey) or (await self._store.read(subjects.seal(survey))).data
        return self._keys.setdefault(survey, key) if key else None

    async def get_or_create(self, survey: str) -> bytes:
        """The same, created where there is none. Where two processes create one, the first counts. Raises StreamOutOfReach."""
        while (key := await self.get(survey)) is None:
            with contextlib.suppress(Overtaken):
                await self._store.write(subjects.seal(survey), secrets.token_bytes(SIZE), 0)
        return key

    async def erase(self, survey: str) -> None:
        """Raises StreamOutOfReach; then the next call erases it."""
        self._keys.pop(survey, None)
        await self._store.erase(subjects.seal(survey))
