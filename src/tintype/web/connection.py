"""Connections that ask nothing, or do not take their answer, do not keep others out: they are few for each address,
and closed after a while."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tintype.web.guard import address_of

MOST = 300  # of one address at once; a browser has at most six, and a laboratory may share one address
PATIENCE = 10.0  # seconds in which a whole request must come
TAKING = 60.0  # seconds in which a client must take what lies ready for it, some 100 kB


class Connection(H11Protocol):
    """uvicorn's connection, which by itself waits for a request without end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = address_of(self.client)
        if sum(getattr(other, "address", None) == self.address for other in self.connections) > MOST:
            transport.abort()
        self._await_request(None)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.taking = self.loop.call_later(TAKING, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.taking.cancel()

    def on_response_complete(self) -> None:
        answered = self.cycle
        super().on_response_complete()
        self._await_request(answered)

    def _await_request(self, last: Any) -> None:
        self.loop.call_later(PATIENCE, self._give_up, last)

    def _give_up(self, last: Any) -> None:
        if self.cycle is last:  # no request came since
            self.transport.abort()
