"""Databases with the same world in each."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from tests.postgres_server import PostgresServer


class Databases(Protocol):
    """A template, in which the world is made, and copies of it."""

    template: str

    def copy(self) -> AbstractAsyncContextManager[str]:
        """The address of one."""
        ...


class Files:
    """On SQLite."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.sqlite3"
        self.template = f"sqlite://{self._file}"

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        with tempfile.TemporaryDirectory(dir=self._file.parent) as folder:
            yield f"sqlite://{shutil.copy(self._file, folder)}"


class OnServer:
    """On PostgreSQL."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._name = f"fuzz_{uuid4().hex}"
        server.administer(f"CREATE DATABASE {self._name}")
        self.template = server.url(self._name)

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        name, administer = f"{self._name}_copy", self._server.administer
        await asyncio.to_thread(self._server.copy, self._name, name)
        yield self._server.url(name)
        await asyncio.to_thread(administer, f"DROP DATABASE {name} WITH (FORCE)")
