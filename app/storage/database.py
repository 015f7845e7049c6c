"""The database: where it is, how to reach it, and the two ways to speak to it.

A `Database` belongs to an application, not to a task; several may be open in one process.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Hashable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor import AsyncpgSchemaEditor, SqliteSchemaEditor
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.transactions import in_transaction

from app.storage import migrations, postgres, postgres_failures, sqlite
from app.storage.activities import write_activities
from app.storage.attempts import Attempt
from app.storage.failures import UniqueViolation, unavailable
from app.storage.replica import Replica
from app.storage.session import Dialect, Session, insert, update
from app.storage.tables import APP_LABEL

__all__ = ["Database", "Dialect", "Session", "UniqueViolation", "insert", "update"]

# What has been applied stands in a table of Tortoise's, which a new database does not have yet.
RECORD = "tortoise_migrations"
HAS_RECORD = {
    "sqlite": f"SELECT count(*) AS found FROM sqlite_master WHERE name = '{RECORD}'",
    "postgres": f"SELECT count(to_regclass('{RECORD}')) AS found",
}
# Any number that nobody else locks by; this one spells the service's name.
MIGRATIONS_LOCK = int.from_bytes(b"registry")


class Database:
    """`sqlite://./data/registry.sqlite3`, `sqlite:///abs/path` or `postgres://user:password@host/name`.

    Parameters of a SQLite address are pragmas; those of a PostgreSQL address are the server's, libpq's, and
    the ones that `app.storage.postgres_address` knows. Raises `ValueError` for any other address.

    A PostgreSQL may have a replica that is read. On one, statements are cut off that take too long, for
    requests wait for them; unless it is opened by who is not `hurried`.
    """

    def __init__(self, url: str, replica_url: str | None = None, *, hurried: bool = True) -> None:
        self.dialect: Dialect
        self.dialect, self._credentials = _read_address(url)
        self._replica_url = replica_url
        self._hurried = hurried
        self._client: sqlite.Client | postgres.Client | None = None
        self.cursor_key = b""
        self._replica: Replica | None = None
        self._reading: Session | None = None

    async def open(self) -> None:
        """Connect. Raises `Problem("unavailable")` where there is no database; creates none."""
        if self._is_missing():
            file_path = self._credentials["file_path"]
            raise unavailable(f"There is no database at {file_path}; migrating makes it.")
        if self._client is None:
            client = await self._connected()
            self._replica = await self._replica_of(client)
            self._client = client
            self._reading = Session(self.dialect, self._replica or client)

    async def close(self) -> None:
        self._reading = None
        replica, self._replica = self._replica, None
        client, self._client = self._client, None
        try:
            if replica is not None:
                await replica.close()
        finally:
            if client is not None:
                await client.close()

    async def check_there(self) -> None:
        """Raises `Problem("unavailable")` where it does not answer, or would not keep what is written."""
        await self.reading().rows("SELECT 1 AS found")
        if isinstance(self._client, sqlite.Client):
            self._client.check_there()

    def reading(self) -> Session:
        """Every statement on its own; it waits for no writer."""
        if self._reading is None:
            raise unavailable()
        return self._reading

    @property
    def tells_moments(self) -> bool:
        """Whether it can tell that nothing was written sooner than it tells what there is."""
        return self.dialect == "sqlite"

    def moment(self) -> Hashable | None:
        """The same as when it was asked before, if nothing was committed since, by whichever process: what is
        read afterwards is at least as new. None where it cannot be told."""
        return self._client.moment() if isinstance(self._client, sqlite.Client) else None

    def transaction(self, *, single: bool = False) -> Writing:
        """All statements, with the activities that they are noted as, or, if anything is raised, none.
        `single` is one that makes a single change.

        On SQLite one writer at a time, from the start.
        """
        if self._client is None:
            raise unavailable()
        return Writing(self.dialect, self._client, single=single)

    def attempt(self) -> Attempt | None:
        """A single change without a transaction; None where that would save nothing, and behind a pooler, for
        which limits are set within one."""
        if isinstance(self._client, postgres.Client) and not self._client.pooled:
            return Attempt(self.dialect, self._client, single=True)
        return None

    @property
    def connections(self) -> tuple[int, int]:
        """How many there are, and how many of them are at work."""
        there = [client.connections for client in (self._client, self._replica) if client is not None]
        return sum(n for n, _ in there), sum(n for _, n in there)

    async def leave_nothing_beside(self) -> None:
        """SQLite's log, in which pages stand as they were, is emptied, if no reader needs it just now."""
        if self.dialect == "sqlite":
            await self.reading().rows("PRAGMA wal_checkpoint(TRUNCATE)")

    async def clock(self) -> datetime | None:
        """What time it is for a PostgreSQL server; SQLite has no clock of its own."""
        if self.dialect == "sqlite":
            return None
        [row] = await self.reading().rows("SELECT now() AS at")
        return datetime.fromisoformat(str(row["at"]))

    @property
    def file(self) -> Path | None:
        """Of a SQLite database."""
        return Path(self._credentials["file_path"]) if self.dialect == "sqlite" else None

    async def pending_migrations(self) -> list[str]:
        """What `migrate` would apply, in order; needs no open database and creates nothing."""
        applied = await self._applied()
        names = sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))
        return [name for name in names if name not in applied]

    async def check_migrated(self) -> None:
        """Raises `Problem("unavailable")`, which names the command that helps."""
        pending = await self.pending_migrations()
        if pending:
            behind = f"The database is behind ({', '.join(pending)}); run `instance-registry migrate` first."
            raise unavailable(behind)

    async def read_cursor_key(self) -> None:
        """What cursors are sealed with: the same for all processes that use this database."""
        sql = "SELECT value FROM secret WHERE name = 'cursors'"
        [row] = await self.reading().rows(sql)
        self.cursor_key = bytes.fromhex(row["value"])

    async def migrate(self) -> list[str]:
        """Apply what is pending, all of it or nothing, and answer its names; others who migrate wait.

        Makes the file of a SQLite database, and its folder: an `OSError` says why it cannot.
        """
        if self.dialect == "sqlite":
            _create_file(self._credentials["file_path"])
        app = {
            "models": ["app.storage.tables"],
            "default_connection": self.dialect,
            "migrations": migrations.__name__,
        }
        engine = {"engine": f"app.storage.{self.dialect}", "credentials": self._migrating_credentials()}
        with TortoiseContext() as context:
            await context.init(
                {"connections": {self.dialect: engine}, "apps": {APP_LABEL: app}}, init_connections=False
            )
            client: Any = context.connections.get(self.dialect)
            try:
                await client.open()
                async with in_transaction(self.dialect) as transaction:
                    return await _apply(transaction, MigrationExecutor(transaction, {APP_LABEL: app}))
            except OperationalError as failure:
                cause = failure.__cause__
                meaning = postgres_failures.translation(cause) if isinstance(cause, Exception) else None
                raise meaning or failure from cause
            finally:
                await client.close()

    def _migrating_credentials(self) -> dict[str, Any]:
        """SQLite rebuilds tables: with foreign keys on, dropping the old one deletes what refers to it.

        On PostgreSQL who migrates waits for others, and for the building of an index.
        """
        return self._credentials | (
            {"foreign_keys": "OFF"} if self.dialect == "sqlite" else {"hurried": False}
        )

    async def _connected(self) -> sqlite.Client | postgres.Client:
        client: sqlite.Client | postgres.Client
        if self.dialect == "sqlite":
            client = sqlite.Client(connection_name=self.dialect, **self._credentials)
        else:
            client = postgres.Client(connection_name=self.dialect, hurried=self._hurried, **self._credentials)
        try:
            await client.open()
        except BaseException:
            await client.close()
            raise
        return client

    async def _replica_of(self, primary: sqlite.Client | postgres.Client) -> Replica | None:
        if self._replica_url is None or isinstance(primary, sqlite.Client):
            return None
        try:
            replica = Replica(primary, self._replica_url)
            await replica.open()
        except BaseException:
            await primary.close()
            raise
        return replica

    async def _applied(self) -> set[str]:
        if self._is_missing():
            return set()
        already_open = self._client
        client = already_open or await self._connected()
        try:
            session = Session(self.dialect, client)
            [record] = await session.rows(HAS_RECORD[self.dialect])
            if not record["found"]:
                return set()
            query = f"SELECT name FROM {RECORD} WHERE app = $1"
            return {row["name"] for row in await session.rows(query, [APP_LABEL])}
        finally:
            if already_open is None:
                await client.close()

    def _is_missing(self) -> bool:
        return self.dialect == "sqlite" and not Path(self._credentials["file_path"]).exists()


