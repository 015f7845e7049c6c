"""How a database comes to have its tables."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationTarget
from tortoise.migrations.operations import AlterModelOptions
from tortoise.migrations.recorder import MigrationRecorder

import app.storage.database
from app.problems import Problem
from app.storage.database import Database
from app.storage.partners import Identity, partner_of
from app.storage.tables import APP_LABEL
from tests.postgres_server import PostgresServer, execute
from tests.storage.opening import opened
from tests.storage.rows import NOW, add_instance, add_organization, add_partner
from tests.storage.test_attempts import blocked

pytestmark = pytest.mark.anyio

ALL = [
    "0001_tables",
    "0002_constraints",
    "0003_people",
    "0004_remembered_answers",
    "0005_secrets",
    "0006_growth",
    "0007_tallies",
    "0008_token_iat",
    "0009_whose_was_buried",
    "0010_sql_that_others_have",
]


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/data/registry.sqlite3"


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest) -> str:
    """The address of a database that has nothing in it; with SQLite, of a file that there is not."""
    return str(request.getfixturevalue(f"new_{request.param}_url"))


async def tables(database: Database) -> set[str]:
    await database.open()
    try:
        catalogue = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
            "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
        }
        return {row["name"] for row in await database.reading().rows(catalogue[database.dialect])}
    finally:
        await database.close()


async def test_a_new_database_is_wholly_behind_and_stays_untouched_by_the_question(new_url: str) -> None:
    database = Database(new_url)
    assert await database.pending_migrations() == ALL
    if database.dialect == "sqlite":
        assert not Path(new_url.removeprefix("sqlite://")).parent.exists()
    else:
        assert await tables(database) == set()


async def test_migrating_applies_what_is_pending_once(new_url: str) -> None:
    database = Database(new_url)
    assert await database.migrate() == ALL
    assert await database.pending_migrations() == []
    assert await database.migrate() == []


async def test_an_open_database_is_migrated_and_asked_too(database: Database) -> None:
    assert await database.pending_migrations() == []
    assert await database.migrate() == []
    async with database.transaction() as session:
        await add_organization(session)


async def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    file = tmp_path / "data" / "registry.sqlite3"
    database = Database(f"sqlite://{file}")
    await database.migrate()
    await database.open()
    async with database.transaction() as session:
        await add_organization(session)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    await database.close()
    names = ("registry.sqlite3", "registry.sqlite3-wal", "registry.sqlite3-shm")
    assert modes == dict.fromkeys(names, 0o600)


async def test_closing_leaves_the_file_alone_in_its_folder(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    async with database.transaction() as session:
        await add_organization(session)
    await database.close()
    file = Path(sqlite_url.removeprefix("sqlite://"))
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_a_migration_that_fails_leaves_nothing(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_recorder: MigrationRecorder, _app: str, name: str) -> None:
        raise RuntimeError(f"{name} is not to be")

    database = Database(new_url)
    with monkeypatch.context() as patch:
        patch.setattr(MigrationRecorder, "record_applied", fail)
        with pytest.raises(RuntimeError, match="0001_tables is not to be"):
            await database.migrate()
    assert await tables(database) == set()
    assert await database.migrate() == ALL


@pytest.fixture
async def older_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite database from before 0003, which rebuilds a table."""
    url = f"sqlite://{tmp_path}/older.sqlite3"
    with monkeypatch.context() as patch:
        patch.setattr(app.storage.database, "MigrationTarget", lambda *_: MigrationTarget(APP_LABEL, ALL[1]))
        assert await Database(url).migrate() == ALL[:2]
    return url


def add_rows(url: str, organization: str) -> None:
    """A membership that has both a partner and an e-mail address, as there were, of an organization."""
    time = "'2026-01-01 00:00:00.000000+00:00'"
    with closing(sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)) as connection:
        connection.execute(f"INSERT INTO organization VALUES ('o', 'O', 'o', {time}, {time}, NULL, 1)")
        connection.execute(
            f"INSERT INTO partner VALUES ('p', 'i', 's', 'P', 'p@x', 'p@x', {time}, {time}, 1)"
        )
        connection.execute(
            "INSERT INTO membership"
            " (id, organization_id, partner_id, email, email_key, role, joined_at, version)"
            f" VALUES ('m', '{organization}', 'p', 'p@x', 'p@x', 'owner', {time}, 1)"
        )


async def test_a_migration_that_rebuilds_a_table_keeps_its_rows(older_url: str) -> None:
    add_rows(older_url, "o")
    database = Database(older_url)
    assert await database.migrate() == ALL[2:]
    await database.open()
    rows = await database.reading().rows("SELECT id, partner_id, email FROM membership")
    await database.close()
    assert rows == [{"id": "m", "partner_id": "p", "email": None}]


async def test_a_migration_that_leaves_a_reference_to_nothing_is_taken_back(older_url: str) -> None:
    add_rows(older_url, "nobody")
    database = Database(older_url)
    with pytest.raises(RuntimeError, match=f"{', '.join(ALL[2:])} would leave rows that refer to nothing"):
        await database.migrate()
    assert await database.pending_migrations() == ALL[2:]


