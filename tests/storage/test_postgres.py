"""What holds on PostgreSQL alone: limits, prepared statements, a pooler in between."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import httpx
import pytest

from app.caller import READ, Caller
from app.problems import Problem
from app.settings import WrongSetting
from app.storage import postgres
from app.storage.acts import new_id
from app.storage.database import MIGRATIONS_LOCK, Database
from app.storage.postgres_address import read_address
from app.storage.postgres_failures import WRONG_PARAMETERS, translated_connect, translated_open
from app.storage.records import find
from app.storage.session import Session
from tests.pgbouncer import pgbouncer
from tests.postgres_server import PostgresServer, administer, execute
from tests.service import PATCH, World, running
from tests.storage.opening import count, opened, unavailable
from tests.storage.rows import add_organization
from tests.storage.test_two_releases import write_and_read

pytestmark = pytest.mark.anyio

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
PREPARED = """SELECT statement, generic_plans + custom_plans AS times FROM pg_prepared_statements
    WHERE statement LIKE 'SELECT CAST(i.id AS text)%'"""
NOBODY = Caller("0190b6a4-0000-7000-8000-000000000000", frozenset({READ}))


async def limits(session: Session) -> list[str]:
    rows = [await session.rows(f"SHOW {name}") for name in LIMITS]
    return [next(iter(row.values())) for [row] in rows]


async def test_every_connection_has_limits_unless_the_address_sets_others(postgres_url: str) -> None:
    async with opened(postgres_url) as database, database.transaction() as session:
        assert await limits(session) == await limits(database.reading()) == ["5s", "8s", "15s"]
    async with opened(f"{postgres_url}&statement_timeout=250&lock_timeout=1min") as database:
        assert await limits(database.reading()) == ["1min", "250ms", "15s"]


async def test_commands_take_as_long_as_they_take(postgres_url: str) -> None:
    database = Database(f"{postgres_url}&statement_timeout=50", hurried=False)
    await database.open()
    try:
        assert await limits(database.reading()) == ["0", "0", "0"]
        await database.reading().rows("SELECT 1 FROM pg_sleep(0.2)")
    finally:
        await database.close()


async def test_who_migrates_waits_for_who_migrates_longer_than_for_any_other_lock(postgres_url: str) -> None:
    async with opened(postgres_url) as other:
        async with other.transaction() as session:
            await session.rows("SELECT pg_advisory_xact_lock($1)", [MIGRATIONS_LOCK])
            hurried = f"{postgres_url}&lock_timeout=50&statement_timeout=50"
            migrating = asyncio.create_task(Database(hurried).migrate())
            await asyncio.sleep(0.5)
            assert not migrating.done()
        assert await migrating == []


async def test_a_statement_that_is_cut_off_is_unavailable_and_the_connection_goes_on(
    postgres_url: str,
) -> None:
    async with opened(f"{postgres_url}&maxsize=1&statement_timeout=50") as database:
        started = time.monotonic()
        with unavailable():
            await database.reading().rows("SELECT 1 FROM pg_sleep(5)")
        with unavailable():
            async with database.transaction() as session:
                await add_organization(session)
                await session.rows("SELECT 1 FROM pg_sleep(5)")
        assert time.monotonic() - started < 3
        assert await count(database.reading()) == 0


async def test_a_transaction_in_which_nothing_is_done_ends_and_gives_its_locks_back(
    postgres_url: str,
) -> None:
    async with opened(f"{postgres_url}&idle_in_transaction_session_timeout=50") as database:
        async with database.transaction() as session:
            organization_id = await add_organization(session)
        with unavailable():
            async with database.transaction() as session:
                await session.lock_organizations("id = $1", [organization_id])
                await asyncio.sleep(0.5)
                await session.rows("SELECT 1")
        async with database.transaction() as session:
            assert await session.lock_organizations("id = $1", [organization_id])


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Somebody has taken the instances for themselves, as a careless migration by hand would."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE instance IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def test_a_request_whose_statement_is_cut_off_may_come_again(
    postgres_world: tuple[str, World], postgres_server: PostgresServer, tmp_path: Path
) -> None:
    template, world = postgres_world
    name = f"test_{new_id().replace('-', '')}"
    await asyncio.to_thread(postgres_server.copy, template, name)
    url = postgres_server.url(name)
    async with running(f"{url}&statement_timeout=100", tmp_path) as service:
        owner = service.as_("owner")

        async def rename() -> httpx.Response:
            headers = {"Content-Type": PATCH}
            return await owner.patch(world.shop, content=b'{"name": "Another"}', headers=headers)

        async with locked(url):
            answers = [
                await owner.get(world.shop),
                await owner.get("/api/instances"),
                await rename(),
            ]
        for answer in answers:
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["type"].endswith("/unavailable")
        assert (await owner.get(world.shop)).status_code == 200
        assert (await rename()).status_code == 200


async def test_a_statement_is_prepared_once_on_each_connection(postgres_url: str) -> None:
    async with opened(f"{postgres_url}&minsize=1&maxsize=1") as database:
        for _ in range(20):
            assert await find(database.reading(), "Instance", NOBODY, "id", new_id()) is None
        async with database.transaction() as session:
            assert await find(session, "Instance", NOBODY, "id", new_id()) is None
        [prepared] = await database.reading().rows(PREPARED)
        assert prepared["times"] == 21


async def test_nothing_is_prepared_for_longer_than_it_runs_where_the_address_says_so(
    postgres_url: str,
) -> None:
    async with opened(f"{postgres_url}&maxsize=1&statement_cache_size=0") as database:
        for _ in range(20):
            assert await find(database.reading(), "Instance", NOBODY, "id", new_id()) is None
        assert await database.reading().rows(PREPARED) == []


async def test_a_migration_under_prepared_statements_is_met_once_and_passes(postgres_url: str) -> None:
    """As while two releases run side by side."""
    by_name = "SELECT name FROM organization WHERE name = $1"
    async with opened(f"{postgres_url}&maxsize=1") as database:

        async def write() -> None:
            async with database.transaction() as session:
                await session.rows(by_name, ["x"])

        await write()
        for type_ in ("text", "varchar(300)"):
            connection = await asyncpg.connect(postgres_url)
            await connection.execute(f"ALTER TABLE organization ALTER COLUMN name TYPE {type_}")
            await connection.close()
            if type_ == "text":
                assert await database.reading().rows(by_name, ["x"]) == []
            else:
                with unavailable():
                    await write()
            await write()


@pytest.fixture
def pooled_url(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """By way of a pooler with two connections, of which each transaction gets the one that is free."""
    with pgbouncer(postgres_server, postgres_url, connections=2) as url:
        yield f"{url}&maxsize=8"


async def test_behind_a_pooler_of_transactions_everything_works(pooled_url: str) -> None:
    async with opened(pooled_url) as database:
        async with database.transaction() as session:
            assert await limits(session) == ["5s", "8s", "15s"]
            organization_id = await add_organization(session)

        async def work() -> None:
            for _ in range(20):
                async with database.transaction() as session:
                    assert await session.lock_organizations("id = $1", [organization_id])
                    [row] = await session.rows("SELECT version FROM organization")
                    await session.rows("UPDATE organization SET version = $1", [row["version"] + 1])
                [row] = await database.reading().rows("SELECT id, version, created_at FROM organization")
                assert row["id"] == organization_id
                assert await find(database.reading(), "Instance", NOBODY, "id", new_id()) is None

        await asyncio.gather(*(work() for _ in range(8)))
        assert await database.reading().rows("SELECT version FROM organization") == [{"version": 161}]
        pids = {
            (await database.reading().rows("SELECT pg_backend_pid() AS pid"))[0]["pid"] for _ in range(40)
        }
        assert len(pids) <= 2


async def test_behind_a_pooler_a_read_that_takes_long_is_cut_off_as_well(
    pooled_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "WAIT_SECONDS", 0.3)
    running = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE $1 AND state = 'active'"
    sleeping = "SELECT 1 FROM pg_sleep(30)"
    async with opened(pooled_url) as database, opened(postgres_url) as looking:
        with unavailable():
            await database.reading().rows(sleeping)
        of_it = [f"{sleeping}%"]
        async with asyncio.timeout(5):
            while await looking.reading().rows(running, of_it) != [{"n": 0}]:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.02)


async def test_behind_a_pooler_migrations_and_commands_work(pooled_url: str) -> None:
    assert await Database(pooled_url).migrate() == []
    database = Database(pooled_url, hurried=False)
    await database.open()
    try:
        async with database.transaction() as session:
            assert await limits(session) == ["0", "0", "0"]
    finally:
        await database.close()


@pytest.fixture
def url_of_who_owns_nothing(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The address of the same database for a role that owns nothing, with the rights that docs/operating.md
    names."""
    role = f"role_{uuid4().hex}"
    rights = re.findall(r"^    ((?:GRANT|REVOKE) [^;]+);$", OPERATING.read_text(), re.MULTILINE)
    assert len(rights) == 5
    postgres_server.administer(f"CREATE ROLE {role} LOGIN")
    database = urlsplit(postgres_url).path.strip("/")
    mine = {"DATABASE registry": f"DATABASE {database}", " registry": f" {role}"}
    for name, instead in mine.items():
        rights = [right.replace(name, instead) for right in rights]
    administer(postgres_url, *rights)
    yield postgres_url.replace("//postgres", f"//{role}", 1)
    administer(postgres_url, f"DROP OWNED BY {role}")
    postgres_server.administer(f"DROP ROLE {role}")