class Writing:
    """A transaction, which it begins and ends as a context."""

    __slots__ = ("_client", "_dialect", "_session", "_single", "_transaction")

    def __init__(self, dialect: Dialect, client: sqlite.Client | postgres.Client, *, single: bool) -> None:
        self._dialect = dialect
        self._client = client
        self._single = single

    async def __aenter__(self) -> Session:
        self._transaction = self._client.transaction()
        connection = await self._transaction.__aenter__()
        self._session = Session(self._dialect, self._client, connection, single=self._single)
        return self._session

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                await write_activities(self._session, self._session.notes)
            except BaseException as failure:
                await self._transaction.__aexit__(type(failure), failure, failure.__traceback__)
                raise
        await self._transaction.__aexit__(type_, error, trace)


async def _apply(client: BaseDBAsyncClient, executor: MigrationExecutor) -> list[str]:
    """Run within one transaction: Tortoise's own transactions become savepoints of it."""
    if client.capabilities.dialect == "postgres":
        # Who has waited for the lock looks at what was done meanwhile, whatever the server's default is.
        await client.execute_query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        await client.execute_query("SELECT pg_advisory_xact_lock($1)", [MIGRATIONS_LOCK])
        editor: BaseSchemaEditor = AsyncpgSchemaEditor(client, atomic=False)
    else:
        editor = SqliteSchemaEditor(client, atomic=False)
    _, [record] = await client.execute_query(HAS_RECORD[client.capabilities.dialect])
    if record["found"]:
        await client.execute_query(f"SELECT name FROM {RECORD} LIMIT 1")  # Tortoise passes over a refusal
    else:
        await MigrationRecorder(client).ensure_schema(editor)
    targets = [MigrationTarget(APP_LABEL, "__latest__")]
    names = [step.migration.name for step in await executor.plan(targets)]
    if not names:
        return []  # even so it would make sure of its own table, which only who owns that may
    await executor.migrate(targets)
    if client.capabilities.dialect == "sqlite":
        await _check_references(client, names)
    return names


async def _check_references(client: BaseDBAsyncClient, names: list[str]) -> None:
    if await client.execute_query_dict("PRAGMA foreign_key_check"):
        raise RuntimeError(f"{', '.join(names)} would leave rows that refer to nothing; nothing was changed")


def _read_address(url: str) -> tuple[Dialect, dict[str, Any]]:
    """The dialect, and what its `Client` is made with."""
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return "postgres", {"dsn": url}
    file_path = parts.netloc + parts.path
    if parts.scheme == "sqlite" and file_path and file_path != ":memory:":
        return "sqlite", {"file_path": file_path, **dict(parse_qsl(parts.query))}
    given = f"{parts.scheme}://" if parts.scheme else "something else"
    raise ValueError(f"The database must be sqlite:// with the path of a file, or postgres://; not {given}.")


def _create_file(file_path: str) -> None:
    """For its owner only, as SQLite's other files will be after it."""
    path = Path(file_path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
