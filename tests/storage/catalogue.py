"""What the databases say themselves of their constraints and indexes, in the same words."""

from __future__ import annotations

import re
from typing import Any

from app.storage.database import Session
from app.storage.tables import TABLES

OURS = tuple(model._meta.db_table for model in TABLES)

POSTGRES_CONSTRAINTS = """
    SELECT c.conrelid::regclass::text AS "table", c.contype::text AS kind, c.conname AS name,
           c.confrelid::regclass::text AS target,
           CASE c.confdeltype WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
                END AS on_delete,
           (SELECT string_agg(a.attname, ',' ORDER BY k.position)
              FROM unnest(c.conkey) WITH ORDINALITY AS k(number, position)
              JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns
      FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace"""


async def read_constraints(session: Session) -> tuple[set[Any], set[Any], set[Any]]:
    """Names of CHECKs; table and columns of uniques; table, column, target and rule of references."""
    if session.dialect == "sqlite":
        return await read_sqlite_constraints(session)
    rows = [row for row in await session.rows(POSTGRES_CONSTRAINTS) if row["table"] in OURS]
    return (
        {row["name"] for row in rows if row["kind"] == "c"},
        {(row["table"], row["columns"]) for row in rows if row["kind"] == "u"},
        {
            (row["table"], row["columns"], row["target"], row["on_delete"])
            for row in rows
            if row["kind"] == "f"
        },
    )


async def read_sqlite_constraints(session: Session) -> tuple[set[Any], set[Any], set[Any]]:
    checks, uniques, references = set(), set(), set()
    for table in OURS:
        [definition] = await session.rows("SELECT sql FROM sqlite_master WHERE name = $1", [table])
        checks |= set(re.findall(r'CONSTRAINT "(\w+)" CHECK', definition["sql"]))
        for index in await session.rows(f'PRAGMA index_list("{table}")'):
            if index["unique"] and index["origin"] != "pk":
                uniques.add((table, await sqlite_index_columns(session, index["name"])))
        for reference in await session.rows(f'PRAGMA foreign_key_list("{table}")'):
            references.add((table, reference["from"], reference["table"], reference["on_delete"]))
    return checks, uniques, references


async def sqlite_index_columns(session: Session, name: str) -> str:
    return ",".join(row["name"] for row in await session.rows(f'PRAGMA index_info("{name}")'))


async def read_indexes(session: Session) -> set[Any]:
    """By name, what stands between the brackets of its definition and after them, without brackets."""
    query = "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = 'public'"
    if session.dialect == "sqlite":
        query = "SELECT name, sql AS definition FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    rows = await session.rows(query)
    return {(row["name"], _bare(row["definition"])) for row in rows if "UNIQUE" not in row["definition"]}


def _bare(definition: str) -> str:
    text = re.sub(r'["()]', " ", definition.partition("(")[2])
    return re.sub(r"\s*,\s*", ",", re.sub(r"\s+", " ", text).strip())
