"""A process of its own: reads an organization's version and writes the next, again and again.

python increments.py ADDRESS ORGANIZATION TIMES

It begins when it is sent a line, so that several begin together.
"""

from __future__ import annotations

import asyncio
import sys

from app.storage.database import Database, update
from app.storage.tables import Organization


async def increment(url: str, organization_id: str, times: int) -> None:
    database = Database(url)
    await database.open()
    try:
        print("ready", flush=True)  # noqa: T201 - to whoever started it
        await asyncio.to_thread(sys.stdin.readline)
        for _ in range(times):
            async with database.transaction() as session:
                assert await session.lock_organizations("id = $1", [organization_id])
                query = "SELECT version FROM organization WHERE id = $1"
                [row] = await session.rows(query, [organization_id])
                following = {"version": row["version"] + 1}
                assert await update(session, Organization, following, where={"id": organization_id}) == 1
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(increment(sys.argv[1], sys.argv[2], int(sys.argv[3])))
