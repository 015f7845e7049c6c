"""Request: what came in, as the pipeline looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope

from app.caller import ANONYMOUS, Caller
from app.problems import Problem
from app.protocol.front_door import Hosts, can_be_a_path, check_framing, check_host, check_size
from app.protocol.quotas import Standing
from app.protocol.trace import trace_id
from app.representation.forms import SUFFIXES

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What a server puts under `extensions` of a scope that stands for what it could not read.
REFUSAL = "registry.refusal"
# The suffix that was taken from the path, which names a form.
SUFFIX = "registry.suffix"
# What has not been read would be taken for the next request.
_CLOSE = [("Connection", "close")]


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The client went away before all of its content had come."""


@dataclass
class Request:
    """`receive` gives the content; `lines` are the values of all lines of a field.

    `route` is the path's pattern; `caller` becomes known on the way, and so do the local name of the
    `operation` and the caller's `standing`, where there is a limit.
    """

    scope: Scope
    receive: Receive
    id: str
    route: str | None = None
    caller: Caller = ANONYMOUS
    standing: Standing | None = None
    operation: str | None = None
    path: str = field(init=False)
    method: str = field(init=False)
    is_head: bool = field(init=False)

    def __post_init__(self) -> None:
        """HEAD is a GET whose content stays behind (RFC 9110 section 9.3.2)."""
        self.path = self.scope["path"]
        self.is_head = self.scope["method"] == "HEAD"
        self.method = "GET" if self.is_head else self.scope["method"]
        # Looked into for ten fields or so: read once.
        self._lines: dict[str, list[str]] = {}
        for name, value in self.scope["headers"]:
            self._lines.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))

    @property
    def refusal(self) -> Problem | None:
        """Why the server could not read it as HTTP."""
        refusal: Problem | None = self.scope.get("extensions", {}).get(REFUSAL)
        return refusal

    @property
    def form(self) -> str | None:
        """The only form that the address has, where it ends with the suffix of one."""
        return SUFFIXES.get(self.scope.get(SUFFIX, ""))

    @property
    def address(self) -> str:
        """The path that was asked, with the suffix."""
        suffix: str = self.scope.get(SUFFIX, "")
        return self.path + suffix

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop."""
        return bool(self.scope.get("state", {}).get("draining"))

    @property
    def trace(self) -> str | None:
        sent = self.lines("traceparent")
        return trace_id(sent) if sent else None

    def lines(self, name: str) -> Sequence[str]:
        """`name` in lower case, as ASGI has it."""
        return self._lines.get(name, ())

    def check_head(self, hosts: Hosts, *, any_host: bool) -> None:
        """Raises 414, 431, 400 and 421."""
        scope, lines = self.scope, self.scope["headers"]
        query = scope["query_string"]
        check_size(len(self._raw_path) + (len(query) + 1 if query else 0), lines)
        version = scope.get("http_version", "")
        check_framing(version, lines)
        check_host(lines, hosts, needed=version == "1.1", any_host=any_host)

    async def content(self, most: int, seconds: float) -> bytes:
        """Whole. Raises 413 for more than `most` octets, 408 where it takes longer than `seconds`, and what
        the server finds wrong on the way."""
        announced = next(iter(self.lines("content-length")), "0").lstrip("0")
        # Only what is short enough is made a number: others may have thousands of digits.
        if len(announced) > 15 or (announced.isdecimal() and int(announced) > most):
            raise _too_large(most)
        content = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for part in self._parts():
                    content += part
                    if len(content) > most:
                        raise _too_large(most)
        except TimeoutError:
            detail = f"Send the content within {seconds} seconds."
            raise Problem("request-timeout", detail, headers=_CLOSE) from None
        return bytes(content)

    async def _parts(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message: Message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            if self.refusal is not None:
                raise self.refusal
            yield message.get("body", b"")
            more = message.get("more_body", False)

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
