"""Whether the journal is the one that the store's numbers belong to. Asked before a partition is read, and by what mends the two.

Neither the last number nor the time at which a stream was made tells: an older copy that intake went on writing to soon ends above the
store's position, with other events under the same numbers.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from nats.js.errors import NotFoundError

from services.analysis.ingest.journal import Journal
from services.analysis.records import JournalClaim

ASKED = 3
BETWEEN = 2.0
"""Seconds. A doubt is believed when it was there three times: right after a partition of a cluster heals, a server that lags may answer."""


class Apart(Exception):
    """The journal and the store do not belong together; the message says in what."""


class Claims(Protocol):
    async def claim(self) -> JournalClaim: ...


async def confirm(store: Claims, journal: Journal) -> None:
    """Raises Apart, or what a server that is away raises."""
    for asked in range(1, ASKED + 1):
        doubt = await doubt_about(await store.claim(), journal)
        if doubt is None:
            return
        if asked == ASKED:
            raise Apart(doubt)
        await asyncio.sleep(BETWEEN)


async def doubt_about(claim: JournalClaim, journal: Journal) -> str | None:
    """Why the two do not belong together; None where nothing speaks against it."""
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
    found = await asyncio.gather(*(journal.knows(id, seq) for seq, id in claim.known))
    if wrong := [seq for (seq, _), known in zip(claim.known, found, strict=True) if not known]:
        return f"The journal does not hold the event {max(wrong)} that the store has recorded."
    return None
