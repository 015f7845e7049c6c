"""Watch: ends what takes too long, by one timer for all that is going on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

Done = TypeVar("Done")
# How often it looks, as a part of what it allows.
LOOKS = 10


class Watch:
    """As `asyncio.timeout`, up to a tenth of the time later: a timer for each statement takes as long as much
    of the way to the database."""

    def __init__(self, seconds: float | None) -> None:
        """None: whatever it takes."""
        self._seconds = seconds
        # What each task began, and when.
        self._since: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._looking = False

    async def over(self, act: Awaitable[Done]) -> Done:
        """What comes of it; a task does one such thing at a time. Raises `TimeoutError`."""
        task = asyncio.current_task()
        if self._seconds is None or task is None:
            return await act
        before = task.cancelling()
        self._since[task] = time.monotonic()
        if not self._looking:
            self._look_later(self._seconds)
        try:
            return await act
        except asyncio.CancelledError:
            # Whoever else wants it to be cancelled has it cancelled.
            if self._taken_back(task) and task.cancelling() <= before:
                raise TimeoutError from None
            raise
        finally:
            self._since.pop(task, None)
            self._taken_back(task)

    def _taken_back(self, task: asyncio.Task[object]) -> bool:
        """Whether it was told to end, which is no longer so."""
        if task not in self._ended:
            return False
        self._ended.discard(task)
        task.uncancel()
        return True

    def _look_later(self, seconds: float) -> None:
        self._looking = True
        asyncio.get_running_loop().call_later(seconds / LOOKS, self._look, seconds)

    def _look(self, seconds: float) -> None:
        self._looking = False
        latest = time.monotonic() - seconds
        for task in [task for task, since in self._since.items() if since < latest]:
            del self._since[task]
            self._ended.add(task)
            task.cancel()
        if self._since:
            self._look_later(seconds)
