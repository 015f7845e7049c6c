"""Caches as RFC 9111 has them, of a library that knows nothing of the service: a shared one, or one each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from hishel import AsyncSqliteStorage, CacheOptions
from hishel.httpx import AsyncCacheTransport
from starlette.types import Message, Receive, Scope, Send

from tests.service import BASE, CALLERS, Service


@dataclass
class Origin:
    """The service; `sent` are the status and the octets of content of each of its answers."""

    service: Service
    sent: list[tuple[int, int]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = octets = 0

        async def noted(message: Message) -> None:
            nonlocal status, octets
            status = message.get("status", status)
            octets += len(message.get("body", b""))
            await send(message)

        await self.service.app(scope, receive, noted)
        self.sent.append((status, octets))


@dataclass
class Caches:
    """One for all callers, or one for each of them, as browsers have."""

    origin: Origin
    folder: Path
    shared: bool
    transports: dict[str, AsyncCacheTransport] = field(default_factory=dict)

    def as_(self, caller: str) -> httpx.AsyncClient:
        """By the names of `CALLERS`."""
        whose = "all" if self.shared else caller
        if whose not in self.transports:
            storage = AsyncSqliteStorage(database_path=str(self.folder / f"cache of {whose}"))
            options = CacheOptions(shared=self.shared)
            self.transports[whose] = AsyncCacheTransport(httpx.ASGITransport(self.origin), storage, options)
        subject, scopes = CALLERS[caller]
        token = self.origin.service.token(subject, *scopes) if subject else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=self.transports[whose], base_url=BASE, headers=headers)


@asynccontextmanager
async def caches(service: Service, folder: Path, *, shared: bool) -> AsyncIterator[Caches]:
    between = Caches(Origin(service), folder, shared)
    try:
        yield between
    finally:
        for transport in between.transports.values():
            await transport.aclose()


def stored(answer: httpx.Response) -> bool:
    """Whether a later answer may be made of it."""
    status = answer.extensions["caching"]
    return bool(status["stored"])


def reused(answer: httpx.Response) -> bool:
    """Whether it was stored, and the service not asked whether it is still so."""
    status = answer.extensions["caching"]
    return bool(status["from_cache"] and not status["revalidated"])