async def test_a_role_that_owns_nothing_serves_everything_and_cannot_change_or_empty_a_table(
    url_of_who_owns_nothing: str, tmp_path: Path
) -> None:
    async with running(url_of_who_owns_nothing, tmp_path) as service:
        await write_and_read(service, "served")
    async with opened(url_of_who_owns_nothing) as database:
        session = database.reading()
        assert [row["held"] for row in await session.rows("SELECT current_user AS held")] != ["postgres"]
        for statement in (
            "TRUNCATE activity CASCADE",
            "TRUNCATE activity_organization",
            "ALTER TABLE activity DISABLE TRIGGER ALL",
            "DROP TABLE activity CASCADE",
            "INSERT INTO erasure (partner_id, erased_at, open) SELECT id, now(), true FROM partner",
            "CREATE TEMPORARY TABLE erasure AS SELECT true AS open",
            "DELETE FROM tortoise_migrations",
        ):
            with pytest.raises(Problem, match="unavailable") as raised:
                await session.rows(statement)
            assert isinstance(raised.value.__cause__, asyncpg.InsufficientPrivilegeError)
    assert await Database(url_of_who_owns_nothing).migrate() == []


async def test_who_has_not_the_rights_is_told_of_which_table(postgres_url: str) -> None:
    role = f"role_{uuid4().hex}"
    await execute(postgres_url, f"CREATE ROLE {role} LOGIN")
    database = Database(postgres_url.replace("//postgres", f"//{role}", 1))
    for asked in (database.migrate, database.pending_migrations, database.check_migrated):
        with pytest.raises(Problem, match="unavailable") as raised:
            await asked()
        assert "permission denied for table tortoise_migrations" in raised.value.with_cause
    await execute(postgres_url, f"DROP ROLE {role}")


