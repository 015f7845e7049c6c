"""The commands of docs/backup.md, as they stand there, while clients write."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.storage.database import Database
from tests.commands import COMMAND, environment, run, served
from tests.load import Writer, stored, token, until
from tests.postgres_server import PostgresServer

LONG = True
PAGE = (Path(__file__).resolve().parents[1] / "docs" / "backup.md").read_text()
WRITERS = 8


def blocks(heading: str) -> list[str]:
    """The commands of a section."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def type_in(folder: Path, commands: str, settings: Mapping[str, str], programs: str = "") -> str:
    """As an operator would, in a shell that stops at what fails; answers what it prints."""
    known = environment(settings)
    known["PATH"] = ":".join(filter(None, (programs, str(Path(COMMAND).parent), known["PATH"])))
    shell = ["bash", "-euo", "pipefail"]
    done = subprocess.run(
        shell, input=commands, cwd=folder, env=known, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def acknowledged_before(
    folder: Path, commands: str, settings: Mapping[str, str], programs: str
) -> set[str]:
    """What eight clients had been told of when the commands began; they go on until those have ended."""
    with served(folder, **settings) as server:
        writers = [Writer(server.base, token(folder), f"backup {number}") for number in range(WRITERS)]
        stopped = asyncio.Event()
        writing = asyncio.gather(*(writer.write(stopped) for writer in writers))
        await until(lambda: all(len(writer.made) >= 5 for writer in writers), 30)
        before = {name for writer in writers for name in writer.made}
        await asyncio.to_thread(type_in, folder, commands, settings, programs)
        meanwhile = {name for writer in writers for name in writer.made} - before
        stopped.set()
        await asyncio.wait_for(writing, 20)
    assert meanwhile  # writers were not kept waiting
    assert not any(writer.refused or writer.cut for writer in writers)
    return before


def read(folder: Path, settings: Mapping[str, str]) -> list[str]:
    """The names of all organizations, from the service on what was restored."""
    names = list[str]()
    headers = {"Authorization": f"Bearer {token(folder)}"}
    with (
        served(folder, **settings) as server,
        httpx.Client(base_url=server.base, headers=headers, trust_env=False) as client,
    ):
        following: str | None = "/api/organizations?itemsPerPage=100"
        while following:
            page = client.get(following).json()
            names += [member["name"] for member in page["member"]]
            following = page["view"].get("next")
    return names


async def is_whole(url: str) -> bool:
    """Whether each organization came with its owner and its activity."""
    database = Database(url)
    await database.open()
    try:
        rows = await database.reading().rows(
            "SELECT (SELECT count(*) FROM organization) AS organizations, "
            "(SELECT count(*) FROM membership) AS memberships, (SELECT count(*) FROM activity) AS activities"
        )
    finally:
        await database.close()
    return len({rows[0][name] for name in ("organizations", "memberships", "activities")}) == 1


def with_its_key(folder: Path) -> Path:
    """Another place, where the same tokens count."""
    other = folder / "restored"
    (other / "data").mkdir(parents=True)
    shutil.copy(folder / "data" / "local-issuer.pem", other / "data")
    return other


def test_a_backup_of_sqlite_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    if shutil.which("sqlite3") is None and "CI" not in os.environ:
        pytest.skip("sqlite3 is not installed")
    by_program, by_python, restore = blocks("SQLite")
    assert run(tmp_path, "migrate").returncode == 0
    before = asyncio.run(acknowledged_before(tmp_path, by_program + by_python, {}, ""))
    other = with_its_key(tmp_path)
    for made in ("backup.sqlite3", "backup-by-python.sqlite3"):
        assert (tmp_path / made).stat().st_mode & 0o077 == 0
        assert before <= set(stored(tmp_path, made))
    # What a restore finds in its way: another database, with a log.
    shutil.copytree(tmp_path / "data", other / "data", dirs_exist_ok=True)
    (other / "data" / "registry.sqlite3-wal").write_bytes(b"of another database")
    shutil.copy(tmp_path / "backup.sqlite3", other)
    assert "nothing to apply" in type_in(other, restore, {})
    check(before, other, {}, f"sqlite://{other / 'data' / 'registry.sqlite3'}")


def test_a_backup_of_postgresql_has_all_that_was_acknowledged(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    programs = str(postgres_server.programs)
    name = f"backup_{uuid4().hex}"
    postgres_server.administer(f"CREATE DATABASE {name}", "DROP DATABASE IF EXISTS registry_restored")
    settings = {"REGISTRY_DATABASE_URL": postgres_server.url(name)}
    restored = {"REGISTRY_DATABASE_URL": postgres_server.url("registry_restored")}
    take, restore = blocks("PostgreSQL")
    assert run(tmp_path, "migrate", **settings).returncode == 0
    try:
        before = asyncio.run(acknowledged_before(tmp_path, take, settings, programs))
        assert (tmp_path / "backup.dump").stat().st_mode & 0o077 == 0
        both = settings | {"RESTORED_DATABASE_URL": restored["REGISTRY_DATABASE_URL"]}
        assert "nothing to apply" in type_in(tmp_path, restore, both, programs)
        check(before, with_its_key(tmp_path), restored, restored["REGISTRY_DATABASE_URL"])
    finally:
        for database in (name, "registry_restored"):
            postgres_server.administer(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def check(before: set[str], folder: Path, settings: Mapping[str, str], url: str) -> None:
    names = read(folder, settings)
    assert before <= set(names)
    assert len(names) == len(set(names))
    assert asyncio.run(is_whole(url))


def test_the_page_has_the_commands_that_are_tested() -> None:
    assert [len(blocks(heading)) for heading in ("SQLite", "PostgreSQL")] == [3, 2]
    assert PAGE.count("```sh") == 5