async def test_instances_that_were_there_are_tallied(new_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(new_url)
    with monkeypatch.context() as patch:
        patch.setattr(app.storage.database, "MigrationTarget", lambda *_: MigrationTarget(APP_LABEL, ALL[5]))
        assert await database.migrate() == ALL[:6]
    await database.open()
    async with database.transaction() as session:
        two, one, none = [await add_organization(session) for _ in range(3)]
        for number, organization in enumerate((two, one, two)):
            await add_instance(session, organization, handle=f"shop-{number}")
        await add_instance(session, none, handle="deleted", deleted_at=NOW)
    assert await database.migrate() == ALL[6:]
    rows = await database.reading().rows("SELECT organization_id, instances FROM instance_tally")
    assert {row["organization_id"]: row["instances"] for row in rows} == {two: 2, one: 1}
    await database.close()


async def test_an_instance_that_is_being_made_while_they_are_tallied_is_tallied(
    new_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the release before, whose transaction the migration waits for."""
    database = Database(new_postgres_url)
    with monkeypatch.context() as patch:
        patch.setattr(app.storage.database, "MigrationTarget", lambda *_: MigrationTarget(APP_LABEL, ALL[5]))
        await database.migrate()
    looking = await asyncpg.connect(new_postgres_url)
    async with opened(new_postgres_url) as database:
        async with database.transaction() as session:
            organization = await add_organization(session)
        async with database.transaction() as session:
            await add_instance(session, organization)
            migrating = asyncio.create_task(Database(new_postgres_url).migrate())
            await blocked(looking)
        assert await migrating == ALL[6:]
        rows = await database.reading().rows("SELECT organization_id, instances FROM instance_tally")
    await looking.close()
    assert rows == [{"organization_id": organization, "instances": 1}]


async def test_partners_who_were_there_are_told_of_by_any_token(
    new_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release before, which writes them without the column, goes on doing so beside this one."""
    database, ann = Database(new_url), Identity("urn:i", "ann", "Ann", None, issued=1)
    with monkeypatch.context() as patch:
        patch.setattr(app.storage.database, "MigrationTarget", lambda *_: MigrationTarget(APP_LABEL, ALL[6]))
        assert await database.migrate() == ALL[:7]
    await database.open()
    async with database.transaction() as session:
        before = await add_partner(session, issuer=ann.issuer, subject=ann.subject, name="Anna")
    assert await database.migrate() == ALL[7:]
    async with database.transaction() as session:
        await add_partner(session, subject="beside", name="Bob")
    assert await partner_of(database, ann, "r") == before
    rows = await database.reading().rows("SELECT name, token_iat FROM partner ORDER BY name")
    assert [tuple(row.values()) for row in rows] == [("Ann", 1), ("Bob", None)]
    await database.close()


async def test_a_file_that_another_process_keeps_locked_is_not_migrated(new_sqlite_url: str) -> None:
    await Database(new_sqlite_url).migrate()
    with closing(sqlite3.connect(new_sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Problem, match="unavailable"):
            await Database(f"{new_sqlite_url}?busy_timeout=50").migrate()
        other.execute("ROLLBACK")


async def test_processes_that_migrate_at_the_same_moment_do_it_once(new_url: str) -> None:
    program = (
        "import asyncio, sys; from app.storage.database import Database;"
        "print(len(asyncio.run(Database(sys.argv[1]).migrate())))"
    )
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, new_url, stdout=-1, stderr=-1)
        for _ in range(3)
    ]
    outputs = [await process.communicate() for process in processes]
    assert sorted(output for output, _ in outputs) == [b"0\n", b"0\n", f"{len(ALL)}\n".encode()], outputs


async def test_who_waits_to_migrate_sees_what_was_done_whatever_isolation_is_the_default(
    new_url: str, postgres_server: PostgresServer
) -> None:
    if new_url.startswith("postgres"):
        name = urlsplit(new_url).path.strip("/")
        level = f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
        await execute(postgres_server.url(), level)
    done = await asyncio.gather(*(Database(new_url).migrate() for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(ALL)]


async def test_the_tables_and_their_migrations_agree(sqlite_url: str) -> None:
    app = {
        "models": ["app.storage.tables"],
        "default_connection": "sqlite",
        "migrations": "app.storage.migrations",
    }
    engine = {
        "engine": "app.storage.sqlite",
        "credentials": {"file_path": sqlite_url.removeprefix("sqlite://")},
    }
    config = {"connections": {"sqlite": engine}, "apps": {"registry": app}}
    with TortoiseContext() as context:
        await context.init(config, init_connections=False)
        assert context.apps is not None
        changes = await MigrationAutodetector(context.apps, {"registry": app}).changes()
    operations = [operation for change in changes for operation in change.operations]
    # Options are what Tortoise alone knows of a table, such as its docstring.
    assert [it.describe() for it in operations if not isinstance(it, AlterModelOptions)] == []
