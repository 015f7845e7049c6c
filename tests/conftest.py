"""Databases for tests: every test that asks for one runs on SQLite and on PostgreSQL, with a new one each."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from app.contract.contract import Contract, load_contract
from app.storage.database import Database
from tests.load import placed
from tests.postgres_server import PostgresServer, postgres_server, quick_folder
from tests.service import BASE, Service, World, populate, running
from tests.whole_runs import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown  # noqa: F401

# What stays for the whole run, a gigabyte of contracts and modules, is not looked through all the time.
gc.set_threshold(100_000, 50, 100)
# The lines of requests are looked at where a test captures them, and are in nobody's way elsewhere.
structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Databases of tests stand in memory, where there is enough: each commit waits for a disk elsewhere."""
    if config.option.basetemp is None and not hasattr(config, "workerinput") and quick_folder():
        config.option.basetemp = tempfile.mkdtemp(prefix="registry-tests-", dir=quick_folder())
        config.add_cleanup(partial(shutil.rmtree, config.option.basetemp, ignore_errors=True))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", name="postgres_server")
def shared_postgres_server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database to copy."""
    postgres_server.administer("CREATE DATABASE template_registry")
    asyncio.run(Database(postgres_server.url("template_registry")).migrate())
    return "template_registry"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    file = tmp_path_factory.mktemp("template") / "registry.sqlite3"
    asyncio.run(Database(f"sqlite://{file}").migrate())
    return file


async def made_world(url: str, data_dir: Path) -> World:
    async with running(url, data_dir) as service:
        return await populate(service)


@pytest.fixture(scope="session")
def sqlite_world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A file with a small world in it, to copy: making it anew takes longer than most tests do."""
    folder = tmp_path_factory.mktemp("world")
    file = folder / "registry.sqlite3"
    shutil.copy(sqlite_template, file)
    return file, asyncio.run(made_world(f"sqlite://{file}", folder))


@pytest.fixture(scope="session")
def postgres_world(
    postgres_server: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, World]:
    """The name of a database with a small world in it, to copy."""
    name = "template_world"
    postgres_server.copy(postgres_template, name)
    return name, asyncio.run(made_world(postgres_server.url(name), tmp_path_factory.mktemp("world")))


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module whose subject depends on no database names one in `DATABASES`; all others meet both."""
    databases: list[str] = getattr(metafunc.module, "DATABASES", [])
    for name in ("database_url", "standing_url"):
        if not databases or name not in metafunc.fixturenames:
            continue
        metafunc.definition.add_marker(pytest.mark.parametrize(name, databases, indirect=True))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module with `LONG` has tests that take long, each by itself, and begins before others: in the end all
    processes have something to do as long as any has, since what is short can be shared among them."""
    items.sort(key=lambda item: not getattr(getattr(item, "module", None), "LONG", False))


def wants_world(request: pytest.FixtureRequest) -> bool:
    return "world" in request.fixturenames


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite database without rows, or with the world that a test asks for."""
    file = tmp_path / "registry.sqlite3"
    template = request.getfixturevalue("sqlite_world")[0] if wants_world(request) else sqlite_template
    shutil.copy(template, file)
    return f"sqlite://{file}"


@pytest.fixture
def postgres_url(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_template: str
) -> Iterator[str]:
    """The address of a migrated PostgreSQL database, without rows or with the world that a test asks for."""
    name = f"test_{uuid4().hex}"
    template = request.getfixturevalue("postgres_world")[0] if wants_world(request) else postgres_template
    postgres_server.copy(template, name)
    yield postgres_server.url(name)
    postgres_server.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a PostgreSQL database that has nothing in it."""
    name = f"test_{uuid4().hex}"
    postgres_server.administer(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """A folder for commands, with an empty database that is up to date."""
    return placed(sqlite_template, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database without rows, on either database in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """The service on a database of its own, on either database in turn."""
    async with running(database_url, tmp_path) as service:
        yield service


@pytest.fixture
def world(request: pytest.FixtureRequest, database_url: str) -> World:
    """What is in the database of a test that asks for it."""
    dialect = "sqlite" if database_url.startswith("sqlite") else "postgres"
    found: World = request.getfixturevalue(f"{dialect}_world")[1]
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def standing_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a migrated database for a whole module, on either database in turn."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        return f"sqlite://{shutil.copy(template, tmp_path_factory.mktemp('standing'))}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"standing_{uuid4().hex}"
    server.copy(request.getfixturevalue("postgres_template"), name)
    return server.url(name)


@pytest.fixture(scope="module")
async def standing(
    standing_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, World]]:
    """A service for a whole module, for tests that change nothing."""
    async with running(standing_url, tmp_path_factory.mktemp("keys")) as service:
        yield service, await populate(service)


@pytest.fixture(scope="module")
async def on_sqlite(
    sqlite_world: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, World]]:
    """The service for a whole module, for what does not depend on the database."""
    file, world = sqlite_world
    folder = tmp_path_factory.mktemp("module")
    url = f"sqlite://{shutil.copy(file, folder)}"
    async with running(url, folder) as service:
        yield service, world


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load_contract(BASE)
