"""The first yardstick: the same tables read and written by hand, and nothing else that the service does.

Starlette under Uvicorn, SQL through aiosqlite or asyncpg, JSON by orjson. It knows no caller, no role, no
form and no condition, sends no field of its own and writes no log. It is asked what the service is asked, and
runs as many statements as a read needs; of a change it runs the change and its activity.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils import uuid7

from tests.benchmarks.stores import Sqlite, Store, store_at

DATABASE, PARTNER = "BENCHMARK_DATABASE_URL", "BENCHMARK_PARTNER"
COLUMNS = "id, name, handle, created_at, updated_at, organization_id, created_by_organization_id"
BY_ID = f"SELECT {COLUMNS}, version FROM instance WHERE id = $1 AND deleted_at IS NULL"
THERE = "FROM instance WHERE deleted_at IS NULL"
ORDERED = "ORDER BY created_at DESC, id DESC LIMIT 31"
OF_ONE, LIKE = "AND organization_id = $1", "AND handle LIKE $1"
BEYOND = "AND (created_at, id) < ($1, $2)"
CREATE = """INSERT INTO instance (id, name, name_key, handle, organization_id, created_by_organization_id,
    created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $5, $6, $6, 1)"""
RENAME = f"""UPDATE instance SET name = $2, name_key = $3, updated_at = $4, version = version + 1
    WHERE id = $1 RETURNING {COLUMNS}"""
ACTIVITY = """INSERT INTO activity
    (id, type, object_class, object_id, actor_id, published, changes, request_id)
    VALUES ($1, $2, 'Instance', $3, $4, $5, $6, $7) RETURNING sequence"""
CONCERNED = "INSERT INTO activity_organization (activity_id, organization_id) VALUES ($1, $2)"


def application() -> Starlette:
    store, partner = store_at(os.environ[DATABASE]), os.environ[PARTNER]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with store.opened():
            yield

    async def item(request: Request) -> Response:
        rows = await store.rows(BY_ID, request.path_params["id"])
        return answer(rows[0]) if rows else answer({"title": "Not found"}, 404)

    async def page(request: Request) -> Response:
        query = request.query_params
        if after := query.get("after"):
            created_at, _, identifier = after.partition("|")
            where = store.time(datetime.fromisoformat(created_at)), identifier
            return listed(await store.rows(f"SELECT {COLUMNS} {THERE} {BEYOND} {ORDERED}", *where))
        if handle := query.get("handle"):
            return await counted_at_once(store, LIKE, f"%{handle}%")
        # As the service does it: on SQLite it looks for the page first.
        return await (counted(store, "") if isinstance(store, Sqlite) else counted_at_once(store, ""))

    async def page_of_one(request: Request) -> Response:
        return await counted_at_once(store, OF_ONE, request.path_params["id"])

    async def create(request: Request) -> Response:
        content = orjson.loads(await request.body())
        identifier, owner, now = str(uuid7()), request.path_params["id"], datetime.now(UTC)
        name, handle = content["name"], content["handle"]
        values = identifier, name, name.casefold(), handle, owner, store.time(now)
        async with store.transaction() as run:
            await run(CREATE, *values)
            await note(store, run, partner, ("Create", identifier, owner), content, now)
        return answer({"id": identifier, "organization_id": owner, "created_at": now, **content}, 201)

    async def rename(request: Request) -> Response:
        content = orjson.loads(await request.body())
        identifier, now, name = request.path_params["id"], datetime.now(UTC), content["name"]
        async with store.transaction() as run:
            [row] = await run(RENAME, identifier, name, name.casefold(), store.time(now))
            about = "Update", identifier, row["organization_id"]
            await note(store, run, partner, about, content, now)
        return answer(row)

    return Starlette(
        routes=[
            Route("/api/instances", page),
            Route("/api/instances/{id}", item),
            Route("/api/instances/{id}", rename, methods=["PATCH"]),
            Route("/api/organizations/{id}/instances", page_of_one),
            Route("/api/organizations/{id}/instances", create, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


async def counted(store: Store, condition: str, *values: str) -> Response:
    rows = await store.rows(f"SELECT {COLUMNS} {THERE} {condition} {ORDERED}", *values)
    [total] = await store.rows(f"SELECT count(*) AS total {THERE} {condition}", *values)
    return listed(rows, total)


def listed(rows: list[dict[str, Any]], total: dict[str, Any] | None = None) -> Response:
    return answer({**(total or {}), "member": rows[:30], "more": len(rows) > 30})


async def counted_at_once(store: Store, condition: str, *values: str) -> Response:
    total = f"(SELECT count(*) {THERE} {condition}) AS total"
    rows = await store.rows(f"SELECT {COLUMNS}, {total} {THERE} {condition} {ORDERED}", *values)
    return listed(rows, {"total": rows[0]["total"]} if rows else None)


async def note(
    store: Store, run: Any, partner: str, about: tuple[str, str, str], content: Any, now: datetime
) -> None:
    """The activity of a change, and the organization that it is listed under."""
    type_, identifier, owner = about
    changes = orjson.dumps([{"property": key, "after": value} for key, value in content.items()]).decode()
    values = str(uuid7()), type_, identifier, partner, store.time(now), changes, str(uuid7())
    [row] = await run(ACTIVITY, *values)
    await run(CONCERNED, row["sequence"], owner)


def answer(content: Any, status: int = 200) -> Response:
    # asyncpg's UUIDs are a class of its own.
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")
