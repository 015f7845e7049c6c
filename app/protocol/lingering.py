"""Connections that end so that their clients hear the last answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from app.protocol.outbox import Outbox, Parts

# How long a client may take to notice the end, and to take some of what is sent to it.
LINGER_SECONDS, STALLED_SECONDS = 2, 30
# Octets of what is sent behind its head, and not in one piece with it.
LONG = 65_536


class Lingering(asyncio.Transport):
    """A connection that ends as RFC 9112 section 9.6 asks: closed at once, it would be reset by what the
    client still sends, and the last answer be lost. So it says that it ends, and waits for the client."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, outbox: Outbox) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._outbox = outbox
        self._ending = self._lost = self._heard_end = False
        self._timer: asyncio.TimerHandle | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._ending or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Of several requests that were sent at once Uvicorn knows only of the last that nobody waits for the
        answer."""
        self.writelines([data])

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self._outbox.put(self, [*parts], self._loop, more=False)

    def answer(self, parts: Parts, *, more: bool) -> None:
        """`more` is whether others are about to be answered, whose answers it may leave with."""
        self._outbox.put(self, parts, self._loop, more=more)

    def send(self, parts: Parts) -> None:
        """What has waited; nothing behind the end, which is told after what has waited until then."""
        if not self.is_closing():
            # In one piece the vocabulary took longer than is promised (docs/performance.md).
            if len(parts[-1]) < LONG:
                self._transport.writelines(parts)
            else:
                for part in parts:
                    self._transport.write(part)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        if self.is_closing():
            return
        self._outbox.empty()
        self._ending = True
        if self._heard_end:
            self._transport.close()
        else:
            self._transport.write_eof()
            self._transport.resume_reading()
        self._watch(STALLED_SECONDS if self._transport.get_write_buffer_size() else LINGER_SECONDS)

    def hear_end(self) -> None:
        """The client sends nothing more, so nothing that could reset the connection."""
        self._heard_end = True

    def close_at_once(self) -> None:
        """For a client that was not answered anything just now."""
        self._outbox.empty()
        if not self.is_closing():
            self._transport.close()

    def lose(self) -> None:
        """Nobody is there any more."""
        self._ending = self._lost = True
        self.look_away()

    def watch(self) -> None:
        """Ends the connection of a client that takes nothing of what is sent to it for long."""
        self._watch(STALLED_SECONDS)

    def _watch(self, seconds: float) -> None:
        self.look_away()
        left = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(seconds, self._look, left)

    def look_away(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, left: int) -> None:
        if 0 < self._transport.get_write_buffer_size() < left:
            self.watch()
        else:
            self._transport.abort()
