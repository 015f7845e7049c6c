"""Answers that leave together: what costs most of a short one is that its client is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

# So many answers wait for each other at most.
TOGETHER = 8

Parts = Sequence[bytes | bytearray | memoryview]


class Sender(Protocol):
    """A connection."""

    def send(self, parts: Parts) -> None: ...


class Outbox:
    """What the connections of one loop have to send. Where many are answered in one turn of it, the client,
    or the proxy that they all came through, sleeps until the first answer: sent by itself, each would wake
    it anew, and on the same machine let it take the processor meanwhile."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Sender, Parts]] = []

    def put(self, sender: Sender, parts: Parts, loop: asyncio.AbstractEventLoop, *, more: bool) -> None:
        """At once, with all that waits, unless `more` is about to be answered; then in the next turn at the
        latest."""
        if not more or len(self._waiting) + 1 >= TOGETHER:
            self.empty()
            sender.send(parts)
            return
        if not self._waiting:
            loop.call_soon(self.empty)
        self._waiting.append((sender, parts))

    def empty(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for sender, parts in waiting:
                sender.send(parts)
