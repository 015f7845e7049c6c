"""Rows in bulk: organizations with a hundred instances each, every one with its activity.

They are put into the tables as they would stand there, with all indexes and triggers in place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from app.storage.keys import email_key, text_key

ISSUER = "urn:instance-registry:local"
CHUNK = 20_000
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
WORDS = (
    *("shop", "lab", "north", "south", "europe", "factory", "house", "garden", "river", "stone", "market"),
    *("school", "energy", "water", "data", "cloud", "mobile", "print", "paper", "steel", "bridge", "harbour"),
    *("valley", "summit", "forest", "meadow", "island", "castle", "mill", "station"),
)
# What one instance in `RARE` is called besides.
RARE, RARE_WORD = 40_000, "quagga"
COLUMNS = {
    "partner": "id issuer subject name email email_key created_at updated_at version",
    "organization": "id name name_key created_at updated_at version",
    "membership": "id organization_id partner_id role joined_at version",
    "instance": "id organization_id created_by_organization_id name name_key handle"
    " created_at updated_at version",
    "activity": "sequence id type object_class object_id published changes request_id",
    "activity_organization": "activity_id organization_id",
}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Estate:
    """How much there is. `one` owns the organization in the middle, `many` every second, `auditor` none."""

    instances: int
    in_one: int = 100

    @property
    def organizations(self) -> int:
        return -(-self.instances // self.in_one)

    @property
    def middle(self) -> int:
        return self.organizations // 2

    def rows(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """By table, in the order in which they refer to each other."""
        yield "partner", (self._partner(number, it) for number, it in enumerate(SUBJECTS))
        yield "organization", (self._organization(number) for number in range(self.organizations))
        yield "membership", self._memberships()
        yield "instance", (self.instance(number) for number in range(self.instances))
        yield "activity", (self._activity(number) for number in range(self.instances))
        yield (
            "activity_organization",
            (
                (number + 1, identifier("organization", self._owner(number)))
                for number in range(self.instances)
            ),
        )

    @property
    def count(self) -> int:
        return len(SUBJECTS) + self.organizations * 2 + self.instances * 3

    def _partner(self, number: int, subject: str) -> Row:
        email = f"{subject}@acme.example"
        names = (ISSUER, subject, subject.capitalize(), email, email_key(email))
        return (identifier("partner", number), *names, BEGAN, BEGAN, 1)

    def _organization(self, number: int) -> Row:
        name = f"Organization {number}"
        return (identifier("organization", number), name, text_key(name), at(number), at(number), 1)

    def _memberships(self) -> Iterator[Row]:
        for number in range(self.organizations):
            holder = 0 if number == self.middle else 1 if number % 2 else 3
            who, where = identifier("partner", holder), identifier("organization", number)
            yield (identifier("membership", number), where, who, "owner", BEGAN, 1)

    def _owner(self, number: int) -> int:
        """Those of one organization were made at different times."""
        return number % self.organizations

    def instance(self, number: int) -> Row:
        words = Random(number).sample(WORDS, 2)
        name = " ".join((*words, *([RARE_WORD] if number % RARE == 0 else []), str(number))).title()
        owner, time = identifier("organization", self._owner(number)), at(number)
        handle = letters(f"{words[0]}-{number}")
        return (identifier("instance", number), owner, owner, name, text_key(name), handle, time, time, 1)

    def _activity(self, number: int) -> Row:
        what = ("Create", "Instance", identifier("instance", number), at(number), "[]", "load")
        return (number + 1, identifier("activity", number), *what)


SUBJECTS = ("one", "many", "auditor", "other")


def identifier(table: str, number: int) -> UUID:
    """In the order of the numbers, as UUIDv7 are in that of time."""
    kind = list(COLUMNS).index(table)
    return UUID(
        int=(0x01930000 << 96) | (number >> 12 << 80) | (7 << 76) | (number % 4_096 << 64) | (2 << 62) | kind
    )


def letters(text: str) -> str:
    """Handles have no digits."""
    return text.translate(str.maketrans("0123456789", "abcdefghij"))


def at(number: int) -> datetime:
    return BEGAN + timedelta(seconds=number)


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def load_sqlite(file_path: str, estate: Estate, told: Callable[[int], None]) -> None:
    """In transactions of thousands; the file is not safe against a power cut meanwhile."""
    with closing(sqlite3.connect(file_path, isolation_level=None)) as connection:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = OFF",
            "foreign_keys = OFF",
            "cache_size = -400000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        for table, rows in estate.rows():
            columns = COLUMNS[table].split()
            places = ", ".join("?" for _ in columns)
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
            for chunk in chunks(rows):
                connection.execute("BEGIN")
                connection.executemany(sql, (tuple(map(_stored, row)) for row in chunk))
                connection.execute("COMMIT")
                told(len(chunk))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return str(value) if isinstance(value, UUID) else value


async def load_postgres(url: str, estate: Estate, told: Callable[[int], None]) -> None:
    """By COPY, without looking up each reference."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for table, rows in estate.rows():
            for chunk in chunks(rows):
                await connection.copy_records_to_table(table, records=chunk, columns=COLUMNS[table].split())
                told(len(chunk))
        await connection.execute(
            "SELECT setval('activity_sequence_seq', (SELECT max(sequence) FROM activity))"
        )
        # No trigger has done so.
        await connection.execute(import_module("app.storage.migrations.0007_tallies").OF_EACH)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
