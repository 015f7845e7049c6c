"""A way to a PostgreSQL server that can fall silent: connections stand, new ones are taken, nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Way:
    """By a port of this machine to the socket of a server, which is in a folder."""

    def __init__(self, folder: str) -> None:
        self._socket = f"{folder}/.s.PGSQL.5432"
        self._open = asyncio.Event()
        self._open.set()
        self._ways: set[asyncio.Task[None]] = set()

    def fall_silent(self) -> None:
        self._open.clear()

    def speak(self) -> None:
        self._open.set()

    async def lead(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """From one who has come, and back, until either of the two leaves."""
        task = asyncio.current_task()
        assert task is not None
        self._ways.add(task)
        try:
            await self._open.wait()
            server, to_server = await asyncio.open_unix_connection(self._socket)
            both = [
                asyncio.create_task(self._pass_on(client, to_server)),
                asyncio.create_task(self._pass_on(server, to_client)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.wait(both)
                to_server.close()
        finally:
            to_client.close()
            self._ways.discard(task)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while said := await source.read(65_536):
                await self._open.wait()
                target.write(said)
                await target.drain()

    async def end(self) -> None:
        """Once all who came have left, and have been followed."""
        self.speak()
        async with asyncio.timeout(10):
            while self._ways:
                await asyncio.wait(self._ways)


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[tuple[Way, str]]:
    """The way, and the address that leads by it to the database of another address, that of a socket."""
    parts = urlsplit(url)
    [folder] = parse_qs(parts.query)["host"]
    way = Way(folder)
    async with await asyncio.start_server(way.lead, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            yield way, f"postgres://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable"
        finally:
            await way.end()