def test_what_the_address_says_beside_goes_to_the_server_or_to_libpq() -> None:
    address = read_address("postgres://u:p@h/n?sslmode=require&maxsize=3&work_mem=8MB&statement_timeout=1s")
    assert address.dsn == "postgres://u:p@h/n?sslmode=require&work_mem=8MB"
    assert address.sizes == {"minsize": 1, "maxsize": 3}
    assert address.timeouts["statement_timeout"] == "1s"


async def test_what_libpq_alone_knows_does_not_keep_an_address_from_working(postgres_url: str) -> None:
    beside = "connect_timeout=3&keepalives=1&channel_binding=prefer&gssencmode=disable&sslcompression=0"
    async with opened(f"{postgres_url}&{beside}&application_name=it") as database:
        assert await count(database.reading()) == 0


@pytest.mark.parametrize("parameter", ["nonsense=1", "work_mem=5furlongs", "block_size=1"])
async def test_what_the_server_does_not_take_is_a_wrong_setting(postgres_url: str, parameter: str) -> None:
    name = parameter.partition("=")[0]
    with pytest.raises(WrongSetting, match=f"REGISTRY_DATABASE_URL: .*{name}") as wrong:
        await Database(f"{postgres_url}&{parameter}").open()
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("error", WRONG_PARAMETERS)
def test_what_the_server_takes_no_more_is_503_and_no_setting(error: type[Exception]) -> None:
    """It was started anew with other settings, or its role has others."""
    with pytest.raises(Problem, match="unavailable"), translated_connect:
        raise error("not now")
    with pytest.raises(WrongSetting), translated_open:
        raise error("not ever")


async def test_all_who_want_a_connection_get_one_in_turn(postgres_url: str) -> None:
    async with opened(f"{postgres_url}&maxsize=2") as database:

        async def work() -> None:
            for _ in range(10):
                assert await count(database.reading()) >= 0
                async with database.transaction() as session:
                    await add_organization(session)

        async with asyncio.timeout(30):
            await asyncio.gather(*(work() for _ in range(12)))
        assert await count(database.reading()) == 120
        assert database.connections == (2, 0)


async def test_a_connection_that_was_cut_short_is_not_lent_again_as_it_is(postgres_url: str) -> None:
    async with opened(f"{postgres_url}&maxsize=1") as database:

        async def read() -> None:
            await database.reading().rows("SELECT 1 FROM pg_sleep(5)")

        async def write() -> None:
            async with database.transaction() as session:
                await add_organization(session)
                await session.rows("SELECT 1 FROM pg_sleep(5)")

        for cut_short in (read, write, read, write):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(cut_short(), 0.05)
            assert await count(database.reading()) == 0
        assert database.connections == (1, 0)


async def test_connections_that_nobody_has_used_for_long_are_closed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_pool = asyncpg.create_pool
    short = {"max_inactive_connection_lifetime": 0.2}
    monkeypatch.setattr(asyncpg, "create_pool", lambda *at, **options: create_pool(*at, **options | short))
    async with opened(postgres_url) as database:
        peak = "SELECT 1 FROM pg_sleep(0.1)"
        await asyncio.gather(*(database.reading().rows(peak) for _ in range(8)))
        assert database.connections == (8, 0)
        async with asyncio.timeout(20):
            while database.connections[0] > 2:
                await count(database.reading())


async def test_connections_that_end_while_nobody_has_them_are_made_anew_and_nobody_notices(
    postgres_url: str,
) -> None:
    """As in a restart, or by a firewall that forgets."""
    async with opened(postgres_url) as database, opened(postgres_url) as other:
        await asyncio.gather(*(count(database.reading()) for _ in range(5)))
        sql = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        await other.reading().rows(sql)
        await asyncio.sleep(0.1)
        for _ in range(10):
            assert await count(database.reading()) == 0
