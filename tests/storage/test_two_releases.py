"""Two releases on one database: this one goes on working when the next has expanded the tables."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.storage.database import Database
from tests.service import PATCH, Service, running

pytestmark = pytest.mark.anyio

# What docs/upgrading.md allows a migration to do while the release before it still answers.
EXPANSIONS = (
    "CREATE TABLE next_release (id INTEGER PRIMARY KEY, note TEXT)",
    *(
        statement
        for table in ("organization", "instance", "membership", "partner", "activity", "remembered_answer")
        for statement in (
            f"ALTER TABLE {table} ADD COLUMN next_nullable TEXT",
            f"ALTER TABLE {table} ADD COLUMN next_default INTEGER NOT NULL DEFAULT 7",
            f"CREATE INDEX {table}_next_idx ON {table} (next_nullable)",
        )
    ),
    "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('registry', '9999_next', '2026-01-01')",
)


async def expand(database: Database) -> None:
    async with database.transaction() as session:
        for statement in EXPANSIONS:
            await session.rows(statement)


async def test_a_release_works_on_tables_that_the_next_one_expanded_while_it_ran(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    await database.open()
    async with running(database_url, tmp_path) as service:
        await write_and_read(service, "before")  # statements are prepared from now on
        await expand(database)
        await write_and_read(service, "meanwhile")
    # It starts anew, too: what it does not know of has been applied, and nothing is pending.
    assert await database.pending_migrations() == []
    assert await Database(database_url).migrate() == []
    async with running(database_url, tmp_path) as service:
        await write_and_read(service, "after")
    rows = await database.reading().rows("SELECT DISTINCT next_nullable, next_default FROM organization")
    assert [tuple(row.values()) for row in rows] == [(None, 7)]
    await database.close()


async def write_and_read(service: Service, handle: str) -> None:
    """Something of every table, written, changed, read, listed and removed."""
    client = service.as_("owner")

    async def made(path: str, content: dict[str, str]) -> str:
        answer = await client.post(path, json=content, headers={"Idempotency-Key": f'"{handle} {path}"'})
        assert answer.status_code == 201, answer.text
        return httpx.URL(answer.headers["Location"]).path

    organization = await made("/api/organizations", {"name": handle})
    instance = await made(f"{organization}/instances", {"name": handle, "handle": f"of-{handle}"})
    member = await made(f"{organization}/members", {"email": f"{handle}@acme.example", "role": "member"})
    renamed = await client.patch(instance, json={"name": "New"}, headers={"Content-Type": PATCH})
    assert renamed.status_code == 200
    for path in (organization, instance, member, f"/api/handles/of-{handle}"):
        assert (await client.get(path, follow_redirects=True)).status_code == 200
    for path in ("/api/organizations", f"{organization}/instances", f"{organization}/activities"):
        assert (await client.get(path)).json()["totalItems"] >= 1
    for path in (member, instance, organization):
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 410
