"""Watch: ends what takes too long, by one timer for all that is going on."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

# How often it looks, as a part of what it allows.
LOOKS = 10


class Watch:
    """As `asyncio.timeout`, up to a tenth of the time later, a context for what one task waits for at a time:
    a timer for each statement takes as long as much of the way to the database. Raises `TimeoutError`."""

    def __init__(self, seconds: float | None) -> None:
        """None: whatever it takes."""
        self._seconds = seconds
        # When each task began something, and how often it had been told to end before.
        self._since: dict[asyncio.Task[object], tuple[float, int]] = {}
        # As often what has been told to end from here.
        self._ended: dict[asyncio.Task[object], int] = {}
        self._looking = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if self._seconds is None or task is None:
            return
        self._since[task] = time.monotonic(), task.cancelling()
        if not self._looking:
            self._look_later(self._seconds)

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        if self._seconds is None or task is None:
            return
        self._since.pop(task, None)
        before = self._ended.pop(task, None)
        if before is None:
            return
        task.uncancel()
        # Whoever else wants it to be cancelled has it cancelled.
        if isinstance(error, asyncio.CancelledError) and task.cancelling() <= before:
            raise TimeoutError from None

    def _look_later(self, seconds: float) -> None:
        self._looking = True
        asyncio.get_running_loop().call_later(seconds / LOOKS, self._look, seconds)

    def _look(self, seconds: float) -> None:
        self._looking = False
        latest = time.monotonic() - seconds
        for task in [task for task, (since, _) in self._since.items() if since < latest]:
            self._ended[task] = self._since.pop(task)[1]
            task.cancel()
        if self._since:
            self._look_later(seconds)
