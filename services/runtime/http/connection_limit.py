"""Places for connections that stay open: so many for one address, so many in all, counted in this process's memory only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from litestar.types import ASGIApp, Receive, Scope, Send

from proto.problem import Problem
from services.runtime.http.client_address import Network, visitor
from services.runtime.http.problems import send_problem

EACH, ALL = 256, 6000
"""A city hall that watches from every desk has one address. In all fewer than the server takes connections (`web.CONNECTIONS`):
pages and figures are always served."""
AGAIN = 30
"""Seconds after which whoever got no place may try again."""


class Seats:
    """A proxy of ours that does not say for whom it asks has as many places as there are: it counts its visitors itself."""

    def __init__(self, each: int = EACH, everybody: int = ALL, proxies: Sequence[Network] = ()) -> None:
        self._each, self._all, self._proxies = each, everybody, proxies
        self._by_address: Counter[str] = Counter()
        self.taken = 0
        self.refused = 0

    def take(self, scope: Scope) -> str | None:
        """Whose place was taken, to be given to `leave`. Raises Problem where there is none."""
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        client = scope["client"]
        address = visitor(client[0] if client else "", forwarded, self._proxies)
        if address is not None and self._by_address[address] >= self._each:
            self.refused += 1
            raise Problem(
                "too-many-requests", f"This address follows live figures {self._each} times already.", retry_after=AGAIN, close=True
            )
        if self.taken >= self._all:
            self.refused += 1
            raise Problem("unavailable", "All places for following live figures are taken.", retry_after=AGAIN, close=True)
        self.taken += 1
        if address is not None:
            self._by_address[address] += 1
        return address

    def seated(self, app: ASGIApp) -> ASGIApp:
        """The app, each of whose requests has a place for as long as it lasts, or is told that there is none."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                place = self.take(scope)
            except Problem as problem:
                await send_problem(send, problem)
                return
            try:
                await app(scope, receive, send)
            finally:
                self.leave(place)

        return answer

    def leave(self, address: str | None) -> None:
        self.taken -= 1
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
