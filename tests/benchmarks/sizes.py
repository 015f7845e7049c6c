"""What a row costs on PostgreSQL, with its share of every index, as the server's own catalogue tells it.

    python -m tests.benchmarks.sizes [--instances N] [--times N]

Makes N instances in N/100 organizations, with the activities, memberships and authorizations that making and
renaming them would leave, in the order in which a service would, and prints octets for an instance by table
and index, and how much that is for TIMES as many; then what requests cost the server, in statements, time and
log, with that many rows in its tables.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import orjson
import structlog

from app.storage.acts import new_id
from app.storage.database import Database
from tests.benchmarks.calls import letters
from tests.benchmarks.server_costs import costs
from tests.postgres_server import postgres_server

# Handles come in no order: numbers times this, which is prime to 10, are other numbers.
SPREAD, HANDLES = 3**18, 10**9
IN_AN_ORGANIZATION = 100
MEMBERS = 3
# What came to pass with each instance.
ACTIVITIES = ("Create", "Update")
# Every tenth instance is authorized for another organization.
AUTHORIZED = 10
BATCH = 10_000
TIMES = 100_000_000

Row = tuple[Any, ...]
COLUMNS = {
    "partner": "id issuer subject name email email_key created_at updated_at version",
    "organization": "id name name_key created_at updated_at version",
    "membership": "id organization_id partner_id role joined_at version",
    "instance": "id organization_id created_by_organization_id name name_key handle"
    " created_at updated_at version",
    "activity": "id type object_class object_id actor_id published changes request_id",
    "activity_organization": "activity_id organization_id",
    "instance_authorization": "id instance_id organization_id owner_organization_id status created_at"
    " accepted_at version",
}
SIZES = """SELECT t.relname AS "table", coalesce(i.relname, 'the rows') AS part,
        pg_table_size(coalesce(i.oid, t.oid)) AS bytes
    FROM pg_class t LEFT JOIN LATERAL (
        SELECT x.indexrelid AS oid, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
        WHERE x.indrelid = t.oid UNION ALL SELECT NULL, NULL) i ON true
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND t.relname = ANY($1)
    ORDER BY 1, 3 DESC"""


class Rows:
    """What is to be written, by table, kept until a batch is full."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self.sequence = 0
        self.organization = self.actor = ""

    def add_organization(self, number: int, at: datetime) -> None:
        organization, name = new_id(), f"Organization {number:07} of somewhere"
        self.waiting["organization"].append((organization, name, name.casefold(), at, at, 1))
        for member in range(MEMBERS):
            partner, subject = new_id(), f"{number:07}-{member}-{organization[-12:]}"
            email = f"{subject}@tenant{number:07}.example"
            values = ("https://login.tenants.example/", subject, f"Person {subject}", email, email, at, at, 1)
            self.waiting["partner"].append((partner, *values))
            self.waiting["membership"].append((new_id(), organization, partner, "owner", at, 1))
            self.actor = partner
        self.organization = organization

    def add_instance(self, number: int, other: str, at: datetime) -> None:
        instance, organization = new_id(), self.organization
        name = f"Workspace {number:09} of a tenant"
        handle = f"{letters(number * SPREAD % HANDLES):a>9}-tenant-app"
        row = (instance, organization, organization, name, name.casefold(), handle, at, at, 2)
        self.waiting["instance"].append(row)
        changes = orjson.dumps([{"property": "name", "before": name, "after": name}]).decode()
        for kind in ACTIVITIES:
            self.sequence += 1
            values = (new_id(), kind, "Instance", instance, self.actor, at, changes, new_id())
            self.waiting["activity"].append(values)
            self.waiting["activity_organization"].append((self.sequence, organization))
        if number % AUTHORIZED == 0 and other:
            granted = (new_id(), instance, other, organization, "accepted", at, at, 1)
            self.waiting["instance_authorization"].append(granted)

    async def write(self, connection: asyncpg.Connection) -> None:
        for table, rows in self.waiting.items():
            await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table].split())
            rows.clear()


async def fill(connection: asyncpg.Connection, instances: int) -> None:
    rows, at, other = Rows(), datetime.now(UTC), ""
    for number in range(instances):
        if number % IN_AN_ORGANIZATION == 0:
            other = rows.organization
            rows.add_organization(number // IN_AN_ORGANIZATION, at)
        rows.add_instance(number, other, at)
        if (number + 1) % BATCH == 0:
            await rows.write(connection)
    await rows.write(connection)


async def sizes(connection: asyncpg.Connection) -> Iterator[Row]:
    await connection.execute("ANALYZE")
    found = await connection.fetch(SIZES, [*COLUMNS, "instance_tally"])
    return (tuple(row) for row in found)


def report(found: Sequence[Row], instances: int, times: int) -> Iterator[str]:
    yield f"| table | part | octets for an instance | GiB for {times:,} |"
    yield "| --- | --- | ---: | ---: |"
    parts = {"rows": 0, "indexes": 0}
    for table, part, size in found:
        parts["rows" if part == "the rows" else "indexes"] += size
        yield line(table, part, size, instances, times)
    for part, size in parts.items():
        yield line("all", part, size, instances, times)
    yield line("all", "all", sum(parts.values()), instances, times)


def line(table: str, part: str, size: int, instances: int, times: int) -> str:
    each = size / instances
    return f"| {table} | {part} | {each:.1f} | {each * times / 2**30:.1f} |"


async def measured(url: str, folder: Path, instances: int, times: int) -> AsyncIterator[str]:
    await Database(url).migrate()
    connection = await asyncpg.connect(url)
    try:
        await fill(connection, instances)
        found = await sizes(connection)
    finally:
        await connection.close()
    for text in report(list(found), instances, times):
        yield text
    yield ""
    async for text in costs(url, folder):
        yield text


def main(given: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="sizes")
    parser.add_argument("--instances", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=TIMES)
    chosen = parser.parse_args(given)

    async def run(url: str, folder: Path) -> None:
        async for text in measured(url, folder, chosen.instances, chosen.times):
            print(text)  # noqa: T201 - it is what it is for

    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        server.administer("CREATE DATABASE sizes")
        asyncio.run(run(server.url("sizes"), Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
