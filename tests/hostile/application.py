"""The application itself, asked without a server in between."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType
from urllib.parse import unquote

import httpx
from starlette.routing import Router
from starlette.types import Message, Scope

from tests.hostile.requests import Request

HANG_SECONDS = 5


async def asked(app: Router, request: Request) -> httpx.Response | None:
    """Its answer; None for who went away before. Raises what the service has logged as an error, and
    TimeoutError where there is no answer for long."""
    with _awake(), without_errors():
        async with asyncio.timeout(HANG_SECONDS):
            return await _answered(app, request)


class Errors(logging.Handler):
    """What the service wrote to its log as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@contextmanager
def without_errors() -> Iterator[None]:
    """Raises what the service has written to its log as an error meanwhile."""
    errors, logger = Errors(), logging.getLogger("app")
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
    for record in errors.found:
        raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


@contextmanager
def _awake() -> Iterator[None]:
    """What never gives the loop back would keep its own time limit from being noticed."""

    def hung(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"nothing else has run for {2 * HANG_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, 2 * HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def _answered(app: Router, request: Request) -> httpx.Response | None:
    """The answer of the application itself; None for who went away, if that was before there was one."""
    messages: list[Message] = []
    parts = _parts(request)

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(_scope(request), receive, send)
    if not messages:
        return None
    start, *bodies = messages
    assert not any(body.get("more_body") for body in bodies[-1:])
    return httpx.Response(
        start["status"], headers=start["headers"], content=b"".join(body["body"] for body in bodies)
    )


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.target.decode("ascii")),
        "raw_path": request.target,
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.fields),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
        "state": {},
    }


def _parts(request: Request) -> list[Message]:
    """The content in one piece or several; not all of it from who goes away."""
    random, content = Random(request.number), request.content
    cut = random.randrange(len(content)) if content and random.random() < 0.3 else 0
    pieces = [content[:cut], content[cut:]] if cut else [content]
    parts: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if not request.leaves:
        parts[-1] = {**parts[-1], "more_body": False}
    return parts
