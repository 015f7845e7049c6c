"""Request: what came in, as the pipeline looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope

from app.caller import ANONYMOUS, Caller
from app.problems import Problem
from app.protocol.front_door import can_be_a_path
from app.protocol.heads import Head, Heads
from app.protocol.quotas import Standing
from app.protocol.trace import trace_id
from app.representation.forms import SUFFIXES

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What a server puts under `extensions` of a scope that stands for what it could not read.
REFUSAL = "registry.refusal"
# The suffix that was taken from the path, which names a form.
SUFFIX = "registry.suffix"
# What a server puts into a scope whose content has come whole already.
WHOLE = "registry.whole"
# What has not been read would be taken for the next request.
_CLOSE = [("Connection", "close")]
# How much content that is not whole yet is kept of all requests together; who has sent little is never
# refused because of that.
MOST_COMING, LITTLE = 64 * 1_048_576, 65_536


class Coming:
    """How many octets have come of content that is not whole yet, of all requests."""

    octets = 0


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The client went away before all of its content had come."""


@dataclass(eq=False, slots=True)
class Request:
    """`receive` gives the content; `lines` are the values of all lines of a field. `form` is the only one
    that the address has, where it ends with the suffix of one; `address` is the path with it.

    `route` is the path's pattern; `caller` becomes known on the way, and so do the local name of the
    `operation` and the caller's `standing`, where there is a limit, and whether a `page` is wanted.
    """

    scope: Scope
    head: Head
    receive: Receive
    id: str
    route: str | None = None
    caller: Caller = ANONYMOUS
    standing: Standing | None = None
    operation: str | None = None
    page: bool = False
    form: str | None = field(init=False)
    address: str = field(init=False)
    path: str = field(init=False)
    method: str = field(init=False)
    is_head: bool = field(init=False)

    def __post_init__(self) -> None:
        """HEAD is a GET whose content stays behind (RFC 9110 section 9.3.2)."""
        self.path = self.scope["path"]
        self.is_head = self.scope["method"] == "HEAD"
        self.method = "GET" if self.is_head else self.scope["method"]
        suffix = self.scope.get(SUFFIX)
        self.form = SUFFIXES[suffix] if suffix else None
        self.address = self.path + suffix if suffix else self.path

    @property
    def refusal(self) -> Problem | None:
        """Why the server could not read it as HTTP."""
        extensions = self.scope.get("extensions")
        return extensions.get(REFUSAL) if extensions else None

    @property
    def is_whole(self) -> bool:
        """Whether its content is known to have come already."""
        return bool(self.scope.get(WHOLE))

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop."""
        return bool(self.scope.get("state", {}).get("draining"))

    @property
    def trace(self) -> str | None:
        return trace_id(self.lines("traceparent")) if b"traceparent" in self.head.lines else None

    @property
    def plain(self) -> Hashable | None:
        """All that decides about a read of what anybody may have; None where more does."""
        if not self.head.plain or self.method != "GET" or self.scope["query_string"]:
            return None
        return self._raw_path, self.head.said

    def lines(self, name: str) -> Sequence[str]:
        """`name` in lower case, as ASGI has it."""
        return self.head.told(name)

    def check_head(self, heads: Heads, *, any_host: bool) -> None:
        """Raises 414, 431, 400 and 421."""
        query = self.scope["query_string"]
        target = len(self._raw_path) + (len(query) + 1 if query else 0)
        version = self.scope.get("http_version", "")
        heads.check(self.head, target, version, any_host=any_host)

    async def content(self, most: int, seconds: float, coming: Coming) -> bytes:
        """Whole. Raises 413 for more than `most` octets, 408 where it takes longer than `seconds`, 503 where
        much is `coming` already, and what the server finds wrong on the way."""
        announced = next(iter(self.lines("content-length")), "0").lstrip("0")
        # Only what is short enough is made a number: others may have thousands of digits.
        if len(announced) > 15 or (announced.isdecimal() and int(announced) > most):
            raise _too_large(most)
        if self.is_whole:
            # Nothing is waited for, and so nothing has to be timed.
            return await self._collected(most, coming)
        try:
            async with asyncio.timeout(seconds):
                return await self._collected(most, coming)
        except TimeoutError:
            detail = f"Send the content within {seconds} seconds."
            raise Problem("request-timeout", detail, headers=_CLOSE) from None

    async def _collected(self, most: int, coming: Coming) -> bytes:
        content, more = bytearray(), True
        try:
            while more:
                message: Message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                if self.refusal is not None:
                    raise self.refusal
                piece = message.get("body", b"")
                content += piece
                coming.octets += len(piece)
                if len(content) > most:
                    raise _too_large(most)
                more = message.get("more_body", False)
                if more and len(content) > LITTLE and coming.octets > MOST_COMING:
                    detail = "Too much content is on its way at the moment; send it again."
                    raise Problem("unavailable", detail, headers=[("Retry-After", "1"), *_CLOSE])
        finally:
            coming.octets -= len(content)
        return bytes(content)

    def can_be(self) -> bool:
        """Whether anything could be at the path at all."""
        return can_be_a_path(self._raw_path)

    @property
    def _raw_path(self) -> bytes:
        """As it was sent; a server that does not say so has read it already."""
        raw: bytes | None = self.scope.get("raw_path")
        return self.path.encode("utf-8", "surrogateescape") if raw is None else raw


def _too_large(most: int) -> Problem:
    return Problem("content-too-large", f"Send at most {most} octets.", headers=_CLOSE)


def not_implemented() -> Problem:
    return Problem("not-implemented", f"Use one of {', '.join(METHODS)}.")
