"""Checks whether the journal is the one that the store was recorded from.

The last sequence, or the time at which the stream was created, are no proof: after a restore intake may write to an older copy, which soon
ends above the store's position, with other events under the same sequences.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from nats.js.errors import NotFoundError

from services.analysis.ingest.journal import JournalConsumer
from services.analysis.records import JournalClaim

ASKED = 3
"""Checks until a mismatch is believed: after a cluster heals, a server that lags may answer."""
BETWEEN = 2.0
"""Seconds between two checks."""


class JournalMismatch(Exception):
    """The journal and the store do not belong together; the message says why."""


class ClaimSource(Protocol):
    async def claim(self) -> JournalClaim: ...


async def confirm(store: ClaimSource, journal: JournalConsumer) -> None:
    """Raises JournalMismatch, or one of `Unavailable`."""
    for asked in range(1, ASKED + 1):
        doubt = await doubt_about(await store.claim(), journal)
        if doubt is None:
            return
        if asked == ASKED:
            raise JournalMismatch(doubt)
        await asyncio.sleep(BETWEEN)


async def doubt_about(claim: JournalClaim, journal: JournalConsumer) -> str | None:
    """Returns why the two do not belong together, in English; None where no check fails."""
    if not claim.settled:
        return "Mending the journal and the store was begun and is not finished."
    try:
        id, last = await journal.standing()
    except NotFoundError:
        return "The journal is gone: its stream does not exist."
    if claim.journal is not None and id != claim.journal:
        return "The journal is another one than the store has recorded."
    if last < claim.highest:
        return f"The journal ends at {last}, but the store holds events up to {claim.highest}."
    is_known = await asyncio.gather(*(journal.knows(id, seq) for seq, id in claim.known))
    if wrong := [seq for (seq, _), known in zip(claim.known, is_known, strict=True) if not known]:
        return f"The journal does not hold the event {max(wrong)} that the store has recorded."
    return None
